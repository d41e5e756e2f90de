"""Who may open, sign and count: the keys of one user, in one folder outside the project.

    vault.key          opens the encrypted warehouse
    hmac.key           root of every keyed hash: fingerprints, pseudonyms
    signing.key        signs the manifests of sealed files (Ed25519)
    identity.key       opens sealed files (HPKE, ML-KEM-768 with X25519)
    recipients/*.pub   whom files are sealed for; `self.pub` is the identity above
    signers/*.pub      whose signatures are believed; `self.pub` is the signing key above

The folder is 0700 and its files are 0600. Each file is one line, `sealtune-<kind>-1:<base64url>`,
so that a wrong file is recognised by its marker. A key is read when it is asked for: a machine that
only builds works without `identity.key`, a machine that only opens needs nothing but that and
`signers/`.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from python_stages.errors import KeyFileError
from python_stages.key_files import (
    MLKEM_PUBLIC_BYTES,
    MLKEM_SEED_BYTES,
    OTHERS_ANY,
    OTHERS_WRITE,
    SECRET_BYTES,
    check_access,
    decode,
    encode,
    opened,
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


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys in one folder, each read from its file when it is asked for.

    Holds the folder's path and nothing else, so that no repr, traceback or pickle shows a secret.
    Every method raises KeyFileError where its file is missing, wrong, or open to others.
    """

    folder: Path

    def vault_key(self) -> str:
        """Return the warehouse key as 64 hex digits, which need no quoting in SQL."""
        return self._read("vault").hex()

    def hmac_key(self, purpose: str) -> bytes:
        """Return the 32-byte key for one purpose: HKDF-SHA256 (RFC 5869) of the root secret."""
        derive = HKDF(hashes.SHA256(), SECRET_BYTES, salt=None, info=purpose.encode())
        return derive.derive(self._read("hmac"))

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the key that signs manifests."""
        return Ed25519PrivateKey.from_private_bytes(self._read("signing"))

    def identity(self) -> MLKEM768X25519PrivateKey:
        """Return the private key that opens what was sealed for this user."""
        return MLKEM768X25519PrivateKey(*_identity_parts(self._read("identity")))

    def identity_id(self) -> str:
        """Return the key id under which sealed files list this identity."""
        return key_id(_identity_public(self._read("identity")))

    def recipients(self) -> tuple[Recipient, ...]:
        """Return whom files are sealed for: at least one, each key once, in order of key id."""
        found = {
            one.key_id: one
            for name, raw in self._read_public("recipients", "recipient")
            for one in [_recipient(name, raw)]
        }
        return tuple(found[one] for one in sorted(found))

    def signers(self) -> tuple[Signer, ...]:
        """Return whose signatures are believed: at least one, each key once, by key id."""
        found = {
            one.key_id: one
            for name, raw in self._read_public("signers", "signer")
            for one in [_signer(name, raw)]
        }
        return tuple(found[one] for one in sorted(found))

    def public_recipient(self) -> str:
        """Return the line to hand to those who shall seal files for this user."""
        return encode("recipient", _identity_public(self._read("identity")))

    def public_signer(self) -> str:
        """Return the line to hand to those who shall believe this user's signature."""
        return encode("signer", self.signing_key().public_key().public_bytes_raw())

    def _read(self, kind: str) -> bytes:
        return read_key(self.folder / f"{kind}.key", kind, forbidden=OTHERS_ANY)

    def _read_public(self, folder: str, kind: str) -> Iterator[tuple[str, bytes]]:
        paths = sorted((self.folder / folder).glob("*.pub"))
        if not paths:
            raise KeyFileError(
                f"{self.folder / folder} holds no *.pub file: add a public key to it "
                "(`sealtune keys show` prints one)"
            )
        for path in paths:
            # A public key is no secret, but who can write it chooses who reads the sealed files.
            yield path.stem, read_key(path, kind, forbidden=OTHERS_WRITE)


