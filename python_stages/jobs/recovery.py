"""What to make of what an earlier run, or a request without an answer, left at the provider.

Everything that we make there is found again by a name that only this job has, so that recovery
never guesses:

    a job found        it is the job
    several jobs       one of them that has not failed is the job; else a person decides (`park`)
    none, announced    the provider may be slow to list it: look until the settle window is over;
                       only then it is absent
    a file found       it is the file, whichever of several: our name stands for its exact content
    of another size    a person decides

What a person disowned (settle.py) is not found again.
"""

from dataclasses import replace
from typing import Final, NoReturn

from python_stages.backends.base import Backend, JobStatus, RemoteFile
from python_stages.backends.settling import Settling
from python_stages.errors import AmbiguousJobError
from python_stages.jobs.ledger import Ledger, LedgerRow, State

SHOWN_KEY_CHARACTERS: Final = 12
_DEAD: Final = frozenset({"failed", "cancelled"})


def short(key: str) -> str:
    """Return as much of a key as a person needs to type."""
    return key[:SHOWN_KEY_CHARACTERS]


def find_jobs(key: str, backend: Backend, ledger: Ledger) -> tuple[JobStatus, ...]:
    """Return the provider's jobs of this key, each once, without those that were disowned."""
    disowned = ledger.disowned(key)
    by_id = {status.job_id: status for status in backend.find_jobs(key)}
    return tuple(status for job_id, status in by_id.items() if job_id not in disowned)


def find_files(name: str, backend: Backend) -> tuple[RemoteFile, ...]:
    """Return the provider's files of this name, each once."""
    return tuple({file.file_id: file for file in backend.find_files(name)}.values())


def adopt_job(row: LedgerRow, found: tuple[JobStatus, ...], ledger: Ledger) -> LedgerRow:
    """-> JOB_CREATED, with the job among those found (at least one).

    Raises:
        AmbiguousJobError: several could be the one; the job is parked.
    """
    return ledger.save(with_job(row, the_job(row, found, ledger)), "job_adopted")


def the_job(row: LedgerRow, found: tuple[JobStatus, ...], ledger: Ledger) -> JobStatus:
    """Return the job among those found (at least one); raises as `adopt_job`."""
    alive = [status for status in found if status.state not in _DEAD]
    if len(alive) > 1:
        ids, key = sorted(status.job_id for status in alive), short(row.key)
        park(
            row,
            f"jobs {', '.join(ids)} at the provider all match this one: keep the right one with "
            f"`sealtune jobs settle {key} --job {ids[0]}` (or another of the ids), which cancels "
            f"the others, or cancel all and start over with `sealtune jobs settle {key} --none`",
            ledger,
        )
    return alive[0] if alive else found[0]


def the_file(
    row: LedgerRow, found: tuple[RemoteFile, ...], n_bytes: int, ledger: Ledger
) -> RemoteFile:
    """Return the file among those found (at least one).

    Raises:
        AmbiguousJobError: all of them have another size; the job is parked.
    """
    fitting = [file for file in found if file.n_bytes in {None, n_bytes}]
    if not fitting:
        ids = ", ".join(sorted(file.file_id for file in found))
        park(
            row,
            f"at the provider the file {ids} has another size than what was sealed: delete it and "
            f"start over with `sealtune jobs settle {short(row.key)} --none`",
            ledger,
        )
    return min(fitting, key=lambda file: file.file_id)


def settle_submission(
    row: LedgerRow, backend: Backend, ledger: Ledger, settling: Settling
) -> LedgerRow:
    """SUBMITTING -> JOB_CREATED where the job is there, else back to FILE_UPLOADED.

    Raises:
        AmbiguousJobError: several are there; the job is parked.
    """
    window = settling.until(row.in_doubt_until)
    found = window.look(lambda: find_jobs(row.key, backend, ledger))
    if found:
        return adopt_job(row, found, ledger)
    return ledger.save(replace(row, state=State.FILE_UPLOADED, in_doubt_until=None), "job_absent")


def forget_gone_files(row: LedgerRow, backend: Backend, ledger: Ledger) -> LedgerRow:
    """FILE_UPLOADED -> INTENT where a file has expired since it was uploaded."""
    training_id, validation_id = (
        file_id if file_id and backend.has_file(file_id) else None
        for file_id in (row.training_file_id, row.validation_file_id)
    )
    if (training_id, validation_id) == (row.training_file_id, row.validation_file_id):
        return row
    return ledger.save(
        replace(
            row,
            state=State.INTENT,
            training_file_id=training_id,
            validation_file_id=validation_id,
        ),
        "files_gone",
    )


def with_job(row: LedgerRow, status: JobStatus) -> LedgerRow:
    """Return the row of a job that is known to be at the provider."""
    return replace(
        row,
        state=State.JOB_CREATED,
        job_id=status.job_id,
        training_file_id=row.training_file_id or status.training_file_id,
        validation_file_id=row.validation_file_id or status.validation_file_id,
        is_upload_in_doubt=False,
        in_doubt_until=None,
        parked_reason=None,
        outcome=status.state,
    )


def park(row: LedgerRow, reason: str, ledger: Ledger) -> NoReturn:
    """Let the job wait for a person.

    Raises:
        AmbiguousJobError: always; says what is ambiguous and which command settles it.
    """
    ledger.save(replace(row, parked_reason=reason), "parked")
    raise AmbiguousJobError(reason)
