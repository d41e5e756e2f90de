"""The little language of templates: plain text with placeholders, `{merchant}` or `{amount:money}`.

A template is parsed once into pieces; values are joined in and never parsed, so braces in data stay
braces. Attributes, indexes, conversions and nested placeholders do not exist in it. The formats:

    {x}            the value as text, on one line
    {x:lines}      the same with its line breaks
    {x:money}      amount with the currency's symbol and number of decimals, as the locale writes it
    {x:number}     the same without the symbol (write `{currency}` beside it)
    {x:date}       all-numeric date in the locale's order, always with the full year
    {x:longdate}   date with an English month name, in the order of the English of that territory:
                   the sentence is English, and `9 octobre 2024` inside it would read oddly
    {x:time}       hours and minutes as the locale writes them; times are UTC, the template says so

Locale data is Unicode CLDR through Babel. Everything written is cleaned with `clean`, so the many
Unicode spaces of CLDR come out as the one that people type.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from string import Formatter
from typing import Any, Final

from babel import Locale, localedata
from babel.dates import format_date, format_time, parse_pattern
from babel.numbers import (
    NumberPattern,
    get_currency_precision,
    get_currency_symbol,
    list_currencies,
)

from python_stages.errors import ConfigError

# Soft hyphen, zero-width space, word joiner, byte order mark, bidirectional controls: they show
# nothing to a reader and would hide an identifier from the scrub stage.
_INVISIBLE: Final = (0x00AD, 0x061C, 0x200B, 0x2060, 0xFEFF)
_BIDI: Final = (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0))
_CLEAN: Final = dict.fromkeys(_CONTROLS, " ") | dict.fromkeys((*_INVISIBLE, *_BIDI))

_DATES_KEPT: Final = 20_000  # fifty years of days; times of day are fewer


class Kind(Enum):
    """What a column must hold for a format to apply."""

    TEXT = "text"
    NUMBER = "a number"
    MOMENT = "a timestamp or date"
    LINES = "text of some lines"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A column and the name of the format in which it is written."""

    column: str
    format: str

    @property
    def kind(self) -> Kind:
        """Return what the column must hold."""
        return FORMATS[self.format].kind

    @property
    def needs_currency(self) -> bool:
        """Return whether the row's currency decides how the value is written."""
        return self.kind is Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Template:
    """Text in pieces: strings as they are, and placeholders."""

    pieces: tuple[str | Placeholder, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Compile a template; doubled braces are literal braces.

        Raises:
            ConfigError: braces do not match, or a placeholder is not of this language.
        """
        pieces: list[str | Placeholder] = []
        try:
            parsed = list(Formatter().parse(text))
        except ValueError:
            raise ConfigError(
                "a template has unmatched braces: write {{ and }} for literal ones",
            ) from None
        for literal, column, style, conversion in parsed:
            if literal:
                pieces.append(literal)
            if column is not None:
                pieces.append(_placeholder(column, style or "", conversion))
        return cls(tuple(pieces))

    @property
    def placeholders(self) -> frozenset[Placeholder]:
        """Return the distinct placeholders."""
        return frozenset(piece for piece in self.pieces if isinstance(piece, Placeholder))


def _placeholder(column: str, style: str, conversion: str | None) -> Placeholder:
    """Check one parsed placeholder against the language."""
    if conversion is not None or re.fullmatch(r"[A-Za-z_]\w*", column) is None:
        raise ConfigError("a placeholder is not of the form {column} or {column:format}")
    if style not in FORMATS:
        known = ", ".join(name for name in FORMATS if name)
        raise ConfigError(f"unknown format after {{{column}:: the known ones are {known}")
    return Placeholder(column, style)


def clean(text: str) -> str:
    """Return text in NFC on one line: controls become spaces, runs of spaces one, ends trimmed."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text).translate(_CLEAN)
    return " ".join(text.split())


def clean_lines(text: str) -> str:
    """Return text whose lines are clean; no line is blank behind another blank one."""
    lines = "\n".join(map(clean, text.splitlines())).strip("\n")
    return re.sub("\n{3,}", "\n\n", lines)


def check_locale(identifier: str) -> None:
    """Raise ConfigError unless CLDR knows the locale, `de_DE` or `en`."""
    # Babel would fall back from an unknown territory to the language alone, and say nothing.
    if not localedata.exists(identifier):
        raise ConfigError("a locale of the templates is unknown: write it like de_DE or en")


@cache
def currencies() -> frozenset[str]:
    """Return the ISO 4217 codes that CLDR knows, past and present."""
    return frozenset(list_currencies())


Writer = Callable[[Any, str, str], str]  # (value, locale, currency) -> text


@dataclass(frozen=True, slots=True)
class Format:
    """How a value is written, for columns of one kind."""

    kind: Kind
    write: Writer


def _text(value: str, _locale: str, _currency: str) -> str:
    return value


def _money(value: Decimal | float, locale: str, currency: str) -> str:
    return clean(_money_pattern(locale, currency).apply(value, _locale(locale)))


def _number(value: Decimal | float, locale: str, currency: str) -> str:
    return clean(_number_pattern(locale, currency).apply(value, _locale(locale)))


@cache
def _money_pattern(locale: str, currency: str) -> NumberPattern:
    """Return the locale's currency pattern for one currency: its symbol and its decimals.

    Filling the symbol in once makes Babel twice as fast: it would also work out the plural of the
    currency's name for every amount. A space parts letters from digits (Unicode TR 35 part 3,
    currency spacing), which Babel leaves out.
    """
    pattern: NumberPattern = copy(_locale(locale).currency_formats["standard"])
    symbol = get_currency_symbol(currency, locale).replace("'", "''")
    before = f"{symbol} " if symbol[-1:].isalpha() else symbol
    after = f" {symbol}" if symbol[:1].isalpha() else symbol
    positive, negative = pattern.prefix
    pattern.prefix = (positive.replace("¤", before), negative.replace("¤", before))
    positive, negative = pattern.suffix
    pattern.suffix = (positive.replace("¤", after), negative.replace("¤", after))
    pattern.frac_prec = (get_currency_precision(currency),) * 2
    return pattern


@cache
def _number_pattern(locale: str, currency: str) -> NumberPattern:
    """Return the locale's decimal pattern with the decimals of the currency."""
    pattern: NumberPattern = copy(_locale(locale).decimal_formats[None])
    pattern.frac_prec = (get_currency_precision(currency),) * 2
    return pattern


def _date(value: datetime, locale: str, _currency: str) -> str:
    return _numeric_date(value.date(), locale)


def _longdate(value: datetime, locale: str, _currency: str) -> str:
    return _english_date(value.date(), locale)


def _time(value: datetime, locale: str, _currency: str) -> str:
    return _short_time(value.hour * 60 + value.minute, locale)


FORMATS: Final[Mapping[str, Format]] = {
    "": Format(Kind.TEXT, _text),
    "lines": Format(Kind.LINES, _text),
    "money": Format(Kind.NUMBER, _money),
    "number": Format(Kind.NUMBER, _number),
    "date": Format(Kind.MOMENT, _date),
    "longdate": Format(Kind.MOMENT, _longdate),
    "time": Format(Kind.MOMENT, _time),
}


@cache
def _locale(identifier: str) -> Locale:
    return Locale.parse(identifier)


@lru_cache(_DATES_KEPT)
def _numeric_date(day: date, identifier: str) -> str:
    """Write a date in the locale's short pattern; two-digit years become four."""
    locale = _locale(identifier)
    pattern = re.sub("y+", "y", locale.date_formats["short"].pattern)
    return clean(parse_pattern(pattern).apply(day, locale))


@lru_cache(_DATES_KEPT)
def _english_date(day: date, identifier: str) -> str:
    """Write a date as the English of the locale's territory does, else as international English."""
    english = f"en_{_locale(identifier).territory}"
    return clean(format_date(day, "long", english if localedata.exists(english) else "en_001"))


@lru_cache(_DATES_KEPT)
def _short_time(minute_of_day: int, identifier: str) -> str:
    moment = time(minute_of_day // 60, minute_of_day % 60)
    return clean(format_time(moment, "short", locale=_locale(identifier)))
