"""How good the answers of several models to the same prompts are.

For labels, with the classes that occur in the truth:
    accuracy              share of answers that name the true label
    macro_f1              mean F1 of the classes, each counting the same
    invalid_label_rate    share of answers that name no label of the dataset
    precision, recall, f1 of each class; precision is undefined where a class was never answered
For texts:
    exact_match           share of answers that are their reference, but for blanks at the ends
    rouge_l               mean ROUGE-L F-measure (text_scores.py)

An answer that the provider refuses for good (a content filter) is an answer that names no label and
shares no word. In a resample without a class, that class is left out of the mean of F1.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from python_stages.evaluate.intervals import Bootstrap, Numbers, Statistic, bootstrap, wilson
from python_stages.evaluate.text_scores import is_exact, rouge_l

# shares of examples, for which there is an interval of Wilson as well
PROPORTIONS: Final = frozenset(
    {"accuracy", "invalid_label_rate", "exact_match", "precision", "recall"}
)
CLASS_METRICS: Final = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Score:
    """One number about one model.

    Args:
        role: which model.
        compared_with: the model whose number is subtracted, or None.
        metric: what is counted.
        label: the class, or None for all of them.
        value, low, high: the number and its bootstrap interval; nan where undefined.
        wilson_low, wilson_high: the interval of Wilson, for shares; else nan.
        n: examples that the number is over; of a class, those in its denominator.
    """

    role: str
    compared_with: str | None
    metric: str
    label: str | None
    value: float
    low: float
    high: float
    wilson_low: float
    wilson_high: float
    n: int


@dataclass(frozen=True, slots=True)
class _Column:
    """What one number of a statistic is."""

    role: str
    metric: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class _Counts:
    """For each resample and class: how often it is true, answered, and both."""

    is_true: Numbers
    is_answered: Numbers
    is_both: Numbers

    @property
    def n_examples(self) -> Numbers:
        """Weight of all examples; every one has a true class."""
        n_examples: Numbers = self.is_true.sum(axis=1)
        return n_examples

    def f1(self) -> Numbers:
        """F1 of each class; nan where the class does not occur."""
        return _ratio(2 * self.is_both, self.is_true + self.is_answered) + np.where(
            self.is_true > 0, 0.0, np.nan
        )


def score_labels(
    truth: Sequence[str], answers: Mapping[str, Sequence[str | None]], how: Bootstrap
) -> list[Score]:
    """Score labels.

    Args:
        truth: the true label of every example.
        answers: by role, the label that was answered to each example, None where none was named.
        how: the bootstrap.

    Returns:
        The numbers over all examples; then the differences to the first role; then the classes.
    """
    classes = sorted(set(truth))
    true = _one_hot(truth, classes)
    answered = {role: _one_hot(labels, classes) for role, labels in answers.items()}
    is_invalid = {
        role: np.array([label is None for label in labels], dtype=np.float64)
        for role, labels in answers.items()
    }

    def statistic(weights: Numbers) -> Numbers:
        columns: list[Numbers] = []
        for role in answers:
            counts = _Counts(
                weights @ true, weights @ answered[role], weights @ (true * answered[role])
            )
            f1 = counts.f1()
            columns += [
                counts.is_both.sum(axis=1) / counts.n_examples,
                _mean(f1),
                weights @ is_invalid[role] / counts.n_examples,
                *_ratio(counts.is_both, counts.is_answered).T,
                *_ratio(counts.is_both, counts.is_true).T,
                *f1.T,
            ]
        return np.stack(columns, axis=1)

    columns = [
        column
        for role in answers
        for column in (
            *(_Column(role, name) for name in ("accuracy", "macro_f1", "invalid_label_rate")),
            *(_Column(role, name, one) for name in CLASS_METRICS for one in classes),
        )
    ]
    n_true = dict(zip(classes, true.sum(axis=0).astype(int), strict=True))

    def n_of(column: _Column) -> int:
        if column.label is None:
            return len(truth)
        n_answered = answered[column.role][:, classes.index(column.label)].sum()
        in_denominator = {
            "precision": n_answered,
            "recall": n_true[column.label],
            "f1": n_answered + n_true[column.label],
        }
        return int(in_denominator[column.metric])

    return list(_scores(columns, statistic, len(truth), how, n_of))


def score_texts(
    references: Sequence[str], answers: Mapping[str, Sequence[str]], how: Bootstrap
) -> list[Score]:
    """Score texts; arguments and result as of `score_labels`."""
    scores = {
        _Column(role, name): np.array(
            [measure(*pair) for pair in zip(references, texts, strict=True)], dtype=np.float64
        )
        for role, texts in answers.items()
        for name, measure in (("exact_match", is_exact), ("rouge_l", rouge_l))
    }
    values = np.stack(list(scores.values()), axis=1)

    def statistic(weights: Numbers) -> Numbers:
        means: Numbers = weights @ values / weights.sum(axis=1, keepdims=True)
        return means

    return list(_scores(list(scores), statistic, len(references), how, lambda _: len(references)))


def _scores(
    columns: Sequence[_Column],
    statistic: Statistic,
    n_examples: int,
    how: Bootstrap,
    n_of: Callable[[_Column], int],
) -> Iterator[Score]:
    """Yield every number of a statistic, and what the first role's exceed the others' by."""
    places = {column: place for place, column in enumerate(columns)}
    first = columns[0].role
    pairs = [
        (places[_Column(first, other.metric)], place)
        for other, place in places.items()
        if other.role != first and other.label is None
    ]
    ours, theirs = [one for one, _ in pairs], [one for _, one in pairs]

    def with_differences(weights: Numbers) -> Numbers:
        numbers = statistic(weights)
        return np.concatenate([numbers, numbers[:, ours] - numbers[:, theirs]], axis=1)

    found = bootstrap(with_differences, n_examples, how)
    ends = list(zip(found.value, found.low, found.high, strict=True))
    for column, (value, low, high) in zip(columns, ends, strict=False):
        n = n_of(column)
        sure = (math.nan, math.nan)
        if column.metric in PROPORTIONS and math.isfinite(value):
            sure = wilson(round(value * n), n, how.confidence)
        yield Score(column.role, None, column.metric, column.label, value, low, high, *sure, n)
    for (_, place), (value, low, high) in zip(pairs, ends[len(columns) :], strict=True):
        other = columns[place]
        yield Score(
            *(first, other.role, other.metric, None),
            *(value, low, high, math.nan, math.nan),
            n=n_examples,
        )


def _one_hot(labels: Sequence[str | None], classes: Sequence[str]) -> Numbers:
    """Return 1 where an example is of a class, one row per example; other labels are no class."""
    places = {one: place for place, one in enumerate(classes)}
    hot = np.zeros((len(labels), len(classes)))
    for row, label in enumerate(labels):
        if label in places:
            hot[row, places[label]] = 1
    return hot


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    """Return part / whole, nan where there is no whole."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _mean(numbers: Numbers) -> Numbers:
    """Return the mean of each row over what is defined in it."""
    is_defined = np.isfinite(numbers)
    return _ratio(np.where(is_defined, numbers, 0).sum(axis=1), is_defined.sum(axis=1) * 1.0)
