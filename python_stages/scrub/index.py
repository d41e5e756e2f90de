"""Which of hundreds of expressions a text may match, and where their matches may begin."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from python_stages.scrub.contents import Contents, Grams
from python_stages.scrub.needs import Needs, Word
from python_stages.scrub.openings import N_LETTERS
from python_stages.scrub.runs import Run

Places = list[int] | None
"""Where alone a match can begin, in order; None where it can anywhere."""


class Index:
    """Which of many expressions a text may match.

    Args:
        some: their needs.
    """

    def __init__(self, some: Sequence[Needs]) -> None:
        self._n_some: Final = len(some)
        runs = list(dict.fromkeys(need.run for need in some))
        self._runs: Final = _table(runs)
        self._run: Final = np.array([runs.index(need.run) for need in some], dtype=np.intp)
        self._counts: Final = sorted({need.n_digits for need in some})
        counts = [self._counts.index(need.n_digits) for need in some]
        self._count: Final = np.array(counts, dtype=np.intp)
        self._width: Final = np.array([need.width for need in some], dtype=np.int32)
        by_first: dict[Run, list[int]] = {}
        for at, need in enumerate(some):
            if need.first.n_digits:
                by_first.setdefault(need.first, []).append(at)
        self._firsts: Final = _table(by_first)
        self._by_first: Final = [_as_bits(numbers) for numbers in by_first.values()]
        self._is_digit_first: Final = _as_bits(
            at for at, need in enumerate(some) if need.is_digit_first
        )
        by_word: dict[Word, list[int]] = {}
        by_opening: dict[str, list[tuple[int, str | None]]] = {}
        for at, need in enumerate(some):
            for letters, is_cased in need.openings:
                opening = letters if is_cased else None
                by_opening.setdefault(letters.lower(), []).append((at, opening))
            for word in () if need.openings else need.words:
                by_word.setdefault(word, []).append(at)
        self._by_opening: Final = by_opening
        self._openings: Final = Grams(by_opening)
        self._by_gram: Final[dict[str, list[tuple[Word, int]]]] = {}
        for word, numbers in by_word.items():
            gram = word[0][:N_LETTERS].lower()
            self._by_gram.setdefault(gram, []).append((word, _as_bits(numbers)))
        self._grams: Final = Grams(self._by_gram)
        self._plain: Final = _as_bits(
            at for at, need in enumerate(some) if not need.words and not need.openings
        )

    def met(self, contents: Contents) -> dict[int, Places]:
        """Return the numbers of the needs that a text meets, in order, and the places."""
        spans = np.array([contents.span(n_digits) for n_digits in self._counts], dtype=np.int32)
        is_fit = contents.has_runs(self._runs)[self._run] & (spans[self._count] <= self._width)
        if contents.is_odd:  # has every word
            return dict.fromkeys(np.flatnonzero(is_fit).tolist())
        fit = int.from_bytes(np.packbits(is_fit, bitorder="little").tobytes(), "little")
        with_word = self._with_word(contents, fit)
        placed = () if contents.is_brief else self._from_numbers(contents, with_word)
        places: dict[int, Places] = {}
        for numbers, starts in placed:
            with_word &= ~numbers
            if starts:
                places.update(dict.fromkeys(self._numbers(numbers), starts))
        places.update(dict.fromkeys(self._numbers(with_word)))
        places.update(self._from_openings(contents, is_fit.tolist()))
        return {at: places[at] for at in sorted(places)}

    def _with_word(self, contents: Contents, fit: int) -> int:
        """Return, as bits, those that need no word, or one that a text contains."""
        found = fit & self._plain
        for gram in {gram for gram, _ in contents.grams(self._grams)}:
            for word, numbers in self._by_gram[gram]:
                new = numbers & fit & ~found
                is_gram = len(word[0]) <= N_LETTERS and not word[1]
                if new and (is_gram or contents.contains(word)):
                    found |= new
        return found

    def _from_numbers(self, contents: Contents, some: int) -> Iterator[tuple[int, list[int]]]:
        """Yield some of those that begin with a number, as bits, and where they may, if anywhere.

        A digit is found fast: those that begin with one are left out where they may match.
        """
        numbers = contents.numbers()
        starts = [at for at, _ in numbers]
        is_more = _table(run for _, run in numbers)[:, None, :] >= self._firsts
        is_first: NDArray[np.bool_] = np.asarray(is_more.all(axis=2))
        for each, is_there in zip(self._by_first, is_first.T.tolist(), strict=True):
            if bits := each & some:
                places = list(compress(starts, is_there))
                yield (bits & ~self._is_digit_first if places else bits), places

    def _from_openings(
        self, contents: Contents, is_fit: Sequence[bool]
    ) -> Iterator[tuple[int, list[int]]]:
        """Yield those that begin with letters that a text contains, and where they may."""
        opened: dict[int, list[int]] = {}
        for letters, start in contents.grams(self._openings, is_word_start=True):
            for at, opening in self._by_opening[letters]:
                if is_fit[at] and (opening is None or contents.has_at(opening, start)):
                    opened.setdefault(at, []).append(start)
        return ((at, sorted(starts)) for at, starts in opened.items())

    def _numbers(self, bits: int) -> list[int]:
        """Return numbers that are held as bits."""
        held = np.frombuffer(bits.to_bytes(self._n_some // 8 + 1, "little"), dtype=np.uint8)
        return np.flatnonzero(np.unpackbits(held, bitorder="little")).tolist()


def _as_bits(numbers: Iterable[int]) -> int:
    return sum(1 << at for at in numbers)


def _table(runs: Iterable[Run]) -> NDArray[np.int32]:
    return np.array(list(runs), dtype=np.int32).reshape(-1, len(Run()))
