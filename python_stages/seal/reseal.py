"""Sealing again what is sealed: for the recipients, the signer and the dataset's key of today.

The content goes from one file to the next in memory and keeps its fingerprint, and with it its
name. The body is encrypted anew under a new key: with the old one, whoever is no recipient any
more could open the new file (see docs/decisions/0011-keys.md). A file that is as it would be
written now is left alone, so what a crash interrupts is finished by calling again.
"""

import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from python_stages.errors import KeyFileError, SealError, TamperedError
from python_stages.keys import KeyRing
from python_stages.seal import reader
from python_stages.seal.fingerprint import count_newlines
from python_stages.seal.writer import NewFile, SealedFile, locked, publish, read_back, write_draft


@dataclass(frozen=True, slots=True)
class Left:
    """A file that stays as it is, and a sentence that says why."""

    path: Path
    reason: str


def reseal(folder: Path, dataset: str, *, keys: KeyRing) -> Iterator[SealedFile | Left]:
    """Seal every file of a dataset for today's keys; yield what became of each.

    Args:
        folder: the folder of all sealed files.
        dataset: name of the dataset.
        keys: a ring that opens the files: with an identity, retired ones included.

    Raises:
        SealError: a file cannot be written; those before it are done.
        KeyFileError: a key for sealing is missing.
    """
    home = folder / dataset
    if not home.is_dir():
        raise SealError(f"there is no sealed file of {dataset}: see vault/sealed for what there is")
    try:
        with locked(home):
            for path in sorted(home.glob("*.sealed")):
                yield _reseal(path, dataset, keys)
    except OSError as error:
        raise SealError(
            f"cannot write to {home}: {error.strerror}; check its space, rights and file system"
        ) from error


def _reseal(path: Path, dataset: str, keys: KeyRing) -> SealedFile | Left:
    try:
        manifest = reader.verify(path, keys=keys)
        if manifest.dataset_key is not None:
            # asked for before a key is made, so that a shredded dataset gets none by this
            keys.dataset_key(dataset, manifest.dataset_key)
    except (TamperedError, KeyFileError) as error:
        return Left(path, str(error))
    new = NewFile.begin(dataset, manifest.split, manifest.suite_hash, keys)
    if new.is_as(manifest):
        return SealedFile(path, manifest, is_new=False)
    draft = path.with_name(new.draft)
    try:
        with reader.open_sealed(path, keys=keys) as opened:
            blocks = ((count_newlines(block), block) for block in opened.blocks())
            written = write_draft(draft, blocks, new)
        if not hmac.compare_digest(written.fingerprint, manifest.fingerprint):
            # the fingerprint is keyed: nobody else can have made one that fits
            return Left(path, "its lines were not sealed with this hmac key")
        read_back(draft, new)
        publish(draft, path)
    except (TamperedError, KeyFileError) as error:
        return Left(path, str(error))
    finally:
        draft.unlink(missing_ok=True)
    return SealedFile(path, written, is_new=True)


def sealed_datasets(folder: Path) -> tuple[str, ...]:
    """Return the datasets that have a folder of sealed files, in order."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(one.name for one in os.scandir(folder) if one.is_dir()))
