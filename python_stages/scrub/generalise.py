"""Values made coarse: true still, and no longer of one person.

    date           its month (2024-03), or its year; of years up to 1945 only that they are
    age            its decade (40-49), or the age itself; 90+ from 90 on
    amount         a band of the 1-2-5 series ($1,000-2,000)
    place          its country, where one alone has a place of that name
    postcode       its first three digits (021**)
    IP address     its network: /24, of version 6 /48
    coordinates    whole degrees, some 111 km

What cannot be read becomes a placeholder: nothing passes because it was written in an unknown way.
What is coarse already stays as it is. The source of the years, ages and postcodes is the safe
harbor of HIPAA, 45 CFR 164.514(b)(2)(i)(B) and (C).
"""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from python_stages.scrub import dates

YEAR: Final = "year"

_LONGEST_VALUE: Final = 200  # characters; no date or place is longer
_LONGEST_NUMBER: Final = 24  # characters; Babel writes 28 digits
_OLDEST_AGE: Final = 120
_LAST_AGE: Final = 89
# Who was born later is not yet 90 before 2036.
_LAST_OLD_YEAR: Final = 1945
_OLD_YEARS: Final = f"{_LAST_OLD_YEAR} or earlier"
# Areas of at most 20,000 people by the census of 2000, which HHS lists in its guidance (2012).
_SPARSE_ZIPS: Final = re.compile(
    "036|059|063|102|203|556|692|790|821|823|830|831|878|879|884|890|893"
)
_ALIASES: Final = frozenset({"USA", "US", "UK", "UAE", "England", "Scotland", "Wales"})
_UNITS: Final = tuple(
    re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen",
    )
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def generalise(value: str, entity: str, unit: str = "", locale: str = "") -> str:
    """Return a coarser value, or the entity in brackets where the value cannot be read.

    Args:
        value: one finding, without what stands around it.
        entity: what it is; one that cannot be made coarse gives a placeholder.
        unit: `year` for the year of a date and the age itself, else empty.
        locale: such as `de_DE`, for dates, amounts and names of countries; empty for `en_US`.
    """
    coarser = _COARSER.get(entity) if len(value) <= _LONGEST_VALUE else None
    coarse = coarser(value.strip(), unit, locale) if coarser else None
    return f"[{entity}]" if coarse is None else coarse


def _date(value: str, unit: str, locale: str) -> str | None:
    if value == _OLD_YEARS:
        return value
    written = dates.read(value, locale)
    if written is None:
        return None
    if unit != YEAR:
        return written.month_text() or str(written.year)
    if written.year is None:
        return None
    return _OLD_YEARS if written.year <= _LAST_OLD_YEAR else str(written.year)


def _age(value: str, unit: str, _locale: str) -> str | None:
    if re.fullmatch(r"\D*(?:90\+|(?P<decade>[1-8]?)0-(?P=decade)9)\D*", value):
        return value
    text = _NUMBER_WORDS.sub(_number_of, value)
    numbers = re.findall(r"\d+(?:[.,]\d+)?", text)
    if len(numbers) != 1 or not numbers[0].isdecimal() or _SHORT_SPAN.search(text):
        return None
    age = int(numbers[0])
    if age > _OLDEST_AGE:
        return None
    decade = age // 10 * 10
    band = "90+" if age > _LAST_AGE else str(age) if unit == YEAR else f"{decade}-{decade + 9}"
    return text.replace(numbers[0], band)


_SHORT_SPAN: Final = re.compile(r"month|week|day|hour|\bmos?\b|monat|woche|mois|mes", re.IGNORECASE)
_NUMBER_WORDS: Final = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[\s-](?P<unit>{'|'.join(_UNITS[1:10])}))?"
    rf"|(?P<small>{'|'.join(reversed(_UNITS))}))\b",
    re.IGNORECASE,
)


def _number_of(words: re.Match[str]) -> str:
    if words["small"]:
        return str(_UNITS.index(words["small"].lower()))
    unit = _UNITS.index(words["unit"].lower()) if words["unit"] else 0
    return str(_TENS.index(words["tens"].lower()) * 10 + 20 + unit)


def _amount(value: str, _unit: str, locale: str) -> str | None:
    number = r"\d[\d.,'\u00a0\u202f]*(?<=\d)"
    match = re.fullmatch(rf"([^\d]*)({number})(?:-({number}))?([^\d]*)", value)
    if match is None or len(match[2]) > _LONGEST_NUMBER:
        return None
    before, text, upper_text, after = match.groups()
    amount = _number(text, locale)
    if amount is None:
        return None
    if amount == 0:
        return value
    low, high = _band(amount)
    if upper_text is not None:
        return value if (amount, _number(upper_text, locale)) == (low, high) else None
    return f"{before}{_written(low, locale)}-{_written(high, locale)}{after}"


def _band(amount: Decimal) -> tuple[Decimal, Decimal]:
    """Return the neighbours in 1, 2, 5, 10, 20, … that an amount lies between."""
    scale = Decimal(1).scaleb(amount.adjusted())
    low, high = next(
        (low, high) for low, high in ((5, 10), (2, 5), (1, 2)) if amount >= low * scale
    )
    return low * scale, high * scale


def _number(text: str, locale: str) -> Decimal | None:
    """Read a number as in its locale, or else as in the other convention."""
    from babel.numbers import NumberFormatError, parse_decimal  # noqa: PLC0415  # rarely needed

    text = re.sub(r"['\u00a0\u202f]", "", text)
    for name in (dates.babel_locale(locale or "en_US"), "en", "de"):
        try:
            return parse_decimal(text, locale=name, strict=True)
        except (NumberFormatError, InvalidOperation):
            continue
    return None


