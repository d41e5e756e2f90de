"""What is counted: spans, characters, documents, entities, and what went wrong.

Characters are those of a span without white space, and without punctuation at its ends: whether a
full stop was masked with a name is no matter. A predicted entity that the set never labels counts
only where it touches a labelled span; elsewhere the set does not say whether it is right, and it is
set aside. So a URL is no false alarm in a set of names, and an account number that is found as a
bank number is found.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from python_stages.scrub.evaluate.span_f2 import THRESHOLDS, Counts, Span, count

_HALF: Final = 0.5
_PERSON: Final = "PERSON"


@dataclass(frozen=True, slots=True)
class Gold:
    """A labelled span, in our entities."""

    entity: str
    start: int
    end: int


@dataclass(slots=True)
class EntityScore:
    """Labelled spans of an entity, those wholly covered, predictions of it, and those right."""

    n_labelled: int = 0
    n_covered: int = 0
    n_predicted: int = 0
    n_right: int = 0

    @property
    def recall(self) -> float | None:
        """Share of the labelled spans of which no character is left, whatever they were taken for.

        None where none is labelled.
        """
        return self.n_covered / self.n_labelled if self.n_labelled else None

    @property
    def precision(self) -> float | None:
        """Share of the predictions that lie by half or more in labelled spans; None without any."""
        return self.n_right / self.n_predicted if self.n_predicted else None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of error, told without its value: what happened, to what, and how that looks."""

    what: str  # missed, partly covered, found in vain
    entity: str
    instead: str  # what was found there
    shape: str  # "one word, capitalised"


@dataclass(slots=True)
class Scores:
    """The scores of a set; `add` one document after the other.

    Args:
        labelled: the entities that the set labels at all.
    """

    labelled: frozenset[str]
    spans: list[Counts] = field(default_factory=lambda: [Counts() for _ in THRESHOLDS])
    entities: dict[str, EntityScore] = field(default_factory=dict)
    errors: Counter[Kind] = field(default_factory=Counter)
    examples: dict[Kind, list[str]] = field(default_factory=dict)
    n_documents: int = 0
    n_documents_labelled: int = 0
    n_documents_clean: int = 0
    n_false_persons: int = 0
    n_labelled_characters: int = 0
    n_predicted_characters: int = 0
    n_right_characters: int = 0
    n_set_aside: int = 0

    def add(self, text: str, gold: Sequence[Gold], found: Sequence[Span]) -> None:
        """Count one document.

        Args:
            text: the document.
            gold: its labelled spans.
            found: its predicted spans.
        """
        wanted = [_characters(text, span) for span in gold]
        every_wanted = set().union(*wanted)
        guesses = [(span, _characters(text, span)) for span in found]
        counted = [
            (span, characters)
            for span, characters in guesses
            if span.entity in self.labelled or characters & every_wanted
        ]
        every_found = set().union(*(characters for _, characters in counted))
        self._count_document(gold, found, every_wanted, every_found)
        self.n_set_aside += len(guesses) - len(counted)
        self.spans = [
            before + more
            for before, more in zip(
                self.spans, count(text, gold, [span for span, _ in counted]), strict=True
            )
        ]
        for label, characters in zip(gold, wanted, strict=True):
            self._count_label(text, label, characters, counted)
        for span, characters in counted:
            score = self.entities.setdefault(span.entity, EntityScore())
            score.n_predicted += 1
            score.n_right += len(characters & every_wanted) >= _HALF * len(characters)
            if not characters & every_wanted:
                self._note(text, "found in vain", span, "")

    def _count_document(
        self,
        gold: Sequence[Gold],
        found: Sequence[Span],
        wanted: set[int],
        covered: set[int],
    ) -> None:
        self.n_documents += 1
        self.n_documents_labelled += bool(gold)
        self.n_documents_clean += bool(gold) and wanted <= covered
        self.n_labelled_characters += len(wanted)
        self.n_predicted_characters += len(covered)
        self.n_right_characters += len(wanted & covered)
        if not gold:
            self.n_false_persons += sum(span.entity == _PERSON for span in found)

    def _count_label(
        self,
        text: str,
        label: Gold,
        wanted: set[int],
        counted: Iterable[tuple[Span, set[int]]],
    ) -> None:
        """Count whether a label was found, and note how it was not."""
        score = self.entities.setdefault(label.entity, EntityScore())
        touching = [(span, characters) for span, characters in counted if characters & wanted]
        missed = wanted.difference(*(characters for _, characters in touching))
        score.n_labelled += 1
        score.n_covered += not missed
        if missed:
            instead = " and ".join(sorted({span.entity for span, _ in touching}))
            self._note(text, "partly covered" if touching else "missed", label, instead)

    def _note(self, text: str, what: str, span: Span, instead: str) -> None:
        value = text[span.start : span.end]
        kind = Kind(what, span.entity, instead, shape(value))
        self.errors[kind] += 1
        self.examples.setdefault(kind, []).append(value)

    @property
    def char_recall(self) -> float | None:
        """Share of the labelled characters that are covered; None without any."""
        wanted = self.n_labelled_characters
        return self.n_right_characters / wanted if wanted else None

    @property
    def char_precision(self) -> float | None:
        """Share of the covered characters that are labelled; None without any."""
        covered = self.n_predicted_characters
        return self.n_right_characters / covered if covered else None

    @property
    def clean_documents(self) -> float | None:
        """Share of the documents with labels of which every labelled character is covered."""
        labelled = self.n_documents_labelled
        return self.n_documents_clean / labelled if labelled else None

    @property
    def false_person_per_100(self) -> float | None:
        """PERSON found per 100 documents without any label; None where there is no such document.

        A number for a set whose documents are sentences: one of prose without people, best.
        """
        n_empty = self.n_documents - self.n_documents_labelled
        return 100 * self.n_false_persons / n_empty if n_empty else None


def shape(value: str) -> str:
    """Say how a value looks without saying what it is: `two words, capitalised`."""
    words = value.split()
    n_words = {0: "blank", 1: "one word", 2: "two words", 3: "three words"}.get(
        len(words), "many words"
    )
    letters = [word for word in words if re.search(r"[^\W\d_]", word)]
    if re.search(r"\d", value):
        look = "with digits" if letters else "digits"
    elif not letters:
        look = "no letters"
    elif not value.isascii():
        look = "beyond ascii"
    elif value.isupper():
        look = "upper case"
    elif value.islower():
        look = "lower case"
    else:
        look = "capitalised" if all(word[:1].isupper() for word in letters) else "mixed case"
    return f"{n_words}, {look}"


def _characters(text: str, span: Span) -> set[int]:
    """Return the places of a span's characters that count."""
    places = [place for place in range(span.start, span.end) if not text[place].isspace()]
    words = [place for place in places if text[place].isalnum()]
    if not words:  # all of it is punctuation, as a password may be
        return set(places)
    return {place for place in places if words[0] <= place <= words[-1]}
