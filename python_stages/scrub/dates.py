"""Dates as people write them: read, and written again in the same form.

Understood are numbers (`2024-03-07`, `20240307`, `07.03.2024`, `3/7/24`, `03/2024`), names of
months in English and in the language of a locale (`March 7th, 2024`, `7. März 2024`, `Mar 2024`),
bare years, each with a weekday before and a time of day behind. Where `03/07/2024` leaves open what
is the month, the locale decides.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from babel import Locale

_LATEST_TWO_DIGIT_YEAR: Final = 29  # 30 to 99 are of the last century
_TIME: Final = (
    r"(?P<time>(?:T|,?\s+(?:at\s+)?)\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
    r"(?:\s*[AaPp]\.?[Mm]\.?)?(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?"
)
_DAY: Final = r"(?P<day>\d{1,2})(?P<ordinal>st|nd|rd|th|\.)?"
_WORD: Final = r"(?P<word>[^\W\d_]{3,12})\.?"
_YEAR: Final = r"(?P<year>\d{4})"
_ANY_YEAR: Final = r"(?P<year>\d{4}|\d{2})"
_WEEKDAY: Final = r"(?P<weekday>[^\W\d_]{2,12}\.?,?\s+)?"
_FORMS: Final = tuple(
    re.compile(f"{_WEEKDAY}{form}{_TIME}", re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?P<sep>[-/.])(?P<month>\d{{1,2}})(?:(?P=sep)(?P<day>\d{{1,2}}))?",
        rf"{_YEAR}(?P<sep>)(?P<month>\d{{2}})(?P<day>\d{{2}})",
        rf"(?P<first>\d{{1,2}})(?P<sep>[-/.])(?P<second>\d{{1,2}})(?P=sep){_ANY_YEAR}",
        rf"(?P<month>\d{{1,2}})(?P<sep>[-/.]){_YEAR}",
        rf"{_DAY}[\s-]+(?:of\s+|de\s+)?{_WORD}(?:,?(?:\s+de)?[\s-]+{_ANY_YEAR})?",
        rf"{_WORD}\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"{_WORD}(?:,?(?:\s+de)?[\s-]+{_YEAR})?",
        r"(?P<year>(?:1[6-9]|20)\d{2})",
    )
)


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date, as much of it as was written, and where in the text its parts stand.

    Attributes:
        text: what was read.
        year: four digits, where a year was written.
        month: 1 to 12, where a month was written.
        day: 1 to 31, where a day was written.
        spans: name of a part -> start and end in the text.
        locale: how it was read.
    """

    text: str
    year: int | None
    month: int | None
    day: int | None
    spans: Mapping[str, tuple[int, int]]
    locale: str

    def part(self, name: str) -> str:
        """Return a part as it was written; empty where it was not."""
        start, end = self.spans.get(name, (0, 0))
        return self.text[start:end]

    def month_text(self) -> str | None:
        """Return month and year in the form of the text; None where there is no month."""
        if self.month is None:
            return None
        parts = {self.spans["month"]: self.part("month")}
        if self.year is not None:
            parts[self.spans["year"]] = str(self.year)
        between = self.part("sep") or ("-" if self.part("month").isdigit() else " ")
        return between.join(parts[span] for span in sorted(parts))

    def moved(self, draw: random.Random, days: int) -> str | None:
        """Return another date in the same form, some days away at most, or None where it cannot be.

        Args:
            draw: where the choice comes from.
            days: how far away at most.
        """
        if self.year is None or self.month is None or self.day is None or self.part("weekday"):
            return None
        try:
            here = date(self.year, self.month, self.day).toordinal()
            moved = date.fromordinal(here + draw.choice((-1, 1)) * draw.randint(1, days))
        except (ValueError, OverflowError):
            return None
        new = {
            "year": f"{moved.year:04}"[-len(self.part("year")) :],
            "month": _month_text(moved.month, self.part("month"), self.locale),
            "day": f"{moved.day:0{len(self.part('day'))}}",
            "ordinal": _ordinal(moved.day, self.part("ordinal")),
            "time": _other_time(self.part("time"), draw),
        }
        text = self.text
        for name, (start, end) in sorted(self.spans.items(), key=lambda item: -item[1][0]):
            text = text[:start] + new[name] + text[end:] if name in new else text
        return text


