"""The way back from pseudonyms, in a sealed file of its own: made only when asked for.

Whoever opens it can undo every pseudonym and surrogate of a dataset. So it lies apart from what is
submitted, in vault/reversal, and of all recipients only the owner of the keys can open it: with
`sealtune unseal`, which needs identity.key. Its lines are canonical JSON, sorted:

    {"entity":"PERSON","pseudonym":"[PERSON_3f9a…]","value":"Alice Smith"}

A value in several spellings has several lines with one pseudonym, and a surrogate that two values
share has a line for each. Until they are sealed, they are in memory only; where they would be too
many, the stage stops, for they may not spill to disk.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from python_stages.errors import StageError
from python_stages.keys import KeyRing, OwnerRing
from python_stages.seal import SealedFile, seal

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

    def add(self, entry: Reversal) -> None:
        """Remember what a pseudonym stands for.

        Raises:
            StageError: there are too many.
        """
        self._entries.add(entry)
        if len(self._entries) > self._most_entries:
            raise StageError(
                f"the reversal map would hold more than {self._most_entries} values: leave it out, "
                "or split the dataset"
            )

    def update(self, entries: Iterable[Reversal]) -> None:
        """Remember what workers were told.

        Raises:
            StageError: there are too many.
        """
        for entry in entries:
            self.add(entry)

    def seal(self, *, dataset: str, folder: Path, keys: KeyRing) -> SealedFile:
        """Write the map as `<dataset>/reversal-<fingerprint>.sealed`; the same map only once.

        Args:
            dataset: name of the dataset.
            folder: where reversal maps lie, apart from the files that are submitted.
            keys: of whoever may undo pseudonyms; nobody else that files are sealed for can open it.

        Raises:
            SealError, TamperedError, KeyFileError: as `seal.seal`; or the ring lacks `self.pub`.
        """
        return seal(
            (_line(entry) for entry in sorted(self._entries)),
            dataset=dataset,
            split=SPLIT,
            suite_hash=_SUITE_HASH,
            folder=folder,
            keys=OwnerRing(keys.folder),
            expected_fingerprint=None,
        )


def _line(entry: Reversal) -> bytes:
    # a lone surrogate, which UTF-8 lacks, is escaped as well
    return json.dumps(asdict(entry), sort_keys=True, separators=(",", ":")).encode("ascii")
