"""/v1/fine_tuning/jobs: create, list, retrieve, cancel, pause, resume, events, checkpoints."""

import json
import re
import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from python_stages.backends.local.answers import (
    Checkpoint,
    Event,
    Job,
    ListPage,
    page_of,
    shown_checkpoint,
    shown_event,
    shown_job,
)
from python_stages.backends.local.api_errors import ApiError, no_such_job
from python_stages.backends.local.deletion import event, now
from python_stages.backends.local.files import PURPOSE
from python_stages.backends.local.requests import MAX_SEED, CreateJob, Hyperparameters
from python_stages.backends.local.rows import (
    UNFINISHED,
    CheckpointRow,
    EventRow,
    FileRow,
    JobPhase,
    JobRow,
    ModelRow,
    new_id,
)
from python_stages.backends.local.service import Service, Serviced
from python_stages.backends.local.store import Page
from python_stages.errors import ConfigError

_FILTER: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "required": False,
            "style": "deepObject",
            "explode": True,
            "description": "Only jobs whose metadata holds these pairs: metadata[name]=value.",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}
_PAIR: Final = re.compile(r"metadata\[([^\[\]]{1,64})\]")

Limit = Annotated[int, Query(ge=1, le=100)]
After = Annotated[str | None, Query(max_length=64)]

router = APIRouter(prefix="/v1/fine_tuning/jobs", tags=["fine-tuning"])


@router.post("")
def create_job(wanted: CreateJob, service: Serviced) -> Job:
    """Create a fine-tuning job; its files are validated before it waits for its turn.

    `model` is a base, or a tuned model whose weights it then begins with. `privacy` is an
    extension: with it the model is trained with differential privacy.
    """
    base = _base(service, wanted)
    _check_file(service, wanted.training_file, "training_file")
    if wanted.validation_file is not None:
        _check_file(service, wanted.validation_file, "validation_file")
    seed = secrets.randbelow(MAX_SEED) if wanted.seed is None else wanted.seed
    row = JobRow(
        job_id=new_id("ftjob"),
        phase="validating_files",
        created_at=now(),
        model=wanted.model,
        training_file=wanted.training_file,
        validation_file=wanted.validation_file,
        seed=seed,
        suffix=wanted.suffix,
        metadata=wanted.metadata,
        settings=_settings(wanted, base, seed),
    )
    try:
        service.trainer.check(row.settings)
    except ConfigError as error:
        raise ApiError(400, str(error), param="method", code="invalid_value") from None
    service.store.insert(row, event(row.job_id, f"Created fine-tuning job: {row.job_id}"))
    service.jobs.wake()
    return shown_job(row)


@router.get("", openapi_extra=_FILTER)
def list_jobs(
    request: Request, service: Serviced, limit: Limit = 20, after: After = None
) -> ListPage[Job]:
    """List the jobs, newest first."""
    wanted = _metadata_filter(request.query_params.multi_items())
    if not wanted:
        rows = service.store.page(JobRow, Page(limit, after))
        return ListPage[Job](**page_of([shown_job(row) for row in rows], limit))
    # Metadata is encrypted at rest, hence looked through here.
    matching = [
        row
        for row in reversed(service.store.select(JobRow))
        if wanted.items() <= dict(row.metadata or {}).items()
    ]
    ids = [row.job_id for row in matching]
    if after is not None and after not in ids:
        raise ApiError(400, "There is no job of the id in after: start anew.", param="after")
    start = 0 if after is None else ids.index(after) + 1
    rows = matching[start : start + limit + 1]
    return ListPage[Job](**page_of([shown_job(row) for row in rows], limit))


@router.get("/{job_id}")
def retrieve_job(job_id: str, service: Serviced) -> Job:
    """Return a job as it stands."""
    return shown_job(_job(service, job_id))


@router.post("/{job_id}/cancel")
def cancel_job(job_id: str, service: Serviced) -> Job:
    """Cancel a job; its checkpoints are deleted."""
    return _moved(service, job_id, UNFINISHED, "cancelled")


@router.post("/{job_id}/pause")
def pause_job(job_id: str, service: Serviced) -> Job:
    """Pause a job; it keeps its last checkpoint."""
    return _moved(service, job_id, ("queued", "running"), "paused")


