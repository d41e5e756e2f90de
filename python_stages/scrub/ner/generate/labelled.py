"""A text as pieces, each with the label of its entity or none."""

from collections.abc import Iterable
from typing import Final, NamedTuple

PERSON: Final = "PERSON"
LOCATION: Final = "LOCATION"
STREET_ADDRESS: Final = "STREET_ADDRESS"
ORGANIZATION: Final = "ORGANIZATION"
NRP: Final = "NRP"  # nationality, religious or political group

LABELS: Final = (PERSON, LOCATION, STREET_ADDRESS, ORGANIZATION, NRP)


class Piece(NamedTuple):
    """A stretch of text. While texts are pieces, a change of length shifts no offset."""

    text: str
    label: str | None = None
    is_fixed: bool = False  # a value, labelled or not: its letters are not prose
    is_postal: bool = False  # a postal code


class Span(NamedTuple):
    """An entity in a text, in characters."""

    start: int
    end: int
    label: str


class Document(NamedTuple):
    """A text and its entities, in order and without overlap."""

    text: str
    spans: tuple[Span, ...]


def document(pieces: Iterable[Piece]) -> Document:
    """Join pieces. White space at the rim of an entity does not count as the entity's."""
    texts: list[str] = []
    spans: list[Span] = []
    position = 0
    for text, label, *_ in pieces:
        if label and text.strip():
            start = position + len(text) - len(text.lstrip())
            spans.append(Span(start, position + len(text.rstrip()), label))
        texts.append(text)
        position += len(text)
    return Document("".join(texts), tuple(spans))


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Make one entity of a first and a last name, and of a street and the places after it."""
    whole: list[Piece] = []
    for piece in pieces:
        whole.append(piece)
        if len(whole) > 2 and _belong_together(*whole[-3:]):  # noqa: PLR2004  # two and what is between
            text = "".join(part.text for part in whole[-3:])
            whole[-3:] = [whole[-3]._replace(text=text)]
    return whole


def _belong_together(first: Piece, between: Piece, second: Piece) -> bool:
    if first.label == PERSON and second.label == PERSON:
        return between.text == " "
    is_place = second.label == LOCATION or second.is_postal
    return first.label == STREET_ADDRESS and is_place and not between.text.strip(", \n")
