"""Crypto-shredding: one dataset's sealed files closed for everybody, wherever copies of them lie.

Every file of format version 2 needs its dataset's key besides an identity. Destroying that key
closes them all; the files here are removed as well, and a signed statement says what was closed:

    vault/sealed/<dataset>/shredded-<time>.json

What is done in which order: the key is destroyed, the statement is written, the files are removed.
A crash leaves at most work undone, never a statement that is not true, and calling again finishes.

What it cannot reach is in the statement: files of version 1, which any of their recipients opens,
and those whom the key was handed to. Building the dataset again makes a new key.
"""

import base64
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from python_stages.errors import KeyFileError, SealError, TamperedError
from python_stages.keys import KeyRing
from python_stages.keys import datasets as dataset_keys
from python_stages.keys import files as key_files
from python_stages.seal import Manifest, verify
from python_stages.seal.sealed_format import canonical_json, find_signer, signer_id
from python_stages.seal.writer import locked

_FORMAT: Final = "sealtune-shredded-1"
_CONTEXT: Final = b"sealtune-shredded-1\n"


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """One sealed file that was here, by what its manifest says.

    Attributes:
        split: name of the split.
        fingerprint: keyed fingerprint of its lines.
        file_id: of the file.
        n_rows: number of lines.
        recipients: key ids of its recipients.
        dataset_key: key id without which nobody opens it; None for a file of version 1.
    """

    split: str
    fingerprint: str
    file_id: str
    n_rows: int
    recipients: tuple[str, ...]
    dataset_key: str | None

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Take what is needed from a manifest."""
        return cls(
            manifest.split,
            manifest.fingerprint,
            manifest.file_id,
            manifest.n_rows,
            manifest.recipients,
            manifest.dataset_key,
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """What a shredding did, as it is signed.

    Attributes:
        dataset: name of the dataset.
        at: when, UTC, ISO 8601.
        destroyed_keys: key ids of the dataset's keys that are not in this keys folder any more.
        handed_to: key ids of recipients who were handed the key and may have kept it.
        files: every sealed file that was here.
        unreadable: names of files that were removed too and whose manifest could not be believed.
        signer: key id of who signed.
    """

    dataset: str
    at: str
    destroyed_keys: tuple[str, ...]
    handed_to: tuple[str, ...]
    files: tuple[ClosedFile, ...]
    unreadable: tuple[str, ...]
    signer: str
    format: str = _FORMAT

    @property
    def still_open(self) -> tuple[ClosedFile, ...]:
        """Files whose copies, where there are any, their recipients still open."""
        return tuple(one for one in self.files if one.dataset_key is None)


def shred(
    folder: Path, dataset: str, *, keys: KeyRing, beside: Sequence[Path] = ()
) -> tuple[Path, Statement]:
    """Destroy a dataset's key and its sealed files; return the signed statement and its place.

    Args:
        folder: the folder of all sealed files.
        dataset: name of the dataset.
        keys: a ring with the signing key.
        beside: other folders of sealed files of datasets, such as that of the reversal maps.

    Raises:
        SealError: there is neither a key nor a sealed file of this dataset.
        KeyFileError: a key is missing or cannot be destroyed.
    """
    signing_key = keys.signing_key()
    homes = (folder / dataset, *(one / dataset for one in beside if (one / dataset).is_dir()))
    if not (dataset_keys.exists(keys.folder, dataset) or _sealed_in(homes)):
        raise SealError(
            f"there is no key and no sealed file of {dataset}: look for its name in vault/sealed"
        )
    with ExitStack() as locks:
        for home in homes:
            locks.enter_context(locked(home))
        paths = _sealed_in(homes)
        files, unreadable = _look_at(paths, keys)
        destroyed = {one.dataset_key for one in files} | {_current(dataset, keys)}
        handed = dataset_keys.handed_to(keys.folder, dataset)
        dataset_keys.destroy(keys.folder, dataset)
        now = datetime.now(UTC)
        statement = Statement(
            dataset=dataset,
            at=now.isoformat(timespec="seconds"),
            destroyed_keys=tuple(sorted(one for one in destroyed if one and _is_gone(one, keys))),
            handed_to=handed,
            files=files,
            unreadable=unreadable,
            signer=signer_id(signing_key),
        )
        proof = homes[0] / f"shredded-{now:%Y%m%dT%H%M%S.%fZ}.json"
        key_files.replace(proof, _signed(statement, signing_key))
        dataset_keys.forget_handed(keys.folder, dataset)
        for path in paths:
            path.unlink()
        for home in homes:
            key_files.sync(home)
    return proof, statement


def read_statement(path: Path, *, keys: KeyRing) -> Statement:
    """Return a statement that a trusted signer signed.

    Raises:
        TamperedError: nobody trusted did.
    """
    try:
        envelope: dict[str, Any] = json.loads(path.read_text("ascii"))
        statement = envelope["statement"]
        signature = base64.b64decode(envelope["signature"], validate=True)
        signer = find_signer(_CONTEXT + canonical_json(statement), signature, keys.signers())
        if signer is None or (statement["format"], statement["signer"]) != (_FORMAT, signer.key_id):
            raise TamperedError("no trusted signer signed this statement as it is: restore it")
        return Statement(
            **{
                **statement,
                **{one: tuple(statement[one]) for one in _LISTS},
                "files": tuple(
                    ClosedFile(**{**one, "recipients": tuple(one["recipients"])})
                    for one in statement["files"]
                ),
            }
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TamperedError(
            "this is no statement of a shredding: restore it from a copy"
        ) from error


def _current(dataset: str, keys: KeyRing) -> str | None:
    """Return the key id of a dataset, or None where an earlier shredding was cut short."""
    try:
        return dataset_keys.current_id(keys.folder, dataset)
    except KeyFileError:
        return None


def _is_gone(key_id: str, keys: KeyRing) -> bool:
    """Whether a key is not that of somebody else's dataset, who handed it over."""
    return not (keys.folder / "received" / f"{key_id}.key").exists()


_LISTS: Final = ("destroyed_keys", "handed_to", "unreadable")


def _sealed_in(homes: Sequence[Path]) -> list[Path]:
    return sorted(path for home in homes for path in home.glob("*.sealed"))


def _look_at(paths: list[Path], keys: KeyRing) -> tuple[tuple[ClosedFile, ...], tuple[str, ...]]:
    files, unreadable = [], []
    for path in paths:
        try:
            files.append(ClosedFile.of(verify(path, keys=keys)))
        except TamperedError:
            unreadable.append(path.name)
    return tuple(files), tuple(unreadable)


def _signed(statement: Statement, signing_key: Ed25519PrivateKey) -> str:
    fields = asdict(statement)
    # tuples become lists, as they are when it is read
    text = canonical_json(json.loads(json.dumps(fields)))
    signature = base64.b64encode(signing_key.sign(_CONTEXT + text)).decode()
    envelope = {"statement": fields, "signature": signature}
    return json.dumps(envelope, sort_keys=True, separators=(",", ":"))
