"""Telephone numbers: by python-phonenumbers where it is sure, by their look where people are."""

import re
from typing import TYPE_CHECKING, Any, Final

from python_stages.scrub.recognizers.shapes import END, Shape, after

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

_WORDS: Final = (
    "phone",
    "telephone",
    "tel",
    "cell",
    "cellphone",
    "mobile",
    "call",
    "fax",
    "whatsapp",
    "ring",
    "text",
    "dial",
    "callback",
    "phoned",
    "sms",
)
GATE: Final = r"\d(?:\W{0,3}\d){6}"
_SENTENCE_ENDS: Final = r"[.,;:!?]\s"
_INTERNATIONAL: Final = re.compile(
    rf"(?<![\w+])[+\uff0b]\W{{0,3}}\d(?:(?:(?!{_SENTENCE_ENDS})[^\w+]){{0,3}}\d){{6,16}}"
)

_CUE: Final = (
    r"(?:tele)?(?:phone|fax)s?|tel|telefono?|teléfono|telefon|téléphone|mobiles?|mobil|móvil|"
    r"portable|celular|handy|cell(?:phone)?s?|landline|whatsapp|hotline|helpline|(?:contact|my|"
    r"his|her|our|your|their|direct) (?:number|line)|"
    r"(?:call|text|dial|ring|sms|reach|phone)(?:ed|d|ing)?(?: (?:me|us|him|her|them))?(?: back)?"
    r"(?: (?:at|on))?"
)
_LINK: Final = (
    r"(?:[ \t_-]{0,2}(?:numbers?|num|no|nr|n[°º]|\#)(?![^\W_])\.?)?"
    r"(?:[ \t]{0,2}(?:(?:is|at|on|to|under)(?!\w)|[:=\"'|>.–-])){0,4}\s{0,3}"
)
# call Ann on, ring the front desk at
_CALL_SOMEBODY: Final = (
    r"(?:call|text|dial|ring|sms|reach|phone|contact|message|whatsapp)(?:ed|s|ing)?"
    r"(?:[ ][\p{L}.'’-]{1,20}){1,4}[ ](?:on|at)|call-?back (?:on|at|to)"
)
_AFTER_ADDRESS: Final = r"@[\w.-]{2,60}\w[ ]{0,2}(?:[,;|/·][ ]{0,2}|[ ]|\n)\K"
_LENGTHS: Final = range(9, 16)
_SIGNS_DIGIT: Final = r"(?:[ ]?[-()./·–]{0,2}[ ]?[0-9])"
_EXTENSION: Final = r"(?:[ ,;]{0,3}(?:x|ext|extn|extension)\.?[ :]?[0-9]{1,6})?"
_BEFORE: Final = r"(?<![\w+])(?<![0-9][.,:/ -])"
_AFTER: Final = r"(?![.,:/-]?[0-9])" + END

_AFTER_WORD: Final = Shape(
    "PHONE_NUMBER",
    (
        (
            after(
                _CUE,
                rf"[+(]{{0,2}}[0-9]{_SIGNS_DIGIT}{{6,15}}{_EXTENSION}{END}",
                _LINK,
            ),
            0.6,
        ),
        (
            after(
                _CALL_SOMEBODY,
                rf"[+(]{{0,2}}[0-9]{_SIGNS_DIGIT}{{5,15}}{_EXTENSION}{END}",
                _LINK,
            ),
            0.6,
        ),
        # ann@example.org, 631-3402
        (rf"{_AFTER_ADDRESS}[+(]{{0,2}}[0-9]{_SIGNS_DIGIT}{{6,15}}{_EXTENSION}{END}", 0.5),
    ),
    is_valid=lambda text: not _DATE.search(text),
    gate=r"\d(?:\W{0,3}\d){5}",
)

_DATE: Final[re.Pattern[str]] = re.compile(
    r"(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?![0-9])|"
    r"(?<![0-9])[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}(?![0-9])|"
    r"^(?:19|20)[0-9]{2}[ ]?[-–/][ ]?(?:19|20)[0-9]{2}$",
)
_DATE_WIDTH: Final = len("2024-10-25")
_AMERICAN: Final = rf"{_BEFORE}(?:(?:\+1|001|1)[-. ]?)?"


def _is_long_enough(text: str) -> bool:
    """Return whether a number has as many digits as one with its area code (ITU-T E.164)."""
    number = re.split(r"[ ,;]*[xe]", text, maxsplit=1)[0]
    n_digits = sum(character.isdigit() for character in number)
    return n_digits in _LENGTHS and not _DATE.search(text)


