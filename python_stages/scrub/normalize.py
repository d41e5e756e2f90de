"""What a text says beneath its disguises, and where each character of that stands in the text.

    zero-width, bidi and control characters between others, NUL among them      dropped
    full-width and other compatibility forms, foreign digits                    NFKC, ASCII digits
    Cyrillic and Greek letters that look Latin, in a word with Latin ones       the Latin letter
    unusual dashes, blanks and overlays in numbers and words                    -, a blank, nothing
    card numbers with odd separators between their groups                       4111-1111-1111-1111
    alice at example dot com, alice (at) example [dot] com, alice @ example.com alice@example.com
    a name broken over two lines                                                on one line

Only the neighbourhood of a disguise is given back, as an `Excerpt`: a text without one costs a few
searches, and one with an emoji is not read twice.

"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from python_stages.scrub.disguises import RULES, Edit

_NEAR: Final = 160  # characters on each side of a disguise: more than a name, address or number


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text as it reads without disguises.

    Attributes:
        text: what it says.
        starts: for each character of it, and for its end, the place in the original text.
        changes: the places in it, in order, where it differs from the original.
        is_worded: a word differs, not only a number or an address: the model has to read it.
    """

    text: str
    starts: tuple[int, ...]
    changes: tuple[int, ...]
    is_worded: bool

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that a span, not empty, is the reading of."""
        return self.starts[start], max(self.starts[end], self.starts[end - 1] + 1)

    def differs(self, start: int, end: int) -> bool:
        """Return whether a span reads otherwise in the original."""
        at = bisect_left(self.changes, start)
        return at < len(self.changes) and self.changes[at] <= end


def excerpts(text: str) -> list[Excerpt]:
    """Return what stands beneath the disguises of a text: nothing, if there are none.

    Args:
        text: at most a window; no lone surrogates.
    """
    reading = _Reading.of(text)
    for rule in RULES:
        reading = reading.edited(rule(reading.text))
    return list(reading.excerpts()) if reading.changes else []


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text after some edits; `starts` and `changes` as in Excerpt, changes with their kind."""

    text: str
    starts: tuple[int, ...]
    changes: tuple[tuple[int, bool], ...]

    @classmethod
    def of(cls, text: str) -> "_Reading":
        return cls(text, (), ())

    def edited(self, edits: Iterator[Edit]) -> "_Reading":
        """Apply edits, which are in order and do not overlap."""
        pieces: list[str] = []
        starts: list[int] = []
        changes: list[tuple[int, bool]] = []
        before = self.starts or range(len(self.text) + 1)
        old = iter([*self.changes, (len(self.text) + 1, False)])
        change = next(old)
        at = length = 0
        for edit in edits:
            while change[0] <= edit.start:
                changes.append((change[0] - at + length, change[1]))
                change = next(old)
            pieces += [self.text[at : edit.start], edit.new]
            starts.extend(before[at : edit.start])
            length += edit.start - at
            changes.append((length, edit.is_worded))
            starts.extend(_spread(before, edit))
            length += len(edit.new)
            while change[0] < edit.end:
                change = next(old)
            at = edit.end
        if not pieces:
            return self
        while change[0] <= len(self.text):
            changes.append((change[0] - at + length, change[1]))
            change = next(old)
        pieces.append(self.text[at:])
        starts.extend(before[at:])
        return _Reading("".join(pieces), tuple(starts), tuple(changes))

    def excerpts(self) -> Iterator[Excerpt]:
        """Yield the neighbourhoods of all changes."""
        start = 0
        for at in range(len(self.changes)):
            is_last = at + 1 == len(self.changes)
            if is_last or self.changes[at + 1][0] - self.changes[at][0] > 2 * _NEAR:
                yield self._excerpt(self.changes[start : at + 1])
                start = at + 1

    def _excerpt(self, changes: tuple[tuple[int, bool], ...]) -> Excerpt:
        first = _blank_near(self.text, max(0, changes[0][0] - _NEAR), -1)
        last = _blank_near(self.text, min(len(self.text), changes[-1][0] + _NEAR), 1)
        return Excerpt(
            self.text[first:last],
            self.starts[first : last + 1],
            tuple(at - first for at, _ in changes),
            any(is_worded for _, is_worded in changes),
        )


def _spread(before: "range | tuple[int, ...]", edit: Edit) -> list[int]:
    """Return the places of the new characters of an edit: evenly over the old ones."""
    n_old, n_new = edit.end - edit.start, len(edit.new)
    return [before[edit.start + (n * n_old) // n_new] for n in range(n_new)]


def _blank_near(text: str, at: int, step: int) -> int:
    """Return the next place, at most 40 characters on, where a cut splits no word."""
    for place in range(at, min(max(at + 40 * step, 0), len(text)), step):
        if 0 < place < len(text) and (text[place - 1].isspace() or text[place].isspace()):
            return place
    return at
