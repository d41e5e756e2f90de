"""The unbroken run of letters and digits that every match of a regular expression contains.

An account number is one word of nine digits, a chassis number one of seventeen signs: a text whose
longest such word is a year holds neither, whatever else stands in it. What is known of an
expression is put together from what is known of its parts, left to right, as trees are folded.
"""

import string
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, NamedTuple

_CATEGORIES: Final = {"CATEGORY_DIGIT": (1, 0), "CATEGORY_WORD": (0, 0)}
_MOST_REPEATS: Final = 100


class Run(NamedTuple):
    """At least so many signs without a break, and so many digits and letters among them."""

    length: int = 0
    n_digits: int = 0
    n_letters: int = 0

    def then(self, other: "Run") -> "Run":
        """Return two runs in a row."""
        return Run(*(mine + its for mine, its in zip(self, other, strict=True)))

    def or_else(self, other: "Run") -> "Run":
        """Return what both runs have."""
        return Run(*map(min, self, other))

    @property
    def worth(self) -> tuple[int, int]:
        """Return how rarely a text holds such a run."""
        return (self.n_digits, self.length)


NO_RUN: Final = Run()


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of an expression consumes.

    Attributes:
        first: the run that it begins with.
        last: the run that it ends with.
        best: the rarest run in it.
        is_whole: it is nothing but a run, which is all three.
    """

    first: Run
    last: Run
    best: Run
    is_whole: bool

    @classmethod
    def run(cls, run: Run) -> "_Part":
        """Return a part that is nothing but a run."""
        return cls(run, run, run, is_whole=True)

    def then(self, other: "_Part") -> "_Part":
        """Return a part followed by another."""
        across = self.last.then(other.first)
        return _Part(
            across if self.is_whole else self.first,
            across if other.is_whole else other.last,
            max(self.best, other.best, across, key=lambda run: run.worth),
            is_whole=self.is_whole and other.is_whole,
        )

    def or_else(self, other: "_Part") -> "_Part":
        """Return what is true of either of two parts."""
        return _Part(
            self.first.or_else(other.first),
            self.last.or_else(other.last),
            self.best.or_else(other.best),
            is_whole=self.is_whole and other.is_whole,
        )


_NOTHING: Final = _Part.run(NO_RUN)
_BREAK: Final = _Part(NO_RUN, NO_RUN, NO_RUN, is_whole=False)


def longest_run(tree: Any) -> Run:
    """Return the rarest run that every match of a parsed expression contains."""
    return _sequence(tree).best


def first_run(tree: Any) -> Run:
    """Return the run with which every match of a parsed expression begins."""
    return _sequence(tree).first


def _sequence(tree: Any) -> _Part:
    return reduce(_Part.then, (_part(str(op), value) for op, value in tree), _NOTHING)


def _part(name: str, value: Any) -> _Part:
    """Return what is known of one part of a parsed expression."""
    part = _BREAK
    if name in {"AT", "ASSERT", "ASSERT_NOT"}:
        part = _NOTHING
    elif name == "LITERAL":
        part = _one_of([_sign("LITERAL", value)])
    elif name == "IN":
        part = _one_of([_sign(str(op), item) for op, item in value])
    elif name == "BRANCH":
        part = reduce(_Part.or_else, map(_sequence, value[1]))
    elif name in {"SUBPATTERN", "ATOMIC_GROUP"}:
        part = _sequence(value if name == "ATOMIC_GROUP" else value[3])
    elif name.endswith("_REPEAT"):
        least, _, inner = value
        once = _sequence(inner)
        part = reduce(_Part.then, [once] * min(int(least), _MOST_REPEATS), _NOTHING)
        if not once.is_whole:  # may break what follows, once more or not
            part = part.then(_BREAK) if least else _BREAK
    return part


def _sign(name: str, value: Any) -> Run | None:
    """Return a member of a character class as a run of one, or None if it breaks a run."""
    if name == "LITERAL":
        sign = chr(value)
        known = sign.isalnum() or sign == "_"
        return Run(1, int(sign.isdecimal()), int(sign.isalpha())) if known else None
    if name == "RANGE":
        first, last = map(chr, value)
        for signs, run in (
            (string.digits, Run(1, 1, 0)),
            (string.ascii_lowercase, Run(1, 0, 1)),
            (string.ascii_uppercase, Run(1, 0, 1)),
        ):
            if first in signs and last in signs:
                return run
    if name == "CATEGORY" and str(value) in _CATEGORIES:
        return Run(1, *_CATEGORIES[str(value)])
    return None


def _one_of(signs: list[Run | None]) -> _Part:
    """Return a character class."""
    known = [sign for sign in signs if sign is not None]
    return _Part.run(reduce(Run.or_else, known)) if len(known) == len(signs) else _BREAK
