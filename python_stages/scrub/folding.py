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
UNPARTED: Final = (  # Thai to Khmer, Hangul (folded: letters of its syllables), Kana, Han
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff"
    "\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Characters of scripts that write words without blanks, as ranges of a character class."""
_IS_UNPARTED: Final = re.compile(f"[{UNPARTED}]")
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
        is_parted: none of its characters is of a script that writes words without blanks.
    """

    text: str
    starts: list[int] | None
    digits: str
    is_parted: bool

    @classmethod
    def of(cls, text: str) -> "Folded":
        """Fold a text."""
        if text.isascii() and "\0" not in text:
            lower = text.lower()
            return cls(lower, None, "".join(_DIGIT.findall(lower)), is_parted=True)
        pieces = [_fold(character) for character in text]
        starts = [at for at, piece in enumerate(pieces) for _ in piece]
        folded = "".join(pieces)
        digits = "".join(_DIGIT.findall(folded))
        return cls(folded, [*starts, len(text)], digits, _IS_UNPARTED.search(folded) is None)

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
