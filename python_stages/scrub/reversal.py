"""The way back from pseudonyms, in a sealed file of its own: made only when asked for.

Whoever opens it can undo every pseudonym and surrogate of a dataset, so it lies apart from what is
submitted and is sealed for its own recipients, like all sealed files (python_stages/seal). Its
lines are canonical JSON, sorted:

    {"entity":"PERSON","pseudonym":"[PERSON_3f9a…]","value":"Alice Smith"}

A value in several spellings has several lines with one pseudonym. Until they are sealed, they are
in memory only; where they would be too many, the stage stops, for they may not spill to disk.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from python_stages.errors import StageError, TamperedError
from python_stages.keys import KeyRing
from python_stages.seal import SealedFile, open_sealed, seal

SPLIT: Final = "reversal"
"""What stands in a sealed file's name where others have `train` or `validation`."""

MOST_ENTRIES: Final = 2_000_000

# In the place of the expectations that other sealed lines passed.
_SUITE_HASH: Final = hashlib.sha256(b"sealtune-reversal-1").hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class Reversal:
    """What a pseudonym or surrogate stands for."""

    entity: str
    pseudonym: str
    value: str = field(repr=False)


class ReversalMap:
    """Collects what pseudonyms stand for, each pair once; some 400 bytes each.

    Args:
        most_entries: how many pairs may be held.
    """

    def __init__(self, most_entries: int = MOST_ENTRIES) -> None:
        self._most_entries: Final = most_entries
        self._entries: Final[set[Reversal]] = set()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entity: str, pseudonym: str, value: str) -> None:
        """Remember what a pseudonym stands for; may be called by threads.

        Raises:
            StageError: there are too many.
        """
        self._entries.add(Reversal(entity, pseudonym, value))
        if len(self._entries) > self._most_entries:
            raise StageError(
                f"the reversal map would hold more than {self._most_entries} values: leave it out, "
                "or split the dataset"
            )

    def entries(self) -> tuple[Reversal, ...]:
        """Return what was added, sorted; a worker hands it to `update` of its parent's map."""
        return tuple(sorted(self._entries))

    def update(self, entries: Iterable[Reversal]) -> None:
        """Add what another map holds.

        Raises:
            StageError: there are too many.
        """
        for entry in entries:
            self.add(entry.entity, entry.pseudonym, entry.value)

    def seal(self, *, dataset: str, folder: Path, keys: KeyRing) -> SealedFile:
        """Write the map as `<dataset>/reversal-<fingerprint>.sealed`; the same map only once.

        Args:
            dataset: name of the dataset.
            folder: where reversal maps lie, apart from the files that are submitted.
            keys: a ring whose recipients are those who may undo pseudonyms.

        Raises:
            SealError, TamperedError, KeyFileError: as `seal.seal`.
        """
        return seal(
            (_line(entry) for entry in self.entries()),
            dataset=dataset,
            split=SPLIT,
            suite_hash=_SUITE_HASH,
            folder=folder,
            keys=keys,
            expected_fingerprint=None,
        )


def read(path: Path, *, keys: KeyRing) -> Iterator[Reversal]:
    """Yield what a sealed map holds, after all of it was checked.

    Raises:
        TamperedError, KeyFileError: as `seal.open_sealed`; or the file is no reversal map.
    """
    with open_sealed(path, keys=keys) as opened:
        if (opened.manifest.split, opened.manifest.suite_hash) != (SPLIT, _SUITE_HASH):
            raise TamperedError("the sealed file is no reversal map: name one that is")
        for line in opened.lines():
            yield Reversal(**json.loads(line))


def lookup(
    path: Path, pseudonyms: Iterable[str], *, keys: KeyRing
) -> Mapping[str, tuple[Reversal, ...]]:
    """Return what some pseudonyms stand for, in every spelling; nothing for one that is not there.

    Args:
        path: a file that `ReversalMap.seal` wrote.
        pseudonyms: as they stand in texts, with their brackets.
        keys: a ring with the identity of one of the recipients.

    Raises:
        TamperedError, KeyFileError: as `read`.
    """
    found: dict[str, list[Reversal]] = {pseudonym: [] for pseudonym in pseudonyms}
    for entry in read(path, keys=keys):
        if entry.pseudonym in found:
            found[entry.pseudonym].append(entry)
    return {pseudonym: tuple(entries) for pseudonym, entries in found.items()}


def _line(entry: Reversal) -> bytes:
    # a lone surrogate, which UTF-8 lacks, is escaped as well
    return json.dumps(asdict(entry), sort_keys=True, separators=(",", ":")).encode("ascii")
