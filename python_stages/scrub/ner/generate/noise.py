"""What people and machines do to text. Works on pieces, so that labels stay where they belong."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from python_stages.scrub.ner.generate.choice import chance
from python_stages.scrub.ner.generate.invented import Inventor
from python_stages.scrub.ner.generate.labelled import Piece

Pieces = list[Piece]
WORD: Final = re.compile(r"[A-Za-z]{3,}")
LONG_WORD: Final = re.compile(r"\b[A-Za-z][a-z]{3,}\b")
ENDINGS: Final = ("ing", "ed", "ly", "s")
KNOWN: Final = 60  # percent of strange words that are common English
ASCII_ONLY: Final = 30  # percent of texts whose values lose their accents


def _mapped(pieces: Pieces, change: Callable[[str], str]) -> Pieces:
    return [piece._replace(text=change(piece.text)) for piece in pieces]


def _prose(pieces: Pieces, change: Callable[[str], str]) -> Pieces:
    """Change what is no value."""
    return [p if p.is_fixed else p._replace(text=change(p.text)) for p in pieces]


def lower(_: Random, pieces: Pieces) -> Pieces:
    """All in small letters, as in chats."""
    return _mapped(pieces, str.lower)


def upper(_: Random, pieces: Pieces) -> Pieces:
    """All in capitals, as in old records."""
    return _mapped(pieces, str.upper)


def upper_values(_: Random, pieces: Pieces) -> Pieces:
    """Values in capitals, as in forms."""
    return [p._replace(text=p.text.upper()) if p.is_fixed else p for p in pieces]


def lower_values(_: Random, pieces: Pieces) -> Pieces:
    """Values in small letters, as typed in a hurry."""
    return [p._replace(text=p.text.lower()) if p.label else p for p in pieces]


def headline(_: Random, pieces: Pieces) -> Pieces:
    """Capitalise Every Word."""
    return _prose(
        pieces, lambda text: re.sub(r"\b[a-z]{2,}", lambda m: m.group().capitalize(), text)
    )


def no_punctuation(_: Random, pieces: Pieces) -> Pieces:
    """Sentences without full stops and commas."""
    return _prose(pieces, lambda text: re.sub(r"[.,;!?](?=\s|$)", "", text))


def wide_spaces(random: Random, pieces: Pieces) -> Pieces:
    """Double spaces, as scanned pages have them."""
    return _mapped(
        pieces, lambda text: "".join("  " if c == " " and chance(random, 15) else c for c in text)
    )


def line_breaks(random: Random, pieces: Pieces) -> Pieces:
    """Break lines anywhere, in names as well."""
    return _mapped(
        pieces, lambda text: "".join("\n" if c == " " and chance(random, 8) else c for c in text)
    )


def typos(random: Random, pieces: Pieces) -> Pieces:
    """Swap, drop or double a letter in some words."""

    def slip(match: re.Match[str]) -> str:
        word = match.group()
        if not chance(random, 8):
            return word
        at = random.randrange(1, len(word) - 1)
        return random.choice(
            (word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:],
             word[:at] + word[at + 1] + word[at] + word[at + 2 :])
        )  # fmt: skip

    return _mapped(pieces, lambda text: WORD.sub(slip, text))


def without_accents(text: str) -> str:
    """Return Latin text without its accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain if len(plain) >= len(text) - 1 and plain.strip() else text


def accents(random: Random, pieces: Pieces) -> Pieces:
    """Drop the accents of values, as many keyboards and systems do."""
    if not chance(random, ASCII_ONLY):
        return pieces
    return [p._replace(text=without_accents(p.text)) if p.is_fixed else p for p in pieces]


class StrangeWords:
    """Replaces words of the prose, so that a word need not be known to be no name.

    Args:
        words: common words; a word is replaced by one with the same ending.
        inventor: makes words that nobody has seen.
    """

    def __init__(self, words: Iterable[str], inventor: Inventor) -> None:
        self._words: dict[str, list[str]] = {ending: [] for ending in (*ENDINGS, "")}
        for word in words:
            self._words[_ending(word)].append(word)
        self._inventor = inventor

    def put(self, random: Random, pieces: Pieces, percent: int) -> Pieces:
        """Replace so many of a hundred words."""

        def replaced(match: re.Match[str]) -> str:
            word = match.group()
            if not chance(random, percent):
                return word
            # a capitalised word that nobody knows is a name more often than not
            if word[0].isupper():
                return random.choice(self._words[_ending(word)]).capitalize()
            if chance(random, KNOWN):
                return random.choice(self._words[_ending(word)])
            return self._inventor.word(random)

        return _prose(pieces, lambda text: LONG_WORD.sub(replaced, text))


def _ending(word: str) -> str:
    return next((ending for ending in ENDINGS if word.endswith(ending)), "")


# How many texts in a thousand suffer what; the rest stay as they are.
RATES: Final[tuple[tuple[int, Callable[[Random, Pieces], Pieces]], ...]] = (
    (42, lower), (25, upper), (30, upper_values), (14, lower_values), (25, headline),
    (35, no_punctuation), (20, wide_spaces), (45, line_breaks), (45, typos),
)  # fmt: skip


def disturbed(random: Random, pieces: Pieces) -> Pieces:
    """Do at most one thing to a text, and to its accents."""
    pieces = accents(random, pieces)
    draw = random.randrange(1000)
    for rate, change in RATES:
        draw -= rate
        if draw < 0:
            return change(random, pieces)
    return pieces
