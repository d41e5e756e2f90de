"""Long texts in windows, none of which can split an entity.

    ..........|======= core =======|.............
    before                         after
    ^ start                                     ^ end

The cores of a text's windows lie side by side and cover it. A window reads more than its core:
before it the words that give what follows its meaning, and after it enough for the longest entity
that can begin inside. A finding counts where its first character is in the core, so each is counted
once, and every window has seen all of what it reports.

What is longer than any entity (a base64 file, a single word of a megabyte) may still not fit. Its
pieces reach the edges of their windows; they are kept, overlap, and are united when settled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CORE: Final = 20_000
"""Characters of a core: some 3,300 words, and short enough that a slow pattern stays bounded."""

AFTER: Final = 12_000
"""Characters read after a core: more than a private key of 16,384 bits."""

BEFORE: Final = 600
"""Characters read before a core: more than the words that a recogniser or the model look at."""

_LONGEST_WORD: Final = 400


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text, in characters of it: what is read, and within it what is reported."""

    start: int
    end: int
    core_start: int
    core_end: int
    reach: int = 0  # where the window before this one ended

    def reports(self, start: int, end: int) -> bool:
        """Return whether a finding, in characters of the text, is this window's to report."""
        if self.core_start <= start < self.core_end:
            return True
        # begun before the core: a piece of something that is too long for any, or the whole of what
        # the window before saw the beginning of
        return start < self.core_start < end and (start == self.start or end >= self.reach)


def is_long(text: str) -> bool:
    """Return whether a text needs more than one window."""
    return len(text) > CORE + AFTER


def split(
    text: str, core: int = CORE, after: int = AFTER, before: int = BEFORE
) -> Iterator[Window]:
    """Yield the windows of a text: one, if all of it fits.

    Args:
        text: any length.
        core: characters of a core.
        after: characters read after it.
        before: characters read before it.
    """
    start = reach = 0
    while True:
        if len(text) - start <= core + after:
            yield Window(_word_start(text, start - before), len(text), start, len(text), reach)
            return
        end = _word_start(text, start + core)
        if end <= start:
            end = start + core
        stop = _word_start(text, end + after)
        yield Window(_word_start(text, start - before), stop, start, end, reach)
        start, reach = end, stop


def _word_start(text: str, at: int) -> int:
    """Return where the last word begins that begins before a character, if it is a usual word.

    A window that began or ended inside a word would read another word. Words are split at single
    blanks; in a run of them, which is a word of its own, the cut would change it.
    """
    if at <= 0:
        return 0
    for cut in range(at, max(0, at - _LONGEST_WORD), -1):
        if text[cut - 1].isspace() and not text[cut].isspace():
            return cut
    return at
