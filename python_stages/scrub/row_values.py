"""What the other columns of a row say about a text: whom it must not name, and whom it may.

A row that holds a customer's name, e-mail address and phone number in columns of their own tells
exactly what to look for in its free text. No model is asked and no score weighed: every mention of
such a value goes (mentions.py), beneath disguises, too (normalize.py).

The reverse, a value that is allowed (the merchant of a transaction), is no person, place or
organisation where it occurs, whatever the model says. Structured identifiers are never allowed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from python_stages.scrub import normalize, windows
from python_stages.scrub.folding import Folded
from python_stages.scrub.mentions import Sought, as_it_stands, ways
from python_stages.scrub.settle import WORDED, Finding


@dataclass(frozen=True, slots=True)
class RowValues:
    """What the columns beside a text hold in its row.

    Attributes:
        deny: entity and value: what must not be mentioned.
        allow: what is no name of a person, place or organisation.
    """

    deny: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()


def denied(text: str, row: RowValues) -> list[Finding]:
    """Return every mention of the row's denied values in a text, at score 1."""
    if not row.deny:
        return []
    sought = ways(row.deny)
    return [*_mentions(text, sought), *_disguised(text, sought)]


def without_allowed(text: str, row: RowValues, found: Iterable[Finding]) -> list[Finding]:
    """Return findings less the names that are part of an allowed value."""
    found = list(found)
    if not row.allow or not any(finding.entity in WORDED for finding in found):
        return found
    folded = Folded.of(text)
    is_allowed = bytearray(len(text))
    for value in row.allow:
        for sought in as_it_stands("", value):
            for start, end in sought.spans(folded):
                is_allowed[start:end] = b"\1" * (end - start)
    return [
        finding
        for finding in found
        if finding.entity not in WORDED
        or any(
            text[at].isalnum() and not is_allowed[at] for at in range(finding.start, finding.end)
        )
    ]


def _mentions(text: str, ways_to_mention: Iterable[Sought]) -> Iterator[Finding]:
    """Yield what a text mentions as it stands."""
    folded = Folded.of(text)
    for sought in ways_to_mention:
        for start, end in sought.spans(folded):
            if not sought.is_proper or text[start].isupper():
                yield Finding(sought.entity, start, end, 1.0)


def _disguised(text: str, ways_to_mention: Iterable[Sought]) -> Iterator[Finding]:
    """Yield what a text mentions beneath its disguises."""
    parts = [(0, len(text))]
    if windows.is_long(text):
        parts = [(window.start, window.end) for window in windows.split(text)]
    for first, last in parts:
        for excerpt in normalize.excerpts(text[first:last]):
            for finding in _mentions(excerpt.text, ways_to_mention):
                if excerpt.differs(finding.start, finding.end):
                    start, end = excerpt.original(finding.start, finding.end)
                    yield Finding(finding.entity, first + start, first + end, 1.0)
