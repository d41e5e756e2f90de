"""How well the engine finds what a labelled set says there is.

    readers.py    CoNLL, presidio-research JSON, JSON lines
    labels.py     other projects' labels in our entities
    span_f2.py    span F2 as presidio-research's SpanEvaluator defines it
    scores.py     characters, entities, documents, kinds of errors
    report.py     JSON and tables
    stock.py      Presidio out of the box, to compare with

Looked for are the entities that the set labels and their kin, under which the same value may go (a
set's `ACCOUNT` is our US_BANK_NUMBER); a set without any label is one of sentences without people,
in which names are looked for, and each that is found is wrong. What is found is what would be
replaced: `Engine.spans`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from python_stages.scrub.engine import Engine, expand
from python_stages.scrub.evaluate.labels import canonical, kin
from python_stages.scrub.evaluate.readers import Document, LabelledSet, read
from python_stages.scrub.evaluate.report import Report
from python_stages.scrub.evaluate.scores import Gold, Scores
from python_stages.scrub.evaluate.span_f2 import Span
from python_stages.scrub.evaluate.stock import Stock
from python_stages.scrub.policy import MIN_SCORE
from python_stages.scrub.recognizers.catalogue import ENTITIES, NER_ENTITIES

__all__ = ["Document", "LabelledSet", "Report", "evaluate", "read"]

_BATCH: Final = 500  # texts; what a set yields need not be held at once

Finder = Callable[[Sequence[str]], Sequence[Sequence[Span]]]


def evaluate(
    labelled: LabelledSet,
    *,
    entities: Iterable[str] = (),
    ner: str | Mapping[str, Any] | None = None,
    mapped: Mapping[str, str] | None = None,
    min_score: float = MIN_SCORE,
    is_stock: bool = False,
) -> Report:
    """Score the engine on a labelled set.

    Args:
        labelled: the set.
        entities: entities and groups to look for, and to count no other label
            [default: what the set labels, and its kin].
        ner: the language model, as `Engine` takes it.
        mapped: label of the set -> our entity, where the table lacks or misreads it.
        min_score: findings below it are none.
        is_stock: score Presidio out of the box instead, over the same language model.

    Raises:
        ConfigError: a label or an entity is unknown, or the model is not there.
    """
    names = {label.name for document in labelled.documents for label in document.labels}
    table = canonical(names, mapped or {})
    of_the_set = frozenset(entity for entity in table.values() if entity)
    asked = frozenset(expand(entities)) or kin(of_the_set) or frozenset(NER_ENTITIES)
    counted = (of_the_set or frozenset({"PERSON"})) & asked
    find, looked_for = (_stock if is_stock else _ours)(asked, ner, min_score)
    scores = score(
        [(document.text, gold_spans(document, table, counted)) for document in labelled.documents],
        find,
        counted,
    )
    return Report(scores, looked_for, labelled.n_left_out)


def _ours(
    asked: frozenset[str], ner: str | Mapping[str, Any] | None, min_score: float
) -> tuple[Finder, tuple[str, ...]]:
    """Return what finds, and what it looks for."""
    engine = Engine(sorted(asked & ENTITIES), ner=ner)
    return partial(engine.spans, min_score=min_score), engine.entities


def _stock(
    asked: frozenset[str], ner: str | Mapping[str, Any] | None, min_score: float
) -> tuple[Finder, tuple[str, ...]]:
    """Return what finds with Presidio out of the box, and what it looks for."""
    stock = Stock(asked, ner, min_score)
    return stock.find, stock.entities


def score(
    documents: Sequence[tuple[str, Sequence[Gold]]],
    find: Finder,
    labelled: frozenset[str],
) -> Scores:
    """Return the scores of any finder: texts -> spans.

    Args:
        documents: texts with their labelled spans.
        find: called with some hundred texts at a time.
        labelled: the entities that the set labels at all.
    """
    scores = Scores(labelled)
    for first in range(0, len(documents), _BATCH):
        batch = documents[first : first + _BATCH]
        for (text, gold), found in zip(batch, find([text for text, _ in batch]), strict=True):
            scores.add(text, gold, found)
    return scores


def gold_spans(
    document: Document,
    table: Mapping[str, str | None],
    counted: frozenset[str],
) -> list[Gold]:
    """Return a document's labels of the counted entities; a lone punctuation mark is a slip."""
    spans = [(table[label.name], label.start, label.end) for label in document.labels]
    return [
        Gold(entity, start, end)
        for entity, start, end in spans
        if entity in counted and any(map(str.isalnum, document.text[start:end]))
    ]
