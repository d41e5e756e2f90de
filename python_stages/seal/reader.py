"""Opening sealed files: all of it is checked before any of it is released.

The body is read twice from one open descriptor: to compare it with the signed hash while it is
decrypted to its end, and to release it. The first pass marks every block, so that the second one
notices a file that is changed under its hands before it uses a byte of the change.
"""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag

from python_stages.errors import SealError, TamperedError
from python_stages.keys import KeyRing, Signer
from python_stages.keys.files import sync
from python_stages.seal import sealed_format as fmt
from python_stages.seal.blocks import BLOCK_BYTES, Beside, BlockMarks
from python_stages.seal.file_keys import open_content_key
from python_stages.seal.fingerprint import count_newlines
from python_stages.seal.sealed_format import Header, Manifest
from python_stages.seal.version import find_version


@dataclass(frozen=True, slots=True)
class Envelope:
    """Header and manifest of one file, authenticated, and where its body lies.

    Attributes:
        header: who can open the body.
        manifest: what the body must be.
        body_start: offset of the body's first byte.
        body_end: offset after its last byte.
    """

    header: Header
    manifest: Manifest
    body_start: int
    body_end: int


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A sealed file that was checked from end to end; `blocks` and `lines` release it.

    Both may be called again, and raise TamperedError where the file has been changed meanwhile.
    """

    manifest: Manifest
    _file: BinaryIO = field(repr=False)
    _envelope: Envelope = field(repr=False)
    _content_key: bytes = field(repr=False)
    _marks: BlockMarks = field(repr=False)

    def blocks(self) -> Iterator[bytes]:
        """Yield the plaintext in blocks of some 1 MiB."""
        return _release_body(self._file, self._envelope, self._content_key, self._marks)

    def lines(self) -> Iterator[bytes]:
        """Yield the plaintext line by line, without the newlines."""
        rest = b""
        for block in self.blocks():
            *whole, rest = (rest + block).split(b"\n")
            yield from whole


def verify(path: Path, *, keys: KeyRing) -> Manifest:
    """Check that a sealed file is, to the byte, what a trusted signer sealed.

    Needs no private key, and therefore cannot say whether the plaintext opens.

    Raises:
        TamperedError: it is not; or it lies under another name than its own.
        KeyFileError: there are no trusted signers.
    """
    with _opened(path) as file:
        envelope = read_envelope(file, keys.signers())
        _check_place(path, envelope.manifest)
        running = hashlib.sha256()
        for block in _body_blocks(file, envelope):
            running.update(block)
        _check_body_hash(running.hexdigest(), envelope)
        return envelope.manifest


@contextmanager
def open_sealed(path: Path, *, keys: KeyRing) -> Iterator[OpenedFile]:
    """Check a whole sealed file, its plaintext included, and open it for reading.

    Args:
        path: `<dataset>/<split>-<fingerprint>.sealed`, in any folder.
        keys: a ring with the identity that opens and the signers that are believed.

    Raises:
        TamperedError: the file is not what was sealed; nothing is released.
        KeyFileError: no signers, no identity, or the file is sealed for others.
    """
    with _opened(path) as file:
        envelope = read_envelope(file, keys.signers())
        _check_place(path, envelope.manifest)
        content_key = open_content_key(envelope.header, keys)
        marks = examine_body(file, envelope, content_key)
        yield OpenedFile(envelope.manifest, file, envelope, content_key, marks)


def read_sealed(path: Path, *, keys: KeyRing) -> Iterator[bytes]:
    """Yield the lines of a sealed file, the first of them after the whole file was checked.

    Raises: as `open_sealed`, when the first line is asked for.
    """
    with open_sealed(path, keys=keys) as opened:
        yield from opened.lines()


def unseal(path: Path, destination: Path | BinaryIO, *, keys: KeyRing) -> Manifest:
    """Write the plaintext of a sealed file to a stream or to a new file.

    A file is written beside its destination, synced, and only then given its name, with mode 0600.

    Raises:
        SealError: the destination exists or cannot be written.
        TamperedError, KeyFileError: as `open_sealed`.
    """
    with open_sealed(path, keys=keys) as opened:
        if not isinstance(destination, Path):
            destination.writelines(opened.blocks())
            return opened.manifest
        draft = destination.with_name(f".{destination.name}-{secrets.token_hex(8)}.draft")
        try:
            with create_file(draft) as file:
                file.writelines(opened.blocks())
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, destination)
            sync(destination.parent)
        except OSError as error:
            raise SealError(
                f"cannot write {destination}: {error.strerror}; name a new file elsewhere"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return opened.manifest


def create_file(path: Path) -> BinaryIO:
    """Create a file that only this user can reach; never opens one that exists."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b")


