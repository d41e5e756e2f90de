"""Gazetteers: countries, states, large cities, nationalities and beliefs, as whole words.

A word counts in the casing of a name: `Turkey` is a country, `turkey` and `TURKEY` are not told
from a bird. Cities that are ordinary words are left to the language model.
"""

from functools import cache
from typing import Final

from python_stages.scrub.recognizers import words
from python_stages.scrub.recognizers.shapes import Shape, choice

ENTITIES: Final = frozenset({"LOCATION", "NRP"})

_WORD: Final = r"\p{Lu}[\p{L}'’.-]{1,30}+"
_SMALL: Final = r"(?:(?:of|de|del|la|le|los|las|on|upon|am|an|der|sur|en|el)[ ])"


def _any_of(names: tuple[str, ...]) -> str:
    """Return an alternation of names, as whole words and not as part of another name's."""
    # `US$` is a currency, and a word with a hyphen or a dot is part of something else.
    return rf"(?<![\w@\#./$-]){choice(names)}(?![\w$@]|[-/][\w]|\.\w)"


@cache
def shapes() -> tuple[Shape, ...]:
    """Return the shapes of the gazetteers; they are built when first asked for."""
    codes = f"(?:{words.STATE_CODES}|{words.OTHER_STATE_CODES})"
    places = (
        *words.countries(),
        *words.listed(words.US_STATES, "|"),
        *words.listed(words.CITIES, "|"),
    )
    return (
        Shape(
            "LOCATION",
            (
                (_any_of(places), 0.6),
                # Springfield, IL
                (
                    (
                        rf"(?<![\w.'’-]){_WORD}(?:[ ]{_SMALL}?{_WORD}){{0,2}},[ ]{codes}(?!\w)(?!"
                        r"[.]\w)"
                    ),
                    0.6,
                ),
                # in the US
                (r"(?<![\w$@.-])US(?=[ .,;:!?)\n]|['’]s|$)(?![ ]?(?:\$|[0-9]))", 0.5),
            ),
            gate=r"[a-z]",
            is_cased=True,
        ),
        Shape(
            "NRP",
            (
                (_plural(words.NATIONS), 0.6),
                (_plural(words.BELIEFS), 0.6),
            ),
            gate=r"[a-z]",
            is_cased=True,
        ),
    )


def _plural(names: str) -> str:
    return rf"(?<![\w@\#./$-]){choice(words.listed(names, '|'))}s?(?![\w$@]|\.\w)"
