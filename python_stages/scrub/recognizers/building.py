"""From names to recognisers: which module recognises what, and behind which gate."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from python_stages.scrub.recognizers import (
    addresses,
    dates,
    documents,
    national,
    people,
    phones,
    places,
    secrets,
    stock,
    web,
)
from python_stages.scrub.recognizers.catalogue import NER_ENTITIES
from python_stages.scrub.recognizers.shapes import Shape, recognizer

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer


_PLAIN: Final[tuple[Shape, ...]] = (
    *national.SHAPES,
    *documents.SHAPES,
    *secrets.SHAPES,
    *web.SHAPES,
    *people.SHAPES,
    *addresses.SHAPES,
    *phones.SHAPES,
)


@cache
def all_shapes() -> tuple[Shape, ...]:
    """Return every shape."""
    return (*_PLAIN, *dates.shapes(), *places.shapes())


def shapes_of(entity: str) -> Iterator[Shape]:
    """Yield the shapes of an entity; dates and places take a while, so only where asked for."""
    known = _PLAIN
    if entity in dates.ENTITIES:
        known += dates.shapes()
    if entity in places.ENTITIES:
        known += places.shapes()
    return (shape for shape in known if shape.entity == entity)


def build(entities: Iterable[str]) -> list["EntityRecognizer"]:
    """Return the recognisers of some entities, each a member of ENTITIES."""
    recognizers: list[EntityRecognizer] = []
    for entity in sorted(set(entities)):
        if entity in stock.CLASSES:
            recognizers.extend(stock.recognizers(entity))
        if entity == "PHONE_NUMBER":
            recognizers.append(phones.international())
        recognizers.extend(map(recognizer, shapes_of(entity)))
    return recognizers


@cache
def gates() -> dict[str, Any]:
    """Return, for entities whose every recogniser has one, what every match of them contains.

    None for NER_ENTITIES: the language model finds them too, and what it needs cannot be told.
    """
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415  # as Presidio, so \d is its \d

    each: dict[str, list[str | None]] = {entity: [gate] for entity, gate in stock.GATES.items()}
    each["PHONE_NUMBER"] = [phones.GATE]
    for shape in all_shapes():
        each.setdefault(shape.entity, []).append(shape.gate)
    return {
        entity: regex.compile(
            "|".join(f"(?:{gate})" for gate in dict.fromkeys(some)), regex.IGNORECASE
        )
        for entity, some in each.items()
        if None not in some and entity not in NER_ENTITIES
    }
