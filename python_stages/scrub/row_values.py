"""What the other columns of a row say about a text: whom it must not name, and whom it may.

A row that holds a customer's name, e-mail address and phone number in columns of their own tells
exactly what to look for in its free text. No model is asked and no score weighed: every mention of
such a value goes, in any casing, without its accents, with a possessive or an ending of another
language, broken over two lines, in another order, by its parts or its initials:

    PERSON           Zoë van der Meer: zoe, VAN DER MEER'S, Meer, Zoë; Z. van der Meer, zvandermeer
    EMAIL_ADDRESS    zoe.meer@example.com: all of it, and zoe.meer alone
    PHONE_NUMBER     +31 (0)20 794 0800: by its digits, however written, country code or not
    anything else    as it stands, in any casing

The reverse, a value that is allowed (the merchant of a transaction), is no person, place or
organisation where it occurs, whatever the model says. Structured identifiers are never allowed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from python_stages.scrub.settle import WORDED, Finding

_CACHED_ROWS: Final = 4_096
_LEAST_LETTERS: Final = 3  # of a part of a name, in any casing; one fewer where it is capitalised
_LEAST_DIGITS: Final = 7  # of a phone number: one without its area code
_LEAST_VALUE: Final = 2  # characters of any other value
_PARTICLES: Final = frozenset(
    {
        *("de", "da", "do", "dos", "das", "del", "della", "di", "du", "des", "la", "le", "les"),
        *("el", "al", "bin", "ibn", "ben", "van", "von", "vom", "zu", "zum", "zur", "der", "den"),
        *("ter", "ten", "te", "of", "the", "and", "und", "y", "e", "st", "saint", "san", "santa"),
        *("mac", "mc", "jr", "sr", "ii", "iii", "iv", "phd", "md", "dds", "esq", "mr", "mrs"),
        *("ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau", "senor", "senora"),
        *("monsieur", "madame"),
    },
)
_POSSESSIVE: Final = r"(?:['’´`]?s|['’´`])?"  # noqa: RUF001  # apostrophes
_INFLECTED: Final = (  # genitives, plurals and cases of names in a dozen languages, less accents
    r"(?:['’´`]?(?:s|es|n|en|ns|m|em|a|e|i|u|y|om|ou|ov|ova|ovi|owi|iem|am|nak|nek|ta|lla|lle"  # noqa: RUF001  # apostrophes
    r"|in|un|yi|ya|ye|da|de)|['’´`])?"  # noqa: RUF001  # apostrophes
)
_LEAST_INFLECTED: Final = 5  # letters; `Tim` is not meant by `time`
_DECLINED: Final = r"(?:a|e|y|i|ie|o|u|ou|om|am|as|es|['’´`]?s){0,2}"  # noqa: RUF001,RUF003  # Maria: Marii, Mario’s
_BETWEEN: Final = r"[\s\u00a0._,\-'’]{0,4}"  # noqa: RUF001  # an apostrophe
_BLANKS: Final = re.compile(r"\s+")
_NAME_PART: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001,RUF003  # O’Neill
_DIGIT: Final = re.compile(r"[0-9]")
_DIGIT_GAP: Final = r"[\s\u00a0().\-/+·\u2010-\u2015]{0,3}"
_ABROAD: Final = rf"(?:(?:\+|00)[0-9]{{1,3}}{_DIGIT_GAP}|[+(]{{1,2}})?(?:\(?0\)?{_DIGIT_GAP})?"
_NOT_FOLDED: Final = re.compile(r"[^\x00-\x7f]")
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
    },
)


@dataclass(frozen=True, slots=True)
class RowValues:
    """What the columns beside a text hold in its row.

    Attributes:
        deny: entity and value: what must not be mentioned.
        allow: what is no name of a person, place or organisation.
    """

    deny: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sought:
    """One way to mention a value.

    Attributes:
        entity: what is found.
        needle: what every mention contains when folded; searched for first, as that is fast.
        pattern: the mention, in the folded text; compiled only where the needle is found.
        is_proper: the mention counts only where it is capitalised.
        is_digits: the needle is in the digits of the text.
    """

    entity: str
    needle: str
    pattern: str
    is_proper: bool = False
    is_digits: bool = False


def denied(text: str, row: RowValues) -> list[Finding]:
    """Return every mention of the row's denied values in a text, at score 1."""
    if not row.deny:
        return []
    folded, starts = _folded(text)
    digits = "".join(_DIGIT.findall(folded))
    found: list[Finding] = []
    for sought in _sought(row.deny):
        if sought.needle in (digits if sought.is_digits else folded):
            for start, end in _matches(_compiled(sought.pattern), folded, starts):
                if not sought.is_proper or text[start].isupper():
                    found.append(Finding(sought.entity, start, end, 1.0))
    return found