def read_envelope(file: BinaryIO, signers: Sequence[Signer]) -> Envelope:
    """Return the authenticated header and manifest of an open file.

    Raises:
        TamperedError: no sealed file of this version, not signed by one of the signers, or a header
            that is not the one that was signed.
    """
    n_bytes = os.fstat(file.fileno()).st_size
    file.seek(0)
    prefix = file.read(fmt.PREFIX_BYTES)
    version = find_version(prefix)
    if version is None:
        raise TamperedError(
            "this is no sealed file of version 1 or 2: open it with the sealtune it is of"
        )
    if n_bytes < fmt.PREFIX_BYTES + fmt.SUFFIX_BYTES:
        raise TamperedError(_CUT)
    file.seek(n_bytes - fmt.SUFFIX_BYTES)
    suffix = file.read(fmt.SUFFIX_BYTES)
    (header_bytes,) = fmt.LENGTH.unpack_from(prefix, len(version.magic))
    (manifest_bytes,) = fmt.LENGTH.unpack_from(suffix, fmt.SIGNATURE_BYTES)
    body_start = fmt.PREFIX_BYTES + header_bytes
    body_end = n_bytes - fmt.SUFFIX_BYTES - manifest_bytes
    fits = body_start <= body_end and max(header_bytes, manifest_bytes) <= fmt.MAX_JSON_BYTES
    if not (fits and suffix.endswith(version.end_magic)):
        raise TamperedError(_CUT)

    file.seek(body_end)
    text = file.read(manifest_bytes)
    manifest = fmt.parse_manifest(text, suffix[: fmt.SIGNATURE_BYTES], signers, version)
    file.seek(0)
    prologue = file.read(body_start)
    if not _is_equal(hashlib.sha256(prologue).hexdigest(), manifest.header_sha256):
        raise TamperedError("the header is not the one that was signed: restore or seal anew")
    header = fmt.parse_header(prologue[fmt.PREFIX_BYTES :], version)
    said = (header.dataset, header.split, header.file_id, header.recipients, header.dataset_key)
    if said != (
        manifest.dataset,
        manifest.split,
        manifest.file_id,
        manifest.recipients,
        manifest.dataset_key,
    ):
        raise TamperedError("header and manifest disagree: seal the file anew")
    return Envelope(header, manifest, body_start, body_end)


def examine_body(
    file: BinaryIO,
    envelope: Envelope,
    content_key: bytes,
    *,
    also: Callable[[bytes], None] | None = None,
) -> BlockMarks:
    """Compare the body with its signed hash and decrypt it to its end; return the blocks' marks.

    Args:
        file: the sealed file.
        envelope: what it must be.
        content_key: the key of the body.
        also: called with every block of the plaintext, in order, in another thread.

    Raises:
        TamperedError: the body is not the one that was signed, the key does not open it, or the
            plaintext is not of the length and number of lines that were signed.
    """
    running, marks = hashlib.sha256(), BlockMarks()
    n_rows, n_bytes, last = 0, 0, b"\n"
    decryptor = _decryptor(envelope, content_key)
    is_opened = True
    with Beside() as beside:
        for block in _body_blocks(file, envelope):
            beside.run(running.update, block)
            marks.add(block)
            if is_opened:
                plaintext, is_opened = _decrypt(decryptor.update, block)
                n_rows += count_newlines(plaintext)
                n_bytes, last = n_bytes + len(plaintext), plaintext[-1:] or last
                if also:
                    beside.run(also, plaintext)
        if is_opened:
            plaintext, is_opened = _decrypt(decryptor.finalize)
            n_rows += count_newlines(plaintext)
            n_bytes, last = n_bytes + len(plaintext), plaintext[-1:] or last
            if also:
                beside.run(also, plaintext)
    # what was not signed is refused as that, whatever else is wrong with it
    _check_body_hash(running.hexdigest(), envelope)
    if not is_opened:
        raise TamperedError("the content does not open with its key: seal the file anew")
    if (n_rows, n_bytes, last) != (envelope.manifest.n_rows, envelope.manifest.n_bytes, b"\n"):
        raise TamperedError("the content has not the rows that were signed: seal the file anew")
    return marks


def _release_body(
    file: BinaryIO, envelope: Envelope, content_key: bytes, marks: BlockMarks
) -> Iterator[bytes]:
    """Yield the plaintext of a body whose blocks are still those that were examined."""
    decryptor = _decryptor(envelope, content_key)
    for position, block in enumerate(_body_blocks(file, envelope)):
        marks.check(position, block)
        yield decryptor.update(block)
    yield decryptor.finalize()


_CUT = "the file is cut short or was added to: restore it from a copy, or delete it and seal anew"


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # O_NONBLOCK: a pipe must be refused below, not waited for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        file = os.fdopen(os.open(path, flags), "rb")
    except OSError as error:
        raise TamperedError(
            f"cannot open the sealed file {path}: {error.strerror}; build again to seal it anew"
        ) from error
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise TamperedError(f"{path} is no file: delete it and seal anew")
        yield file


def _check_place(path: Path, manifest: Manifest) -> None:
    where = path.absolute()
    if f"{where.parent.name}/{where.name}" != manifest.path:
        raise TamperedError(
            f"the file lies under another name than its own, {manifest.path}: rename it to that "
            "if you meant that dataset"
        )


def _body_blocks(file: BinaryIO, envelope: Envelope) -> Iterator[bytes]:
    file.seek(envelope.body_start)
    remaining = envelope.body_end - envelope.body_start
    while remaining:
        block = file.read(min(BLOCK_BYTES, remaining))
        if not block:
            raise TamperedError(_CUT)
        remaining -= len(block)
        yield block


def _decryptor(envelope: Envelope, content_key: bytes) -> Cobblestone256Decryptor:
    # read_envelope compared this hash with the header that lies in the file
    context = envelope.header.version.body_context(bytes.fromhex(envelope.manifest.header_sha256))
    return Cobblestone256Decryptor(content_key, context)


def _decrypt(step: Callable[..., bytes], *block: bytes) -> tuple[bytes, bool]:
    """Return what a step of decryption gives, and whether it was authentic."""
    try:
        return step(*block), True
    except InvalidTag:
        return b"", False


def _check_body_hash(computed: str, envelope: Envelope) -> None:
    if not _is_equal(computed, envelope.manifest.body_sha256):
        raise TamperedError("the content is not what was signed: restore the file or seal it anew")


def _is_equal(computed: str, signed: str) -> bool:
    return hmac.compare_digest(computed, signed)
