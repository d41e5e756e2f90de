"""Span F2 as presidio-research's SpanEvaluator defines it, for the overall PII score.

Source: microsoft/presidio-research, presidio_evaluator/evaluation/span_evaluator.py and
skipwords.py (MIT). In short:

1. Texts are split by spaCy's English rules; a token is of the entity of the span that reaches into
   it, and a run of tokens of one entity is one span.
2. A span begins and ends with a token that counts. Punctuation, stop words and words such as
   `street`, `mr.` or `years` do not; a span of nothing else is no span.
3. Neighbours of one entity with nothing between them that counts are one span.
4. Each labelled span takes the predictions that overlap it and that no other has taken, from left
   to right, as long as each raises the intersection over union of characters. It is found if that
   reaches the threshold, **whatever the entities are**; what it took then counts as one prediction.
5. F2 = 5PR / (4P + R) over all spans of the set.

Where the original counts the character after a span as part of it, this does too, and where it
moves the second and later pieces one character to the left: otherwise scores at 0.9 would not
compare with published ones.
"""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from spacy.tokenizer import Tokenizer

THRESHOLDS: Final = (0.9, 0.7)

_BETA2: Final = 4.0
_MORE_SKIPPED: Final = (
    "'s street st. st de rue via and a the or do as of day address country state city zip po apt "
    "unit corner p.o. box suite mr. mrs. miss year years y/o month months old morning noon "
    "afternoon night evening this first last week weeks weekend days age ago inc inc. ltd "
    ">> >>> >>>> >>>>> >>>>>>"
)


class Span(Protocol):
    """Anything that has an entity and a place in characters."""

    @property
    def entity(self) -> str:
        """What it is."""

    @property
    def start(self) -> int:
        """The first character."""

    @property
    def end(self) -> int:
        """The character after the last."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Labelled spans, predicted ones, and labelled ones that were found."""

    n_labelled: int = 0
    n_predicted: int = 0
    n_found: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.n_labelled + other.n_labelled,
            self.n_predicted + other.n_predicted,
            self.n_found + other.n_found,
        )

    @property
    def precision(self) -> float | None:
        """Share of the predicted that is right; None where nothing was predicted."""
        return self.n_found / self.n_predicted if self.n_predicted else None

    @property
    def recall(self) -> float | None:
        """Share of the labelled that was found; None where nothing is labelled."""
        return self.n_found / self.n_labelled if self.n_labelled else None

    @property
    def f2(self) -> float | None:
        """Their weighted harmonic mean, recall counting double; None where nothing is labelled."""
        if not self.n_labelled:
            return None
        return (1 + _BETA2) * self.n_found / (self.n_predicted + _BETA2 * self.n_labelled)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of tokens: its entity, its tokens, and its counting part in characters."""

    entity: str
    first: int
    last: int
    start: int
    end: int


def count(text: str, labelled: Sequence[Span], predicted: Sequence[Span]) -> tuple[Counts, ...]:
    """Return the counts of one text at every threshold of THRESHOLDS."""
    if not labelled and not predicted:
        return tuple(Counts() for _ in THRESHOLDS)
    tokens = [(token.idx, token.idx + len(token), token.lower_) for token in _splitter()(text)]
    gold, guesses = _runs(tokens, labelled), _runs(tokens, predicted)
    return tuple(_count(gold, guesses, threshold) for threshold in THRESHOLDS)


def _count(gold: Sequence[_Run], guesses: Sequence[_Run], threshold: float) -> Counts:
    left = list(guesses)
    n_found = 0
    for label in gold:
        taken: list[_Run] = []
        best = 0.0
        for guess in left:
            if guess.start < label.end and label.start < guess.end:
                reached = _iou(label, [*taken, guess])
                if reached > best:
                    taken.append(guess)
                    best = reached
        if best >= threshold:
            n_found += 1
            left = [guess for guess in left if guess not in taken]
    return Counts(len(gold), n_found + len(left), n_found)


def _iou(label: _Run, pieces: Sequence[_Run]) -> float:
    wanted = set(range(label.start, label.end + 1))
    got = set(range(pieces[0].start, pieces[0].end + 1))
    for piece in pieces[1:]:
        got.update(range(piece.start - 1, piece.end))
    return len(wanted & got) / len(wanted | got)


def _runs(tokens: Sequence[tuple[int, int, str]], spans: Iterable[Span]) -> list[_Run]:
    """Return the spans as runs of tokens, neighbours of one entity joined."""
    runs: list[_Run] = []
    for entity, first, last in _tagged_runs(_tags(tokens, spans)):
        counting = [token for token in tokens[first : last + 1] if token[2] not in _skipped()]
        if not counting:
            continue
        run = _Run(entity, first, last, counting[0][0], counting[-1][1])
        if runs and runs[-1].entity == entity and _is_bridge(tokens[runs[-1].last + 1 : first]):
            before = runs.pop()
            run = _Run(entity, before.first, last, before.start, run.end)
        runs.append(run)
    return runs


def _tags(tokens: Sequence[tuple[int, int, str]], spans: Iterable[Span]) -> list[str]:
    """Return each token's entity, or "": of spans that overlap, the longest comes first."""
    tags = [""] * len(tokens)
    for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
        for place, (start, end, _) in enumerate(tokens):
            if start < span.end and span.start < end and not tags[place]:
                tags[place] = span.entity
    return tags


def _tagged_runs(tags: Sequence[str]) -> Iterable[tuple[str, int, int]]:
    first = 0
    for place, tag in enumerate(tags):
        if place + 1 == len(tags) or tags[place + 1] != tag:
            if tag:
                yield tag, first, place
            first = place + 1


def _is_bridge(between: Sequence[tuple[int, int, str]]) -> bool:
    return all(word.strip() in _skipped() for _, _, word in between)


@cache
def _skipped() -> frozenset[str]:
    """Return the tokens that do not count."""
    from spacy.lang.en.stop_words import STOP_WORDS  # noqa: PLC0415  # takes seconds

    blank = {"", " ", "\n", "\n\n", "\n\n\n", "\n\n\n\n", "\t", "\t\t", "\t\t\t", "\t\t\t\t"}
    return frozenset(STOP_WORDS | blank | set(string.punctuation) | set(_MORE_SKIPPED.split()))


@cache
def _splitter() -> "Tokenizer":
    import spacy  # noqa: PLC0415  # takes seconds

    return spacy.blank("en").tokenizer
