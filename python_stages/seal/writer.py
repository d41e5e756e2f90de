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
from dataclasses import dataclass
from pathlib import Path

from cryptography.cobblestone import Cobblestone256Encryptor

from python_stages.errors import KeyFileError, NotCheckedError, SealError, TamperedError
from python_stages.key_files import sync
from python_stages.keys import KeyRing
from python_stages.seal import reader
from python_stages.seal import sealed_format as fmt
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
    recipients, signing_key = keys.recipients(), keys.signing_key()
    if fmt.signer_id(signing_key) not in {one.key_id for one in keys.signers()}:
        raise KeyFileError(
            "signers/ lacks the public half of signing.key, so that nobody here would believe the "
            "file: add it (`sealtune keys show`)"
        )
    file_key, file_id = Cobblestone256Encryptor.generate_key(), secrets.token_hex(16)
    header = fmt.wrap_file_key(
        file_key, dataset=dataset, split=split, file_id=file_id, recipients=recipients
    )
    home = folder / dataset
    try:
        with _locked(home):
            if expected_fingerprint is not None:
                target = home / f"{split}-{expected_fingerprint}.sealed"
                present = _find(target, header, suite_hash, keys)
                if present is not None:
                    fingerprint = fingerprint_lines(lines, keys.hmac_key("fingerprint"))
                    _check_passed(fingerprint, expected_fingerprint)
                    return present
            draft = home / f".{file_id}.draft"
            try:
                manifest = _write(draft, lines, header, file_key, suite_hash=suite_hash, keys=keys)
                _check_passed(manifest.fingerprint, expected_fingerprint)
                target = folder / manifest.path
                present = _find(target, header, suite_hash, keys)
                if present is None:
                    _read_back(draft, file_key, keys)
                    _publish(draft, target)
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
def _locked(home: Path) -> Iterator[None]:
    """Make the folder of a dataset, wait until nobody else seals there, and clear it of drafts."""
    for one in (home.parent, home):
        if not one.exists():
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(one.parent)
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


def _write(
    draft: Path,
    lines: Iterable[bytes],
    header: Header,
    file_key: bytes,
    *,
    suite_hash: str,
    keys: KeyRing,
) -> Manifest:
    prologue = fmt.encode_header(header)
    encryptor = Cobblestone256Encryptor(file_key, fmt.body_context(prologue))
    mac = hmac.new(keys.hmac_key("fingerprint"), digestmod=hashlib.sha256)
    body_hash = hashlib.sha256()
    n_rows = n_bytes = 0
    with reader.create_file(draft) as file:
        file.write(prologue)
        for n_lines, block in join_lines(lines):
            mac.update(block)
            n_rows, n_bytes = n_rows + n_lines, n_bytes + len(block)
            ciphertext = encryptor.update(block)
            body_hash.update(ciphertext)
            file.write(ciphertext)
        ciphertext = encryptor.finalize()
        body_hash.update(ciphertext)
        file.write(ciphertext)
        manifest = Manifest(
            dataset=header.dataset,
            split=header.split,
            file_id=header.file_id,
            fingerprint=mac.hexdigest(),
            n_rows=n_rows,
            n_bytes=n_bytes,
            suite_hash=suite_hash,
            recipients=tuple(one for one, _ in header.wrapped_keys),
            signer=fmt.signer_id(keys.signing_key()),
            header_sha256=hashlib.sha256(prologue).hexdigest(),
            body_sha256=body_hash.hexdigest(),
        )
        file.write(fmt.encode_manifest(manifest, keys.signing_key()))
        file.flush()
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            # Reading back should ask the disk, not the memory that the disk was written from.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return manifest


def _read_back(draft: Path, file_key: bytes, keys: KeyRing) -> None:
    """Open what was written as a recipient would, and compare the plaintext's fingerprint."""
    mac = hmac.new(keys.hmac_key("fingerprint"), digestmod=hashlib.sha256)
    try:
        with draft.open("rb") as file:
            envelope = reader.read_envelope(file, keys.signers())
            hashes = reader.hash_body(file, envelope)
            for block in reader.decrypt_body(file, envelope, file_key, hashes):
                mac.update(block)
        is_same = hmac.compare_digest(mac.hexdigest(), envelope.manifest.fingerprint)
    except TamperedError:
        is_same = False
    if not is_same:
        raise SealError("what was written cannot be read back: check the disk, then seal again")


def _find(target: Path, header: Header, suite_hash: str, keys: KeyRing) -> SealedFile | None:
    """Return the file of this name, verified, if it is ours, for the same recipients and suite.

    A file that another trusted signer made under this name is sealed anew: nobody but the holder
    of the hmac key can know that its lines are those of the fingerprint.
    """
    if not os.path.lexists(target):
        return None
    present = reader.verify(target, keys=keys)
    recipients = tuple(one for one, _ in header.wrapped_keys)
    ours = (recipients, suite_hash, fmt.signer_id(keys.signing_key()))
    if (present.recipients, present.suite_hash, present.signer) != ours:
        return None
    return SealedFile(target, present, is_new=False)


def _publish(draft: Path, target: Path) -> None:
    if os.path.lexists(target):
        draft.replace(target)
    else:
        # Unlike a rename, a link never takes the place of a file.
        os.link(draft, target)
    sync(target.parent)