@router.post("/{job_id}/resume")
def resume_job(job_id: str, service: Serviced) -> Job:
    """Resume a paused job where it was."""
    return _moved(service, job_id, ("paused",), "queued")


@router.get("/{job_id}/events")
def list_events(
    job_id: str, service: Serviced, limit: Limit = 20, after: After = None
) -> ListPage[Event]:
    """List what happened to a job, newest first."""
    _job(service, job_id)
    rows = service.store.page(EventRow, Page(limit, after), "job_id = ?", job_id)
    return ListPage[Event](**page_of([shown_event(row) for row in rows], limit))


@router.get("/{job_id}/checkpoints")
def list_checkpoints(
    job_id: str, service: Serviced, limit: Limit = 10, after: After = None
) -> ListPage[Checkpoint]:
    """List the checkpoints that can be asked as models, newest first."""
    _job(service, job_id)
    rows = service.store.page(CheckpointRow, Page(limit, after), "job_id = ?", job_id)
    return ListPage[Checkpoint](**page_of([shown_checkpoint(row) for row in rows], limit))


def _metadata_filter(query: list[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs of metadata that a query asks for."""
    wanted: dict[str, str] = {}
    for name, value in query:
        if not name.startswith("metadata"):
            continue
        pair = _PAIR.fullmatch(name)
        if pair is None or pair[1] in wanted:
            message = "Invalid value for 'metadata': write metadata[name]=value, each name once."
            raise ApiError(400, message, param="metadata", code="invalid_value")
        wanted[pair[1]] = value
    return wanted


def _job(service: Service, job_id: str) -> JobRow:
    row = service.store.get(JobRow, job_id)
    if row is None:
        raise no_such_job(job_id)
    return row


def _moved(service: Service, job_id: str, was: tuple[JobPhase, ...], to: JobPhase) -> Job:
    """Bring a job into another phase, and write down that it was asked for."""
    known = _job(service, job_id)
    ended = {"finished_at": now()} if to == "cancelled" else {}
    row = service.store.move(job_id, was=was, to=to, **ended)
    if row is None:
        what = "has ended already" if known.is_ended else f"is {known.phase}"
        message = f"The job {what}: it cannot become {to}."
        raise ApiError(400, message, param="fine_tune_id", code="invalid_job_state")
    service.store.insert(event(job_id, f"The job is {to}, as was asked."))
    service.jobs.wake()
    return shown_job(row)


def _base(service: Service, wanted: CreateJob) -> str:
    """Return the base of a job: the one that is named, or that of the tuned model."""
    if wanted.model in service.trainer.base_models():
        return wanted.model
    model = service.store.get(ModelRow, wanted.model)
    job = None if model is None else service.store.get(JobRow, model.job_id)
    if job is None:
        message = "The model is not available for fine-tuning: GET /v1/models lists those that are."
        raise ApiError(400, message, param="model", code="model_not_available")
    if wanted.privacy is not None:
        message = (
            "A model that goes on from a tuned one loses the privacy of both trainings, and "
            "epsilon would name a part of it: begin with a base."
        )
        raise ApiError(400, message, param="privacy", code="invalid_value")
    return job.base


def _check_file(service: Service, file_id: str, param: str) -> None:
    row = service.store.get(FileRow, file_id)
    if row is None or (row.expires_at is not None and row.expires_at <= now()):
        message = f"There is no file of the id in '{param}': upload it first."
        raise ApiError(400, message, param=param, code="invalid_file_id")
    if row.purpose != PURPOSE:
        message = f"The file of the id in '{param}' was not uploaded for fine-tuning."
        raise ApiError(400, message, param=param, code="invalid_file_purpose")


def _settings(wanted: CreateJob, base: str, seed: int) -> dict[str, Any]:
    """Return the trainer's settings; what is left to it is left out."""
    method = wanted.method.supervised if wanted.method is not None else None
    chosen = (method.hyperparameters if method is not None else None) or wanted.hyperparameters
    values: dict[str, Any] = {"preset": base, "seed": seed}
    values |= (chosen or Hyperparameters()).model_dump()
    if wanted.privacy is not None:
        values |= wanted.privacy.model_dump()
    # JSON, because that is what the trainer reads them from.
    known: dict[str, Any] = json.loads(json.dumps(values))
    return {name: value for name, value in known.items() if value not in (None, "auto")}
