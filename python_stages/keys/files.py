"""How a key lies in a file: one line of text, in a file that nobody else can reach.

The line is `sealtune-<kind>-1:<base64url without padding>` (RFC 4648, section 5), so that a wrong
file is recognised by its marker and a later version by its number.
"""

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_stages.errors import KeyFileError


class MissingKeyError(KeyFileError):
    """There is no such key file; who can do without the key goes on."""


SECRET_BYTES = 32
MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1184
X25519_BYTES = 32
# 32 bytes under HPKE: the encapsulated key (ML-KEM-768 ciphertext, X25519 key), then AES-256-GCM.
WRAPPED_BYTES = 1088 + X25519_BYTES + SECRET_BYTES + 16

# Raw length of each kind; a file of another length is not that key.
KIND_BYTES = {
    "vault": SECRET_BYTES,
    "hmac": SECRET_BYTES,
    "signing": SECRET_BYTES,
    "identity": MLKEM_SEED_BYTES + X25519_BYTES,
    "recipient": MLKEM_PUBLIC_BYTES + X25519_BYTES,
    "signer": SECRET_BYTES,
    "dataset": SECRET_BYTES,
    "grant": WRAPPED_BYTES,
}
MAX_FILE_BYTES = 4096
OTHERS_ANY = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def encode(kind: str, raw: bytes) -> str:
    """Return the line of a raw key, without its newline."""
    return f"sealtune-{kind}-1:{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def decode(kind: str, text: str, origin: str) -> bytes:
    """Return the raw key of a line.

    Args:
        kind: what key it must be, one of KIND_BYTES.
        text: the line, with or without white space around it.
        origin: what to call the line in an error, which never quotes it.

    Raises:
        KeyFileError: another marker, another length, or no strict base64url.
    """
    marker, _, payload = text.strip().partition(":")
    if marker != f"sealtune-{kind}-1":
        raise KeyFileError(
            f"{origin} is no {kind} key: it must start with sealtune-{kind}-1: "
            "(a later version is opened by a later sealtune)"
        )
    try:
        raw = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KIND_BYTES[kind] or encode(kind, raw) != text.strip():
        raise KeyFileError(
            f"{origin} is damaged: restore the {kind} key from where you keep a copy"
        )
    return raw


def read_key(path: Path, kind: str, *, forbidden: int) -> bytes:
    """Return the raw key in a file whose mode has none of the `forbidden` bits."""
    with opened(path, forbidden=forbidden) as descriptor:
        content = os.read(descriptor, MAX_FILE_BYTES)
    return decode(kind, content.decode("ascii", errors="replace"), str(path))


@contextmanager
def opened(path: Path, *, forbidden: int) -> Iterator[int]:
    """Open a key file, and check the file that was opened rather than its name.

    A link is followed: what it points to must be this user's alone, whatever the link says.
    """
    try:
        # O_NONBLOCK: a pipe of this name must be refused below, not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise MissingKeyError(
            f"there is no key {path}: restore it from where you keep a copy, "
            "or run `sealtune keys init` for a new folder of keys"
        ) from error
    except OSError as error:
        raise KeyFileError(f"cannot open {path}: {error.strerror}; check who owns it") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyFileError(f"{path} is no file: put the key itself there")
        check_access(path, found, forbidden=forbidden)
        yield descriptor
    finally:
        os.close(descriptor)


def check_access(path: Path, found: os.stat_result, *, forbidden: int) -> None:
    """Raise KeyFileError unless a file or folder is this user's, with no `forbidden` mode bit."""
    if found.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to another user: run `chown $USER {path}`")
    if found.st_mode & forbidden:
        mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
        raise KeyFileError(f"{path} is open to other users: run `chmod {mode} {path}`")


def write_new(path: Path, text: str) -> None:
    """Write one line into a new file that only this user can reach, and sync it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)


def replace(path: Path, text: str) -> None:
    """Write lines into a file of this user's in one step: the old ones or the new, never a mixture.

    A killed process leaves a draft that nobody reads; a power cut leaves the old file or the new.
    """
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}.draft")
    make_folder(path.parent)
    try:
        write_new(draft, text)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder for this user alone, and those above it where they are missing.

    Each new one is synced into the one above it: a file is as lost as the name of any folder that
    leads to it.
    """
    if path.exists():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