def without_allowed(text: str, row: RowValues, found: Iterable[Finding]) -> list[Finding]:
    """Return findings less the names that are part of an allowed value."""
    found = list(found)
    if not row.allow or not any(finding.entity in WORDED for finding in found):
        return found
    folded, starts = _folded(text)
    is_allowed = bytearray(len(text))
    for value in row.allow:
        for sought in _literal_ways("", value):
            if sought.needle in folded:
                for start, end in _matches(_compiled(sought.pattern), folded, starts):
                    is_allowed[start:end] = b"\1" * (end - start)
    return [
        finding
        for finding in found
        if finding.entity not in WORDED
        or any(
            text[at].isalnum() and not is_allowed[at] for at in range(finding.start, finding.end)
        )
    ]


@lru_cache(_CACHED_ROWS)
def _sought(deny: tuple[tuple[str, str], ...]) -> tuple[_Sought, ...]:
    """Return all ways to mention some values, each once."""
    ways = {
        "PERSON": _name_ways,
        "EMAIL_ADDRESS": _address_ways,
        "PHONE_NUMBER": _phone_ways,
    }
    found: dict[tuple[str, str], _Sought] = {}
    for entity, value in deny:
        for sought in ways.get(entity, _literal_ways)(entity, value):
            found.setdefault((sought.entity, sought.pattern), sought)
    return tuple(found.values())


def _matches(
    pattern: re.Pattern[str], folded: str, starts: list[int] | None
) -> Iterator[tuple[int, int]]:
    """Yield the spans, in the original text, of a pattern in the folded one."""
    for match in pattern.finditer(folded):
        start, end = match.span()
        if starts is not None:
            start, end = starts[start], max(starts[end], starts[end - 1] + 1)
        yield start, end


def _name_ways(entity: str, value: str) -> Iterator[_Sought]:
    """Yield the ways to mention a person: whole, reversed, by parts, by initials and last name."""
    folded = _folded(value)[0]
    parts = _NAME_PART.findall(folded)
    telling = [part for part in parts if part not in _PARTICLES]
    if not telling:
        yield from _literal_ways(entity, value)
        return
    for at in range(len(parts) if len(parts) > 1 else 0):  # `Meer, Zoë van der`, too
        order = _BETWEEN.join(map(_accentless, [*parts[at:], *parts[:at]]))
        yield _way(entity, telling[0], order, _ending(parts[at - 1]))
    for part in telling:
        is_short = len(part) < _LEAST_LETTERS
        if len(part) > 1:
            yield _way(entity, part, _declined(part), _ending(part), is_proper=is_short)
    if len(telling) > 1:
        yield from _initial_ways(entity, parts, telling)


def _initial_ways(entity: str, parts: list[str], telling: list[str]) -> Iterator[_Sought]:
    """Yield `A. de Smith`, `adesmith`, `Smith, A.`, `Anna S.` and `anna.smith99` of a name."""
    first, last = telling[0], telling[-1]
    between = "".join(
        rf"(?:{part[0]}(?:{re.escape(part[1:])})?{_BETWEEN})?" for part in parts[1:-1]
    )
    yield _way(entity, last, rf"{first[0]}{_BETWEEN}{between}{_accentless(last)}", _ending(last))
    yield _way(entity, last, rf"{_accentless(last)},?\s{{0,3}}{first[0]}\.?", "")
    yield _way(entity, first, rf"{_accentless(first)}\s{{1,3}}{last[0]}\.?", "")
    if len(first) + len(last) >= 2 * _LEAST_LETTERS:
        for one, other in ((first, last), (last, first)):  # as in user names
            yield _way(entity, one, rf"{_accentless(one)}[._-]?{_accentless(other)}", "[0-9]{0,4}")


