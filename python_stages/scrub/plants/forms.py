"""Forms of numbers: `##-####-#@` and what draws one.

    #  a digit            [ABC]     one of these
    %  a digit from 1     {yymmdd}  a day from 1932 to 1999, in one of DATES
    ?  a capital          @         a check digit
    ^  a hexadecimal      &         a check character, mostly a capital
    *  a letter or digit

Anything else stands for itself. Check signs are chosen so that the number passes its check.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import product
from random import Random
from typing import Final

from stdnum.exceptions import ValidationError

from python_stages.errors import StageError

Make = Callable[[Random, str], str]
"""(draw, locale such as `de_DE` or empty) -> a value."""

Check = Callable[[str], bool]

_DIGITS: Final = "0123456789"
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SIGNS: Final = {
    "#": _DIGITS,
    "%": _DIGITS[1:],
    "?": _CAPITALS,
    "^": _DIGITS + "abcdef",
    "*": _CAPITALS + _CAPITALS.lower() + _DIGITS,
}
_CHECK_SIGNS: Final = {"@": _DIGITS, "&": _CAPITALS + _DIGITS}
DATES: Final = {
    "yymmdd": "{y:02}{m:02}{d:02}",
    "yy.mm.dd": "{y:02}.{m:02}.{d:02}",
    "ddmmyy": "{d:02}{m:02}{y:02}",
    "ddmmyyy": "{d:02}{m:02}9{y:02}",
    "yyyymmdd": "19{y:02}{m:02}{d:02}",
}
_PIECE: Final = re.compile(r"\{([a-z.]+)\}|\[([^\]]+)\]|([#%?^*])|(.)", re.DOTALL)
_MOST_DRAWS: Final = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """How one entity is planted.

    Attributes:
        make: draws a value.
        carriers: phrases with one `{}`, which is where the value stands.
    """

    make: Make
    carriers: tuple[str, ...]


def fill(form: str, draw: Random) -> str:
    """Return a form with every sign drawn; check signs stay."""
    drawn = []
    for what, source in _pieces(form):
        if what == "one of":
            drawn.append(draw.choice(source))
        elif what == "date":
            y, m, d = draw.randint(32, 99), draw.randint(1, 12), draw.randint(1, 28)
            drawn.append(source.format(y=y, m=m, d=d))
        else:
            drawn.append(source)
    return "".join(drawn)


def numbers(*forms: str, check: Check | str | None = None) -> Make:
    """Return what makes numbers of some forms, each as likely.

    Args:
        forms: see above.
        check: what a number passes without its separators: a function, or the name of a module of
            stdnum, which may want the separators of its country.
    """

    def make(draw: Random, _locale: str) -> str:
        passes = _module(check) if isinstance(check, str) else check
        wants_separators = isinstance(check, str)
        form = draw.choice(forms)
        for _ in range(_MOST_DRAWS):
            filled = fill(form, draw)
            if passes is None:
                return filled
            for value in _candidates(filled, check):
                if passes(re.sub(r"[\W_]", "", value)) or (wants_separators and passes(value)):
                    return value
        raise StageError("no planted number passes the check of its form: correct the form")

    return make


def said(*names: str) -> tuple[str, ...]:
    """Return the phrases by which people name a number before they write it."""
    ways = ("my {} is {{}}", "{}: {{}}", "{} {{}}", "the {} is {{}}", "{} = {{}}")
    return tuple(way.format(name) for name in names for way in ways)


ALONE: Final = ("{}", "see {}", "it is {}", "they wrote {}", "copied from the form: {}")
"""Phrases for what needs no words before it."""


@lru_cache(1024)
def _pieces(form: str) -> tuple[tuple[str, str], ...]:
    """Return the pieces of a form: what each is, and what it is drawn from."""
    pieces = []
    for date, choice, sign, literal in _PIECE.findall(form):
        if date:
            pieces.append(("date", DATES[date]))
        elif literal:
            pieces.append(("literal", literal))
        else:
            pieces.append(("one of", choice or _SIGNS[sign]))
    return tuple(pieces)


def _candidates(filled: str, check: Check | str | None) -> Iterator[str]:
    """Yield a number with the check signs that stdnum knows, then with every choice of them."""
    body = filled.rstrip("@&")
    calculate = _calculation(check) if isinstance(check, str) else None
    if calculate is not None and not set(_CHECK_SIGNS) & set(body):
        compact = re.sub(r"[\W_]", "", body)
        for number in (compact, f"{compact}0"):  # some modules want the number with its check digit
            with suppress(ValidationError, ValueError, IndexError):
                yield body + str(calculate(number))
    parts = re.split("([@&])", filled)
    choices = [_CHECK_SIGNS.get(part, (part,)) for part in parts]
    yield from map("".join, product(*choices))


@lru_cache(128)
def _module(name: str) -> Check:
    check: Check = import_module(f"stdnum.{name}").is_valid
    return check


@lru_cache(128)
def _calculation(name: str) -> Callable[[str], str] | None:
    """Return what makes the check signs of a number's beginning, where the module has it."""
    module = import_module(f"stdnum.{name}")
    for one in ("calc_check_digits", "calc_check_digit", "_calc_check_digits", "_calc_check_digit"):
        if hasattr(module, one):
            calculation: Callable[[str], str] = getattr(module, one)
            return calculation
    return None
