"""Which values occur in the data, by keyed hash: no surrogate may be one of them.

Kept of a value is 8 bytes of a keyed BLAKE2b (RFC 7693) of what its spellings have in common, so
that ten million values take 80 MB, and show nothing to whoever reads them without the key. Two
values share a hash with a probability of at most n²/2^65; all that follows is another draw.

    any value     its letters and digits, in order: `GB29 NWBK …`, `gb29nwbk…`
    names         their letters in any order, since `Emma Jones`, `Jones, Emma`, `emmajones` and
                  emma.jones@… are one person: a surrogate is the name of nobody in the data, and
                  an address and a name that go together are drawn again together
    parts         each part of a name by itself: see surrogate_names.py
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from python_stages.scrub.pseudonym import Pseudonyms, normalise
from python_stages.scrub.surrogate_names import parts_of

NAMED: Final = frozenset({"PERSON", "EMAIL_ADDRESS", "USERNAME"})
"""Entities whose surrogates are made of the parts of names."""

_LONGEST_CELL: Final = 100  # characters; what is longer is a text, and no value
_HASH_BYTES: Final = 8
_MOST_UNSORTED: Final = 65_536  # some 100 bytes each, until they are sorted in

Hashes = NDArray[np.uint64]


class RealValues:
    """Values of one dataset; filled before the first surrogate, only read from then on.

    Args:
        pseudonyms: of the dataset.
        hashes: what `hashes` of other values was.
    """

    def __init__(self, pseudonyms: Pseudonyms, hashes: Hashes | None = None) -> None:
        self._pseudonyms: Final = pseudonyms
        self._key: Final = pseudonyms.digest("REAL_VALUE", "", "key")
        self._sorted: Hashes = np.array([], np.uint64) if hashes is None else hashes
        self._new: set[int] = set()

    def __reduce__(self) -> tuple[type["RealValues"], tuple[Pseudonyms, Hashes]]:
        return RealValues, (self._pseudonyms, self.hashes())

    def add(self, entity: str, value: str) -> None:
        """Remember that a value is real."""
        self._add(_forms(entity, value))
        if entity in NAMED:
            self._add(f"part\0{part}" for part in parts_of(entity, value) if len(part) > 1)

    def add_cell(self, text: str) -> None:
        """Remember the text of a column in which nothing is sought: all of it may be a value."""
        if len(text) <= _LONGEST_CELL:
            self._add({*_forms("", text), *_forms("PERSON", text)})

    def update(self, hashes: Hashes) -> None:
        """Remember what another machine or process found under the same key."""
        self._new.update(hashes.tolist())
        self._sort_if_many()

    def hashes(self) -> Hashes:
        """Return what is remembered: sorted, each once."""
        if self._new:
            new = np.fromiter(self._new, np.uint64, len(self._new))
            self._sorted = np.union1d(self._sorted, new)
            self._new = set()
        return self._sorted

    def __call__(self, entity: str, value: str) -> bool:
        """Return whether a value is real, as whatever and however it is written."""
        return any(map(self._holds, _forms(entity, value)))

    def has_part(self, part: str) -> bool:
        """Return whether a folded part of a name belongs to some real name."""
        return self._holds(f"part\0{part}")

    def _add(self, forms: Iterable[str]) -> None:
        self._new.update(map(self._hash, forms))
        self._sort_if_many()

    def _sort_if_many(self) -> None:
        if len(self._new) > _MOST_UNSORTED:
            self.hashes()

    def _holds(self, form: str) -> bool:
        wanted, known = self._hash(form), self.hashes()
        at = int(np.searchsorted(known, np.uint64(wanted)))
        return at < len(known) and int(known[at]) == wanted

    def _hash(self, form: str) -> int:
        text = form.encode("utf-8", "surrogatepass")
        return int.from_bytes(
            hashlib.blake2b(text, key=self._key, digest_size=_HASH_BYTES).digest()
        )


def _forms(entity: str, value: str) -> Iterator[str]:
    """Yield what is hashed of a value; two values with one of them in common are one."""
    text = normalise(entity, value)
    yield f"value\0{''.join(filter(str.isalnum, text)) or text}"
    if entity in NAMED and (letters := "".join(sorted("".join(parts_of(entity, value))))):
        yield f"name\0{letters}"
