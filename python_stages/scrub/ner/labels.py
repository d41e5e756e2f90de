"""What other people's models call an entity, in our names, and setting it on a document.

A label is looked up without case and punctuation, so that `FIRST_NAME` and `firstname` are one,
and without the mark of its place in the entity (`B-PER`, `I-PER`). What is none of ours is dropped:
dates, numbers and web addresses are left to patterns.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from python_stages.errors import ConfigError
from python_stages.scrub.ner.generate.labelled import LABELS as ENTITIES

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_ALIASES: Final = {
    "PERSON": "PER PERS PRS PS PERSNAME NAME FULLNAME FIRSTNAME GIVENNAME MIDDLENAME LASTNAME "
    "SURNAME FAMILYNAME PATIENT DOCTOR HCW STAFF",
    "LOCATION": "LOC LC GPE GPELOC FAC FACILITY PLACE PLACENAME GEOGNAME CITY TOWN COUNTY STATE "
    "PROVINCE REGION COUNTRY",
    "STREET_ADDRESS": "ADDRESS STREET STREETNAME FULLADDRESS BUILDINGNUM BUILDINGNUMBER "
    "SECONDARYADDRESS",
    "ORGANIZATION": "ORG OG ORGANISATION ORGNAME GPEORG COMPANY COMPANYNAME HOSP HOSPITAL PATORG",
    "NRP": "NORP NATRELPOL NATIONALITY RELIGION ETHNICITY",
}
# IOB, IOBES and BILOU: where in its entity a word stands.
_PLACE: Final = re.compile(r"^([BIELSU])-(?=.)")


class Named(NamedTuple):
    """Something that a model named, in characters of the text."""

    start: int
    end: int
    entity: str


def bare(label: str) -> str:
    """Return a label without its place in the entity."""
    return _PLACE.sub("", label)


def begins(label: str) -> bool:
    """Return whether a label says that its word begins an entity, whatever stands before it."""
    place = _PLACE.match(label)
    return place is not None and place.group(1) in "BSU"


def check(labels: Mapping[str, str]) -> None:
    """Check that labels are mapped to entities of ours.

    Raises:
        ConfigError: one is not.
    """
    stray = sorted(set(labels.values()) - set(ENTITIES))
    if stray:
        raise ConfigError(
            f"ner maps a label to {', '.join(stray)}, which no language model is asked for: "
            f"the known entities are {', '.join(ENTITIES)}"
        )


def ours(labels: Collection[str], settled: Mapping[str, str]) -> dict[str, str]:
    """Return our entity for each label of a model that has one.

    Args:
        labels: as the model has them.
        settled: what the configuration says of some of them: label -> entity.

    Raises:
        ConfigError: the configuration names a label that the model has not, or none is ours.
    """
    known = sorted({bare(label) for label in labels})
    listed = ", ".join(known) or "none"
    by_key = {_key(bare(label)): entity for label, entity in settled.items()}
    stray = sorted(label for label in settled if _key(bare(label)) not in set(map(_key, known)))
    if stray:
        raise ConfigError(
            f"ner maps the label {', '.join(stray)}, which the model has not: "
            f"its labels are {listed}"
        )
    table = _TABLE | by_key
    found = {label: table[key] for label in labels if (key := _key(bare(label))) in table}
    if not found:
        raise ConfigError(
            f"the model of ner finds nothing that is looked for; its labels are {listed}: say "
            f"under labels which of them is {', '.join(ENTITIES)}"
        )
    return found


def name(doc: "Doc", found: Iterable[Named]) -> "Doc":
    """Set what a model named as the entities of a document.

    A word counts as a whole, blanks around what was named do not. Where two overlap, the later
    gives way only where the earlier already stands: no word that was named is lost.

    Raises:
        ValueError: something was named outside the text.
    """
    from spacy.tokens import Span  # noqa: PLC0415  # takes seconds

    entities: list[Span] = []
    end = 0
    text = doc.text
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        words = text[one.start : one.end]
        if words and not words.strip():
            continue
        start_char = one.start + len(words) - len(words.lstrip())
        span = doc.char_span(start_char, one.start + len(words.rstrip()), alignment_mode="expand")
        if not words or span is None:
            raise ValueError("the model named something outside the text")
        if span.end > end:
            entities.append(Span(doc, max(span.start, end), span.end, label=one.entity))
            end = span.end
    doc.ents = entities
    return doc


def pipeline(factory: str, create: Callable[..., "Reader"], config: dict[str, Any]) -> "Language":
    """Return a pipeline that splits English words and has one part, of a factory of ours."""
    import spacy  # noqa: PLC0415  # takes seconds
    from spacy.language import Language  # noqa: PLC0415  # the same

    Language.factory(factory, func=create)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config=config)
    return nlp


class Reader(ABC):
    """Part of a pipeline: sets as the entities of documents what it finds in their texts."""

    @abstractmethod
    def read(self, texts: Sequence[str]) -> list[list[Named]]:
        """Return what is named in each text."""

    def __call__(self, doc: "Doc") -> "Doc":
        """Name the entities of a document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable["Doc"], *, batch_size: int = 64) -> Iterator["Doc"]:
        """Name the entities of documents, some at a time."""
        rest = iter(stream)
        while docs := list(islice(rest, batch_size)):
            found = self.read([doc.text for doc in docs])
            yield from (name(doc, named) for doc, named in zip(docs, found, strict=True))


def _key(label: str) -> str:
    return re.sub(r"[\W_]", "", label).upper()


_TABLE: Final = {_key(entity): entity for entity in ENTITIES} | {
    alias: entity for entity, aliases in _ALIASES.items() for alias in aliases.split()
}
