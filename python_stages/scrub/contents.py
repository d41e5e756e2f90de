"""What a text contains, asked for the needs of hundreds of expressions at a time (needs.py)."""

import re
import string
from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import sub
from typing import Final

import numpy as np
from numpy.typing import NDArray

from python_stages.scrub.needs import ANY_WIDTH, Needs
from python_stages.scrub.openings import N_LETTERS
from python_stages.scrub.runs import Run

SHORT: Final = 1_500
"""Characters of a text of which to search all takes less than to choose."""

_DIGIT: Final = re.compile(r"\d")
_BRIEF: Final = 250
_GAP: Final = 80  # characters that are searched in the time that a search takes to begin
_SHORT_GAP: Final = 20  # the same, by an expression that begins with a letter
_NO_SIGN: Final = re.compile("[^0-9A-Za-z_\x80-\U0010ffff]")
_FACTOR: Final = np.uint32(31)
_MASK: Final = np.uint32(0xFFFF)
_WORD: Final = re.compile(r"\w+")
# Letters that the case-insensitive `regex` takes for another than str.lower does.
_ODD_CASE: Final = re.compile("[ſıİςϐϑϕϖϰϱϵẛẞ\u0345\u1fbeΩµ]")


_IS_ALNUM: Final = np.array(
    [chr(code) in string.ascii_letters + string.digits for code in range(128)]
)


class Grams:
    """Some letters in lower case, up to three each, to be looked for all at once.

    Args:
        words: the letters.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words: Final = frozenset(words)
        self.tables: Final = np.zeros((N_LETTERS, int(_MASK) + 1), dtype=np.bool_)
        for word in self.words:
            self.tables[len(word) - 1, _hashes(word)[len(word) - 1]] = True


class Contents:
    """What a text contains; asked for the needs of many expressions.

    Args:
        text: at most a window.

    Attributes:
        is_odd: lower case does not tell which of its letters are the same.
        is_brief: to look where numbers stand takes longer than to search all of it.
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
        self._near_digits: Final[dict[tuple[int, int, int], list[tuple[int, int]]]] = {}
        self._has: Final[dict[tuple[str, bool], bool]] = {}
        self._n_characters: Final = len(text)
        self.is_brief: Final = len(text) <= _BRIEF

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
        if self._n_characters <= SHORT:
            is_all = self.is_brief or need.is_digit_first or not need.n_digits
            return regions if is_all else self._near(need)
        if self._n_characters <= 3 * need.reach:
            return regions
        if need.n_digits:
            regions = self._around_digits(need)
        if need.words and not self.is_odd and len(self._lower) == self._n_characters:
            places = [(at, len(word[0])) for word in need.words for at in self._places(word)]
            if len(places) * need.reach < self._n_characters:
                near = ((at + width - need.reach, at + need.reach) for at, width in sorted(places))
                regions = _both(regions, _together(near, self._n_characters))
        return regions

    def _near(self, need: Needs) -> list[tuple[int, int]]:
        """Return the same as `_around_digits`, of a text that is short: all of it, or little."""
        n_digits, width, reach = key = (need.n_digits, need.width, need.reach)
        regions = self._near_digits.get(key)
        if regions is None:
            regions = []
            for first, last in zip(self._digits, self._digits[n_digits - 1 :], strict=False):
                if last - first >= width:
                    continue
                start, end = max(last - reach, 0), min(first + reach, self._n_characters)
                if regions and start <= regions[-1][1] + _SHORT_GAP:
                    regions[-1] = (regions[-1][0], end)
                else:
                    regions.append((start, end))
            if sum(end - start + _SHORT_GAP for start, end in regions) > self._n_characters:
                regions = [(0, self._n_characters)]
            self._near_digits[key] = regions
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

    def grams(self, some: "Grams", *, is_word_start: bool = False) -> Iterator[tuple[str, int]]:
        """Yield which of some letters stand in the text, in lower case, and where.

        Args:
            some: are looked for.
            is_word_start: only where no letter or digit of ASCII stands before.
        """
        for n_letters, (table, hashes) in enumerate(zip(some.tables, self._hashes, strict=True), 1):
            is_there = table[hashes]
            if is_word_start:
                is_there &= self._is_word_start[: len(is_there)]
            for at in np.flatnonzero(is_there).tolist():
                letters = self._lower[at : at + n_letters]
                if letters in some.words:
                    yield letters, at

    @cached_property
    def _hashes(self) -> tuple[NDArray[np.uint32], ...]:
        return _hashes(self._lower)

    @cached_property
    def _is_word_start(self) -> NDArray[np.bool_]:
        """Return, for each character, whether no letter or digit of ASCII stands before."""
        is_alnum = _IS_ALNUM[np.minimum(_codes(self._text), len(_IS_ALNUM) - 1)]
        return ~np.concatenate(([False], is_alnum))

    def numbers(self) -> list[tuple[int, Run]]:
        """Return where a word may begin that holds a digit, and which run it begins, in order.

        What is not ASCII counts for part of a word: `regex` knows some signs for that which Python
        does not.
        """
        found: list[tuple[int, Run]] = []
        end = 0
        for digit in self._digits:
            if digit < end:
                continue
            start = digit
            while start > end and _NO_SIGN.match(self._text, start - 1) is None:
                start -= 1
            no_sign = _NO_SIGN.search(self._text, digit)
            end = self._n_characters if no_sign is None else no_sign.start()
            found.extend(reversed(list(_suffixes(self._text, start, end))))
        return found

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

    def has_at(self, word: str, at: int) -> bool:
        """Return whether a word stands at a place, in this casing."""
        return self._text.startswith(word, at)

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


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _hashes(text: str) -> tuple[NDArray[np.uint32], ...]:
    """Return a number for each letter of a text, for each two, and for each three."""
    one = _codes(text)
    two: NDArray[np.uint32] = one[:-1] * _FACTOR + one[1:]
    three: NDArray[np.uint32] = two[:-1] * _FACTOR + one[2:]
    return one & _MASK, two & _MASK, three & _MASK


def _suffixes(text: str, start: int, end: int) -> Iterator[tuple[int, Run]]:
    """Yield where in what may be a word one may begin that holds a digit, from the last on."""
    n_digits = n_letters = 0
    for at in range(end - 1, start - 1, -1):
        n_digits += text[at].isdecimal()
        n_letters += text[at].isalpha()
        if n_digits and (at == start or not (text[at - 1].isascii() and text[at - 1].isalnum())):
            yield at, Run(end - at, n_digits, n_letters)


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
