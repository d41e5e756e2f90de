"""What the server answers, in the shapes of the OpenAI API."""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from python_stages.backends.local.rows import CheckpointRow, EventRow, FileRow, JobRow, ModelRow

_Item = TypeVar("_Item")


class Error(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """An answer that is no success."""

    error: Error


class File(BaseModel):
    """A stored file."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    status_details: None = None


class Deleted(BaseModel):
    """Something that is gone."""

    id: str
    object: str
    deleted: Literal[True] = True


class ListPage(BaseModel, Generic[_Item]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[_Item]
    has_more: bool
    first_id: str | None
    last_id: str | None


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    message: str
    param: str | None


class Job(BaseModel):
    """A fine-tuning job; `privacy` is an extension: what the guarantee is, once it holds."""

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    error: JobError | None
    fine_tuned_model: str | None
    finished_at: int | None
    hyperparameters: dict[str, Any]
    model: str
    organization_id: Literal["local"] = "local"
    result_files: list[str]
    seed: int
    status: str
    trained_tokens: int | None
    training_file: str
    validation_file: str | None
    estimated_finish: int | None
    integrations: list[Any]
    metadata: dict[str, str] | None
    method: dict[str, Any]
    user_provided_suffix: str | None
    privacy: dict[str, Any] | None


class Event(BaseModel):
    """Something that happened to a job."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Any]


class Checkpoint(BaseModel):
    """A checkpoint that can be asked as a model."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    metrics: dict[str, Any]
    step_number: int


class Model(BaseModel):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    """Every model; the API knows no pages of them."""

    object: Literal["list"] = "list"
    data: list[Model]


def page_of(items: list[Any], limit: int) -> dict[str, Any]:
    """Return a page of up to `limit` of the `limit` + 1 items that were looked up."""
    shown = items[:limit]
    return {
        "data": shown,
        "has_more": len(items) > limit,
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }


def shown_file(row: FileRow) -> File:
    """Return a file as the API shows it."""
    return File(
        id=row.file_id,
        bytes=row.n_bytes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        filename=row.filename,
        purpose=row.purpose,
    )


def shown_job(row: JobRow) -> Job:
    """Return a job as the API shows it."""
    names = ("n_epochs", "batch_size", "learning_rate_multiplier")
    chosen = {
        name: "auto" if row.settings.get(name) is None else row.settings[name] for name in names
    }
    return Job(
        id=row.job_id,
        created_at=row.created_at,
        error=(
            None
            if row.error_code is None
            else JobError(
                code=row.error_code, message=row.error_message or "", param=row.error_param
            )
        ),
        fine_tuned_model=row.fine_tuned_model,
        finished_at=row.finished_at,
        hyperparameters=chosen,
        model=row.model,
        result_files=[] if row.result_file is None else [row.result_file],
        seed=row.seed,
        status=row.phase,
        trained_tokens=row.trained_tokens,
        training_file=row.training_file,
        validation_file=row.validation_file,
        estimated_finish=row.estimated_finish if row.phase == "running" else None,
        integrations=[],
        metadata=None if row.metadata is None else dict(row.metadata),
        method={"type": "supervised", "supervised": {"hyperparameters": chosen}},
        user_provided_suffix=row.suffix,
        privacy=None if row.privacy is None else dict(row.privacy),
    )


def shown_event(row: EventRow) -> Event:
    """Return an event as the API shows it."""
    return Event(
        id=row.event_id,
        created_at=row.created_at,
        level=row.level,
        message=row.message,
        type="message" if row.metrics is None else "metrics",
        data=dict(row.metrics or {}),
    )


def shown_checkpoint(row: CheckpointRow) -> Checkpoint:
    """Return a checkpoint as the API shows it."""
    return Checkpoint(
        id=row.checkpoint_id,
        created_at=row.created_at,
        fine_tuned_model_checkpoint=row.model_id,
        fine_tuning_job_id=row.job_id,
        metrics={**row.metrics, "step": row.step},
        step_number=row.step,
    )


def shown_model(row: ModelRow) -> Model:
    """Return a tuned model as the API shows it."""
    return Model(id=row.model_id, created=row.created_at, owned_by="local")


def shown_base(name: str) -> Model:
    """Return a size of model that can be tuned as the API shows it."""
    return Model(id=name, created=0, owned_by="sealtune")
