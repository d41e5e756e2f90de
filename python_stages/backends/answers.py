"""Reading what a provider answers: ids, numbers and known words; of its prose nothing.

A host that is only nearly compatible may leave out anything but the id.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from python_stages.backends.asking import error_code
from python_stages.backends.base import (
    METADATA_KEY,
    JobEvent,
    JobState,
    JobStatus,
    RemoteFile,
    UnknownOutcomeError,
)

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,255}")
_ENDS: Final[dict[str, JobState]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
_PHASES: Final = frozenset({"validating_files", "queued", "running", "paused", *_ENDS})
# Words that more than one host has for the same.
_COMMON_PHASES: Final = {"canceled": "cancelled", "pending": "queued", "created": "queued"}
_LEVELS: Final = frozenset({"info", "warn", "error"})
_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
# Step 12/300: training loss=1.10, validation loss=1.23 (https://developers.openai.com/api/docs/
# guides/supervised-fine-tuning, events of a job; read November 2026)
_STEP: Final = re.compile(r"Step (\d{1,12})(?:/(\d{1,12}))?\b")
_TRAIN_LOSS: Final = re.compile(rf"\btraining loss=(?:{_NUMBER})")
_VALID_LOSS: Final = re.compile(rf"(?<!full )\bvalidation loss=(?:{_NUMBER})")
_CHECKPOINT: Final = re.compile(r"Checkpoint created\b", re.IGNORECASE)


def identifier(value: object) -> str:
    """Return an id or model name, refusing what could be anything else: it goes into the ledger."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise UnknownOutcomeError("the provider answered without a proper id: check base_url")
    return value


def remote_file(file: Any) -> RemoteFile:
    """Read a file."""
    file_id = identifier(getattr(file, "id", None))
    n_bytes = getattr(file, "bytes", None)
    return RemoteFile(file_id, str(file.filename), n_bytes if isinstance(n_bytes, int) else None)


def job_status(job: Any, phases: Mapping[str, str]) -> JobStatus:
    """Read a job.

    Args:
        job: the client's object.
        phases: this host's words for where a job stands -> ours.
    """
    word = str(getattr(job, "status", "")).lower()
    phase = phases.get(word) or _COMMON_PHASES.get(word, word)
    phase = phase if phase in _PHASES else "running"
    error = getattr(job, "error", None)
    n_tokens = getattr(job, "trained_tokens", None)
    results = getattr(job, "result_files", None) or ()
    return JobStatus(
        job_id=identifier(getattr(job, "id", None)),
        state=_ENDS.get(phase, "running"),
        key=(getattr(job, "metadata", None) or {}).get(METADATA_KEY),
        training_file_id=_optional_identifier(job, "training_file"),
        validation_file_id=_optional_identifier(job, "validation_file"),
        fine_tuned_model=_optional_identifier(job, "fine_tuned_model"),
        n_trained_tokens=n_tokens if isinstance(n_tokens, int) else None,
        error_code=error_code(getattr(error, "code", None)),
        phase=phase,
        estimated_finish=_time(getattr(job, "estimated_finish", None)),
        result_file_ids=tuple(identifier(value) for value in results),
    )


def job_event(event: Any) -> JobEvent:
    """Read an event: its numbers from its data, else from the one message shape that has any."""
    message = str(getattr(event, "message", ""))
    found = getattr(event, "data", None)
    data: Mapping[str, object] = found if isinstance(found, Mapping) else {}
    said = _STEP.search(message)
    step = _count(data.get("step"), said and said[1])
    valid_loss = _first(data, "valid_loss", "full_valid_loss")
    is_metrics = getattr(event, "type", None) == "metrics" or step is not None
    kind = "checkpoint" if _CHECKPOINT.match(message) else "metrics" if is_metrics else "message"
    level = getattr(event, "level", None)
    return JobEvent(
        event_id=identifier(getattr(event, "id", None)),
        at=_time(getattr(event, "created_at", None)) or datetime.fromtimestamp(0, UTC),
        level=level if level in _LEVELS else "info",
        kind=kind,
        step=step,
        n_steps=_count(_first(data, "total_steps", "n_steps"), said and said[2]),
        train_loss=_loss(data.get("train_loss"), _TRAIN_LOSS.search(message)),
        valid_loss=_loss(valid_loss, _VALID_LOSS.search(message)),
    )


def _optional_identifier(thing: Any, name: str) -> str | None:
    value = getattr(thing, name, None)
    return identifier(value) if value else None


def _first(data: Mapping[str, object], *names: str) -> object:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _count(value: object, said: str | None) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(said) if said else None


def _loss(value: object, said: re.Match[str] | None) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    return float(said[1]) if said else None


def _time(value: object) -> datetime | None:
    """Return a Unix time in seconds as UTC; what is none, is None."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None
