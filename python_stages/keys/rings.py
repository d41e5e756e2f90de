"""Who may open, sign and count: the keys of one user, in one folder outside the project.

    vault.key          opens the encrypted warehouse
    hmac.key           root of every keyed hash: fingerprints, pseudonyms
    signing.key        signs the manifests of sealed files (Ed25519)
    identity.key       opens sealed files (HPKE, ML-KEM-768 with X25519)
    identities/*.key   retired identities, which open what was sealed for them and nothing else
    recipients/*.pub   whom files are sealed for; `self.pub` is the identity above
    signers/*.pub      whose signatures are believed; `self.pub` is the signing key above
    datasets/, received/   one key for each dataset; see datasets.py
    providers.toml     where a private key is kept if not in its file; see providers.py

The folder is 0700 and its files are 0600. Each file is one line, `sealtune-<kind>-1:<base64url>`,
so that a wrong file is recognised by its marker. A key is read when it is asked for: a machine that
only builds works without `identity.key`, a machine that only opens needs nothing but that, the
dataset's key and `signers/`.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from python_stages.errors import KeyFileError
from python_stages.keys import datasets as dataset_keys
from python_stages.keys import public as public_keys
from python_stages.keys.files import (
    MLKEM_SEED_BYTES,
    OTHERS_ANY,
    SECRET_BYTES,
    MissingKeyError,
    check_access,
    encode,
    make_folder,
    opened,
    sync,
    write_new,
)
from python_stages.keys.providers import load_providers
from python_stages.keys.public import Recipient, Signer, key_id, read_recipients, read_signers

# the name of the user's own public keys, in recipients/ and signers/
OWNER = "self"


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

    def dataset_key(self, dataset: str, wanted: str) -> bytes:
        """Return the 32-byte key of a dataset whose key id is `wanted`."""
        return dataset_keys.find(self.folder, dataset, wanted)

    def make_dataset_key(self, dataset: str) -> bytes:
        """Return the key that a dataset is sealed under, made now where there is none."""
        return dataset_keys.make(self.folder, dataset)

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the key that signs manifests."""
        return Ed25519PrivateKey.from_private_bytes(self._read("signing"))

    def identity(self) -> MLKEM768X25519PrivateKey:
        """Return the private key that opens what was sealed for this user."""
        return MLKEM768X25519PrivateKey(*_identity_parts(self._read("identity")))

    def identity_id(self) -> str:
        """Return the key id under which sealed files list this identity."""
        return key_id(public_identity(self._read("identity")))

    def identities(self) -> dict[str, MLKEM768X25519PrivateKey]:
        """Return all private keys that open sealed files, by key id, the current one first.

        A missing current identity is no error while there are retired ones.
        """
        providers = load_providers(self.folder)
        retired = sorted(
            {one for one in providers.words if one.startswith("identities/")}
            | {f"identities/{path.stem}" for path in self.folder.glob("identities/*.key")}
        )
        raws = [providers.read(slot) for slot in retired]
        try:
            raws.insert(0, self._read("identity"))
        except MissingKeyError:
            if not raws:
                raise
        return {
            key_id(public_identity(raw)): MLKEM768X25519PrivateKey(*_identity_parts(raw))
            for raw in raws
        }

    def recipients(self) -> tuple[Recipient, ...]:
        """Return whom files are sealed for: at least one, each key once, in order of key id."""
        return read_recipients(self.folder)

    def signers(self) -> tuple[Signer, ...]:
        """Return whose signatures are believed: at least one, each key once, by key id."""
        return read_signers(self.folder)

    def public_recipient(self) -> str:
        """Return the line to hand to those who shall seal files for this user."""
        return encode("recipient", public_identity(self._read("identity")))

    def public_signer(self) -> str:
        """Return the line to hand to those who shall believe this user's signature."""
        return encode("signer", self.signing_key().public_key().public_bytes_raw())

    def _read(self, kind: str) -> bytes:
        return load_providers(self.folder).read(kind)


@dataclass(frozen=True, slots=True)
class OwnerRing(KeyRing):
    """The same keys, with nobody but their owner for a recipient: for what undoes pseudonyms."""

    def recipients(self) -> tuple[Recipient, ...]:
        """Return the owner.

        Raises:
            KeyFileError: `self.pub` is missing.
        """
        own = tuple(one for one in read_recipients(self.folder) if one.name == OWNER)
        if not own:
            raise KeyFileError(
                f"recipients/ lacks {OWNER}.pub, and nobody else may open a reversal map: put it "
                "back (`sealtune keys show`), or leave scrub_reversal out"
            )
        return own


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
        make_folder(folder.parent)
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
    for name in ("recipients", "signers", "identities", "datasets", "received"):
        if (folder / name).exists():
            check_access(folder / name, (folder / name).stat(), forbidden=OTHERS_ANY)
    private = sorted(folder.glob("*.key"))
    if not private and not load_providers(folder).words:
        raise KeyFileError(f"{folder} holds no keys: run `sealtune keys init`")
    for path in private:
        with opened(path, forbidden=OTHERS_ANY):
            pass
    return KeyRing(folder)


def add_recipient(folder: Path, name: str, text: str) -> Recipient:
    """Add the public key of somebody whom files shall be sealed for; see `public_keys`."""
    return public_keys.add_recipient(load(folder).folder, name, text)


def add_signer(folder: Path, name: str, text: str) -> Signer:
    """Add the public key of somebody whose sealed files shall be believed; see `public_keys`."""
    return public_keys.add_signer(load(folder).folder, name, text)


def new_identity() -> bytes:
    """Return a new identity, raw."""
    parts = (MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())
    return b"".join(part.private_bytes_raw() for part in parts)


def new_signing() -> bytes:
    """Return a new signing key, raw."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def _identity_parts(raw: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    return (
        MLKEM768PrivateKey.from_seed_bytes(raw[:MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(raw[MLKEM_SEED_BYTES:]),
    )


def public_identity(raw: bytes) -> bytes:
    """Return the raw public key of a raw identity."""
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
        "signing": new_signing(),
        "identity": new_identity(),
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


def _remove(folder: Path) -> None:
    """Remove a draft that was not needed; it held keys that nobody has used."""
    if folder.exists():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
