"""Copies of texts with values planted in them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from python_stages.errors import ConfigError
from python_stages.scrub.generalise import generalise
from python_stages.scrub.plants.forms import Kind
from python_stages.scrub.plants.kinds import KINDS
from python_stages.scrub.policy import Rule
from python_stages.scrub.row_values import RowValues

_LONGEST_HOST: Final = 2_000  # characters of a text; more of it would only take longer
_MOST_DRAWS: Final = 1_000
_WORDS_APART: Final = 8  # a word that tells of a value is looked for a few words before it
_MOST_PER_COPY: Final = 3
_AROUND: Final = (
    (" (", ") "),
    (", ", ", "),
    (" - ", " - "),
    ("\n", "\n"),
    (". ", ". "),
    ("; ", "; "),
)
_ENDS: Final = (".", "!", "?", ",", ";", ":")
_BOUNDARY: Final = re.compile(r"(?<=\s)(?=\S)")


@dataclass(frozen=True, slots=True)
class Plant:
    """One planted value: its entity, and where it stands in its copy, as [start, end)."""

    entity: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of a text, with values in it.

    Attributes:
        text: host, phrases and values.
        plants: what was planted, in order.
        row: what the row of the host says about it.
    """

    text: str
    plants: tuple[Plant, ...]
    row: RowValues


def plant(host: str, entities: Sequence[str], draw: Random, rule: Rule, row: RowValues) -> Copy:
    """Return a copy of a text with values in it, each between two words and far from the others.

    Args:
        host: the user's text, or a piece of it.
        entities: what is planted, in this order; at most `capacity(host)`.
        draw: says what and where.
        rule: its locale says which names; a value that it would leave as it is is not planted.
        row: what the row says about the text.

    Raises:
        ConfigError: nothing can be planted for an entity.
    """
    places = [0, *(match.start() for match in _BOUNDARY.finditer(host)), len(host)]
    free = range(len(places) - _WORDS_APART * (len(entities) - 1))
    chosen = sorted(draw.choices(free, k=len(entities)))
    text, end, plants = "", 0, []
    for number, (entity, place) in enumerate(zip(entities, chosen, strict=True)):
        at = places[place + _WORDS_APART * number]
        before, _, after = draw.choice(_kind(entity).carriers).partition("{}")
        opening, closing = _around(text + host[end:at], host[at:], draw)
        text = opening + before
        value = _value(entity, draw, rule, host)
        plants.append(Plant(entity, len(text), len(text) + len(value)))
        text += value + after + closing
        end = at
    return Copy(text + host[end:].lstrip(), tuple(plants), row)


def capacity(host: str) -> int:
    """Return how many values may be planted in a text without words of one telling of another."""
    return min(_MOST_PER_COPY, 1 + len(host.split()) // _WORDS_APART)


def piece_of(text: str, draw: Random) -> str:
    """Return a text, or a piece of a long one between two blanks."""
    if len(text) <= _LONGEST_HOST:
        return text
    start = draw.randrange(len(text) - _LONGEST_HOST)
    words = text[start : start + _LONGEST_HOST].split(" ")
    return " ".join(words[1:-1] or words)


def holds(value: str, text: str) -> bool:
    """Return whether a value stands in a text, and not as a part of something longer."""
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            return True
        start = text.find(value, start + 1)
    return False


def _kind(entity: str) -> Kind:
    kind = KINDS.get(entity)
    if kind is None:
        raise ConfigError(
            f"nothing can be planted for {entity}, so its recall cannot be shown: "
            "leave it out of the policy, or write a generator in scrub/plants"
        )
    return kind


def _value(entity: str, draw: Random, rule: Rule, host: str) -> str:
    """Draw a value that the rule would change, and that the host does not hold already."""
    operator, _, unit = rule.operator(entity).partition(":")
    for _ in range(_MOST_DRAWS):
        value = _kind(entity).make(draw, rule.locale)
        if holds(value, host):
            continue
        if operator == "generalise" and holds(value, generalise(value, entity, unit, rule.locale)):
            continue
        return value
    raise ConfigError(
        f"{rule.operator(entity)} leaves every {entity} as it is: choose another operator for it"
    )


def _around(before: str, after: str, draw: Random) -> tuple[str, str]:
    """Return what stands before a phrase between two parts of a text, and what closes it."""
    before, after = before.rstrip(), after.lstrip()
    opening, closing = draw.choice(_AROUND)
    if not before:
        opening = opening.strip() if opening == " (" else ""
    if not after:
        closing = closing.strip() if closing == ") " else draw.choice(("", ".", "!"))
    if before.endswith(_ENDS) and opening[:1] in tuple(".,;"):
        opening = " "
    return before + opening, closing
