"""How a name, number or address is written so that it looks like none, and what it says.

Look-alikes after Unicode Technical Standard 39, confusables.txt, for the letters that a name or an
identifier can be spelled with. Every expression is bounded: no text takes more than linear time.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_UNSEEN: Final = (
    "\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f"  # controls, but what ends a line
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_OVERLAYS: Final = "\u0334-\u0338\u20d0-\u20ea"  # a keycap around a digit among them
# Between or beside what can be read; an emoji's joiners are not.
_DROPPED: Final = re.compile(
    rf"(?<=[\w!-~])[{_UNSEEN}{_OVERLAYS}]+|(?<![{_UNSEEN}])[{_UNSEEN}]+(?=[\w!-~])",
)
_DASHES: Final = (
    "\u00ad\u02d7\u058a\u05be\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
)
_BLANKS: Final = "\x0b\x0c\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DASH: Final = re.compile(  # between words, a dash is punctuation
    rf"(?<=[0-9)])[{_DASHES}](?=[\w(])|(?<=\w)[{_DASHES}](?=[0-9])|(?<=\w)[\u2010\u2011](?=\w)",
)
_BLANK: Final = re.compile(rf"(?<=[\w).,+-])[{_BLANKS}]+(?=[\w(+])")
_USUAL: Final = frozenset("…™ªºµ")  # compatibility forms that nobody takes for a disguise
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")

LOOK_ALIKES: Final = dict(
    zip(
        "аеорсухіјѕԁһӏԛԝѡүѵАВЕЅІЈКМНОРСТУХҮԌԚԜӀѴ"  # on purpose: Cyrillic,
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϲοανιρυκχϳγ"  # Greek,
        "ɑɡıɩℓⅼ",  # noqa: RUF001  # and Latin ones beyond the alphabet
        "aeopcyxijsdhlqwwyvABESIJKMHOPCTYXYGQWIVABEZHIKMNOPTYXCcoavipukxjyagiill",
        strict=True,
    ),
)
_LOOKS: Final = re.compile("[\u0250-\u03ff\u0400-\u052f\u0131\u2113\u217c]")
_WORD: Final = re.compile(r"[\w@.+-]+")
_OTHER_LETTER: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN_OR_DIGIT: Final = re.compile("[A-Za-z0-9@]")
_LATIN_LETTER: Final = re.compile("[A-Za-z]")

_ODD: Final = r"[ \t\r\n\x0b\x0c\xa0.,/:;_|*~'’´`\\\-\u2010-\u2015\u2212]"  # noqa: RUF001  # apostrophes
_CARD: Final = re.compile(
    rf"(?<![0-9])(?:[2-6][0-9]{{3}}(?:{_ODD}{{1,3}}[0-9]{{4}}){{3}}(?:{_ODD}{{1,3}}[0-9]{{3}})?"
    rf"|3[0-9]{{3}}{_ODD}{{1,3}}[0-9]{{6}}{_ODD}{{1,3}}[0-9]{{4,5}}"
    rf"|[3-6]({_ODD}{{1,3}})[0-9](?:\1[0-9]){{11,17}}"
    rf"|[3-6][0-9]({_ODD}{{1,3}})[0-9]{{2}}(?:\2[0-9]{{2}}){{5,7}})(?![0-9])",
)
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")

_AT: Final = (
    r"\s{0,3}(?:[(\[{<]\s?(?:at|@|ät|arroba)\s?[)\]}>]|&\#0{0,4}64;|&commat;|%40|\uff20)\s{0,3}"
)
_DOT: Final = r"\s{0,3}(?:[(\[{<]\s?(?:dot|\.|punkt|point)\s?[)\]}>]|&\#0{0,4}46;|&period;)\s{0,3}"
_SAID_AT: Final = r"\s{1,3}at\s{1,3}"
_SAID_DOT: Final = r"\s{1,3}(?:dot|punkt)\s{1,3}"
_LOCAL: Final = rf"[\w+-]{{1,64}}(?:(?:\.|{_DOT}|{_SAID_DOT})[\w+-]{{1,64}}){{0,4}}"
_MAIL_HOST: Final = (
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|proton(?:mail)?|aol|gmx|live)"
)
_LABEL: Final = r"[^\W_][\w-]{0,62}"
_TOP: Final = r"[^\W\d_]{2,18}"
# Of those that are said, no words: `look at the dot in it`.
_SAID_TOP: Final = (
    r"(?:com|org|net|edu|gov|mil|int|info|biz|name|io|ai|app|dev|co|tv|eu|uk|ca|au|nz|ie|de|ch|fr|es"
    r"|pt|nl|lu|dk|se|fi|pl|cz|sk|hu|ro|bg|gr|tr|ru|ua|cn|jp|kr|br|mx|ar|cl|za|ng|ke|eg|il|ae|sg|hk"
    r"|example|test|invalid|local|corp|internal)"
)
_ANY_DOT: Final = rf"(?:\.|{_DOT}|{_SAID_DOT})"
_LABELS: Final = rf"{_LABEL}(?:{_ANY_DOT}{_LABEL}){{0,4}}"
_ADDRESS: Final = re.compile(
    rf"(?<![\w.+-])(?:{_LOCAL}(?:"
    rf"{_AT}{_LABELS}{_ANY_DOT}{_TOP}"  # spelled at: any dot will do
    rf"|(?:{_SAID_AT}|@){_LABELS}(?:{_DOT}|{_SAID_DOT}){_SAID_TOP}"  # said at: so has a dot to be
    rf"|(?:{_SAID_AT}|[ \t]{{0,3}}@[ \t]{{0,3}}){_MAIL_HOST}\.{_TOP}"
    rf"|[ \t]{{0,3}}@[ \t]{{0,3}}{_LABEL}(?:[ \t]{{1,3}}\.[ \t]{{1,3}}{_LABEL}){{1,4}})"
    # `lunch @ booking.com` is none, but `a.smith @ example.com` is
    rf"|[\w+-]{{1,64}}[._][\w.+-]{{1,64}}[ \t]{{1,3}}@[ \t]{{0,3}}"
    rf"{_LABEL}(?:\.{_LABEL}){{0,4}}\.{_TOP}"
    r")(?![\w-])",
    re.IGNORECASE,
)
_HAS_ADDRESS: Final = re.compile(
    r"%40|&\#0{0,4}64;|&commat;|\uff20|[(\[{<]\s?(?:at|@|ät|arroba)\s?[)\]}>]|[ \t]@|@[ \t]"
    rf"|\bdot\b|\bpunkt\b|\bat {_MAIL_HOST}\.|@[^\s@]{{1,64}}[(\[{{]",
    re.IGNORECASE,
)
_AT_SIGN: Final = re.compile(rf"{_AT}|{_SAID_AT}|\s*@\s*", re.IGNORECASE)
_DOT_SIGN: Final = re.compile(rf"{_DOT}|{_SAID_DOT}|\s*\.\s*", re.IGNORECASE)

_BROKEN_NAME: Final = re.compile(
    r"(?<![^\W\d_])[^\W\d_][^\W\d_]+([ \t]*\r?\n[ \t]*)(?=[^\W\d_][^\W\d_]+(?![^\W\d_]))",
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MANY_DIGITS: Final = re.compile(rf"[0-9]{_ODD}{{1,3}}[0-9](?:{_ODD}{{0,3}}[0-9]){{10}}")
_BROKEN: Final = re.compile(r"\w[ \t]*\r?\n[ \t]*\w")


@dataclass(frozen=True, slots=True)
class Edit:
    """A part of a text and what it reads as."""

    start: int
    end: int
    new: str
    is_worded: bool = False


def _folds(text: str) -> Iterator[Edit]:
    """Yield what is dropped, or is another form of a usual character."""
    if text.isascii():
        return
    edits: dict[int, Edit] = {}
    taken: set[int] = set()
    for pattern, new in ((_DROPPED, ""), (_DASH, "-"), (_BLANK, " ")):
        for match in pattern.finditer(text):
            start, end = match.span()
            if start not in taken:
                edits[start] = Edit(
                    start, end, new, is_worded=new != "-" and _parts(text, start, end)
                )
                taken.update(range(start, end))
    if not unicodedata.is_normalized("NFKC", text) or any(map(str.isdecimal, text)):
        for match in _FOREIGN.finditer(text):
            for start, end in _clusters(text, *match.span()):
                old = text[start:end]
                if taken.isdisjoint(range(start, end)) and (new := _composed(old)) != old:
                    is_worded = any(map(str.isalpha, old))
                    edits[start] = Edit(start, end, new, is_worded=is_worded)
    for _, edit in sorted(edits.items()):
        yield edit


def _clusters(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of characters with the marks that combine with them."""
    if start and unicodedata.combining(text[start]):
        start -= 1
    bounds = [at for at in range(start, end) if at == start or not unicodedata.combining(text[at])]
    yield from pairwise([*bounds, end])


