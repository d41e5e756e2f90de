"""What the local server knows of files, jobs, events, checkpoints and models."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

JobPhase = Literal[
    "validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"
]
EventLevel = Literal["info", "warn", "error"]
UNFINISHED: Final[tuple[JobPhase, ...]] = ("validating_files", "queued", "running", "paused")
# What is worth a process: a paused job waits for a person.
WAITING: Final[tuple[JobPhase, ...]] = ("validating_files", "queued", "running")

_ID_CHARACTERS: Final = string.ascii_letters + string.digits
_N_ID_CHARACTERS: Final = 24  # 142 bits: nobody guesses one


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A stored file; its content is the blob `files/<file_id>`. Times are Unix seconds."""

    file_id: str
    filename: str
    purpose: str
    n_bytes: int
    created_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job. `settings` are the trainer's; `privacy` is what its report says, once there is one.

    `attempt` counts the worker processes that it had; only the last one may say how it ended.
    """

    job_id: str
    phase: JobPhase
    created_at: int
    model: str
    training_file: str
    validation_file: str | None
    seed: int
    suffix: str | None = None
    metadata: Mapping[str, str] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    n_crashes: int = 0
    finished_at: int | None = None
    estimated_finish: int | None = None
    fine_tuned_model: str | None = None
    result_file: str | None = None
    trained_tokens: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_param: str | None = None
    privacy: Mapping[str, Any] | None = None

    @property
    def base(self) -> str:
        """The base that it tunes, or that the model was tuned from that it goes on from."""
        return str(self.settings["preset"])

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.phase not in UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Something that happened to a job; `metrics` are numbers, None for a plain message."""

    event_id: str
    job_id: str
    created_at: int
    level: EventLevel
    message: str
    metrics: Mapping[str, float | int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A published checkpoint, and the model that serves it."""

    checkpoint_id: str
    job_id: str
    created_at: int
    step: int
    model_id: str
    metrics: Mapping[str, float | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A tuned model: a checkpoint, by the trainer's name, in the blobs of its job."""

    model_id: str
    job_id: str
    created_at: int
    checkpoint: str


def new_id(prefix: str) -> str:
    """Return an id that nobody can guess, such as `file-…`."""
    return f"{prefix}-{random_text(_N_ID_CHARACTERS)}"


def random_text(n_characters: int) -> str:
    """Return random letters and digits."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(n_characters))
