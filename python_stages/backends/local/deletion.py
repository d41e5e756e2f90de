"""Deleting: everything that is deleted goes with its copies, and what a crash left over goes too.

A row is removed before its blob: a process that dies in between leaves a blob that nobody can ask
for, which `remove_leftovers` deletes at the next start.
"""

import time

from python_stages.backends.local.blobs import Blobs
from python_stages.backends.local.rows import (
    UNFINISHED,
    CheckpointRow,
    EventLevel,
    EventRow,
    FileRow,
    JobRow,
    ModelRow,
    new_id,
)
from python_stages.backends.local.store import Store

FILES = "files"


def now() -> int:
    """Return the time in Unix seconds."""
    return int(time.time())


def event(job_id: str, message: str, level: EventLevel = "info") -> EventRow:
    """Return an event that is a sentence."""
    return EventRow(
        event_id=new_id("ftevent"),
        job_id=job_id,
        created_at=now(),
        level=level,
        message=message,
    )


def fail_job(store: Store, job_id: str, *, code: str, message: str, param: str | None) -> None:
    """End an unfinished job with an error; one that has ended is left as it is."""
    moved = store.move(
        job_id,
        was=UNFINISHED,
        to="failed",
        finished_at=now(),
        error_code=code,
        error_message=message,
        error_param=param,
    )
    if moved is not None:
        store.insert(event(job_id, f"The job failed ({code}): {message}", "error"))


def delete_file(store: Store, blobs: Blobs, file_id: str) -> None:
    """Delete a file, and end the jobs that would still need it: they must not learn from it."""
    for param in ("training_file", "validation_file"):
        for job in store.select(JobRow, f"{param} = ?", file_id):
            fail_job(
                store,
                job.job_id,
                code="file_deleted",
                message="A file of the job was deleted, or expired, before the job had ended.",
                param=param,
            )
    store.delete(FileRow, "file_id = ?", file_id)
    blobs.delete(FILES, file_id)


def delete_expired_files(store: Store, blobs: Blobs) -> None:
    """Delete the files whose time is over."""
    for row in store.select(FileRow, "expires_at <= ?", now()):
        delete_file(store, blobs, row.file_id)


def delete_model(store: Store, blobs: Blobs, model: ModelRow) -> tuple[str, ...]:
    """Delete a model with its weights; return the ids of the models that are gone.

    Deleting what a job ended with deletes all its checkpoints: they learned from the same rows.
    """
    job = store.get(JobRow, model.job_id)
    if job is None or job.fine_tuned_model == model.model_id:
        gone = store.select(ModelRow, "job_id = ?", model.job_id)
        store.delete(CheckpointRow, "job_id = ?", model.job_id)
        store.delete(ModelRow, "job_id = ?", model.job_id)
        blobs.delete_folder(model.job_id)
        return tuple(one.model_id for one in gone)
    store.delete(CheckpointRow, "model_id = ?", model.model_id)
    store.delete(ModelRow, "model_id = ?", model.model_id)
    delete_unpublished(store, blobs, model.job_id)
    return (model.model_id,)


def delete_unpublished(store: Store, blobs: Blobs, job_id: str) -> None:
    """Delete the blobs of a job that no model of it needs."""
    needed = {row.checkpoint for row in store.select(ModelRow, "job_id = ?", job_id)}
    for name in blobs.names(job_id):
        if name not in needed:
            blobs.delete(job_id, name)


def remove_leftovers(store: Store, blobs: Blobs) -> None:
    """Delete every blob that no row stands for; only for who holds the vault alone."""
    blobs.delete_drafts()
    known = {row.file_id for row in store.select(FileRow)}
    for name in blobs.names(FILES):
        if name not in known:
            blobs.delete(FILES, name)
    jobs = {row.job_id: row for row in store.select(JobRow)}
    for folder in blobs.folders():
        if folder == FILES:
            continue
        job = jobs.get(folder)
        if job is None or job.phase in {"failed", "cancelled"}:
            blobs.delete_folder(folder)
        elif job.phase == "succeeded":
            delete_unpublished(store, blobs, folder)
