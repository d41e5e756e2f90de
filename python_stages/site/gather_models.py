"""Jobs, and what is known of the models that they made."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any, Final

from python_stages.site import gather_audit, verdicts
from python_stages.site.facts.model import ClassScore, Confusion, Model, Point, Score
from python_stages.site.suppress import alone
from python_stages.site.warehouse import Warehouse

_OTHER: Final = "(other)"
_MAJORITY: Final = "majority"
_NO_CLASS: Final = "(none)"
RARE: Final = "(rare)"
_MOST_POINTS: Final = 300  # per metric: more than a chart can show

Labels = Mapping[str, frozenset[str]]


def models(
    vault: Warehouse,
    fingerprints: Mapping[str, str | None],
    labels: Labels,
    standing: Collection[str] = (),
) -> tuple[Model, ...]:
    """Return every job of the ledger, the newest first.

    Args:
        vault: the warehouse.
        fingerprints: of the lines that were checked last, by dataset.
        labels: classes that the config of each dataset declares.
        standing: keys of jobs that stand for the lines of now, which were not worth another one.
    """
    if not vault.has("fine_tune_jobs"):
        return ()
    rows = vault.rows(
        "select job_key, dataset, dataset_fingerprint, state, outcome, backend, base_model, "
        "hyperparameters, seed, n_examples, n_training_tokens, n_billed_tokens, n_trained_tokens, "
        "estimated_cost, currency, fine_tuned_model, error_code, parked_reason, "
        "created_at at time zone 'UTC', updated_at at time zone 'UTC' "
        "from fine_tune_jobs order by created_at desc, job_key"
    )
    return tuple(_model(vault, row, fingerprints, labels, standing) for row in rows)


def _model(
    vault: Warehouse,
    row: tuple[Any, ...],
    fingerprints: Mapping[str, str | None],
    labels: Labels,
    standing: Collection[str],
) -> Model:
    (job_key, dataset, fingerprint, state, outcome, backend, base_model, hyperparameters, seed,
     n_examples, n_training_tokens, n_billed, n_trained, cost, currency, tuned, error_code, parked,
     created_at, updated_at) = row  # fmt: skip
    shown = _namer(labels.get(dataset, frozenset()))
    epsilon = json.loads(hyperparameters).get("epsilon")
    bare = Model(
        job_key=job_key,
        dataset=dataset,
        verdict=verdicts.UNKNOWN,
        state=state,
        outcome=outcome,
        backend=backend,
        base_model=base_model,
        hyperparameters=hyperparameters,
        seed=seed,
        n_examples=n_examples,
        n_training_tokens=n_training_tokens,
        n_billed_tokens=n_billed,
        n_trained_tokens=n_trained,
        estimated_cost=cost,
        currency=currency,
        fine_tuned_model=tuned,
        error_code=error_code,
        parked_reason=parked,
        is_current=fingerprint == fingerprints.get(dataset) or job_key in standing,
        epsilon=None if epsilon is None else float(epsilon),
        created_at=created_at.replace(tzinfo=UTC),
        updated_at=updated_at.replace(tzinfo=UTC),
        curve=_curve(vault, job_key),
        scores=_scores(vault, job_key),
        classes=_classes(vault, job_key, shown),
        confusion=_confusion(vault, job_key, shown),
        audit=gather_audit.audit(vault, job_key),
    )
    return verdicts.judged_model(bare)


def without_classes(model: Model) -> Model:
    """Return the model without what is computed from exact counts of classes.

    The baseline that always answers with the commonest class is right as often as that occurs.
    """
    scores = tuple(s for s in model.scores if _MAJORITY not in {s.role, s.compared_with})
    return replace(model, classes=(), confusion=(), scores=scores)


def _namer(known: frozenset[str]) -> Callable[[str | None], str]:
    """Return what names a class: one that the config does not declare may be a value of a row."""

    def shown(label: str | None) -> str:
        if label is None:
            return _NO_CLASS
        return label if label in known else _OTHER

    return shown


def _curve(vault: Warehouse, job_key: str) -> tuple[Point, ...]:
    if not vault.has("job_metrics"):
        return ()
    rows = vault.rows(
        "with numbered as (select *, row_number() over (partition by metric order by step) as i, "
        "count(*) over (partition by metric) as n from job_metrics where job_key = ?) "
        "select step, metric, value from numbered "
        f"where i % (n // {_MOST_POINTS} + 1) = 0 or i = n order by metric, step",
        [job_key],
    )
    return tuple(Point(int(step), metric, float(value)) for step, metric, value in rows)


def _scores(vault: Warehouse, job_key: str) -> tuple[Score, ...]:
    """Return the scores; where a bootstrap has no width, the Wilson interval stands in for it."""
    if not vault.has("evaluations"):
        return ()
    rows = vault.rows(
        "select model_role, compared_with, metric, value, "
        "case when low < high or wilson_low is null then low else wilson_low end, "
        "case when low < high or wilson_high is null then high else wilson_high end, n "
        "from evaluations where job_key = ? order by metric, compared_with nulls first, model_role",
        [job_key],
    )
    return tuple(Score(*row) for row in rows)


def _classes(
    vault: Warehouse, job_key: str, shown: Callable[[str | None], str]
) -> tuple[ClassScore, ...]:
    """Return the scores by class; of a class with few examples a share would give the count."""
    if not vault.has("evaluation_classes"):
        return ()
    rows = vault.rows(
        "select model_role, label, metric, value, n, n_support from evaluation_classes "
        "where job_key = ? order by label, model_role, metric",
        [job_key],
    )
    found = []
    for role, label, metric, value, n, n_support in rows:
        if shown(label) == _OTHER:
            continue
        is_small = alone(int(n)) is None or alone(int(n_support)) is None
        found.append(
            ClassScore(role, label, metric, None if is_small else value, None if is_small else n)
        )
    return tuple(found)


def _confusion(
    vault: Warehouse, job_key: str, shown: Callable[[str | None], str]
) -> tuple[Confusion, ...]:
    """Return the matrices; rare answers to a class are counted together.

    The examples of a class are shown elsewhere, so that hiding a rare answer would take a common
    one with it. Counted together, it stays unsaid what was answered.
    """
    if not vault.has("confusion_matrix"):
        return ()
    rows = vault.rows(
        "select model_role, label, predicted, n_examples from confusion_matrix where job_key = ?",
        [job_key],
    )
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for role, label, predicted, n in rows:
        counts[role, shown(label)][shown(predicted)] += int(n)
    found = []
    for (role, label), by_answer in sorted(counts.items()):
        n_rare = sum(n for n in by_answer.values() if alone(n) is None)
        found += [
            Confusion(role, label, predicted, n)
            for predicted, n in sorted(by_answer.items())
            if alone(n) is not None
        ]
        if n_rare:
            found.append(Confusion(role, label, RARE, n_rare))
    return tuple(found)
