"""What a text contains, asked for the needs of hundreds of expressions at a time (needs.py)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from python_stages.scrub.needs import ANY_WIDTH, Needs
from python_stages.scrub.runs import Run

_DIGIT: Final = re.compile(r"\d")
_SHORT: Final = 300  # characters; to search all of it takes less than to choose
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
        self._words: Final = set(map(_run, set(_WORD.findall(text))))
        self._longest: Final = Run(*map(max, zip(Run(), *self._words, strict=True)))
        self._runs: Final = {Run(): True}
        self._spans: Final[dict[int, int]] = {0: 0}
        self._at: Final[dict[tuple[str, bool], list[int]]] = {}
        self._has: Final[dict[tuple[str, bool], bool]] = {}
        self._n_characters: Final = len(text)

    def meets(self, need: Needs) -> bool:
        """Return whether the text contains what is needed."""
        return self.fits(need) and self.has_word(need)

    def fits(self, need: Needs) -> bool:
        """Return whether the text contains the digits and the run that are needed."""
        return (
            need.n_digits <= len(self._digits)
            and self._has_run(need.run)
            and self._span(need.n_digits) <= need.width
        )

    def has_word(self, need: Needs) -> bool:
        """Return whether the text contains one of the words that are needed, if there are some."""
        return not need.words or self.is_odd or any(map(self.contains, need.words))

    def regions(self, need: Needs) -> list[tuple[int, int]]:
        """Return where, in order, all matches of an expression are, if there are any.

        Each is contained in one region. The text must meet the needs.
        """
        regions = [(0, self._n_characters)]
        if self._n_characters <= max(_SHORT, 3 * need.reach):
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
        gaps = np.flatnonzero(lows[1:] > highs[:-1])
        near = zip(
            lows[np.append(0, gaps + 1)].tolist(), highs[np.append(gaps, -1)].tolist(), strict=True
        )
        return [(max(start, 0), min(end, self._n_characters)) for start, end in near]

    def _has_run(self, run: Run) -> bool:
        """Return whether some word is such a run."""
        has = self._runs.get(run)
        if has is None:
            has = self._runs[run] = (
                run.length <= self._longest.length
                and run.n_digits <= self._longest.n_digits
                and run.n_letters <= self._longest.n_letters
                and any(
                    run.length <= length and run.n_digits <= n_digits and run.n_letters <= n_letters
                    for length, n_digits, n_letters in self._words
                )
            )
        return has

    @property
    def grams(self) -> set[str]:
        """Return all that stands in the text of up to three characters, in lower case."""
        low = self._lower
        pairs = map("".join, pairwise(low))
        triples = map("".join, zip(low, low[1:], low[2:], strict=False))
        return {*low, *pairs, *triples}

    def _span(self, n_digits: int) -> int:
        """Return how far apart so many digits are, in characters, where they are closest."""
        span = self._spans.get(n_digits)
        if span is None:
            ends = self._digits[n_digits - 1 :]
            widths = (end - start for start, end in zip(self._digits, ends, strict=False))
            span = self._spans[n_digits] = min(widths, default=ANY_WIDTH) + 1
        return span

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
        shapes = [replace(need, words=frozenset(), reach=0) for need in some]
        self._shapes: Final = list(dict.fromkeys(shapes))
        self._shape: Final = [self._shapes.index(shape) for shape in shapes]
        self._wordless: Final = [at for at, need in enumerate(some) if not need.words]
        self._by_gram: Final[dict[str, list[tuple[tuple[str, bool], int]]]] = {}
        for at, need in enumerate(some):
            for word in need.words:
                self._by_gram.setdefault(word[0][:3].lower(), []).append((word, at))
        self._grams: Final = set(self._by_gram)

    def met(self, contents: Contents) -> list[int]:
        """Return the numbers of the needs that a text meets, in order."""
        fits = [contents.fits(shape) for shape in self._shapes]
        some = [at for at in self._wordless if fits[self._shape[at]]]
        if contents.is_odd:
            worded = set(range(len(self._some))).difference(self._wordless)
        else:
            worded = {
                at
                for gram in contents.grams & self._grams
                for word, at in self._by_gram[gram]
                if fits[self._shape[at]] and contents.contains(word)
            }
        return sorted([*some, *(at for at in worded if fits[self._shape[at]])])


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
        if united and start <= united[-1][1]:
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
