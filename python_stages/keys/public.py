"""Public keys: whom files are sealed for, and whose signatures are believed.

Each lies in a file of its own, `recipients/<name>.pub` or `signers/<name>.pub` in the keys folder.
It is no secret, but who can write it chooses who reads the sealed files.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

from python_stages.errors import KeyFileError
from python_stages.keys.files import (
    MLKEM_PUBLIC_BYTES,
    OTHERS_WRITE,
    decode,
    encode,
    make_folder,
    read_key,
    sync,
    write_new,
)

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key that files are sealed for."""

    name: str
    key_id: str
    public_key: MLKEM768X25519PublicKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A public key whose signature on a manifest is believed."""

    name: str
    key_id: str
    public_key: Ed25519PublicKey


def read_recipients(folder: Path) -> tuple[Recipient, ...]:
    """Return whom files are sealed for: at least one, each key once, in order of key id.

    Raises:
        KeyFileError: there is none, or one is no key, or open to others.
    """
    found = [_recipient(name, raw) for name, raw in _read(folder / "recipients", "recipient")]
    by_id = {one.key_id: one for one in found}
    return tuple(by_id[one] for one in sorted(by_id))


def read_signers(folder: Path) -> tuple[Signer, ...]:
    """Return whose signatures are believed: at least one, each key once, in order of key id.

    Raises:
        KeyFileError: as `read_recipients`.
    """
    found = [_signer(name, raw) for name, raw in _read(folder / "signers", "signer")]
    by_id = {one.key_id: one for one in found}
    return tuple(by_id[one] for one in sorted(by_id))


def add_recipient(folder: Path, name: str, text: str) -> Recipient:
    """Add the public key of somebody whom files shall be sealed for, from now on.

    Args:
        folder: the keys folder.
        name: how the file is called: a lower-case word, `[a-z][a-z0-9_-]*`.
        text: the line that the recipient's `sealtune keys show` printed.

    Raises:
        KeyFileError: the text is no recipient key, or the name stands for another key already.
    """
    raw = decode("recipient", text, "the recipient text")
    added = _recipient(name, raw)
    _add(folder / "recipients", name, "recipient", raw)
    return added


def add_signer(folder: Path, name: str, text: str) -> Signer:
    """Add the public key of somebody whose sealed files shall be believed, from now on.

    Args and raises: as `add_recipient`, for a signer key.
    """
    raw = decode("signer", text, "the signer text")
    added = _signer(name, raw)
    _add(folder / "signers", name, "signer", raw)
    return added


def key_id(raw_public_key: bytes) -> str:
    """Return the short name of a public key: 32 hex digits of the SHA-256 of its raw bytes."""
    return hashlib.sha256(raw_public_key).hexdigest()[:32]


def _recipient(name: str, raw: bytes) -> Recipient:
    try:
        public = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(raw[MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError as error:
        raise KeyFileError(
            f"the recipient {name} is no valid public key: ask for it again"
        ) from error
    return Recipient(name, key_id(raw), public)


def _signer(name: str, raw: bytes) -> Signer:
    return Signer(name, key_id(raw), Ed25519PublicKey.from_public_bytes(raw))


def _read(folder: Path, kind: str) -> Iterator[tuple[str, bytes]]:
    paths = sorted(folder.glob("*.pub"))
    if not paths:
        raise KeyFileError(
            f"{folder} holds no *.pub file: add a public key to it (`sealtune keys show` prints "
            "one)"
        )
    for path in paths:
        yield path.stem, read_key(path, kind, forbidden=OTHERS_WRITE)


def _add(folder: Path, name: str, kind: str, raw: bytes) -> None:
    if not NAME.fullmatch(name):
        raise KeyFileError("a key's name must be a lower-case word: [a-z][a-z0-9_-]*")
    target = folder / f"{name}.pub"
    draft = folder / f".{name}-{secrets.token_hex(8)}.draft"
    make_folder(folder)
    try:
        write_new(draft, encode(kind, raw))
        os.link(draft, target)
        sync(folder)
    except FileExistsError as error:
        if read_key(target, kind, forbidden=OTHERS_WRITE) != raw:
            raise KeyFileError(
                f"{target} holds another key: choose another name, or remove that file first"
            ) from error
    finally:
        draft.unlink(missing_ok=True)
