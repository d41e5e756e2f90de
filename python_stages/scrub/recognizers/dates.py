"""Dates of the calendar, dates of birth, and ages.

A date singles out a day, or a month of a year. A weekday, a bare year and `three days ago` do not.
Month names come from CLDR, in the languages that dates are written in most.
"""

from functools import cache
from typing import Final

from python_stages.scrub.recognizers.shapes import START, Shape, after, choice

ENTITIES: Final = frozenset({"AGE", "DATE_OF_BIRTH", "DATE_TIME"})

_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl")
_WORDS_TOO: Final = r"(?:may|march|mars|mar|sett|out|set|ago|marts)(?!\p{L})"
"""Months that are words as well: never in lower case without a year."""

# What begins with a class, and says only then which of it is meant, is looked for at digits alone;
# of a choice, `regex` tries every branch at every character.
_DAY: Final = r"(?:[0-9]{1,2}(?<!(?<![0-9])0|00|3[2-9]|[4-9][0-9]))"
_TH: Final = r"(?:st|nd|rd|th|ST|ND|RD|TH|er|º|\.)?"
_NTH: Final = _DAY + _TH
_YEAR: Final = r"(?:(?:1[6-9]|20|21)[0-9]{2}(?![0-9])|['’][0-9]{2}(?![0-9]))"
_TIME: Final = (
    r"(?:[T ,]{1,3}(?:at[ ]|um[ ]|à[ ]|a las[ ])?(?:[01]?[0-9]|2[0-3])(?::[0-5][0-9]){1,2}"
    r"(?:[.,][0-9]{1,9})?(?:[ ]?[AaPp]\.?[Mm]\b\.?)?(?:[ ]?(?:Z\b|UTC|GMT|[A-Z]{2,4}T\b|[+-]"
    r"[0-9]{2}:?[0-9]{2}))?)?"
)
_WEEKDAY: Final = (
    r"(?:(?:Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun|Monday|Tuesday|Wednesday|Thursday|Friday|"
    r"Saturday|Sunday)[.,]{0,2}[ ](?:the[ ])?)"
)
_OF: Final = r"(?:[ ]?[-/., ][ ]?|[ ](?:of|de|di|d['’])[ ]?|\.[ ]?)"
_NOT_BEFORE: Final = r"(?<![\w])(?<![0-9][.,:/-])"
_NOT_AFTER: Final = r"(?![\w])(?![./-][0-9])"

_NUMERIC: Final = (
    # 2024-03-05, 2024/3/5, 2024.03.05
    (rf"(?:1[6-9]|20|21)[0-9]{{2}}([-/.])(?:0?[1-9]|1[0-2])\1{_DAY}{_TIME}", 0.6),
    # 05.03.2024, 3/5/2024, 05 - 03 - 2024
    (rf"{_DAY}[ ]?([-/.])[ ]?{_DAY}[ ]?\1[ ]?(?:1[6-9]|20|21)[0-9]{{2}}{_TIME}", 0.6),
    # 3/5/24
    (rf"{_DAY}/{_DAY}/[0-9]{{2}}{_TIME}", 0.5),
    (rf"{_DAY}([-.]){_DAY}\1[0-9]{{2}}", 0.25),
    (r"(?:0?[1-9]|1[0-2])/(?:19|20)[0-9]{2}", 0.2),
    (rf"{_DAY}/{_DAY}", 0.1),
    (r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])", 0.1),
)


@cache
def _months() -> tuple[str, str, str]:
    """Return expressions for months with a capital, in small letters, and in either casing."""
    from babel import Locale  # noqa: PLC0415  # reads its tables

    names = {"sept"}
    for language in _LANGUAGES:
        for widths in Locale(language).months.values():
            for width in ("wide", "abbreviated"):
                names.update(name.rstrip(".").lower() for name in widths[width].values())
    words = {name for name in names if name.isalpha() and len(name) > len("ma")}
    capital = {form for word in words for form in (word.capitalize(), word.upper())}
    return choice(capital), choice(words), choice(capital | words)


def _written() -> tuple[tuple[str, float], ...]:
    """Return the expressions for dates whose month is a word."""
    capital, small, month = _months()
    # 5th of March 2024, 14:30; 5 mars 2024; 5-Mar-24; 5 March, in lower case only if no word
    day_first = (
        rf"{_DAY}(?=\p{{L}}|[-/., º]{{1,3}}\p{{L}}){_TH}"
        rf"(?:{_OF}{month}\.?(?:{_OF}{_YEAR}{_TIME}|-[0-9]{{2}})|"
        rf"(?:[ ](?:of|de|di)[ ]|[ -]|\.[ ])(?!{_WORDS_TOO}){month}\.?)"
    )
    # March 5, 2024 at 3 pm; March 5
    month_first = (
        rf"{capital}\.?[ ](?:the[ ])?{_NTH}(?:,?[ ]{{1,2}}{_YEAR}{_TIME}|(?![ ]?%)(?![.,:]"
        r"[0-9]))"
    )
    # march 5, 2024
    small_first = rf"{small}\.?[ ](?:the[ ])?{_NTH},?[ ]{{1,2}}{_YEAR}{_TIME}"
    return (
        (day_first, 0.6),
        (month_first, 0.6),
        (small_first, 0.6),
        (rf"{_WEEKDAY}(?:{day_first}|{month_first}|{small_first})", 0.7),
        # March 2024, Mar-24
        (
            (
                rf"{capital}\.?(?:(?:,[ ]|[ -]|[ ](?:of|de|di)[ ])(?:1[6-9]|20|21)[0-9]{{2}}|['’-]"
                r"[0-9]{2})"
            ),
            0.5,
        ),
        # 2024 March 5, 2024-Mar-05
        (rf"(?:1[6-9]|20|21)[0-9]{{2}}[ -]{month}[ -]{_NTH}", 0.6),
    )


