"""One secret for each dataset: without it none of the dataset's sealed files opens, for anybody.

    datasets/<dataset>.key       what the dataset is sealed under; made by the first seal
    datasets/<dataset>.handed    key ids of those whom it was handed to
    received/<key id>.key        the key of somebody else's dataset, handed over by its owner

Every recipient of a sealed file needs this key and an identity of their own (see `sealed_format`).
Destroying it is how a dataset is erased wherever its files are, copies and backups included: so
`datasets/` belongs in no backup. What a loss costs is a build, since the sources are elsewhere.

Who was handed the key can keep it, which is why handing it over is an act of its own and recorded.
It travels as one line, `sealtune-grant-1:`, wrapped for one recipient by HPKE.
"""

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from python_stages.errors import KeyFileError
from python_stages.keys.files import (
    OTHERS_ANY,
    SECRET_BYTES,
    MissingKeyError,
    decode,
    encode,
    make_folder,
    read_key,
    replace,
    sync,
    write_new,
)

HPKE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_GRANT_INFO: Final = b"sealtune-grant-1"


def dataset_key_id(raw: bytes) -> str:
    """Return the short name of a dataset's key: 32 hex digits of a hash of it."""
    return hashlib.sha256(b"sealtune-dataset-key-id-1\n" + raw).hexdigest()[:32]


def make(folder: Path, dataset: str) -> bytes:
    """Return the key that a dataset is sealed under, made and synced now where there is none.

    Raises:
        KeyFileError: the name is no dataset's, or the folder cannot be written.
    """
    path = _path(folder, dataset)
    try:
        return read_key(path, "dataset", forbidden=OTHERS_ANY)
    except MissingKeyError:
        pass
    draft = path.with_name(f".{dataset}-{secrets.token_hex(8)}.draft")
    try:
        make_folder(path.parent)
        write_new(draft, encode("dataset", secrets.token_bytes(SECRET_BYTES)))
        with suppress(FileExistsError):  # another build made it meanwhile, and both use that
            os.link(draft, path)
        sync(path.parent)
    except OSError as error:
        raise KeyFileError(
            f"cannot write {path}: {error.strerror}; the folder must be writable for the first "
            "seal of a dataset"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return read_key(path, "dataset", forbidden=OTHERS_ANY)


def find(folder: Path, dataset: str, wanted: str) -> bytes:
    """Return the key of a dataset by its key id, whether made here or handed over.

    Raises:
        KeyFileError: it is not here, any more or yet.
    """
    for path in (_path(folder, dataset), folder / "received" / f"{wanted}.key"):
        try:
            raw = read_key(path, "dataset", forbidden=OTHERS_ANY)
        except MissingKeyError:
            continue
        if dataset_key_id(raw) == wanted:
            return raw
    raise KeyFileError(
        f"the key {wanted} of dataset {dataset} is not here: it was shredded, or its owner has yet "
        "to hand it over (`sealtune keys hand-over`)"
    )


def candidates(folder: Path, dataset: str) -> tuple[bytes, ...]:
    """Return the keys that may be a dataset's: the one made here, then those handed over."""
    paths = [_path(folder, dataset), *sorted((folder / "received").glob("*.key"))]
    found: list[bytes] = []
    for path in paths:
        with suppress(MissingKeyError):
            found.append(read_key(path, "dataset", forbidden=OTHERS_ANY))
    return tuple(found)


def current_id(folder: Path, dataset: str) -> str | None:
    """Return the key id under which a dataset is sealed, or None where it has no key."""
    try:
        return dataset_key_id(read_key(_path(folder, dataset), "dataset", forbidden=OTHERS_ANY))
    except MissingKeyError:
        return None


def listed(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return name and key id of every dataset that has a key here, by name."""
    names = sorted(path.stem for path in (folder / "datasets").glob("*.key"))
    return tuple((name, key_id) for name in names if (key_id := current_id(folder, name)))


def hand_over(
    folder: Path, dataset: str, recipient_id: str, public_key: MLKEM768X25519PublicKey
) -> str:
    """Return the line that gives a dataset's key to one recipient; it is recorded first.

    Raises:
        KeyFileError: the dataset has no key here.
    """
    raw = read_key(_path(folder, dataset), "dataset", forbidden=OTHERS_ANY)
    handed = {*handed_to(folder, dataset), recipient_id}
    replace(_path(folder, dataset).with_suffix(".handed"), "\n".join(sorted(handed)))
    return encode("grant", HPKE.encrypt(raw, public_key, _GRANT_INFO))


def handed_to(folder: Path, dataset: str) -> tuple[str, ...]:
    """Return the key ids of those whom a dataset's key was handed to."""
    path = _path(folder, dataset).with_suffix(".handed")
    return tuple(path.read_text("ascii").split()) if path.exists() else ()


def receive(folder: Path, text: str, identities: dict[str, MLKEM768X25519PrivateKey]) -> str:
    """Keep the key that somebody handed over; return its key id.

    Raises:
        KeyFileError: the line is none, or was made for another recipient.
    """
    grant = decode("grant", text, "the line that was handed over")
    for identity in identities.values():
        try:
            raw = HPKE.decrypt(grant, identity, _GRANT_INFO)
        except (InvalidTag, ValueError):
            continue
        wanted = dataset_key_id(raw)
        replace(folder / "received" / f"{wanted}.key", encode("dataset", raw))
        return wanted
    raise KeyFileError("the line was handed to another recipient: ask its owner for one of yours")


def exists(folder: Path, dataset: str) -> bool:
    """Whether there is a key of a dataset, be it damaged."""
    return _path(folder, dataset).exists()


def destroy(folder: Path, dataset: str) -> None:
    """Overwrite and remove the key of a dataset; what stands in no other copy is gone for good.

    Overwriting reaches a disk that writes in place. Flash storage, snapshots and backups may keep
    the old bytes: see docs/threat-model.md.
    """
    path = _path(folder, dataset)
    try:
        n_bytes = path.stat().st_size
        with path.open("r+b", buffering=0) as file:
            file.write(secrets.token_bytes(n_bytes))
            os.fsync(file.fileno())
        path.unlink()
        sync(path.parent)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise KeyFileError(
            f"cannot destroy {path}: {error.strerror}; remove it yourself"
        ) from error


def forget_handed(folder: Path, dataset: str) -> None:
    """Remove the record of whom a key was handed to, once a proof has taken it over."""
    _path(folder, dataset).with_suffix(".handed").unlink(missing_ok=True)


def _path(folder: Path, dataset: str) -> Path:
    if not NAME.fullmatch(dataset):
        raise KeyFileError("a dataset must be a lower-case word: [a-z][a-z0-9_]{0,63}")
    return folder / "datasets" / f"{dataset}.key"
