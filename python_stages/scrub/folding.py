"""A text as it is compared with a value: lower case, no accents, look-alikes as Latin letters."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from python_stages.scrub.disguises import LOOK_ALIKES

_CACHED: Final = 4_096
_DIGIT: Final = re.compile(r"[0-9]")
_SPECIAL: Final = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\u0131": "i",
        "ς": "σ",  # noqa: RUF001  # Greek
    },
)
_LOOKS_LIKE: Final = {
    **{shape.lower(): letter.lower() for shape, letter in LOOK_ALIKES.items() if shape.isupper()},
    **{shape: letter for shape, letter in LOOK_ALIKES.items() if not shape.isupper()},
}


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in lower case without accents and unseen characters.

    Attributes:
        text: the folded text.
        starts: for each character of it, and its end, the place in the original; None where all
            places are the same.
        digits: the digits in it.
    """

    text: str
    starts: list[int] | None
    digits: str

    @classmethod
    def of(cls, text: str) -> "Folded":
        """Fold a text."""
        if text.isascii() and "\0" not in text:
            lower = text.lower()
            return cls(lower, None, "".join(_DIGIT.findall(lower)))
        pieces = [_fold(character) for character in text]
        starts = [at for at, piece in enumerate(pieces) for _ in piece]
        folded = "".join(pieces)
        return cls(folded, [*starts, len(text)], "".join(_DIGIT.findall(folded)))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text of a span, not empty, of the folded one."""
        if self.starts is None:
            return start, end
        return self.starts[start], max(self.starts[end], self.starts[end - 1] + 1)


@lru_cache(_CACHED)
def _fold(character: str) -> str:
    """Return one character in lower case, without accents; nothing of one that is not seen."""
    if character.isascii():
        return character.lower() if character != "\0" else ""
    if character.isspace():
        return " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) in {"Cf", "Mn", "Mc", "Me", "Cc"}:
        return ""
    decomposed = unicodedata.normalize("NFKD", character.lower().translate(_SPECIAL))
    plain = (c for c in decomposed if not unicodedata.combining(c))
    return "".join(_LOOKS_LIKE.get(c, c) for c in plain).lower()
