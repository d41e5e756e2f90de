"""All the ways to mention a name, an e-mail address, a phone number or any other value.

In any casing, without its accents, with a possessive or an ending of another language, broken over
two lines, in another order, by its parts or its initials:

    PERSON           Zoë van der Meer: zoe, VAN DER MEER'S, Meer, Zoë; Z. van der Meer, zvandermeer
    EMAIL_ADDRESS    zoe.meer@example.com: all of it, and zoe.meer alone
    PHONE_NUMBER     +31 (0)20 794 0800: by its digits, however written, country code or not
    anything else    as it stands, in any casing

Both value and text are folded first (folding.py). Scripts that do not part words (Han, Kana,
Hangul, Thai, …) have no ends of words to respect. Every expression is bounded, whatever the value:
no text takes more than linear time.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from python_stages.scrub.folding import UNPARTED, Folded

_CACHED: Final = 4_096
_LEAST_LETTERS: Final = 3  # of a part of a name, in any casing; one fewer where it is capitalised
_LEAST_DIGITS: Final = 7  # of a phone number: one without its area code
_LEAST_NATIONAL: Final = 8  # digits of a number before which a bare country code may stand
_MOST_DIGITS: Final = 20  # ITU-T E.164 has 15, and some are dialled before them
_LEAST_VALUE: Final = 2  # characters of any other value
_MOST_ORDERED: Final = 8  # parts of a name that is sought in other orders
_MOST_BETWEEN: Final = 3  # parts between the first and the last that may be left out
_MOST_PARTS: Final = 64  # that are sought alone
_TITLES: Final = frozenset(
    {
        *("of", "the", "and", "und", "y", "e", "st", "mac", "mc", "jr", "sr", "ii", "iii", "iv"),
        *("phd", "md", "dds", "esq", "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam"),
        *("herr", "frau", "senor", "senora", "monsieur", "madame"),
    },
)
_PARTICLES: Final = frozenset(  # and names: Ben Carter, Van Morrison, Nguyen Van Le
    {
        *("de", "da", "do", "dos", "das", "del", "della", "di", "du", "des", "la", "le", "les"),
        *("el", "al", "bin", "ibn", "ben", "van", "von", "vom", "zu", "zum", "zur", "der", "den"),
        *("ter", "ten", "te", "saint", "san", "santa"),
    },
)
# Letters and digits that a word goes on with. Large sets take a millisecond to compile, and most
# names are met in one text, so what has none of these scripts is spared them.
_WORD: Final = r"[^\W_]"
_PARTED: Final = rf"[^\W_{UNPARTED}]"
_HAN_OR_HANGUL: Final = re.compile("[\u3400-\u9fff]{3,4}|[\uac00-\ud7a3]{3,4}")
_CASES: Final = re.compile("[\u0370-\u058f\u10a0-\u10ff]")  # Greek, Cyrillic, Armenian, Georgian
_CHANGED: Final = "aяьиeoyuσηiю"
_POSSESSIVE: Final = r"(?:['’´`]?s|['’´`])?"
_INFLECTED: Final = (  # genitives, plurals and cases of names in a dozen languages, less accents
    r"(?:['’´`]?(?:s|es|n|en|ns|m|em|a|e|i|u|y|om|ou|ov|ova|ovi|owi|iem|am|nak|nek|ta|lla|lle"
    r"|in|un|yi|ya|ye|da|de)|['’´`])?"
)
_LEAST_INFLECTED: Final = 5  # letters; `Tim` is not meant by `time`
_DECLINED: Final = r"(?:a|e|y|i|ie|o|u|ou|om|am|as|es|['’´`]?s){0,2}"
_BETWEEN: Final = r"[\s\u00a0._,\-'’]{0,4}"
_BLANKS: Final = re.compile(r"\s+")
_NAME_PART: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_DIGIT_GAP: Final = r"[\W_]{0,3}"  # a line break, too: the digits have to be the same anyway
_DIGIT_BEFORE: Final = re.compile(rf"([0-9]){_DIGIT_GAP}\Z")
_TRUNK: Final = rf"(?:\(?0\)?{_DIGIT_GAP})?"
_ABROAD: Final = re.compile(
    rf"(?<![0-9])(?:(?:\+|00)[0-9]{{1,3}}{_DIGIT_GAP}|[+(]{{1,2}})?{_TRUNK}\Z"
)
_BARE_ABROAD: Final = re.compile(rf"(?<![0-9])(?:\+|00)?[0-9]{{1,3}}{_DIGIT_GAP}{_TRUNK}\Z")
_LONGEST_ABROAD: Final = 14
_EXTENSION: Final = re.compile(r"(?i)(?:x|ext|extension)\.?\s{0,3}[0-9]{1,8}\s{0,3}\Z")
_NUMBERS: Final = re.compile(r"[;,/|\n]|\bor\b")


@dataclass(frozen=True, slots=True)
class Sought:
    """One way to mention a value.

    Attributes:
        entity: what is found.
        needle: what every mention contains when folded; searched for first, as that is fast.
        pattern: the mention, in the folded text; compiled only where the needle is found.
        ending: what may follow; the same for many values, and so compiled once.
        is_word: no letter or digit may stand beside it, but of scripts that do not part words.
        is_proper: the mention counts only where it is capitalised.
        digits: all digits of a number, whose last ones needle and pattern are; else empty.
    """

    entity: str
    needle: str
    pattern: str
    ending: str = ""
    is_word: bool = False
    is_proper: bool = False
    digits: str = ""

    def spans(self, folded: Folded) -> Iterator[tuple[int, int]]:
        """Yield the spans, in the original text, of the mentions."""
        if self.needle not in (folded.digits if self.digits else folded.text):
            return
        for start, end in self._matches(folded):
            first = _first_of_number(folded.text, start, self.digits) if self.digits else start
            if first is not None:
                yield folded.original(first, end)

    def _matches(self, folded: Folded) -> Iterator[tuple[int, int]]:
        beside = _WORD if folded.is_parted else _PARTED
        before, after = (f"(?<!{beside})", f"(?!{beside})") if self.is_word else ("", "")
        begin, end = _compiled(before + self.pattern), _compiled(self.ending + after)
        at = 0
        while found := begin.search(folded.text, at):
            ended = end.match(folded.text, found.end())
            at = ended.end() if ended else found.start() + 1
            if ended:
                yield found.start(), at


@lru_cache(_CACHED)
def ways(deny: tuple[tuple[str, str], ...]) -> tuple[Sought, ...]:
    """Return all ways to mention some values, given as entity and value, each once."""
    by_entity = {
        "PERSON": _name_ways,
        "EMAIL_ADDRESS": _address_ways,
        "PHONE_NUMBER": _phone_ways,
    }
    found: dict[tuple[str, str, str], Sought] = {}
    for entity, value in deny:
        for sought in by_entity.get(entity, as_it_stands)(entity, value):
            found.setdefault((sought.entity, sought.pattern + sought.ending, sought.digits), sought)
    return tuple(found.values())


def as_it_stands(entity: str, value: str) -> Iterator[Sought]:
    """Yield a value as it stands, in any casing and spacing."""
    folded = Folded.of(value).text.strip()
    if len(folded) >= _LEAST_VALUE:
        words = folded.split()
        yield _way(entity, max(words, key=len), _loose(folded), _POSSESSIVE)


def _name_ways(entity: str, value: str) -> Iterator[Sought]:
    """Yield the ways to mention a person: whole, reversed, by parts, by initials and last name."""
    parts = _NAME_PART.findall(Folded.of(value).text)
    telling = _telling(value, parts)
    if not telling:
        yield from as_it_stands(entity, value)
        return
    if len(parts) > _MOST_ORDERED:
        yield from as_it_stands(entity, value)
    else:
        for at in range(len(parts) if len(parts) > 1 else 0):  # `Meer, Zoë van der`, too
            order = _BETWEEN.join(map(_accentless, [*parts[at:], *parts[:at]]))
            yield _way(entity, max(parts, key=len), order, _ending(parts[at - 1]))
    has_cases = _CASES.search(value) is not None
    for part in list(dict.fromkeys(telling))[:_MOST_PARTS]:
        if len(part) > 1:
            yield from _part_ways(entity, part, has_cases=has_cases)
    if len(telling) > 1:
        yield from _initial_ways(entity, parts, telling)


def _telling(value: str, parts: list[str]) -> list[str]:
    """Return the parts that name somebody; a particle does where it is first or last."""
    named = [at for at, part in enumerate(parts) if part not in _TITLES]
    written_small = {word for word in _NAME_PART.findall(value) if word.islower()}
    is_small = all(part in written_small for part in parts)
    return [
        parts[at]
        for at in named
        if parts[at] not in _PARTICLES
        or (at in {named[0], named[-1]} and (is_small or parts[at] not in written_small))
    ]


def _part_ways(entity: str, part: str, *, has_cases: bool) -> Iterator[Sought]:
    """Yield a part of a name alone."""
    is_short = len(part) < _LEAST_LETTERS and part.upper() != part  # nothing else has capitals
    is_proper = is_short or part in _PARTICLES
    stem, declined = _declined(part)
    yield _way(entity, part, stem, declined + _ending(part), is_proper=is_proper)
    if has_cases and len(part) >= _LEAST_LETTERS:
        is_changed = len(part) > _LEAST_LETTERS and part[-1] in _CHANGED
        stem = part[:-1] if is_changed else part
        is_proper = len(part) < _LEAST_INFLECTED
        yield _way(entity, stem, _accentless(stem), r"[^\W\d_]{0,3}", is_proper=is_proper)
    whole = unicodedata.normalize("NFC", part)
    if _HAN_OR_HANGUL.fullmatch(whole):  # the family name of one letter, or of two, is first
        for name in (whole[1:],) if len(whole) == _LEAST_LETTERS else (whole[:2], whole[2:]):
            given = Folded.of(name).text
            yield _way(entity, given, given, "")


def _initial_ways(entity: str, parts: list[str], telling: list[str]) -> Iterator[Sought]:
    """Yield `A. de Smith`, `adesmith`, `Smith, A.`, `Anna S.` and `anna.smith99` of a name."""
    first, last = telling[0], telling[-1]
    between = "".join(
        rf"(?:{part[0]}(?:{re.escape(part[1:])})?{_BETWEEN})?"
        for part in parts[1:-1][-_MOST_BETWEEN:]
    )
    yield _way(entity, last, rf"{first[0]}{_BETWEEN}{between}{_accentless(last)}", _ending(last))
    yield _way(entity, last, rf"{_accentless(last)},?\s{{0,3}}{first[0]}", r"\.?")
    yield _way(entity, first, rf"{_accentless(first)}\s{{1,3}}{last[0]}", r"\.?")
    if len(first) + len(last) >= 2 * _LEAST_LETTERS:
        for one, other in ((first, last), (last, first)):  # as in user names
            yield _way(entity, one, rf"{_accentless(one)}[._-]?{_accentless(other)}", "[0-9]{0,4}")


def _address_ways(entity: str, value: str) -> Iterator[Sought]:
    """Yield an address, and what stands before its @ where that says something."""
    folded = Folded.of(value).text.strip()
    local = folded.partition("@")[0]
    if folded:
        yield _way(entity, folded, re.escape(folded), "")
    if len(local) >= _LEAST_LETTERS and local != folded:
        yield _way(entity, local, re.escape(local), r"(?:@[\w.-]{1,80}\w)?")


def _phone_ways(entity: str, value: str) -> Iterator[Sought]:
    """Yield each number of a value by its digits; as it stands, where it has too few."""
    numbers = [_digits(piece) for piece in _NUMBERS.split(value)]
    if len(numbers) == 1 or min(map(len, numbers)) < _LEAST_DIGITS:
        numbers = [_digits(value)]
    for digits in dict.fromkeys(numbers):
        if len(digits) < _LEAST_DIGITS:
            yield from as_it_stands(entity, value)
            return
        last = digits[-_LEAST_DIGITS:]
        pattern = _DIGIT_GAP.join(last)
        yield Sought(entity, last, pattern, "(?![0-9])", digits=digits[-_MOST_DIGITS:])


def _digits(value: str) -> str:
    """Return the digits of a phone number, less its extension."""
    folded = Folded.of(value).text
    extension = _EXTENSION.search(folded, max(0, len(folded) - 24))
    return Folded.of(folded[: extension.start()] if extension else folded).digits


def _first_of_number(text: str, at: int, digits: str) -> int | None:
    """Return where a number begins whose last digits are found; None if in a longer number.

    Args:
        text: folded.
        at: where the last digits of the number begin.
        digits: all of its digits. Whatever of them stands before goes along, in order; some may
            be left out, as is the 0 of `+31 (0)20`.
    """
    left = len(digits) - _LEAST_DIGITS
    n_zeros = len(digits) - len(digits.lstrip("0"))
    begins = [(at, left <= n_zeros)]
    while before := _DIGIT_BEFORE.search(text, max(0, at - 4), at):
        left = digits.rfind(before[1], 0, left)
        if left < 0:
            break
        at = before.start()
        begins.append((at, left <= n_zeros))
    for begin, is_whole in reversed(begins):
        is_national = is_whole and len(digits) - n_zeros >= _LEAST_NATIONAL
        for prefix in (_BARE_ABROAD, _ABROAD) if is_national else (_ABROAD,):
            found = prefix.search(text, max(0, begin - _LONGEST_ABROAD), begin)
            if found is not None:
                return found.start()
    return None


def _way(entity: str, needle: str, pattern: str, ending: str, *, is_proper: bool = False) -> Sought:
    """Return what must be a word, or words, of its own; an underscore may stand beside it."""
    if not Folded.of(needle).is_parted:
        return Sought(entity, needle, pattern)
    needle = max(re.split("['’]", needle), key=len)
    if needle[-1:] == "a":
        needle = needle[:-1]  # declined
    return Sought(entity, needle, pattern, ending, is_word=True, is_proper=is_proper)


@lru_cache(_CACHED)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _ending(part: str) -> str:
    """Return a pattern of what inflection may add to a part of a name."""
    return _INFLECTED if len(part) >= _LEAST_INFLECTED else _POSSESSIVE


def _declined(part: str) -> tuple[str, str]:
    """Return patterns of what of a part of a name stays, and of what changes, as in `Maria`."""
    if part.endswith("a") and len(part) >= _LEAST_INFLECTED - 1:
        return _accentless(part[:-1]), _DECLINED
    return _accentless(part), ""


def _loose(value: str) -> str:
    """Return a pattern of a folded value with any blanks where it has some."""
    return r"\s+".join(map(re.escape, _BLANKS.split(value)))


def _accentless(part: str) -> str:
    """Return a pattern of a folded part of a name, with or without its apostrophes."""
    return re.sub(r"['’]", "['’]?", part)
