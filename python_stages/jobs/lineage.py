"""What a job starts from: a base model, or the tuned model of an earlier version of its dataset.

With `start_from: last` a job goes on from the newest tuned model that was made, from the same base
model and at the same place, of other lines, before there was a job of these. So a rebuild finds the
job that it has made, whatever has been tuned or deleted since, and no job ever starts from itself
or from what was made after it. Nor does it from a model of lines that another policy scrubbed:
what that left in a text, the model has seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from python_stages.backends.base import BackendIdentity, JobSpec, job_key
from python_stages.jobs.chat import ran_at
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.settings import JobSettings


def started(
    spec: JobSpec,
    job: JobSettings,
    rows: Sequence[LedgerRow],
    may_start_from: Callable[[str], bool] = lambda _: True,
) -> JobSpec:
    """Return the job with the model that it starts from.

    Args:
        spec: the job, from its base model.
        job: how it is run.
        rows: the jobs of the ledger, oldest first.
        may_start_from: whether a model of the lines of a fingerprint may be gone on from.
    """
    if job.start_from != "last":
        return spec
    kin = [row for row in rows if is_kin(row, spec, job, rows)]
    here = [row for row in kin if row.dataset_fingerprint == spec.dataset_fingerprint]
    for row in reversed(here):
        again = replace(spec, base_model=row.base_model, parent_key=row.parent_key)
        if row.parent_key is not None and key_at(again, row) == row.key:
            return again
    parents = [
        row
        for row in kin
        if row.dataset_fingerprint != spec.dataset_fingerprint
        and is_tuned(row)
        and may_start_from(row.dataset_fingerprint)
        and all(row.created_at < one.created_at for one in here)
    ]
    if not parents:
        return spec
    return replace(spec, base_model=parents[-1].fine_tuned_model or "", parent_key=parents[-1].key)


def is_kin(row: LedgerRow, spec: JobSpec, job: JobSettings, rows: Sequence[LedgerRow]) -> bool:
    """Say whether a job was of this dataset, at this place, and from this base model at first."""
    return (
        row.dataset == spec.dataset
        and ran_at(row, job)
        and ancestors(row, rows)[-1].base_model == spec.base_model
    )


def ancestors(row: LedgerRow, rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """Return a job and those whose models it goes on from, the one of a base model last."""
    by_key = {one.key: one for one in rows}
    found = [row]
    while (parent := by_key.get(found[-1].parent_key or "")) is not None:
        found.append(parent)
    return found


def is_tuned(row: LedgerRow) -> bool:
    """Say whether a job has a model."""
    return row.outcome == "succeeded" and bool(row.fine_tuned_model)


def key_at(spec: JobSpec, row: LedgerRow) -> str:
    """Return the key that a job has where another one ran."""
    return job_key(spec, BackendIdentity(row.backend, row.base_url))
