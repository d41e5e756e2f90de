"""What a text contains, asked for the needs of hundreds of expressions at a time (needs.py)."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import sub
from typing import Final

import numpy as np
from numpy.typing import NDArray

from python_stages.scrub.needs import ANY_WIDTH, Needs, Word
from python_stages.scrub.runs import Run

_DIGIT: Final = re.compile(r"\d")
SHORT: Final = 1_500
"""Characters of a text of which to search all takes less than to choose."""

_GAP: Final = 80  # characters that are searched in the time that a search takes to begin
_GRAM: Final = 3  # letters by which words are looked up
_WORD: Final = re.compile(r"\w+")
# Letters that the case-insensitive `regex` takes for another than str.lower does.
_ODD_CASE: Final = re.compile("[ſıİςϐϑϕϖϰϱϵẛẞ\u0345\u1fbeΩµ]")


class Contents:
    """What a text contains; asked for the needs of many expressions.

    Args:
        text: at most a window.

    Attributes:
        is_odd: lower case does not tell which of its letters are the same.
    """

    def __init__(self, text: str) -> None:
        self._text: Final = text
        self._lower: Final = text.lower()
        self.is_odd: Final = not text.isascii() and _ODD_CASE.search(text) is not None
        self._digits: Final = [match.start() for match in _DIGIT.finditer(text)]
        self._words: Final = np.array(
            [Run(), *set(map(_run, set(_WORD.findall(text))))], dtype=np.int32
        )
        self._at: Final[dict[tuple[str, bool], list[int]]] = {}
        self._has: Final[dict[tuple[str, bool], bool]] = {}
        self._n_characters: Final = len(text)

    def meets(self, need: Needs) -> bool:
        """Return whether the text contains what is needed."""
        return self.fits(need) and self.has_word(need)

    def fits(self, need: Needs) -> bool:
        """Return whether the text contains the digits and the run that are needed."""
        return self.span(need.n_digits) <= need.width and bool(
            self.has_runs(np.array([need.run], dtype=np.int32)).all()
        )

    def has_word(self, need: Needs) -> bool:
        """Return whether the text contains one of the words that are needed, if there are some."""
        return not need.words or self.is_odd or any(map(self.contains, need.words))

    def regions(self, need: Needs) -> list[tuple[int, int]]:
        """Return where, in order, all matches of an expression are, if there are any.

        Each is contained in one region. The text must meet the needs.
        """
        regions = [(0, self._n_characters)]
        if self._n_characters <= max(SHORT, 3 * need.reach):
            return regions
        if need.n_digits:
            regions = self._around_digits(need)
        if need.words and not self.is_odd and len(self._lower) == self._n_characters:
            places = [(at, len(word[0])) for word in need.words for at in self._places(word)]
            if len(places) * need.reach < self._n_characters:
                near = ((at + width - need.reach, at + need.reach) for at, width in sorted(places))
                regions = _both(regions, _together(near, self._n_characters))
        return regions

    def _around_digits(self, need: Needs) -> list[tuple[int, int]]:
        """Return what is in reach of enough digits that are close enough together."""
        digits = np.array(self._digits)
        starts, ends = digits[: len(digits) - need.n_digits + 1], digits[need.n_digits - 1 :]
        is_close = ends - starts < need.width
        lows, highs = ends[is_close] - need.reach, starts[is_close] + need.reach
        gaps = np.flatnonzero(lows[1:] > highs[:-1] + _GAP)
        near = zip(
            lows[np.append(0, gaps + 1)].tolist(), highs[np.append(gaps, -1)].tolist(), strict=True
        )
        return [(max(start, 0), min(end, self._n_characters)) for start, end in near]

    def has_runs(self, runs: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return, for each of some runs (n, 3), whether some word is such a one: (n,)."""
        has = self._words[:, None, :] >= runs
        return np.asarray(has.all(axis=2).any(axis=0))

    @property
    def grams(self) -> set[str]:
        """Return all that stands in the text of up to three characters, in lower case."""
        low = self._lower
        pairs = map("".join, pairwise(low))
        triples = map("".join, zip(low, low[1:], low[2:], strict=False))
        return {*low, *pairs, *triples}

    def span(self, n_digits: int) -> int:
        """Return how far apart so many digits are, in characters, where they are closest."""
        if not n_digits:
            return 0
        if n_digits > len(self._digits):
            return ANY_WIDTH + 1
        widths: Iterable[int] = map(sub, self._digits[n_digits - 1 :], self._digits)
        return min(widths) + 1

    def contains(self, word: tuple[str, bool]) -> bool:
        """Return whether the text contains a word, in its casing or any."""
        has = self._has.get(word)
        if has is None:
            has = self._has[word] = word[0] in (self._text if word[1] else self._lower)
        return has

    def _places(self, word: tuple[str, bool]) -> list[int]:
        """Return where a word stands."""
        places = self._at.get(word)
        if places is None:
            places = self._at[word] = []
            text = self._text if word[1] else self._lower
            at = text.find(word[0])
            while at >= 0:
                places.append(at)
                at = text.find(word[0], at + 1)
        return places