_BORN: Final = (
    r"born(?: on| in)?|dob\.?|d\.o\.b\.?|d\. o\. b\.?|d o b|(?:date|day|year) of birth|"
    r"birth[ _-]?da(?:te|y)|birthdate|birth_date|date_of_birth|geboren(?: am)?|geb|geburtsdatum|"
    r"née?(?: le)?|date de naissance|nacid[oa](?: el)?|fecha de nacimiento|"
    r"nat[oa] il|data di nascita|nascid[oa] em|data de nascimento|"
    r"geboortedatum|född|født|syntynyt|urodzon[ya]"
)
_BORN_LINK: Final = (
    r"(?>(?:[ \t]{0,3}(?:(?:is|was|on|in|the)(?!\w)|[:=(\"'“‘`|,>–)-])){0,4}\s{0,3})"
)
_UNITS: Final = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_AGE_WORDS: Final = (
    rf"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -]{_UNITS})?|ten|eleven|"
    rf"twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|{_UNITS})"
)
_AGE: Final = r"(?:1[01][0-9]|[1-9]?[0-9])"
_OLD: Final = (
    r"(?:[ -]?(?:years?|yrs?|jahre|años|anni|anos)[ -](?:old|of age|alt|young)|"
    r"[ -]?(?:yo|y\.o|y/o|y\./o)\b|"
    r"[ ]ans\b|[ ]años\b|[ ]anni\b)"
)
_NO_RANGE: Final = (
    r"(?![\w%°$€£])(?![.,:/][0-9])(?!\s{0,2}(?:[-–+%/]|[ap]\.?m\b|o['’]clock|to\b|or\b|"
    r"and (?:over|above|under|older|up)|"
    r"through\b|(?:minutes?|mins?|hours?|days?|weeks?|months?|miles?|km|percent|points?|kg|lbs?|cm|"
    r"st\b|nd\b|rd\b|th\b|of\b|for\b|to\b|from\b|in a\b|out\b|games?|and 0)))"
)


def shapes() -> tuple[Shape, ...]:
    """Return the shapes of dates and ages; those of the months are built when first asked for."""
    written = _written()
    everything = "|".join(
        f"(?:{expression})".replace(r"\1", "[-/.]") for expression, _ in (*written, *_NUMERIC)
    )
    day_of_birth = rf"(?=[0-9\p{{L}}])(?:{everything}|(?:19|20)[0-9]{{2}}){_NOT_AFTER}"
    return (
        Shape(
            "DATE_TIME",
            tuple(
                (rf"{_NOT_BEFORE}{expression}{_NOT_AFTER}", score) for expression, score in _NUMERIC
            ),
            context=("date", "dated", "birthday", "due", "datum", "fecha", "data"),
            gate=r"[0-9][ ]?[-/.][ ]?[0-9]|[0-9]{8}",
            is_cased=True,
        ),
        Shape(
            "DATE_TIME",
            tuple(
                (rf"{_NOT_BEFORE}{expression}{_NOT_AFTER}", score) for expression, score in written
            ),
            context=("date", "dated", "birthday", "due"),
            gate=r"[0-9]",
            is_cased=True,
        ),
        Shape(
            "DATE_OF_BIRTH",
            ((after(_BORN, day_of_birth, _BORN_LINK), 0.85),),
            gate=(
                r"born|d\.? ?o\.? ?b|birth|geb|née?|nacid|nacim|nat[oa]|nasci|född|født|"
                r"syntynyt|urodz"
            ),
            is_cased=True,
        ),
        Shape(
            "AGE",
            (
                (rf"(?<![\w.,-])[0-9]{{1,3}}(?<=(?<![0-9]){_AGE})(?={_OLD})", 0.6),
                (rf"(?<![\w.,-]){_AGE_WORDS}(?={_OLD})", 0.6),
                (
                    (
                        rf"{START}(?:(?<!the )(?<!minimum )(?<!under )aged?(?:[ ](?:is|was))?"
                        r"[\"']?[ ]?[:=]?[ ]?[\"']?|at[ ]the[ ]age[ ]of[ ]|"
                        r"(?:died|retired|married)[ ]at[ ])"
                        rf"\K(?:{_AGE}|{_AGE_WORDS}){_NO_RANGE}"
                    ),
                    0.6,
                ),
                (
                    (
                        rf"{START}(?:I am|I['’]m|he is|she is|he['’]s|she['’]s|turn(?:ed|ing|s))"
                        r"[ ]\K"
                        rf"(?:{_AGE}|{_AGE_WORDS})(?=\s{{0,2}}(?:[,.;!?)](?![0-9])|$|(?:but|so|"
                        r"because|already|soon)\b|and (?:I|he|she|have|live|work|still|already|"
                        r"not|will)\b|"
                        r"years\b(?! of)|now\b|today\b))"
                    ),
                    0.5,
                ),
                # Ann Lee, 34, of Leeds; no list of numbers goes on like that
                (
                    (
                        r"(?<![\p{L}\p{N}'’-])\p{Lu}[\p{L}'’-]{1,20}[ ]\p{Lu}[\p{Ll}'’-]{2,20},"
                        r"[ ]\K[1-9][0-9](?=,[ ](?:of|from|is|was|has|had|who|an?|and|died|lives|"
                        r"lived|last|said|told|were|to)\b)"
                    ),
                    0.4,
                ),
            ),
            gate=(
                r"\p{L}{2},[ ][0-9]{2}|year|yr|jahre|años|anni|anos|y\.?/?o|[ ]ans|age|I am|I['’]m|"
                r"he is|he['’]s|turn|(?:died|retired|married)[ ]at"
            ),
        ),
    )