_LOOKS_LIKE: Final = Shape(
    "PHONE_NUMBER",
    (
        # (212) 555-0187, 212-555-0187, 212.555.0187, 212 555 0187
        (
            rf"{_AMERICAN}\([2-9][0-9]{{2}}\)[ .-]?[0-9]{{3}}[ .-]?[0-9]{{4}}{_EXTENSION}{_AFTER}",
            0.6,
        ),
        (rf"{_AMERICAN}[2-9][0-9]{{2}}([-.])[0-9]{{3}}\1[0-9]{{4}}{_EXTENSION}{_AFTER}", 0.5),
        (rf"{_AMERICAN}[2-9][0-9]{{2}}[ ][0-9]{{3}}[ -][0-9]{{4}}{_EXTENSION}{_AFTER}", 0.4),
        (rf"{_AMERICAN}[0-9]{{3}}([-.])[0-9]{{3}}\1[0-9]{{4}}{_EXTENSION}{_AFTER}", 0.4),
        (rf"{_BEFORE}[2-9][0-9]{{9}}[ ]?(?:x|ext\.?)[ ]?[0-9]{{1,6}}{_AFTER}", 0.5),
        # +44 (0)20 7946 0958, and what no numbering plan knows
        (
            (
                r"(?<![\w+])\+\(?[1-9][0-9]{0,2}\)?[ .\-/]{0,2}"
                r"(?:\([0-9]{1,5}\)[ .\-/]{0,2})?[0-9]{1,12}"
                rf"(?:(?![.][ ])[ .\-/]{{1,2}}[0-9]{{2,8}}){{0,6}}{_EXTENSION}{END}(?!,[0-9])"
            ),
            0.6,
        ),
        (
            rf"{_BEFORE}" + r"00[1-9][0-9]{0,2}[ .\-/](?:\(0\)[ ]?)?[0-9]{1,5}"
            rf"(?:[ .\-/][0-9]{{2,8}}){{1,5}}{_AFTER}",
            0.5,
        ),
        # 020 7946 0958, (030) 1234567, 06 12 34 56 78, 0171-1234567
        (rf"{_BEFORE}0[1-9](?:([ .-])[0-9]{{2}}(?:\1[0-9]{{2}}){{3}}){_AFTER}", 0.5),
        (rf"{_BEFORE}\(0[0-9]{{1,5}}\)[ -]?[0-9]{{2,8}}(?:[ -][0-9]{{2,5}}){{0,3}}{_AFTER}", 0.5),
        (rf"{_BEFORE}0[1-9][0-9]{{1,4}}[ -][0-9]{{3,8}}(?:[ -][0-9]{{2,4}}){{0,3}}{_AFTER}", 0.4),
        (rf"{_BEFORE}0[1-9][0-9]?[ -][0-9]{{3,4}}[ -][0-9]{{3,5}}{_AFTER}", 0.4),
        (rf"{_BEFORE}0[1-9][0-9]{{8,9}}{_AFTER}", 0.4),
        (rf"{_BEFORE}\(\+?[1-9][0-9]{{1,2}}\)[ ]?[0-9]{{7,10}}{_EXTENSION}{_AFTER}", 0.4),
        # 4155550187, 9155 0187, after a word for a telephone
        (rf"{_BEFORE}[0-9](?:[ -]?[0-9]){{8,11}}{_AFTER}", 0.1),
    ),
    context=_WORDS,
    is_valid=_is_long_enough,
    gate=GATE,
)


# 555-0187, 9155 0187, 877 09 68, after a word for a telephone
_LOCAL: Final = Shape(
    "PHONE_NUMBER",
    (
        (
            (
                rf"{_BEFORE}[1-9][0-9]{{2,3}}"
                rf"(?:[ .-]?[0-9]{{4}}|([ .-])[0-9]{{2,3}}\1[0-9]{{2,3}}){_AFTER}"
            ),
            0.1,
        ),
    ),
    context=_WORDS,
    is_valid=lambda text: not _DATE.search(text),
    gate=GATE,
)
SHAPES: Final = (_AFTER_WORD, _LOOKS_LIKE, _LOCAL)


def international() -> "EntityRecognizer":
    """Return the recogniser of numbers with a country code; SHAPES has the others.

    Presidio also tries every number as one of each of some regions. A domestic number looks like an
    amount or a date (`09.10.2024` is a valid one in Germany), and it took most of the time on short
    texts; words and looks find those numbers that people would call one.
    """
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  # takes seconds
        PhoneRecognizer,
    )

    class InternationalPhoneRecognizer(PhoneRecognizer):
        """Numbers that begin with a plus sign and a country code."""

        SCORE = 0.7

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
            """Search only what a plus sign and enough digits make likely."""
            found: list[Any] = []
            for match in _INTERNATIONAL.finditer(text):
                start, end = match.span()
                # a date that follows directly is no part of it
                if date := _DATE.search(text, start, end + _DATE_WIDTH):
                    end = min(end, date.start())
                for result in super().analyze(text[start:end], entities, nlp_artifacts):
                    result.start += start
                    result.end += start
                    found.append(result)
            return found

    # ZZ is CLDR's "unknown region": without one, only numbers with a country code are valid.
    return InternationalPhoneRecognizer(context=list(_WORDS), supported_regions=("ZZ",))