class Index:
    """Which of many expressions a text may match.

    Args:
        some: their needs.
    """

    def __init__(self, some: Sequence[Needs]) -> None:
        self._some: Final = some
        runs = list(dict.fromkeys(need.run for need in some))
        self._runs: Final = np.array(runs, dtype=np.int32).reshape(len(runs), len(Run()))
        self._run: Final = np.array([runs.index(need.run) for need in some], dtype=np.intp)
        self._counts: Final = sorted({need.n_digits for need in some})
        counts = [self._counts.index(need.n_digits) for need in some]
        self._count: Final = np.array(counts, dtype=np.intp)
        self._width: Final = np.array([need.width for need in some], dtype=np.int32)
        self._is_wordless: Final = np.array([not need.words for need in some], dtype=np.bool_)
        self._by_word: Final[dict[Word, list[int]]] = {}
        for at, need in enumerate(some):
            for word in need.words:
                self._by_word.setdefault(word, []).append(at)
        self._by_gram: Final[dict[str, list[Word]]] = {}
        for word in self._by_word:
            self._by_gram.setdefault(word[0][:_GRAM].lower(), []).append(word)
        self._grams: Final = set(self._by_gram)

    def met(self, contents: Contents) -> list[int]:
        """Return the numbers of the needs that a text meets, in order."""
        spans = np.array([contents.span(n_digits) for n_digits in self._counts], dtype=np.int32)
        fits = contents.has_runs(self._runs)[self._run] & (spans[self._count] <= self._width)
        if contents.is_odd:  # has every word
            return np.flatnonzero(fits).tolist()
        found = set(np.flatnonzero(fits & self._is_wordless).tolist())
        is_fit = fits.tolist()
        for gram in contents.grams & self._grams:
            for word in self._by_gram[gram]:
                new = [at for at in self._by_word[word] if is_fit[at] and at not in found]
                is_gram = len(word[0]) <= _GRAM and not word[1]
                if new and (is_gram or contents.contains(word)):
                    found.update(new)
        return sorted(found)


def _run(word: str) -> Run:
    """Return what run a word is."""
    if word.isalpha():
        return Run(len(word), 0, len(word))
    if word.isdecimal():
        return Run(len(word), len(word), 0)
    return Run(len(word), sum(map(str.isdecimal, word)), sum(map(str.isalpha, word)))


def _together(near: Iterable[tuple[int, int]], n_characters: int) -> list[tuple[int, int]]:
    """Return regions, which are in order, with those united that overlap."""
    united: list[tuple[int, int]] = []
    for start, end in near:
        start, end = max(start, 0), min(end, n_characters)  # noqa: PLW2901  # within the text
        if united and start <= united[-1][1] + _GAP:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _both(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is in one region of each of two lists, which are in order."""
    both: list[tuple[int, int]] = []
    for start, end in some:
        both.extend(
            (max(start, other_start), min(end, other_end))
            for other_start, other_end in others
            if other_start < end and start < other_end
        )
    return both
