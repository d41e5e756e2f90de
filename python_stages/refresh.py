"""What became of the jobs, and the end of their files.

A job that has ended leaves nothing behind: every file under its names is deleted, late duplicates
of an upload that seemed lost included, and the deletion counts once the provider neither holds nor
lists them. Until then the job stays where it is and the next refresh tries again.
"""

from dataclasses import replace
from typing import Final

from python_stages.backends.base import Backend
from python_stages.backends.settling import Settling
from python_stages.errors import BackendError
from python_stages.ledger import ENDED, Ledger, LedgerRow, State

_ENDS: Final = {
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}


def refresh(
    backend: Backend,
    ledger: Ledger,
    *,
    settling: Settling | None = None,
    lock_wait_seconds: float = 0.0,
) -> tuple[LedgerRow, ...]:
    """Ask after every job of this backend that is not done with; return those rows as they are now.

    Args:
        backend: the provider; jobs of other providers are left alone.
        ledger: the open ledger.
        settling: how long a deleted file may still be listed.
        lock_wait_seconds: how long to wait for a submitter.

    Raises:
        LockedError: a submitter is at work.
        BackendError: the provider refused, or still lists a deleted file. The other jobs are
            brought up to date all the same.
    """
    failures: list[BackendError] = []
    rows: list[LedgerRow] = []
    with ledger.submitter(wait_seconds=lock_wait_seconds):
        for known in ledger.jobs():
            is_ours = (known.backend, known.base_url) == (
                backend.identity.name,
                backend.identity.base_url,
            )
            if not is_ours or known.state not in ENDED | {State.JOB_CREATED}:
                continue
            row = known
            try:
                row = _ask(row, backend, ledger)
                row = _clean_up(row, backend, ledger, settling or Settling())
            except BackendError as error:
                failures.append(error)
            rows.append(row)
    if failures:
        raise failures[0]
    return tuple(rows)


def _ask(row: LedgerRow, backend: Backend, ledger: Ledger) -> LedgerRow:
    """JOB_CREATED -> SUCCEEDED | FAILED | CANCELLED where the job has ended."""
    if row.state is not State.JOB_CREATED or row.job_id is None:
        return row
    status = backend.status(row.job_id)
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


def _clean_up(row: LedgerRow, backend: Backend, ledger: Ledger, settling: Settling) -> LedgerRow:
    """SUCCEEDED | FAILED | CANCELLED -> FILES_DELETED, verified."""
    if row.state not in ENDED:
        return row
    names = [name for name in (row.training_file_name, row.validation_file_name) if name]
    known_ids = {row.training_file_id, row.validation_file_id} - {None}
    listed_ids = {file.file_id for name in names for file in backend.find_files(name)}
    file_ids = sorted({file_id for file_id in known_ids | listed_ids if file_id})
    for file_id in file_ids:
        backend.delete_file(file_id)

    def is_gone() -> bool:
        is_held = any(backend.has_file(file_id) for file_id in file_ids)
        return not is_held and not any(backend.find_files(name) for name in names)

    if not settling.wait_for(is_gone):
        raise BackendError("deleted files are still at the provider: refresh again later")
    return ledger.save(replace(row, state=State.FILES_DELETED), "files_deleted")
