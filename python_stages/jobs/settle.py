"""What a person decides about a job: which one it is, that it shall end, that nothing be kept.

All of it may be repeated: what is cancelled is found cancelled, what is deleted is found gone, and
the ledger is written last.
"""

from dataclasses import replace

from python_stages.backends.base import Backend, JobStatus
from python_stages.backends.settling import Settling
from python_stages.errors import AmbiguousJobError, BackendError, LedgerError
from python_stages.jobs.files import clean_up, delete_files, withdraw, without_files
from python_stages.jobs.ledger import ENDED, UNFINISHED, Ledger, LedgerRow, State
from python_stages.jobs.recovery import find_jobs, settle_submission, short, with_job
from python_stages.jobs.refresh import note_end


def settle(
    key: str,
    job_id: str | None,
    backend: Backend,
    ledger: Ledger,
    *,
    settling: Settling | None = None,
) -> LedgerRow:
    """Resolve a job that waits: it is the provider's job of this id, or with None, none at all.

    Every other job of this key at the provider is cancelled and not looked at again; with None the
    uploaded files are deleted as well, and the next build starts over.

    Raises:
        LedgerError: the ledger has no such job waiting, or the provider's job is not one of its.
        BackendError: the provider refused; run it again.
    """
    with ledger.submitter():
        row = _waiting(key, ledger)
        if job_id is None:
            return _start_over(row, backend, ledger, settling or Settling())
        chosen = backend.status(job_id)
        if not _is_of(row, chosen):
            raise LedgerError("that job was not made for this key: choose one of those listed")
        others = [one for one in find_jobs(key, backend, ledger) if one.job_id != job_id]
        _cancel_all(others, backend)
        return ledger.save(
            with_job(row, chosen),
            "settled_by_person",
            disowned=[status.job_id for status in others],
        )


def cancel(
    key: str, backend: Backend, ledger: Ledger, *, settling: Settling | None = None
) -> LedgerRow:
    """End a job at the provider, and delete its files; it is not submitted again.

    Returns:
        The row: FILES_DELETED, or JOB_CREATED where the provider takes its time to end the job.

    Raises:
        LedgerError: the ledger has no such job that could be cancelled.
        AmbiguousJobError: several jobs match, and a person must settle that first.
        BackendError: the provider refused; run it again.
    """
    window = settling or Settling()
    with ledger.submitter():
        row = _known(key, ledger)
        if row.parked_reason is not None:
            raise AmbiguousJobError(row.parked_reason)
        if row.state is State.SUBMITTING:
            row = settle_submission(row, backend, ledger, window)
        if row.state is State.JOB_CREATED and row.job_id is not None:
            status = _cancelled(row.job_id, backend, window)
            return clean_up(note_end(row, status, ledger), backend, ledger, window)
        if row.state in UNFINISHED:
            row = withdraw(row, backend, ledger, window)
            row = ledger.save(
                replace(row, state=State.CANCELLED, outcome="cancelled"), "cancelled_by_person"
            )
            return ledger.save(replace(row, state=State.FILES_DELETED), "files_deleted")
        raise LedgerError("this job has ended, or was only planned: there is nothing to cancel")


def clean(
    key: str,
    backend: Backend,
    ledger: Ledger,
    *,
    delete_model: bool = False,
    settling: Settling | None = None,
) -> LedgerRow:
    """Delete what a job that does not run has at the provider, and see that it is gone.

    Args:
        key: the job's key.
        backend: its provider.
        ledger: the open ledger.
        delete_model: delete the tuned model, too.
        settling: how long a deleted file may still be listed.

    Raises:
        LedgerError: the job runs, or waits for a person.
        BackendError: the provider refused, or still holds something.
    """
    window = settling or Settling()
    with ledger.submitter():
        row = _known(key, ledger)
        if row.parked_reason is not None:
            raise AmbiguousJobError(row.parked_reason)
        if row.state is State.SUBMITTING:
            row = settle_submission(row, backend, ledger, window)
        if row.state is State.JOB_CREATED:
            raise LedgerError(
                f"this job has not ended: wait, or end it with `sealtune jobs cancel {short(key)}`"
            )
        row = clean_up(withdraw(row, backend, ledger, window), backend, ledger, window)
        return _without_model(row, backend, ledger, window) if delete_model else row


def _start_over(row: LedgerRow, backend: Backend, ledger: Ledger, settling: Settling) -> LedgerRow:
    """-> INTENT, with nothing of this job at the provider that runs or holds rows."""
    found = find_jobs(row.key, backend, ledger)
    _cancel_all(found, backend)
    delete_files(row, backend, settling)
    if row.state is State.SUBMITTING:
        row = ledger.save(replace(row, state=State.FILE_UPLOADED), "job_absent")
    fresh = replace(
        without_files(row), job_id=None, outcome=None, parked_reason=None, in_doubt_until=None
    )
    return ledger.save(fresh, "settled_by_person", disowned=[one.job_id for one in found])


def _cancel_all(jobs: list[JobStatus] | tuple[JobStatus, ...], backend: Backend) -> None:
    for status in jobs:
        if status.state == "running":
            backend.cancel(status.job_id)


def _cancelled(job_id: str, backend: Backend, settling: Settling) -> JobStatus:
    """Cancel a job and wait until it has ended; return it as it then is."""
    status = backend.cancel(job_id)

    def has_ended() -> bool:
        nonlocal status
        if status.state == "running":
            status = backend.status(job_id)
        return status.state != "running"

    settling.wait_for(has_ended)
    return status


def _without_model(
    row: LedgerRow, backend: Backend, ledger: Ledger, settling: Settling
) -> LedgerRow:
    name = row.fine_tuned_model
    if name is None:
        return row
    backend.delete_model(name)
    if not settling.wait_for(lambda: not backend.has_model(name)):
        raise BackendError("the deleted model is still at the provider: run it again later")
    return ledger.save(replace(row, fine_tuned_model=None), "model_deleted")


def _is_of(row: LedgerRow, status: JobStatus) -> bool:
    """Say whether a job was made for a row; by its file, where the host keeps no metadata."""
    if status.key is not None:
        return status.key == row.key
    return status.training_file_id is not None and status.training_file_id == row.training_file_id


def _known(key: str, ledger: Ledger) -> LedgerRow:
    row = ledger.get(key)
    if row is None:
        raise LedgerError("the ledger has no job of this key: see sealtune jobs list")
    return row


def _waiting(key: str, ledger: Ledger) -> LedgerRow:
    """Return a job about which there is something to settle."""
    row = _known(key, ledger)
    is_parked = row.parked_reason is not None and row.state not in ENDED
    if not is_parked and row.state not in UNFINISHED:
        raise LedgerError("this job waits for nobody: see sealtune jobs list")
    return row