def _address_ways(entity: str, value: str) -> Iterator[_Sought]:
    """Yield an address, and what stands before its @ where that says something."""
    folded = _folded(value)[0].strip()
    local = folded.partition("@")[0]
    if folded:
        yield _way(entity, folded, re.escape(folded), "")
    if len(local) >= _LEAST_LETTERS and local != folded:
        yield _way(entity, local, re.escape(local), r"(?:@[\w.-]{1,80}\w)?")


def _phone_ways(entity: str, value: str) -> Iterator[_Sought]:
    """Yield a number by its digits: all, without what may be left out before, the last seven."""
    head = re.split(r"(?i)[,;\s]*(?:x|ext|extension)\.?\s*(?=[0-9]+\s*$)", value, maxsplit=1)[0]
    digits = "".join(_DIGIT.findall(_folded(head)[0]))
    if len(digits) < _LEAST_DIGITS:
        yield from _literal_ways(entity, value)
        return
    # whatever of the number stands before its last seven digits goes along
    pattern = _DIGIT_GAP.join(digits[-_LEAST_DIGITS:])
    for digit in reversed(digits[:-_LEAST_DIGITS]):
        pattern = rf"(?:{digit}{_DIGIT_GAP})?{pattern}"
    pattern = rf"(?<![0-9]){_ABROAD}{pattern}(?![0-9])"
    yield _Sought(entity, digits[-_LEAST_DIGITS:], pattern, is_digits=True)


def _literal_ways(entity: str, value: str) -> Iterator[_Sought]:
    """Yield a value as it stands, in any casing and spacing."""
    folded = _folded(value)[0].strip()
    if len(folded) >= _LEAST_VALUE:
        words = folded.split()
        yield _way(entity, max(words, key=len), _loose(folded), _POSSESSIVE)


def _way(
    entity: str, needle: str, pattern: str, ending: str, *, is_proper: bool = False
) -> _Sought:
    """Return what must be a word, or words, of its own; an underscore may stand beside it."""
    needle = max(re.split("['’]", needle), key=len)  # noqa: RUF001  # apostrophes
    if needle[-1:] == "a":
        needle = needle[:-1]  # declined
    return _Sought(entity, needle, rf"(?<![^\W_]){pattern}{ending}(?![^\W_])", is_proper)


@lru_cache(_CACHED_ROWS)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _ending(part: str) -> str:
    """Return a pattern of what inflection may add to a part of a name."""
    return _INFLECTED if len(part) >= _LEAST_INFLECTED else _POSSESSIVE


def _declined(part: str) -> str:
    """Return a pattern of a part of a name whose last letter may change, as in `Maria`."""
    if part.endswith("a") and len(part) >= _LEAST_INFLECTED - 1:
        return _accentless(part[:-1]) + _DECLINED
    return _accentless(part)


def _loose(value: str) -> str:
    """Return a pattern of a folded value with any blanks where it has some."""
    return r"\s+".join(map(re.escape, _BLANKS.split(value)))


def _accentless(part: str) -> str:
    """Return a pattern of a folded part of a name, with or without its apostrophes."""
    return re.sub(r"['’]", "['’]?", part)  # noqa: RUF001  # apostrophes


def _folded(text: str) -> tuple[str, list[int] | None]:
    """Return a text in lower case without accents and unseen characters.

    Returns:
        The folded text; and for each character of it, and its end, the place in the original, or
        None where all places are the same.
    """
    lower = text.lower()
    if text.isascii() and "\0" not in text:
        return lower, None
    if _NOT_FOLDED.search(lower) is None and len(lower) == len(text) and "\0" not in text:
        return lower, None
    pieces: list[str] = []
    starts: list[int] = []
    for at, character in enumerate(text):
        if character.isascii():
            folded = character.lower() if character != "\0" else ""
        else:
            folded = _fold(character)
        pieces.append(folded)
        starts.extend([at] * len(folded))
    starts.append(len(text))
    return "".join(pieces), starts


@lru_cache(_CACHED_ROWS)
def _fold(character: str) -> str:
    """Return one character in lower case, without accents; nothing of one that is not seen."""
    if unicodedata.category(character) in {"Cf", "Mn", "Cc"}:
        return ""
    decomposed = unicodedata.normalize("NFKD", character.lower().translate(_SPECIAL))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()
