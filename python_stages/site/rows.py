"""Facts as rows of tables: the first cell names the row, None is a count too small to show."""

from collections.abc import Sequence
from typing import Any, Final

from python_stages.site.facts.dataset import Dataset, Flow, Passage, SealedFile, Stop
from python_stages.site.facts.model import Model
from python_stages.site.facts.report import Change, Measure
from python_stages.site.lineage import Column, Lineage

Row = tuple[Any, ...]
NOTHING: Final = "-"
_BUILDS: Final = 6
_MOST_NAMES: Final = 9


def dataset(one: Dataset) -> dict[str, list[Row]]:
    """Return the rows of every table on a dataset's page."""
    return {
        "stage_rows": [(s.state, s.n_rows, s.detail or "") for s in one.stages],
        "reject_rows": [(r.reason, r.n_rows) for r in one.rejects],
        "found_rows": [(f.entity, f.column, f.n) for f in one.masked.found] if one.masked else [],
        "recall_rows": [
            (r.entity, r.column, r.n_planted, r.n_masked, r.recall, r.low, r.high, r.least,
             r.is_met)
            for r in one.recalls
        ],
        "noise_rows": [
            (n.column, *((NOTHING,) * 3 if n.epsilon is None else (n.epsilon, n.lower, n.upper)),
             n.n_draws, n.most_draws, n.epsilon_spent)
            for n in (one.noise.columns if one.noise else ())
        ],
        "class_rows": [(c.label, c.split, c.n) for c in one.classes],
        "token_rows": (
            [(f"{b.low:,} to {b.high - 1:,}", b.n) for b in one.tokens.bins] if one.tokens else []
        ),
        "check_rows": [
            (c.description, c.is_success, _or(c.n_checked), _or(c.n_failed)) for c in one.checks
        ],
        "version_rows": [
            (f"version {v.number}", f"{v.built_at:%Y-%m-%d %H:%M}", v.n_examples,
             *((NOTHING,) * 6 if v.drift is None else (v.n_added, v.n_removed, v.n_relabelled,
             _or(v.psi_labels), _or(v.psi_lengths), _or(v.psi_words))), v.drift or NOTHING)
            for v in one.change_log.versions
        ],
        "correction_rows": [
            (c.outcome, c.reason or NOTHING, c.n) for c in one.change_log.corrections
        ],
        "retraining_rows": [
            (f"{r.decided_at:%Y-%m-%d %H:%M}", r.reason) for r in one.change_log.retrainings
        ],
        "sealed_rows": [
            (f.path, _state(f), _or(f.n_rows), _or(f.n_bytes), ", ".join(f.recipients) or NOTHING,
             f.signer or NOTHING)
            for f in one.sealed
        ],
    }  # fmt: skip


def model(one: Model) -> dict[str, list[Row]]:
    """Return the rows of every table on a model's page."""
    return {
        "job_rows": [
            ("job key", one.job_key),
            ("backend", one.backend),
            ("base model", one.base_model),
            ("tuned model", one.fine_tuned_model or NOTHING),
            ("hyperparameters", one.hyperparameters),
            ("seed", str(one.seed)),
            ("trained on the lines that were checked last, or stands for them", one.is_current),
            ("error code", one.error_code or NOTHING),
            ("waits for a person because", one.parked_reason or NOTHING),
            ("first recorded", f"{one.created_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("last changed", f"{one.updated_at:%Y-%m-%d %H:%M:%S} UTC"),
        ],
        "curve_rows": _ends(one),
        "score_rows": [
            (s.metric, s.role, s.compared_with or NOTHING, _or(s.value), _or(s.low), _or(s.high),
             s.n)
            for s in one.scores
        ],
        "class_rows": [(c.label, c.role, c.metric, c.value, c.n) for c in one.classes],
        "audit_rows": [
            (a.measure, a.role, a.kind, _repeats(a.n_repeats), _or(a.value), _or(a.low),
             _or(a.high), _or(a.chance), _or(a.n))
            for a in one.audit.rows
        ] if one.audit else [],
    }  # fmt: skip


def flows(found: Sequence[Flow]) -> dict[str, list[Any]]:
    """Return heads and rows of where each column of a source goes."""
    stages = [one.model for one in found[0].stops[1:]]
    return {
        "heads": ["column", "class", *stages],
        "rows": [
            (one.column, one.privacy, *(_passage(stop) for stop in one.stops[1:])) for one in found
        ],
    }


def lineage(known: Lineage) -> list[dict[str, Any]]:
    """Return for every model what its columns are made of."""
    return [
        {
            "name": relation,
            "rows": [
                (column, _list(above), _list(known.origins(relation, column)))
                for column, above in made.items()
            ],
        }
        for relation, made in sorted(known.made.items())
    ]


def _list(columns: frozenset[Column]) -> str:
    """Return columns as a text, those of one relation together; many are counted."""
    by_relation: dict[str, list[str]] = {}
    for relation, column in sorted(columns):
        by_relation.setdefault(relation, []).append(column)
    return "; ".join(f"{name}: {_few(found)}" for name, found in by_relation.items()) or NOTHING


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} columns"


def _passage(stop: Stop) -> str:
    if stop.passage is Passage.ABSENT:
        return NOTHING
    changed = "" if stop.passage is Passage.RAW else f" ({stop.passage})"
    return f"{', '.join(stop.columns)}{changed}"


def changes(found: Sequence[Change]) -> list[Row]:
    """Return what changed since the build before."""
    return [(one.dataset, one.measure, _whole(one.before), _whole(one.after)) for one in found]


def history(measures: Sequence[Measure]) -> tuple[list[str], list[Row]]:
    """Return heads and rows of the last builds, a column per build, the newest first."""
    times = sorted({one.built_at for one in measures}, reverse=True)[:_BUILDS]
    values = {(one.dataset, one.measure, one.built_at): one.value for one in measures}
    names = sorted({(one.dataset, one.measure) for one in measures if one.built_at in times})
    heads = ["measure", *(f"{at:%Y-%m-%d %H:%M}" for at in times)]
    return heads, [
        (f"{dataset}: {measure}", *(_whole(values.get((dataset, measure, at))) for at in times))
        for dataset, measure in names
    ]


def _whole(value: float | None) -> int | float | str:
    """Return a number as a count where it is one."""
    if value is None:
        return NOTHING
    return int(value) if value == int(value) else value


def _or(value: float | None) -> float | str:
    """Return a number, or a dash where there is none: no small count, nothing there."""
    return NOTHING if value is None else value


def _repeats(n: int | None) -> str:
    if n is None:
        return "once"
    return f"{n} times" if n else "never (control)"


def _state(file: SealedFile) -> str:
    if not file.is_verified:
        return f"not verified: {file.problem}"
    if file.split.startswith("metrics_"):
        return "verified, results of a job"
    return "verified, current" if file.is_current else "verified, earlier"


def _ends(one: Model) -> list[Row]:
    """Return first and last point of each metric."""
    found = []
    for metric in sorted({point.metric for point in one.curve}):
        points = [point for point in one.curve if point.metric == metric]
        first, last = points[0], points[-1]
        found.append((metric, first.step, first.value, last.step, last.value))
    return found
