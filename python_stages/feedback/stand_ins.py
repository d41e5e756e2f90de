"""Surrogates that a correction repeats: words of nobody, which must not be taken for somebody's.

Whoever corrects an example has read it as it was scrubbed, and writes of the people that the
surrogates name. Scrubbed as they stand, these words would count as values of the data: they would
be replaced once more, and since no surrogate may be a value of the data, those of the question
would become others. So they are hidden while a correction is scrubbed. What stands in the scrubbed
texts of its own row and not in the same row before is a surrogate; nothing else is hidden.
Of a number or an address only the whole is: a part of it may be a part of somebody else's, of which
the rest would pass for no number any more.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

_WORD: Final = re.compile(r"[\w@.+'-]*\w|\s+|.", re.DOTALL)
_MARK: Final = "[KEPT_{}]"
_SHORTEST: Final = 3  # characters; of less, no word is anybody's
_DIGIT: Final = re.compile("[0-9]")


def stand_ins(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return what stands in the place of something else, the longest first.

    Args:
        pairs: texts of a row, before and after they were scrubbed.
    """
    pairs = tuple(pairs)
    raw = "\n".join(before for before, _ in pairs)
    found = {
        part
        for before, after in pairs
        for part in _replaced(_WORD.findall(before), _WORD.findall(after))
        if len(part) >= _SHORTEST and part not in raw
    }
    return tuple(sorted(found, key=lambda part: (-len(part), part)))


def hidden(text: str, words: Sequence[str]) -> str:
    """Return a text with a mark in the place of each of these words."""
    for number, word in enumerate(words):
        text = re.sub(_whole(word), _MARK.format(number), text)
    return text


def _whole(word: str) -> str:
    """Return the pattern of a word that is no part of a longer one, nor of a number."""
    whole = rf"(?<![\w@.+-]){re.escape(word)}(?![\w@+-]|\.\w)"
    if not _DIGIT.search(word):
        return whole
    return rf"(?<![0-9][\s()/.-])(?<![0-9][\s()/.-]{{2}}){whole}(?![\s()/.-]*[0-9])"


def shown(text: str, words: Sequence[str]) -> str:
    """Return a text that `hidden` gave with its words."""
    for number, word in enumerate(words):
        text = text.replace(_MARK.format(number), word)
    return text


def _replaced(before: Sequence[str], after: Sequence[str]) -> Iterable[str]:
    """Yield what is new in the second of two lists of words: each run of them, and each word.

    Blanks end no run, whether or not they are new; words are yielded of runs without a digit.
    """
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    same = {i for block in blocks for i in range(block.b, block.b + block.size)}
    ends = [-1, *(i for i in sorted(same) if after[i].strip()), len(after)]
    for start, end in pairwise(ends):
        run = "".join(after[start + 1 : end]).strip()
        if run and not run.startswith("["):
            yield run
            if not _DIGIT.search(run):
                yield from (word for word in after[start + 1 : end] if word.strip())