def create(folder: Path, *, project: Path | None = None) -> KeyRing:
    """Create all keys at once, or load them where the folder holds some already.

    The keys are written into a draft beside `folder`, synced, and renamed: a process killed on the
    way leaves `folder` as it was (and a draft that nobody uses), and of two processes that create
    at once, one's keys stay and both return them.

    Args:
        folder: where the keys shall lie; its parents are created.
        project: the project's root, inside which keys are refused.

    Raises:
        KeyFileError: the folder lies inside the project, or holds keys that `load` refuses.
    """
    _refuse_inside(folder, project)
    draft = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}.draft")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write_all(draft)
        # POSIX rename replaces an empty folder and refuses one that holds anything.
        draft.rename(folder)
        sync(folder.parent)
    except OSError as error:
        if not folder.exists():
            raise KeyFileError(
                f"cannot create keys in {folder}: {error.strerror}; "
                "set SEALTUNE_KEYS_DIR to a folder that you may write"
            ) from error
    finally:
        _remove(draft)
    return load(folder, project=project)


def load(folder: Path, *, project: Path | None = None) -> KeyRing:
    """Return the keys in a folder, after checking that nobody else can reach them.

    Raises:
        KeyFileError: the folder is missing, empty, inside the project, or not this user's alone, or
            a private key in it is open to others. Keys that are absent are reported when asked for.
    """
    _refuse_inside(folder, project)
    if not folder.is_dir():
        raise KeyFileError(f"there is no keys folder {folder}: run `sealtune keys init`")
    check_access(folder, folder.stat(), forbidden=OTHERS_ANY)
    for name in ("recipients", "signers"):
        if (folder / name).exists():
            check_access(folder / name, (folder / name).stat(), forbidden=OTHERS_ANY)
    private = sorted(folder.glob("*.key"))
    if not private:
        raise KeyFileError(f"{folder} holds no keys: run `sealtune keys init`")
    for path in private:
        with opened(path, forbidden=OTHERS_ANY):
            pass
    return KeyRing(folder)


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
    _add_public(load(folder).folder / "recipients", name, "recipient", raw)
    return added


def add_signer(folder: Path, name: str, text: str) -> Signer:
    """Add the public key of somebody whose sealed files shall be believed, from now on.

    Args and raises: as `add_recipient`, for a signer key.
    """
    raw = decode("signer", text, "the signer text")
    added = _signer(name, raw)
    _add_public(load(folder).folder / "signers", name, "signer", raw)
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


def _identity_parts(raw: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    return (
        MLKEM768PrivateKey.from_seed_bytes(raw[:MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(raw[MLKEM_SEED_BYTES:]),
    )


def _identity_public(raw: bytes) -> bytes:
    return b"".join(part.public_key().public_bytes_raw() for part in _identity_parts(raw))


def _refuse_inside(folder: Path, project: Path | None) -> None:
    if project is not None and folder.resolve().is_relative_to(project.resolve()):
        raise KeyFileError(
            f"the keys folder {folder} lies inside the project, where it would be committed or "
            "copied with it: set SEALTUNE_KEYS_DIR to a folder elsewhere"
        )


def _write_all(folder: Path) -> None:
    raw = {
        "vault": secrets.token_bytes(SECRET_BYTES),
        "hmac": secrets.token_bytes(SECRET_BYTES),
        "signing": Ed25519PrivateKey.generate().private_bytes_raw(),
        "identity": MLKEM768PrivateKey.generate().private_bytes_raw()
        + X25519PrivateKey.generate().private_bytes_raw(),
    }
    for one in (folder, folder / "recipients", folder / "signers"):
        one.mkdir(mode=0o700)
    for kind, value in raw.items():
        write_new(folder / f"{kind}.key", encode(kind, value))
    ring = KeyRing(folder)
    write_new(folder / "recipients" / "self.pub", ring.public_recipient())
    write_new(folder / "signers" / "self.pub", ring.public_signer())
    for one in (folder / "recipients", folder / "signers", folder):
        sync(one)


def _add_public(folder: Path, name: str, kind: str, raw: bytes) -> None:
    if not NAME.fullmatch(name):
        raise KeyFileError("a key's name must be a lower-case word: [a-z][a-z0-9_-]*")
    target = folder / f"{name}.pub"
    draft = folder / f".{name}-{secrets.token_hex(8)}.draft"
    folder.mkdir(mode=0o700, exist_ok=True)
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


def _remove(folder: Path) -> None:
    """Remove a draft that was not needed; it held keys that nobody has used."""
    if folder.exists():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