def _composed(cluster: str) -> str:
    """Return the usual form of a character: NFKC, digits in ASCII."""
    if cluster in _USUAL:
        return cluster
    composed = unicodedata.normalize("NFKC", cluster)
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in composed
    )


def _parts(text: str, start: int, end: int) -> bool:
    """Return whether something parts the letters of a word."""
    return text[max(0, start - 1) : start].isalpha() and text[end : end + 1].isalpha()


def _look_alikes(text: str) -> Iterator[Edit]:
    """Yield letters that look Latin, in words that have Latin letters or digits besides."""
    if text.isascii() or _LOOKS.search(text) is None:
        return
    for match in _WORD.finditer(text):
        word = match.group()
        if word.isascii() or not _LATIN_OR_DIGIT.search(word) or not _LOOKS.search(word):
            continue
        others = _OTHER_LETTER.findall(word)
        if not _LATIN_LETTER.search(word) and not all(c in LOOK_ALIKES for c in others):
            continue
        for at, character in enumerate(word, match.start()):
            if character in LOOK_ALIKES:
                yield Edit(at, at + 1, LOOK_ALIKES[character], is_worded=True)


def _controls(text: str) -> Iterator[Edit]:
    """Yield control characters of ASCII text."""
    if not text.isascii() or _CONTROL.search(text) is None:
        return
    edits = [
        Edit(*match.span(), new, is_worded=_parts(text, *match.span()))
        for pattern, new in ((_DROPPED, ""), (_BLANK, " "))
        for match in pattern.finditer(text)
    ]
    yield from sorted(edits, key=lambda edit: edit.start)


