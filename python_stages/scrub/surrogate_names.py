"""Names for names: of the same gender, language, casing, order and number of parts.

Each part of a name is replaced by itself: `Alice` becomes the same other name in `Alice Smith`,
`Smith, Alice`, `ALICE` and `alice.smith@…`, which is how an address keeps fitting its owner. Names
with one initial become names with one initial, so that `A. Smith` and `asmith@…` fit as well.

Limits: who counts how often parts and initials occur may guess the common ones, as with every
consistent replacement, and more so than with whole values: use pseudonyms where that matters. Of
gender and order we know what Faker's lists of names know; a name that they lack counts as given
name or surname by its place. Titles, particles and generations (Dr., van, Jr.) stay. A name that
belongs to somebody in the data is taken, unless all that are drawn do. In scripts
without upper case each word is a part, and Chinese, Japanese and Korean names are replaced whole.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from python_stages.scrub.surrogate_pools import Names, Pool, fold, names_of

GIVEN, SURNAME = "given", "surname"

_SHORTEST_SPLIT: Final = 3
_TITLES: Final = re.compile(
    "mr|mrs|ms|miss|mx|dr|prof|sir|madam|herr|frau|hr|fr|mme|mlle|sra?|srta|sig|dott|dhr|mevr|"
    "jr|snr|jnr|ii|iii|iv|phd|md|esq"
)
# in lower case only: Van is a given name
_PARTICLES: Final = re.compile(
    "von|van|der|den|de|di|da|do|dos|das|del|della|la|le|el|bint|ibn|af|av|zu|zur|und|and"
)
_ROLES: Final = re.compile(
    "info|support|sales|admin|contact|help|office|service|team|mail|hello|noreply|no|reply|hr|"
    "billing|jobs|press|legal|security|webmaster|postmaster|abuse"
)
# Locale of each script, by the first word of a character's Unicode name.
_SCRIPTS: Final = {
    "CYRILLIC": "ru_RU",
    "GREEK": "el_GR",
    "ARABIC": "ar_AA",
    "HEBREW": "he_IL",
    "DEVANAGARI": "hi_IN",
    "BENGALI": "bn_BD",
    "TAMIL": "ta_IN",
    "THAI": "th_TH",
    "GEORGIAN": "ka_GE",
    "ARMENIAN": "hy_AM",
    "CJK": "zh_CN",
    "HIRAGANA": "ja_JP",
    "KATAKANA": "ja_JP",
    "HANGUL": "ko_KR",
}
_WITHOUT_SPACES: Final = frozenset({"zh_CN", "zh_TW", "ja_JP", "ko_KR"})


@dataclass(frozen=True, slots=True)
class Draw:
    """How names are chosen.

    Attributes:
        of: (purpose, folded text) -> the same stream of choices for the same two, everywhere.
        is_taken: whether a folded part of a name belongs to somebody real.
    """

    of: Callable[[str, str], random.Random]
    is_taken: Callable[[str], bool]


def locale_of(text: str, locale: str) -> str:
    """Return the given locale if the text is in its script, else the one that its script suggests.

    Args:
        text: a name or place.
        locale: such as `de_DE`, or empty for `en_US`.
    """
    locale = locale or "en_US"
    scripts = _scripts(text)
    if not scripts or scripts & _scripts("".join(names_of(locale).male.names[:20])):
        return locale
    guessed = {_SCRIPTS[script] for script in scripts if script in _SCRIPTS} or {"en_US"}
    return "ja_JP" if "ja_JP" in guessed else min(guessed)


def person(value: str, draw: Draw, locale: str) -> str | None:
    """Return another name in the form of one, or None where it has no part that could be replaced.

    Args:
        value: the name as it stands in the text.
        draw: makes the choices.
        locale: as `locale_of` returned it.
    """
    names = names_of(locale)
    if locale in _WITHOUT_SPACES:
        return _whole(value, names, draw)
    parts = _parts(value)
    comma = value.find(",")
    before_comma = sum(part.start() < comma for part in parts) if comma >= 0 else 0
    roles = _roles([fold(part.group()) for part in parts], names, before_comma)
    others = {
        part.span(): _in_casing(part.group(), _replaced(fold(part.group()), role, names, draw))
        for part, role in zip(parts, roles, strict=True)
    }
    digits = draw.of("digits", fold(value))
    made = _words().sub(lambda part: others.get(part.span(), part.group()), value)
    return re.sub(r"\d", lambda _: digits.choice("0123456789"), made) if parts else None


def handle(value: str, draw: Draw, locale: str) -> str:
    """Return another user name, or local part of an address, in the form of one.

    Its words are parts of names, or an initial and a surname (`asmith`), or both names
    (`alicesmith`); digits are drawn anew, and words such as `info` stay.
    """
    names = names_of(locale)
    pieces = [_split(fold(word.group()), names) for word in _words().finditer(value)]
    roles = iter(_roles([one for word in pieces for one in word if not _is_role(one)], names, 0))
    others = iter(
        "".join(
            one if _is_role(one) else fold(_replaced(one, next(roles), names, draw)) for one in word
        )
        for word in pieces
    )
    digits = draw.of("digits", fold(value))
    made = _words().sub(lambda word: _in_casing(word.group(), next(others)), value)
    return re.sub(r"\d", lambda _: digits.choice("0123456789"), made)


@lru_cache(1)
def _words() -> re.Pattern[str]:
    """Return what matches a word with its vowel signs and accents, less a possessive `'s`."""
    codes = range(0x300, 0x10000)
    marks = "".join(chr(code) for code in codes if unicodedata.category(chr(code))[0] == "M")
    letters = rf"(?:[^\W\d_]|[{marks}])+"
    return re.compile(rf"(?<!['\u2019]){letters}(?:['\u2019](?!s\b){letters})*")


def parts_of(entity: str, value: str) -> list[str]:
    """Return the folded parts of a name, or of the names that an address or handle is made of."""
    if entity == "PERSON":
        return [fold(part.group()) for part in _parts(value)]
    local = value.rpartition("@")[0] if "@" in value else value
    words = [fold(word.group()) for word in _words().finditer(local)]
    return [word for word in words if not _is_role(word)]


def _parts(value: str) -> list[re.Match[str]]:
    """Return the words of a name that can be replaced, in their order.

    A particle is one by what follows: the last word of `aaron le` and of `le, aaron` is a surname.
    """
    words = [word for word in _words().finditer(value) if not _TITLES.fullmatch(word[0].lower())]
    return [
        word
        for word, after in zip_longest(words, words[1:])
        if not _PARTICLES.fullmatch(word[0])
        or after is None
        or "," in value[word.end() : after.start()]
    ]


def _is_role(word: str) -> bool:
    return _ROLES.fullmatch(word) is not None


def _scripts(text: str) -> set[str]:
    """Return the first words of the names of its letters, such as `LATIN`."""
    return {unicodedata.name(one, "").partition(" ")[0] for one in text if one.isalpha()}


def _roles(parts: Sequence[str], names: Names, n_surnames_first: int) -> list[str]:
    """Return whether each part is a given name or a surname: by the lists, else by its place."""
    if n_surnames_first:
        return [SURNAME if i < n_surnames_first else GIVEN for i in range(len(parts))]
    roles = [GIVEN] * len(parts)
    if len(parts) > 1:
        roles[-1] = SURNAME
    for i, part in enumerate(parts):
        if names.is_given(part) != names.is_surname(part):
            roles[i] = GIVEN if names.is_given(part) else SURNAME
    return roles


def _replaced(part: str, role: str, names: Names, draw: Draw) -> str:
    """Return another part of a name for a folded one."""
    initial = ""
    if names.initials:
        others = [one for one in names.initials if one != part[:1]]
        initial = draw.of("initial", part[:1]).choice(others)
        if len(part) == 1:
            return initial
    return _pool(part, role, names, draw).choose(initial, part, draw.of(role, part), draw.is_taken)


def _pool(part: str, role: str, names: Names, draw: Draw) -> Pool:
    is_male, is_female = part in names.male.known, part in names.female.known
    if role == SURNAME:
        # surnames that tell the gender: most Slavic and Greek ones of women end so
        ends_female = part.endswith(("a", "\u0430", "\u044f", "\u03bf\u03c5", "\u03b7"))
        return names.female_surnames if ends_female else names.surnames
    if is_male == is_female:
        return draw.of("gender", part).choice((names.male, names.female))
    return names.male if is_male else names.female


def _split(word: str, names: Names) -> list[str]:
    """Return the names that a word of a handle is made of, or the word."""
    if names.is_given(word) or names.is_surname(word) or _is_role(word):
        return [word]
    for i in range(len(word) - 2, 1, -1):
        if names.is_given(word[:i]) and names.is_surname(word[i:]):
            return [word[:i], word[i:]]
    if len(word) > _SHORTEST_SPLIT and names.is_surname(word[1:]):
        return [word[:1], word[1:]]
    if len(word) > _SHORTEST_SPLIT and names.is_surname(word[:-1]):
        return [word[:-1], word[-1:]]
    return [word]


def _whole(value: str, names: Names, draw: Draw) -> str | None:
    """Return another name in a script that writes surname and given name in one."""
    if not fold(value):
        return None
    choice = draw.of("whole", fold(value))
    given = choice.choice((names.male, names.female))
    return choice.choice(names.surnames.names) + choice.choice(given.names)


def _in_casing(like: str, name: str) -> str:
    if len(like) > 1 and like.isupper():
        return name.upper()
    if like.islower():
        return name.lower()
    return name[:1].upper() + name[1:]
