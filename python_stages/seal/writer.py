"""Sealing: one file per split, there in full or not at all, and written once.

A file is written under a draft name, synced, read back, decrypted and compared, and only then given
its name. Sealers of one dataset take turns by a lock, so a draft that is found under the lock was
left by a process that died, and is removed.

The same lines have the same fingerprint and so the same name: where the file is there already and
authentic, nothing is sealed anew. Only if the recipients or the expectations have changed since, a
new file with a new key takes its place, in one step. Who could open the old file and kept a copy of
it still can: removing a recipient concerns what is sealed from then on.
"""

import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.cobblestone import Cobblestone256Encryptor

from python_stages.errors import KeyFileError, NotCheckedError, SealError, TamperedError
from python_stages.keys import KeyRing
from python_stages.keys.datasets import dataset_key_id
from python_stages.keys.files import make_folder, sync
from python_stages.seal import reader
from python_stages.seal import sealed_format as fmt
from python_stages.seal.blocks import Beside
from python_stages.seal.file_keys import content_key, wrap_file_key
from python_stages.seal.fingerprint import fingerprint_lines, join_lines
from python_stages.seal.sealed_format import Header, Manifest

DRAFT = re.compile(r"\.[0-9a-f]{32}\.draft")


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A sealed file that is on disk and was verified.

    Attributes:
        path: where it lies.
        manifest: what it holds.
        is_new: False if it was there before.
    """

    path: Path
    manifest: Manifest
    is_new: bool


@dataclass(frozen=True, slots=True)
class NewFile:
    """The header of a file that is to be written, and the key of its body.

    Attributes:
        header: for whom it is sealed.
        keys: the ring that signs it.
        suite_hash: expectations that its lines passed.
        key: the key of the body, used for this file alone.
    """

    header: Header
    keys: KeyRing
    suite_hash: str
    key: bytes = field(repr=False)

    @classmethod
    def begin(cls, dataset: str, split: str, suite_hash: str, keys: KeyRing) -> Self:
        """Choose the keys of a new file, for the recipients and the dataset's key of now.

        Call it under the lock of the dataset, so that nobody shreds its key meanwhile.

        Raises:
            KeyFileError: a key is missing, or nobody here would believe the signature.
        """
        if fmt.signer_id(keys.signing_key()) not in {one.key_id for one in keys.signers()}:
            raise KeyFileError(
                "signers/ lacks the public half of the signing key, so that nobody here would "
                "believe the file: add it (`sealtune keys show`)"
            )
        recipients = keys.recipients()
        dataset_key = keys.make_dataset_key(dataset)
        file_key = Cobblestone256Encryptor.generate_key()
        header = wrap_file_key(
            file_key,
            dataset=dataset,
            split=split,
            file_id=secrets.token_hex(16),
            dataset_key_id=dataset_key_id(dataset_key),
            recipients=recipients,
        )
        return cls(header, keys, suite_hash, content_key(header, file_key, dataset_key))

    @property
    def draft(self) -> str:
        """The name under which it is written."""
        return f".{self.header.file_id}.draft"

    def is_as(self, manifest: Manifest) -> bool:
        """Whether a file that is there is for the same recipients, suite, signer and version."""
        return (
            manifest.format,
            manifest.recipients,
            manifest.dataset_key,
            manifest.suite_hash,
            manifest.signer,
        ) == (
            self.header.version.name,
            self.header.recipients,
            self.header.dataset_key,
            self.suite_hash,
            fmt.signer_id(self.keys.signing_key()),
        )


def seal(
    lines: Iterable[bytes],
    *,
    dataset: str,
    split: str,
    suite_hash: str,
    folder: Path,
    keys: KeyRing,
    expected_fingerprint: str | None,
) -> SealedFile:
    """Seal the lines of one split for all recipients, unless that is done already.

    Args:
        lines: the lines in order, each without its newline; read once, never held.
        dataset: `[a-z][a-z0-9_]{0,63}`, the name of the folder for the file.
        split: the same, the first part of the file's name.
        suite_hash: hex SHA-256 of the expectations that the lines passed.
        folder: the folder of all sealed files, created where it is missing.
        keys: a ring with signing key, hmac key, recipients and signers; no identity is needed.
        expected_fingerprint: fingerprint that the check stage passed; None seals any lines.

    Raises:
        NotCheckedError: the lines are not those that passed; nothing is left behind.
        SealError: a name or line is malformed, or the file cannot be written; nothing is left.
        TamperedError: a file of that name exists and is not what was sealed.
        KeyFileError: a key is missing, wrong, or open to others.
    """
    _check_names(dataset, split)
    _check_hashes(suite_hash, expected_fingerprint)
    home = folder / dataset
    try:
        with locked(home):
            new = NewFile.begin(dataset, split, suite_hash, keys)
            if expected_fingerprint is not None:
                target = home / f"{split}-{expected_fingerprint}.sealed"
                present = _find(target, new)
                if present is not None:
                    fingerprint = fingerprint_lines(lines, keys.hmac_key("fingerprint"))
                    _check_passed(fingerprint, expected_fingerprint)
                    return present
            draft = home / new.draft
            try:
                manifest = write_draft(draft, join_lines(lines), new)
                _check_passed(manifest.fingerprint, expected_fingerprint)
                target = folder / manifest.path
                present = _find(target, new)
                if present is None:
                    read_back(draft, new)
                    publish(draft, target)
                return present or SealedFile(target, manifest, is_new=True)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise SealError(
            f"cannot write to {home}: {error.strerror}; check its space, rights and file system"
        ) from error


def _check_names(dataset: str, split: str) -> None:
    if not (fmt.NAME.fullmatch(dataset) and fmt.NAME.fullmatch(split)):
        raise SealError("dataset and split must be lower-case words: [a-z][a-z0-9_]{0,63}")


def _check_hashes(*hashes: str | None) -> None:
    if not all(one is None or fmt.SHA256_HEX.fullmatch(one) for one in hashes):
        raise SealError("suite hash and fingerprint must be SHA-256 in lower-case hex: 64 digits")


def _check_passed(fingerprint: str, expected: str | None) -> None:
    if expected is not None and not hmac.compare_digest(fingerprint, expected):
        raise NotCheckedError(
            "these are not the lines that passed the check: run the check on them, then seal"
        )


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Make the folder of a dataset, wait until nobody else seals there, and clear it of drafts."""
    make_folder(home)
    # A file, not the folder: a network file system locks only what is open for writing.
    descriptor = os.open(home / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for path in home.iterdir():
            if DRAFT.fullmatch(path.name):
                path.unlink()
        yield
    finally:
        os.close(descriptor)


def write_draft(draft: Path, blocks: Iterable[tuple[int, bytes]], new: NewFile) -> Manifest:
    """Write and sync a whole sealed file under a draft's name.

    Args:
        draft: a file that does not exist.
        blocks: the plaintext in order, each block with its number of newlines.
        new: what is to be written.
    """
    prologue = fmt.encode_header(new.header)
    header_hash = hashlib.sha256(prologue)
    context = new.header.version.body_context(header_hash.digest())
    encryptor = Cobblestone256Encryptor(new.key, context)
    mac = hmac.new(new.keys.hmac_key("fingerprint"), digestmod=hashlib.sha256)
    body_hash = hashlib.sha256()
    n_rows = n_bytes = 0
    with reader.create_file(draft) as file:
        file.write(prologue)
        with Beside() as beside:
            for n_lines, block in blocks:
                beside.run(mac.update, block)
                n_rows, n_bytes = n_rows + n_lines, n_bytes + len(block)
                ciphertext = encryptor.update(block)
                beside.run(body_hash.update, ciphertext)
                file.write(ciphertext)
            ciphertext = encryptor.finalize()
            beside.run(body_hash.update, ciphertext)
            file.write(ciphertext)
        manifest = Manifest(
            dataset=new.header.dataset,
            split=new.header.split,
            file_id=new.header.file_id,
            fingerprint=mac.hexdigest(),
            n_rows=n_rows,
            n_bytes=n_bytes,
            suite_hash=new.suite_hash,
            recipients=new.header.recipients,
            signer=fmt.signer_id(new.keys.signing_key()),
            dataset_key=new.header.dataset_key,
            header_sha256=header_hash.hexdigest(),
            body_sha256=body_hash.hexdigest(),
        )
        file.write(fmt.encode_manifest(manifest, new.keys.signing_key()))
        file.flush()
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            # Reading back should ask the disk, not the memory that the disk was written from.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return manifest


def read_back(draft: Path, new: NewFile) -> None:
    """Open what was written as a recipient would, and compare the plaintext's fingerprint.

    Raises:
        SealError: the disk does not give back what was written.
    """
    mac = hmac.new(new.keys.hmac_key("fingerprint"), digestmod=hashlib.sha256)
    try:
        with draft.open("rb") as file:
            envelope = reader.read_envelope(file, new.keys.signers())
            reader.examine_body(file, envelope, new.key, also=mac.update)
        is_same = hmac.compare_digest(mac.hexdigest(), envelope.manifest.fingerprint)
    except TamperedError:
        is_same = False
    if not is_same:
        raise SealError("what was written cannot be read back: check the disk, then seal again")


def _find(target: Path, new: NewFile) -> SealedFile | None:
    """Return the file of this name, verified, if it is ours and as it would be written now.

    A file that another trusted signer made under this name is sealed anew: nobody but the holder
    of the hmac key can know that its lines are those of the fingerprint.
    """
    if not os.path.lexists(target):
        return None
    present = reader.verify(target, keys=new.keys)
    return SealedFile(target, present, is_new=False) if new.is_as(present) else None


def publish(draft: Path, target: Path) -> None:
    """Give a draft its name in one step, in the place of an older file of that name."""
    if os.path.lexists(target):
        draft.replace(target)
    else:
        # Unlike a rename, a link never takes the place of a file.
        os.link(draft, target)
    sync(target.parent)
