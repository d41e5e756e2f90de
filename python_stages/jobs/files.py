"""The end of a job's files: nothing that was uploaded stays at the provider.

Every file under the job's names is deleted, late duplicates of an upload that seemed lost included,
and a deletion counts once the provider neither holds nor lists the file.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from python_stages.backends.base import Backend, RemoteFile
from python_stages.backends.settling import Settling
from python_stages.errors import BackendError
from python_stages.jobs.ledger import ENDED, UNFINISHED, Ledger, LedgerRow, State
from python_stages.jobs.recovery import find_files


def delete_files(row: LedgerRow, backend: Backend, settling: Settling) -> None:
    """Delete every file of a job at the provider, and see that they are gone.

    Raises:
        BackendError: the provider refused, or still holds or lists one.
    """
    names = [name for name in (row.training_file_name, row.validation_file_name) if name]
    if row.is_upload_in_doubt:
        # what was accepted without an answer may not be listed yet
        settling.look(_unknown_file(row, names, backend))
    known_ids = {row.training_file_id, row.validation_file_id} - {None}
    listed_ids = {file.file_id for name in names for file in find_files(name, backend)}
    file_ids = sorted({file_id for file_id in known_ids | listed_ids if file_id})
    for file_id in file_ids:
        backend.delete_file(file_id)

    def is_gone() -> bool:
        is_held = any(backend.has_file(file_id) for file_id in file_ids)
        return not is_held and not any(find_files(name, backend) for name in names)

    if not settling.wait_for(is_gone):
        raise BackendError("deleted files are still at the provider: build again later")


def clean_up(row: LedgerRow, backend: Backend, ledger: Ledger, settling: Settling) -> LedgerRow:
    """SUCCEEDED | FAILED | CANCELLED -> FILES_DELETED, verified; raises as `delete_files`."""
    if row.state not in ENDED:
        return row
    delete_files(row, backend, settling)
    return ledger.save(
        replace(row, state=State.FILES_DELETED, is_upload_in_doubt=False), "files_deleted"
    )


def withdraw(row: LedgerRow, backend: Backend, ledger: Ledger, settling: Settling) -> LedgerRow:
    """INTENT | FILE_UPLOADED -> INTENT without files; raises as `delete_files`.

    The next submission of this job uploads them anew.
    """
    if row.state not in UNFINISHED - {State.SUBMITTING}:
        return row
    delete_files(row, backend, settling)
    return ledger.save(without_files(row), "files_withdrawn")


def without_files(row: LedgerRow) -> LedgerRow:
    """Return the row as it is before anything was uploaded."""
    return replace(
        row,
        state=State.INTENT,
        training_file_id=None,
        validation_file_id=None,
        is_upload_in_doubt=False,
    )


def _unknown_file(
    row: LedgerRow, names: list[str], backend: Backend
) -> Callable[[], tuple[RemoteFile, ...]]:
    """Return what looks for files of a job that its row does not know."""

    def find(known_ids: set[str | None]) -> tuple[RemoteFile, ...]:
        listed = (file for name in names for file in find_files(name, backend))
        return tuple(file for file in listed if file.file_id not in known_ids)

    return partial(find, {row.training_file_id, row.validation_file_id})
