"""How well a model finds entities: spans by overlap, characters of any entity, false people."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from python_stages.scrub.ner.generate.labelled import LABELS, PERSON, Span

OVERLAPS: Final = (0.9, 0.7)  # share of the characters of both that a hit has in common
BETA: Final = 2  # a name left in weighs more than a word masked in vain


@dataclass(slots=True)
class Scores:
    """Counts over the texts seen so far."""

    known: Counter[str] = field(default_factory=Counter)  # by label
    found: Counter[str] = field(default_factory=Counter)
    hits: dict[float, Counter[str]] = field(
        default_factory=lambda: {overlap: Counter() for overlap in OVERLAPS}
    )
    known_letters: int = 0
    found_letters: int = 0
    common_letters: int = 0
    n_clean: int = 0  # texts without a person
    n_false_persons: int = 0  # found in them

    def add(self, known: Sequence[Span], found: Sequence[Span]) -> None:
        """Count a text: the spans that are in it and those that were found in it."""
        self.known.update(span.label for span in known)
        self.found.update(span.label for span in found)
        for overlap, hits in self.hits.items():
            hits.update(
                span.label
                for span in known
                if any(
                    span.label == other.label and _overlap(span, other) >= overlap
                    for other in found
                )
            )
        inside, outside = _letters(known), _letters(found)
        self.known_letters += len(inside)
        self.found_letters += len(outside)
        self.common_letters += len(inside & outside)
        if all(span.label != PERSON for span in known):
            self.n_clean += 1
            self.n_false_persons += sum(span.label == PERSON for span in found)

    def summary(self) -> dict[str, Any]:
        """Return the scores, rounded; the names are those of `sealtune pii-eval --json`."""
        exact = self.hits[OVERLAPS[0]]
        return {
            "span_f2": {
                str(overlap): _f_beta(hits.total(), self.found.total(), self.known.total())
                for overlap, hits in self.hits.items()
            },
            "char_recall": _share(self.common_letters, self.known_letters),
            "char_precision": _share(self.common_letters, self.found_letters),
            "entities": {
                label: {
                    "n": self.known[label],
                    "recall": _share(exact[label], self.known[label]),
                    "precision": _share(exact[label], self.found[label]),
                }
                for label in LABELS
                if self.known[label]
            },
            "false_person_per_100": round(100 * self.n_false_persons / max(1, self.n_clean), 2),
        }


def _overlap(one: Span, other: Span) -> float:
    """Intersection over union of two spans."""
    common = min(one.end, other.end) - max(one.start, other.start)
    return max(0, common) / (max(one.end, other.end) - min(one.start, other.start))


def _letters(spans: Iterable[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end)}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


def _f_beta(hits: int, found: int, known: int) -> float:
    weight = BETA * BETA
    return round((1 + weight) * hits / (weight * known + found), 3) if known + found else 0.0
