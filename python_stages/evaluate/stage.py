"""The rows of the relations in models/outcomes: predictions in, evaluations out."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Literal

import pyarrow as pa

from python_stages.errors import StageError
from python_stages.evaluate.intervals import Bootstrap
from python_stages.evaluate.scores import Score, score_labels, score_texts

Role = Literal["tuned", "previous", "base", "majority", "tfidf"]
ROLES: Final[tuple[Role, ...]] = ("tuned", "previous", "base", "majority", "tfidf")

_PREDICTION: Final[list[tuple[str, pa.DataType]]] = [
    ("job_key", pa.string()),
    ("dataset", pa.string()),
    ("model_role", pa.string()),
    ("model", pa.string()),
    ("example_id", pa.string()),
    ("example_fingerprint", pa.string()),
    ("task", pa.string()),
    ("label", pa.string()),
    ("predicted", pa.string()),
    ("is_valid", pa.bool_()),
    ("reference", pa.string()),
    ("answer", pa.string()),
    ("finish_reason", pa.string()),
    ("n_prompt_tokens", pa.int64()),
    ("n_answer_tokens", pa.int64()),
    ("error_code", pa.string()),
    ("answered_at", pa.timestamp("us", tz="UTC")),
    ("run_hash", pa.string()),
]
PREDICTIONS_SCHEMA: Final = pa.schema(_PREDICTION)
_SCORE: Final[list[tuple[str, pa.DataType]]] = [
    ("value", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("wilson_low", pa.float64()),
    ("wilson_high", pa.float64()),
    ("n", pa.int64()),
    ("confidence", pa.float64()),
]
EVALUATIONS_SCHEMA: Final = pa.schema(
    [
        ("job_key", pa.string()),
        ("dataset", pa.string()),
        ("model_role", pa.string()),
        ("compared_with", pa.string()),
        ("metric", pa.string()),
        *_SCORE,
    ]
)
CLASSES_SCHEMA: Final = pa.schema(
    [
        ("job_key", pa.string()),
        ("dataset", pa.string()),
        ("model_role", pa.string()),
        ("label", pa.string()),
        ("metric", pa.string()),
        *_SCORE,
        ("n_support", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one model answered to one example; also a row of `predictions`, in order.

    Args:
        job_key: the job whose model is evaluated.
        dataset: its dataset.
        model_role: the tuned model, the one that it would replace, its base, or a baseline.
        model: name that was called; None of a baseline.
        example_id: the example.
        example_fingerprint: keyed hash of the example's line.
        task: `classification` or `text`.
        label: the example's label.
        predicted: label that the answer names, or None.
        is_valid: whether the answer can be judged as one: it names a label, or is a text; None
            while there is no answer, which the next build asks for again.
        reference: the answer that the example has.
        answer: the answer that the model gave, or None.
        finish_reason: why it ended, by the host.
        n_prompt_tokens: tokens of the prompt, by the host's count.
        n_answer_tokens: tokens of the answer, by the host's count.
        error_code: why there is no answer, or None.
        answered_at: when the answer came, UTC.
        run_hash: hash of all that the answers of this job follow from.
    """

    job_key: str
    dataset: str
    model_role: Role
    model: str | None
    example_id: str
    example_fingerprint: str
    task: str
    label: str
    predicted: str | None
    is_valid: bool | None
    reference: str
    answer: str | None
    finish_reason: str | None = None
    n_prompt_tokens: int | None = None
    n_answer_tokens: int | None = None
    error_code: str | None = None
    answered_at: datetime | None = None
    run_hash: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    """The predictions of one job: by role, in the same order of examples."""

    job_key: str
    dataset: str
    by_role: dict[str, list[Prediction]]

    def complete(self) -> dict[str, list[Prediction]]:
        """Return the roles that have answered everything: a part of the answers may be biased.

        Raises:
            StageError: the roles answered different examples.
        """
        found = {
            role: rows
            for role, rows in self.by_role.items()
            if all(row.is_valid is not None for row in rows)
        }
        if len({tuple(row.example_id for row in rows) for rows in found.values()}) > 1:
            raise StageError(
                "models were asked about different examples and cannot be compared: build "
                "predictions again with --full-refresh; no answer is paid for again"
            )
        return found


