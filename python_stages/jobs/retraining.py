"""Whether lines that changed are worth a new job: `retrain_when` beside the other job settings.

What counts is how far the lines are from those of the job that was trained last, not from those of
the last build: small changes add up until one threshold is reached. A job that failed, or whose
model was deleted, trained nothing that could stay in use, so it is passed over.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from python_stages.backends.base import JobSpec
from python_stages.jobs.ledger import Decision, LedgerRow, State
from python_stages.jobs.lineage import is_kin, is_tuned, key_at
from python_stages.jobs.recovery import short
from python_stages.jobs.settings import JobSettings
from python_stages.jobs.thresholds import RetrainWhen

FEW: Final = 5  # of fewer changed examples no number is told


@dataclass(frozen=True, slots=True)
class Change:
    """How far lines are from those that a job was trained on.

    Args:
        drift_psi: of labels, lengths or words, whichever moved most; 0 where chance explains it.
        n_feedback: corrected examples that the job had not.
        n_changed: examples added, removed or relabelled.
        n_trained: examples of the job, of all splits.
    """

    drift_psi: float
    n_feedback: int
    n_changed: int
    n_trained: int


def last_trained(spec: JobSpec, job: JobSettings, rows: Sequence[LedgerRow]) -> LedgerRow | None:
    """Return the newest job with these settings, of whatever lines, that trains or has a model.

    Where nothing is ever trained (backend plan), the newest plan stands for it.

    Args:
        spec: the job, from its base model.
        job: how it is run.
        rows: the jobs of the ledger, oldest first.
    """
    found = [
        row
        for row in rows
        if is_kin(row, spec, job, rows)
        and (row.parent_key is None or job.start_from == "last")
        and (row.state is State.PLANNED or row.outcome == "running" or is_tuned(row))
        and key_at(
            replace(spec, dataset_fingerprint=row.dataset_fingerprint, base_model=row.base_model),
            row,
        )
        == row.key
    ]
    return found[-1] if found else None


def decide(spec: JobSpec, last: LedgerRow, wanted: RetrainWhen, change: Change) -> Decision:
    """Return whether the lines of a job are worth it.

    Args:
        spec: the job.
        last: the one that was trained last.
        wanted: the thresholds.
        change: how far its lines are from those of `last`.
    """
    share = change.n_changed / max(1, change.n_trained)
    is_few = 0 < change.n_changed < FEW
    told = {
        "drift_psi": (change.drift_psi, f"drift {change.drift_psi:.2f} of {{:g}}"),
        "feedback": (change.n_feedback, f"feedback {change.n_feedback} of {{:g}}"),
        "changed_share": (
            share,
            f"fewer than {FEW} examples changed, of {{:.1%}}"
            if is_few
            else f"changed {share:.1%} of {{:.1%}}",
        ),
    }
    limits = {name: limit for name, limit in asdict(wanted).items() if limit is not None}
    is_retrained = any(told[name][0] >= limit for name, limit in limits.items())
    reached = ", ".join(told[name][1].format(limit) for name, limit in limits.items())
    verb = "trained again" if is_retrained else "not retrained"
    return Decision(
        dataset=spec.dataset,
        dataset_fingerprint=spec.dataset_fingerprint,
        key=last.key,
        is_retrained=is_retrained,
        reason=f"{verb}: {reached}; measured from job {short(last.key)}",
        drift_psi=change.drift_psi,
        n_feedback=change.n_feedback,
        changed_share=None if is_few else share,
    )
