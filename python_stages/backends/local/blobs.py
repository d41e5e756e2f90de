"""Files, checkpoints and weights of the local server, encrypted at rest.

Each blob is one Cobblestone-256 stream (C2SP chunked encryption: a new salt for every stream,
16 KiB chunks, bounded memory, notices reordering and truncation) under a key that is derived from
the vault's root secret. The blob's name is its context, so that no blob can stand in for another.
A blob is written under a draft name, synced, and only then given its name: it is there in full or
not at all. Deleting one unlinks it; what a disk keeps of it then is ciphertext.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from python_stages.errors import BackendError, TamperedError
from python_stages.keys import KeyRing
from python_stages.keys.files import make_folder, sync

BLOCK_BYTES: Final = 1 << 18
MAX_LINE_BYTES: Final = 8 * 1024 * 1024

_PURPOSE: Final = "local-server/blobs"
_CONTEXT: Final = "sealtune-local-1/"
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_DRAFT: Final = re.compile(r"\.[0-9a-f]{32}\.draft")


class BlobWriter:
    """A blob that is being written."""

    def __init__(self, file: BinaryIO, encryptor: Cobblestone256Encryptor) -> None:
        self._file = file
        self._encryptor = encryptor
        self.n_bytes = 0

    def write(self, plaintext: bytes | memoryview) -> None:
        """Append to the blob."""
        self.n_bytes += len(plaintext)
        self._file.write(self._encryptor.update(plaintext))

    def finish(self) -> None:
        """Write the end of the stream and sync the file."""
        self._file.write(self._encryptor.finalize())
        self._file.flush()
        os.fsync(self._file.fileno())


@dataclass(frozen=True, slots=True)
class Blobs:
    """Encrypted blobs, in folders of one level: `files/<id>`, `<job id>/<name>`.

    Args:
        root: the folder of them all.
        key: 32 bytes.
    """

    root: Path
    key: bytes = field(repr=False)

    @contextmanager
    def create(self, folder: str, name: str) -> Iterator[BlobWriter]:
        """Write a blob; it takes its name, or that of an older one, when the block ends well.

        Raises:
            BackendError: the disk is full, or the folder cannot be written.
        """
        target = self._path(folder, name)
        draft = target.with_name(f".{secrets.token_hex(16)}.draft")
        try:
            make_folder(target.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                context = f"{_CONTEXT}{folder}/{name}".encode()
                writer = BlobWriter(file, Cobblestone256Encryptor(self.key, context))
                yield writer
                writer.finish()
            draft.replace(target)
            sync(target.parent)
        except OSError as error:
            raise BackendError(
                f"the local server cannot write to its vault: {error.strerror}; check its space"
            ) from error
        finally:
            draft.unlink(missing_ok=True)

    def write(self, folder: str, name: str, plaintext: bytes) -> None:
        """Write a whole blob."""
        with self.create(folder, name) as writer:
            writer.write(plaintext)

    def open(self, folder: str, name: str) -> BinaryIO:
        """Open a blob for `blocks`; one that is deleted meanwhile can still be read to its end.

        Raises:
            TamperedError: it is not there.
        """
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.fdopen(os.open(self._path(folder, name), flags), "rb")
        except OSError as error:
            raise TamperedError(
                f"a stored file cannot be opened: {error.strerror}; upload it again"
            ) from error

    def blocks(self, file: BinaryIO, folder: str, name: str) -> Iterator[bytes]:
        """Yield the plaintext of an open blob, then close it.

        Raises:
            TamperedError: it is not what was written; a cut end is known only at the end.
        """
        decryptor = Cobblestone256Decryptor(self.key, f"{_CONTEXT}{folder}/{name}".encode())
        try:
            with file:
                while block := file.read(BLOCK_BYTES):
                    yield decryptor.update(block)
                yield decryptor.finalize()
        except InvalidTag:
            raise TamperedError(
                "a stored file is not what was stored: upload it again, or delete it"
            ) from None

    def read(self, folder: str, name: str) -> bytes:
        """Return a whole blob."""
        return b"".join(self.blocks(self.open(folder, name), folder, name))

    def lines(self, folder: str, name: str) -> Iterator[bytes]:
        """Yield a blob's lines without their newlines, nor a byte order mark before the first.

        A line over 8 MiB comes in pieces that are longer still than that: no memory is filled.
        """
        rest, is_first = b"", True
        for block in self.blocks(self.open(folder, name), folder, name):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield line.removeprefix(b"\xef\xbb\xbf") if is_first else line
                is_first = False
            if len(rest) > MAX_LINE_BYTES:
                yield rest
                rest = b""
        if rest:
            yield rest.removeprefix(b"\xef\xbb\xbf") if is_first else rest

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the blobs in a folder, sorted."""
        path = self.root / _checked(folder)
        if not path.is_dir():
            return ()
        return tuple(sorted(one.name for one in path.iterdir() if _PART.fullmatch(one.name)))

    def folders(self) -> tuple[str, ...]:
        """Return the names of the folders, sorted."""
        return tuple(sorted(one.name for one in self.root.iterdir() if one.is_dir()))

    def delete(self, folder: str, name: str) -> None:
        """Delete a blob; one that is gone already is no error."""
        path = self._path(folder, name)
        path.unlink(missing_ok=True)
        if path.parent.exists():
            sync(path.parent)

    def delete_folder(self, folder: str) -> None:
        """Delete a folder with all its blobs; one that is gone already is no error."""
        path = self.root / _checked(folder)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            sync(self.root)

    def delete_drafts(self) -> None:
        """Delete what a killed process left unfinished; only for who holds the vault alone."""
        for path in self.root.glob("*/.*"):
            if _DRAFT.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def _path(self, folder: str, name: str) -> Path:
        return self.root / _checked(folder) / _checked(name)


@dataclass(frozen=True, slots=True)
class JobStorage:
    """The blobs of one job, as the trainer sees them."""

    blobs: Blobs
    job_id: str

    def write(self, name: str, data: bytes) -> None:
        """Write a blob, in the place of an older one of this name."""
        self.blobs.write(self.job_id, name, data)

    def read(self, name: str) -> bytes:
        """Return a blob; raise KeyError where there is none."""
        if name not in self.names():
            raise KeyError(name)
        return self.blobs.read(self.job_id, name)

    def names(self) -> tuple[str, ...]:
        """Return the names of all blobs, sorted."""
        return self.blobs.names(self.job_id)

    def delete(self, name: str) -> None:
        """Delete a blob."""
        self.blobs.delete(self.job_id, name)


def open_blobs(root: Path, ring: KeyRing) -> Blobs:
    """Return the blobs under a folder, with the key for them."""
    return Blobs(root, ring.hmac_key(_PURPOSE))


def _checked(part: str) -> str:
    """Return a part of a path, refusing what could lead elsewhere."""
    if not _PART.fullmatch(part):
        raise TamperedError("a stored name is not one the local server gives: restore the vault")
    return part