def to_table(rows: Iterable[Any], schema: pa.Schema) -> pa.Table:
    """Return dataclasses as a table."""
    return pa.Table.from_pylist([asdict(row) for row in rows], schema)


def evaluations(predictions: pa.Table, how: Bootstrap) -> pa.Table:
    """Score every model of every job, and the tuned one against the others.

    Args:
        predictions: rows of PREDICTIONS_SCHEMA.
        how: the bootstrap.

    Returns:
        Rows of EVALUATIONS_SCHEMA. The metric `answered_share` is there for every model; the others
        for those that answered everything.
    """
    rows: list[dict[str, Any]] = []
    for job in _jobs(predictions):
        of_job = {"job_key": job.job_key, "dataset": job.dataset, "confidence": how.confidence}
        for role, answers in job.by_role.items():
            n_answered = sum(one.is_valid is not None for one in answers)
            share = {"metric": "answered_share", "value": n_answered / len(answers)}
            rows.append({**of_job, "model_role": role, **share, "n": len(answers)})
        rows += [
            {**of_job, "model_role": score.role, **_cells(score)}
            for score in _score(job, how)
            if score.label is None
        ]
    return pa.Table.from_pylist(rows, EVALUATIONS_SCHEMA)


def evaluation_classes(predictions: pa.Table, how: Bootstrap) -> pa.Table:
    """Score every class of every model that answered everything; rows of CLASSES_SCHEMA."""
    rows: list[dict[str, Any]] = []
    for job in _jobs(predictions):
        of_job = {"job_key": job.job_key, "dataset": job.dataset, "confidence": how.confidence}
        scores = [one for one in _score(job, how) if one.label is not None]
        support = {one.label: one.n for one in scores if one.metric == "recall"}
        rows += [
            {
                **of_job,
                "model_role": score.role,
                **_cells(score),
                "n_support": support[score.label],
            }
            for score in scores
        ]
    return pa.Table.from_pylist(rows, CLASSES_SCHEMA)


def _score(job: _Job, how: Bootstrap) -> list[Score]:
    """Return all scores of a job; none where no model has answered everything."""
    by_role = job.complete()
    if not by_role:
        return []
    one = next(iter(by_role.values()))
    if one[0].task == "classification":
        labels = {role: [row.predicted for row in rows] for role, rows in by_role.items()}
        return score_labels([row.label for row in one], labels, how)
    texts = {role: [row.answer or "" for row in rows] for role, rows in by_role.items()}
    return score_texts([row.reference for row in one], texts, how)


def _jobs(predictions: pa.Table) -> Iterator[_Job]:
    """Yield the jobs, roles and examples in order; nothing of what is not there is computed."""
    rows = [Prediction(**row) for row in predictions.to_pylist()]
    rows.sort(key=lambda row: (row.job_key, ROLES.index(row.model_role), row.example_id))
    for job_key, of_job in groupby(rows, key=lambda row: row.job_key):
        by_role = {
            role: list(of_role) for role, of_role in groupby(of_job, key=lambda row: row.model_role)
        }
        yield _Job(job_key, next(iter(by_role.values()))[0].dataset, dict(by_role))


def _cells(score: Score) -> dict[str, Any]:
    """Return the columns of a score; a number that is not defined is null."""
    numbers = ("value", "low", "high", "wilson_low", "wilson_high")
    return {
        "compared_with": score.compared_with,
        "metric": score.metric,
        "label": score.label,
        "n": score.n,
        **{name: _or_none(float(getattr(score, name))) for name in numbers},
    }


def _or_none(number: float) -> float | None:
    return number if number == number else None  # noqa: PLR0124 - nan alone differs from itself