def read(text: str, locale: str) -> WrittenDate | None:
    """Return the date that a text is, or None where it is none.

    Args:
        text: nothing but the date.
        locale: such as `de_DE`, for names of months and the order of numbers; empty for `en_US`.
    """
    locale = locale or "en_US"
    for form in _FORMS:
        if (match := form.fullmatch(text)) is None:
            continue
        found = match.groupdict()
        spans = {name: match.span(name) for name, part in found.items() if part}
        if "first" in spans:
            month, day = (
                ("first", "second") if _is_month_first(found, locale) else ("second", "first")
            )
            spans["month"], spans["day"] = spans.pop(month), spans.pop(day)
        if "word" in spans:
            spans["month"] = spans.pop("word")
        written = WrittenDate(text, None, None, None, spans, locale)
        written = replace(
            written,
            year=_year(written.part("year")),
            month=_month(written.part("month"), locale),
            day=int(written.part("day") or 0) or None,
        )
        if _is_date(written):
            return written
    return None


@lru_cache(256)
def babel_locale(locale: str) -> "Locale":
    """Return what Babel knows of a locale, or of its language, else of American English."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415  # not for settings alone

    for name in (locale, locale.partition("_")[0]):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_US")


def _is_date(written: WrittenDate) -> bool:
    """Return whether the parts make sense together."""
    if written.part("month") and written.month is None:
        return False
    if written.part("weekday") and not _is_weekday(written.part("weekday"), written.locale):
        return False
    try:
        date(written.year or 2000, written.month or 1, written.day or 1)
    except ValueError:
        return False
    return True


def _is_month_first(found: Mapping[str, str], locale: str) -> bool:
    """Return whether the first of two numbers is the month."""
    if int(found["first"]) > 12 or int(found["second"]) > 12:  # noqa: PLR2004  # months of a year
        return int(found["second"]) > 12  # noqa: PLR2004  # the same
    pattern = babel_locale(locale).date_formats["short"].pattern
    return found["sep"] != "." and pattern.find("M") < pattern.find("d")


def _year(text: str) -> int | None:
    if not text:
        return None
    if len(text) == 4:  # noqa: PLR2004  # digits of a year
        return int(text)
    return int(text) + (2000 if int(text) <= _LATEST_TWO_DIGIT_YEAR else 1900)


def _month(text: str, locale: str) -> int | None:
    """Return the number of a month from its number or name."""
    if text.isdigit():
        return int(text) if 1 <= int(text) <= 12 else None  # noqa: PLR2004  # months of a year
    return next(
        (
            number
            for names in _names("months", locale)
            for number, name in names.items()
            if name.casefold() == text.casefold()
        ),
        None,
    )


def _month_text(month: int, like: str, locale: str) -> str:
    """Return a month in the form of another: number or name, long or short, in its casing."""
    if like.isdigit():
        return f"{month:0{len(like)}}"
    for names in _names("months", locale):
        if like.casefold() in {name.casefold() for name in names.values()}:
            name = names[month]
            return name.upper() if like.isupper() else name.lower() if like.islower() else name
    return f"{month:02}"


def _is_weekday(text: str, locale: str) -> bool:
    bare = text.strip(" ,.\t\n").casefold()
    return any(
        bare == name.casefold() for names in _names("days", locale) for name in names.values()
    )


@lru_cache(256)
def _names(kind: str, locale: str) -> tuple[Mapping[int, str], ...]:
    """Return the names of months or days, each by number: long and short, English and local."""
    return tuple(
        {number: name.rstrip(".") for number, name in getattr(one, kind)[context][width].items()}
        for one in (babel_locale(locale), babel_locale("en"))
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
    )


def _ordinal(day: int, like: str) -> str:
    if like in ("", "."):
        return like
    teens = (11, 12, 13)
    return "th" if day in teens else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _other_time(text: str, draw: random.Random) -> str:
    """Return another time of day in the same form; the hour fits clocks of 12 and of 24 hours."""
    numbers = iter((draw.randint(1, 12), *(draw.randint(0, 59) for _ in range(2))))
    clock = re.compile(r"(?<![+\d-])(?:(?<=\.)\d{1,9}|\d{1,2})(?!\d)")
    zone = re.search(r"\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$", text)
    head, tail = (text[: zone.start()], zone.group()) if zone else (text, "")

    def other(match: re.Match[str]) -> str:
        if match.start() and head[match.start() - 1] == ".":
            return "".join(draw.choice("0123456789") for _ in match.group())
        return f"{next(numbers):0{len(match.group())}}"

    return clock.sub(other, head) + tail
