"""One job, in a process of its own: read the rows, train, store what came out.

    python -m python_stages.backends.local.worker JOB ATTEMPT VAULT KEYS TRAINER

Arguments name things and hold no secret. Rows are decrypted in memory and nowhere else. The end of
a job is one transaction: result file, models, checkpoints and phase are there together or not at
all, and only the attempt that the server started last can write it. What went wrong is told by type
and place: messages of libraries may quote a row.
"""

import fcntl
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from python_stages import keys
from python_stages.backends.local.blobs import Blobs, JobStorage, open_blobs
from python_stages.backends.local.deletion import (
    FILES,
    delete_unpublished,
    event,
    fail_job,
    now,
)
from python_stages.backends.local.places import Places
from python_stages.backends.local.rows import (
    CheckpointRow,
    EventRow,
    FileRow,
    JobRow,
    ModelRow,
    new_id,
    random_text,
)
from python_stages.backends.local.store import Store, open_store
from python_stages.backends.local.trainer import Trainer
from python_stages.errors import BackendError, SealtuneError
from python_stages.training.storage import Start

if TYPE_CHECKING:
    from python_stages.training import TrainEvent, TrainResult

RESULTS_PURPOSE: Final = "fine-tune-results"

_SAVE_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 0.2
_N_NAME_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a stored file; may be read more than once."""

    blobs: Blobs
    file_id: str

    def __iter__(self) -> Iterator[bytes]:
        return self.blobs.lines(FILES, self.file_id)


@dataclass(slots=True)
class Progress:
    """Writes a job's events, a few at a time: each write waits for the disk."""

    store: Store
    job_id: str
    _pending: list[EventRow] = field(default_factory=list)
    _saved_at: float = 0.0

    def on_event(self, told: "TrainEvent") -> None:
        """Take an event of the trainer."""
        if told.note is not None:
            self._pending.append(event(self.job_id, told.note))
            return
        self._pending.append(_metrics_event(self.job_id, told))
        if told.checkpoint is not None:
            note = f"Checkpoint created at step {told.step}"
            self._pending.append(event(self.job_id, note))
        if told.checkpoint is not None or time.monotonic() - self._saved_at > _SAVE_SECONDS:
            self.save()
            if told.eta_seconds is not None:
                finish = now() + round(told.eta_seconds)
                self.store.update_job(self.job_id, estimated_finish=finish)

    def save(self) -> None:
        """Write what is pending."""
        self.store.insert(*self._pending)
        self._pending.clear()
        self._saved_at = time.monotonic()


class Wishes:
    """What the server wants of this worker, looked up in the state file now and then."""

    def __init__(self, store: Store, job_id: str, attempt: int) -> None:
        self._store = store
        self._job_id = job_id
        self._attempt = attempt
        self._looked_at = 0.0
        self._wish: Literal["stop", "pause"] | None = None

    def should_stop(self) -> Literal["stop", "pause"] | None:
        """Return whether to stop, and whether to keep what was learned for later."""
        if self._wish is None and time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            job = self._store.get(JobRow, self._job_id)
            if job is None or job.is_ended or job.attempt != self._attempt:
                self._wish = "stop"
            elif job.phase != "running":
                self._wish = "pause"
        return self._wish


def work(
    job: JobRow, store: Store, blobs: Blobs, trainer: Trainer, *, is_still_mine: Wishes
) -> None:
    """Train a job and store its end, unless it was stopped."""
    progress = Progress(store, job.job_id)
    validation = None if job.validation_file is None else Lines(blobs, job.validation_file)
    storage = JobStorage(blobs, job.job_id)
    result = trainer.train(
        job.settings,
        Lines(blobs, job.training_file),
        validation,
        storage=storage,
        on_event=progress.on_event,
        should_stop=is_still_mine.should_stop,
        start=_start(job, store, blobs),
    )
    progress.save()
    if is_still_mine.should_stop() is None and result is not None:
        _store_result(job, store, blobs, trainer, result)


def _start(job: JobRow, store: Store, blobs: Blobs) -> Start | None:
    """Return the weights that a job begins with; None where it tunes a base.

    Raises:
        BackendError: the model was deleted since the job was made.
    """
    if job.model == job.base:
        return None
    model = store.get(ModelRow, job.model)
    if model is None:
        raise BackendError("the model that the job begins with was deleted: begin with a base")
    return Start(JobStorage(blobs, model.job_id), model.checkpoint)