def _written(number: Decimal, locale: str) -> str:
    from babel.numbers import format_decimal  # noqa: PLC0415  # rarely needed

    name = dates.babel_locale(locale or "en_US")
    return format_decimal(number, locale=name, decimal_quantization=False)


def _place(value: str, _unit: str, locale: str) -> str | None:
    """Return the country of `Paris`, `Boston, MA` or `Lyon, France`; countries stay."""
    *_, last = (part.strip(" .") for part in value.split(","))
    if last.casefold() in countries(locale) or last.replace(".", "") in _ALIASES:
        return last
    code = us_states().get(last) or us_states().get(last.casefold())
    if code is None and "," not in value:
        code = _places().get(value.casefold())
    names = dates.babel_locale(locale or "en_US").territories
    return names.get(code) if code else None


@lru_cache(64)
def countries(locale: str) -> frozenset[str]:
    """Return the names of countries in English and in the language of a locale, in lower case."""
    return frozenset(
        name.casefold()
        for one in ("en", locale or "en")
        for code, name in dates.babel_locale(one).territories.items()
        if len(code) == 2  # noqa: PLR2004  # ISO 3166 letters; three digits are continents
    )


@lru_cache(1)
def _places() -> dict[str, str]:
    """Return the names, in lower case, that places of one country alone have, and its code.

    Some 1,200 larger cities: of GeoNames, as Faker has them, and of the time zone database, which
    wins where both know one, for its London is the larger.
    """
    from babel.core import get_global  # noqa: PLC0415  # rarely needed
    from faker.providers.geo import Provider  # noqa: PLC0415  # takes half a second

    codes: dict[str, set[str]] = {}
    for _, _, name, code, _ in Provider.land_coords:
        codes.setdefault(name.casefold(), set()).add(code)
    single = {name: min(found) for name, found in codes.items() if len(found) == 1}
    zones = {
        zone.rpartition("/")[2].replace("_", " ").casefold(): code
        for zone, code in get_global("zone_territories").items()
        if len(code) == 2 and "/" in zone  # noqa: PLR2004  # 001 is the world
    }
    return single | zones


@lru_cache(1)
def us_states() -> dict[str, str]:
    """Return names, in lower case, and letters, in capitals, of the states: each is of US."""
    from faker.providers.address.en_US import Provider  # noqa: PLC0415  # takes half a second

    names = [name.casefold() for name in Provider.states]
    return dict.fromkeys([*names, *Provider.states_abbr], "US")


def _postcode(value: str, _unit: str, _locale: str) -> str | None:
    if re.fullmatch(r"\d{1,3}\*+|[A-Za-z]{1,2}\*+|[A-Za-z]\d[A-Za-z]\*+", value):
        return value
    if canadian := re.fullmatch(r"([A-Za-z]\d[A-Za-z])[ -]?\d[A-Za-z]\d", value):
        return f"{canadian[1]}***"
    if british := re.fullmatch(r"([A-Za-z]{1,2})\d[A-Za-z\d]?\s*\d[A-Za-z]{2}", value):
        return f"{british[1]}**"
    if (
        digits := re.fullmatch(
            r"(?:[A-Za-z]{1,2}[- ])?(\d{4,7})(?:-\d{3,4}|\s?[A-Za-z]{2})?", value
        )
    ) is None:
        return None
    code = digits[1]
    kept = code[: min(3, len(code) - 2)]
    return f"{'000' if _SPARSE_ZIPS.fullmatch(kept) else kept}{'*' * (len(code) - len(kept))}"


def _network(value: str, _unit: str, _locale: str) -> str | None:
    address, _, length = value.partition("/")
    try:
        host = ipaddress.ip_address(address)
        prefix = 24 if host.version == 4 else 48  # noqa: PLR2004  # version of the protocol
        return str(ipaddress.ip_network(f"{host}/{min(prefix, int(length or 128))}", strict=False))
    except ValueError:
        return None


_DEGREES: Final = re.compile(
    r"([NSEW]?)\s*([+-]?\d{1,3})(?:\.\d+)?\s*°?"
    # minutes and seconds, with straight, typographic or prime marks
    "(?:\\s*\\d{1,2}(?:\\.\\d+)?\\s*['\u2019\u2032]"
    "(?:\\s*\\d{1,2}(?:\\.\\d+)?\\s*(?:[\"\u201d\u2033]|''))?)?"
    r"\s*([NSEW]?)",
    re.IGNORECASE,
)


def _coordinates(value: str, _unit: str, _locale: str) -> str | None:
    """Return latitude and longitude without what follows the degrees."""
    halves = [half.strip(" ()") for half in re.split(r"[,;]", value)]
    found = [_DEGREES.fullmatch(half) for half in halves]
    whole = [f"{one[1]}{one[2]}{'°' if '°' in one[0] else ''}{one[3]}" for one in found if one]
    return ", ".join(whole) if len(whole) == len(halves) == 2 else None  # noqa: PLR2004  # of a point


_COARSER: Final[dict[str, Callable[[str, str, str], str | None]]] = {
    "DATE_TIME": _date,
    "DATE_OF_BIRTH": _date,
    "AGE": _age,
    "AMOUNT": _amount,
    "LOCATION": _place,
    "ZIP_CODE": _postcode,
    "UK_POSTCODE": _postcode,
    "CA_POSTAL_CODE": _postcode,
    "IP_ADDRESS": _network,
    "GPS_COORDINATE": _coordinates,
}
