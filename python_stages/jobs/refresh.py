"""What became of the jobs: their ends, their results, and the end of their files.

One job's trouble is that job's alone: it is told beside the rows, and the others are brought up to
date all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from python_stages.backends.base import Backend, JobStatus
from python_stages.backends.settling import Settling
from python_stages.errors import SealtuneError
from python_stages.jobs.files import clean_up
from python_stages.jobs.ledger import ENDED, Ledger, LedgerRow, State
from python_stages.jobs.recovery import adopt_job, find_jobs, the_job
from python_stages.jobs.results import ResultVault, store_results

_ENDS: Final = {
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}
_ASKED: Final = ENDED | {State.SUBMITTING, State.JOB_CREATED, State.FILES_DELETED}


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found.

    Args:
        rows: the jobs that were asked after, as they are now.
        failures: what went wrong, by job key; one thing for each job at most.
    """

    rows: tuple[LedgerRow, ...]
    failures: Mapping[str, SealtuneError]


def refresh(
    backend: Backend,
    ledger: Ledger,
    *,
    results: ResultVault | None = None,
    only: str | None = None,
    settling: Settling | None = None,
    lock_wait_seconds: float = 0.0,
) -> Refreshed:
    """Ask after every job of this backend that is not done with.

    Args:
        backend: the provider; jobs of other providers are left alone.
        ledger: the open ledger.
        results: where result files are stored; None fetches none.
        only: key of the one job to ask after; None asks after all.
        settling: how long a deleted file may still be listed.
        lock_wait_seconds: how long to wait for a submitter.

    Raises:
        LockedError: a submitter is at work.
    """
    failures: dict[str, SealtuneError] = {}
    rows: list[LedgerRow] = []
    with ledger.submitter(wait_seconds=lock_wait_seconds):
        for row in ledger.jobs():
            is_wanted = is_at(row, backend) and only in {None, row.key}
            if not is_wanted or not is_open(row, has_results=results is None):
                continue
            try:
                _bring_up_to_date(row, backend, ledger, results, settling or Settling())
            except SealtuneError as error:
                failures[row.key] = error
            rows.append(ledger.get(row.key) or row)
    return Refreshed(tuple(rows), failures)


def is_at(row: LedgerRow, backend: Backend) -> bool:
    """Say whether a job is one of this provider's."""
    identity = backend.identity
    return (row.backend, row.base_url) == (identity.name, identity.base_url)


def note_end(row: LedgerRow, status: JobStatus, ledger: Ledger) -> LedgerRow:
    """JOB_CREATED -> SUCCEEDED | FAILED | CANCELLED where the job has ended."""
    if status.state not in _ENDS:
        return row
    ended = replace(
        row,
        state=_ENDS[status.state],
        outcome=status.state,
        fine_tuned_model=status.fine_tuned_model,
        n_trained_tokens=status.n_trained_tokens,
        error_code=status.error_code,
    )
    return ledger.save(ended, f"job_{status.state}")


def is_open(row: LedgerRow, *, has_results: bool = False) -> bool:
    """Say whether there is still something to learn about a job; a parked one waits for a person.

    What is before SUBMITTING waits for the next submission instead.

    Args:
        row: the job.
        has_results: take its results as fetched.
    """
    is_done = row.state is State.FILES_DELETED and (row.are_results_stored or has_results)
    return row.state in _ASKED and row.parked_reason is None and not is_done


def _bring_up_to_date(
    row: LedgerRow,
    backend: Backend,
    ledger: Ledger,
    results: ResultVault | None,
    settling: Settling,
) -> None:
    if row.state is State.SUBMITTING:
        # one look: the window is for the next submission to wait out
        found = find_jobs(row.key, backend, ledger)
        row = adopt_job(row, found, ledger) if found else row
    if row.state is State.JOB_CREATED:
        row = _ask(row, backend, ledger)
    try:
        row = clean_up(row, backend, ledger, settling)
    finally:
        # files that do not go away are no reason to go without the results
        if results is not None and row.state in ENDED | {State.FILES_DELETED}:
            store_results(row, backend, ledger, results)


def _ask(row: LedgerRow, backend: Backend, ledger: Ledger) -> LedgerRow:
    """Ask after a job, and whether it has a double: a provider may make two of one request."""
    if row.job_id is None:
        return row
    found = find_jobs(row.key, backend, ledger)
    if len(found) > 1:
        the_job(row, found, ledger)
    return note_end(row, backend.status(row.job_id), ledger)