def _store_result(
    job: JobRow, store: Store, blobs: Blobs, trainer: Trainer, result: "TrainResult"
) -> None:
    results = FileRow(
        file_id=new_id("file"),
        filename="step_metrics.csv",
        purpose=RESULTS_PURPOSE,
        n_bytes=len(result.metrics_csv),
        created_at=now(),
    )
    blobs.write(FILES, results.file_id, result.metrics_csv)
    model_id = f"ft:{job.base}:local:{job.suffix or ''}:{random_text(_N_NAME_CHARACTERS)}"
    models, checkpoints = _published(job.job_id, model_id, trainer, result)
    with store.connected() as connection:
        is_ended = store.move_in(
            connection,
            job.job_id,
            was=("running",),
            to="succeeded",
            if_attempt=job.attempt,
            finished_at=now(),
            fine_tuned_model=model_id,
            result_file=results.file_id,
            trained_tokens=result.n_trained_tokens,
            privacy=trainer.privacy_of(result),
        )
        if is_ended:
            done = (
                event(job.job_id, f"New fine-tuned model created: {model_id}"),
                event(job.job_id, "The job has successfully completed"),
            )
            store.insert_in(connection, (results, *models, *checkpoints, *done))
    if is_ended:
        delete_unpublished(store, blobs, job.job_id)
    else:
        blobs.delete(FILES, results.file_id)


def _published(
    job_id: str, model_id: str, trainer: Trainer, result: "TrainResult"
) -> tuple[list[ModelRow], list[CheckpointRow]]:
    """Return the models that a result publishes: its end, and the checkpoints on the way."""
    models, checkpoints = [], []
    for one in trainer.checkpoints(result):
        name = model_id if one.is_final else f"{model_id}:ckpt-step-{one.step}"
        models.append(ModelRow(model_id=name, job_id=job_id, created_at=now(), checkpoint=one.name))
        checkpoints.append(
            CheckpointRow(
                checkpoint_id=new_id("ftckpt"),
                job_id=job_id,
                created_at=now(),
                step=one.step,
                model_id=name,
                metrics=one.metrics,
            )
        )
    return models, checkpoints


def _metrics_event(job_id: str, told: "TrainEvent") -> EventRow:
    known = {
        "train_loss": told.train_loss,
        "valid_loss": told.valid_loss,
        "valid_mean_token_accuracy": told.valid_token_accuracy,
    }
    metrics: dict[str, float | int] = {"step": told.step, "total_steps": told.n_steps}
    metrics |= {name: value for name, value in known.items() if value is not None}
    shown = {"train_loss": "training loss", "valid_loss": "validation loss"}
    losses = ", ".join(
        f"{label}={metrics[name]:.4f}" for name, label in shown.items() if name in metrics
    )
    message = f"Step {told.step}/{told.n_steps}" + (f": {losses}" if losses else "")
    return EventRow(
        event_id=new_id("ftevent"),
        job_id=job_id,
        created_at=now(),
        level="info",
        message=message,
        metrics=metrics,
    )


def _place_of(error: BaseException) -> str:
    """Return where in this program an error arose; never what it says."""
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if "python_stages" in one.filename
    ]
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def _die_with_the_server() -> None:
    """End this process when the pipe from the server closes."""
    # Not sys.stdin, whose lock a thread may not hold while the interpreter ends.
    os.read(0, 1)
    os._exit(1)


def main(arguments: list[str]) -> int:
    """Work on one job; return the exit code."""
    job_id, attempt, vault, key_folder, module = arguments
    threading.Thread(target=_die_with_the_server, daemon=True).start()
    places = Places(Path(vault), Path(key_folder))
    ring = keys.load(places.keys)
    store, blobs = open_store(places.state, ring), open_blobs(places.blobs, ring)
    job = store.get(JobRow, job_id)
    if job is None or job.attempt != int(attempt):
        return 1
    # A worker of a server that was killed may still be about to die.
    lock = os.open(places.folder / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    wishes = Wishes(store, job_id, int(attempt))
    try:
        work(job, store, blobs, Trainer(module), is_still_mine=wishes)
    except SealtuneError as error:
        told, code = str(error), "training_failed"
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote a row
        told, code = f"The training failed with {_place_of(error)}.", "server_error"
    else:
        return 0
    if wishes.should_stop() is None:
        fail_job(store, job_id, code=code, message=told, param=None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