def _cards(text: str) -> Iterator[Edit]:
    """Yield card numbers (ISO/IEC 7812-1) whose groups are not separated as usual."""
    if _MANY_DIGITS.search(text) is None:
        return
    for match in _CARD.finditer(text):
        gaps = set(_NOT_DIGITS.findall(match.group()))
        is_usual = gaps in ({" "}, {"-"}) and match.group()[:4].isdigit()
        if not is_usual and _passes_luhn(_NOT_DIGITS.sub("", match.group())):
            for gap in _NOT_DIGITS.finditer(match.group()):
                yield Edit(match.start() + gap.start(), match.start() + gap.end(), "")


def _passes_luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + n % 2) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0 and len(set(digits)) > 1  # noqa: PLR2004  # ISO/IEC 7812-1


def _addresses(text: str) -> Iterator[Edit]:
    """Yield the signs of e-mail addresses that are spelled out."""
    if _HAS_ADDRESS.search(text) is None:
        return
    for match in _ADDRESS.finditer(text):
        sign = _AT_SIGN.search(text, match.start(), match.end())
        if sign is None:
            continue
        signs = [(sign, "@")]
        for part in ((match.start(), sign.start()), (sign.end(), match.end())):
            signs.extend((dot, ".") for dot in _DOT_SIGN.finditer(text, *part))
        for found, new in sorted(signs, key=lambda each: each[0].start()):
            if found.group() != new:
                yield Edit(*found.span(), new)


def _broken_names(text: str) -> Iterator[Edit]:
    """Yield line breaks between two words that both begin like names."""
    if _BROKEN.search(text) is None:
        return
    for match in _BROKEN_NAME.finditer(text):
        if match.group()[0].isupper() and text[match.end()].isupper():
            yield Edit(*match.span(1), " ", is_worded=True)


RULES: Final[tuple[Callable[[str], Iterator[Edit]], ...]] = (
    _folds,
    _look_alikes,
    _controls,
    _cards,
    _addresses,
    _broken_names,
)
"""In this order, each on what the one before leaves; a cheap search says that there is nothing."""
