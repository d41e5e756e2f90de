"""The jobs that wait: validated one after another, then trained by one worker process each.

Two threads of the server look at the state file: one validates new jobs, one starts a worker for
the oldest queued job, watches it, and settles what it left. A worker dies with the server (the pipe
to its stdin closes), and a job that is found running at the start is queued again: the worker goes
on from the job's last checkpoint. Whatever is killed when, a job has one row, one worker, one end.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from python_stages.backends.local.blobs import Blobs
from python_stages.backends.local.deletion import (
    FILES,
    delete_expired_files,
    event,
    fail_job,
    remove_leftovers,
)
from python_stages.backends.local.places import Places
from python_stages.backends.local.rows import FileRow, JobRow
from python_stages.backends.local.store import Store
from python_stages.backends.local.surroundings import child_environment
from python_stages.backends.local.training_file import Problem, find_problem
from python_stages.errors import SealtuneError

MAX_CRASHES: Final = 3

_TICK_SECONDS: Final = 0.2
_IDLE_TICK_SECONDS: Final = 2.0
_CLOSE_SECONDS: Final = 5.0
# A worker that is asked to stop does so between two steps; one that does not is killed.
_STOP_SECONDS: Final = 30.0
_MODULE: Final = "python_stages.backends.local.worker"


@dataclass(slots=True)
class _Work:
    """A worker process and the job it is for."""

    job_id: str
    attempt: int
    process: subprocess.Popen[bytes]
    unwanted_since: float | None = None


class JobQueue:
    """The queue of one server.

    Args:
        places: where the worker finds everything.
        store: what is known.
        blobs: what is stored.
        trainer: module of the trainer, which the worker imports.
    """

    def __init__(self, places: Places, store: Store, blobs: Blobs, trainer: str) -> None:
        self._places = places
        self._store = store
        self._blobs = blobs
        self._trainer = trainer
        self._work: _Work | None = None
        self._is_closing = threading.Event()
        self._has_news = threading.Event()
        self._has_new_jobs = threading.Event()
        self._threads = [
            threading.Thread(target=self._forever, args=one, daemon=True)
            for one in ((self._validate, self._has_new_jobs), (self._run, self._has_news))
        ]

    def start(self) -> None:
        """Clear away what a killed server left, queue its running jobs again, and begin."""
        for job in self._store.select(JobRow, "phase = 'running'"):
            self._store.move(job.job_id, was=("running",), to="queued")
            note = "The server was restarted; the job goes on from its last checkpoint."
            self._store.insert(event(job.job_id, note, "warn"))
        delete_expired_files(self._store, self._blobs)
        remove_leftovers(self._store, self._blobs)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop; a running job is taken up again by the next server."""
        self._is_closing.set()
        self.wake()
        for thread in self._threads:
            # One that is in the middle of a large file leaves nothing behind.
            thread.join(_CLOSE_SECONDS)
        if self._work is not None:
            _end(self._work.process)

    def wake(self) -> None:
        """Look again now: something has changed."""
        self._has_news.set()
        self._has_new_jobs.set()

    def _forever(self, step: Callable[[], bool], news: threading.Event) -> None:
        """Take steps until the server closes, more often while there is something to do."""
        while not self._is_closing.is_set():
            news.clear()
            try:
                is_busy = step()
            except Exception:  # noqa: BLE001 - a queue that ended here would be silence for ever
                is_busy = False  # the disk may be full for a while; the next look tries again
            news.wait(_TICK_SECONDS if is_busy else _IDLE_TICK_SECONDS)

    def _validate(self) -> bool:
        """Validate the oldest new job; return whether there was one."""
        waiting = self._store.select(JobRow, "phase = 'validating_files'")
        if not waiting:
            return False
        job = waiting[0]
        try:
            problem, param = self._problem(job)
        except SealtuneError as error:
            problem, param = Problem("invalid_training_file", str(error)), "training_file"
        except Exception as error:  # noqa: BLE001 - its text may quote a row
            message = f"The files could not be read: {type(error).__name__}."
            problem, param = Problem("server_error", message), None
        if problem is not None:
            fail_job(
                self._store, job.job_id, code=problem.code, message=problem.message, param=param
            )
        elif self._store.move(job.job_id, was=("validating_files",), to="queued") is not None:
            note = "Files validated, moving job to queued state"
            self._store.insert(event(job.job_id, note))
            self._has_news.set()
        return True

    def _problem(self, job: JobRow) -> tuple[Problem | None, str | None]:
        """Return the first problem of a job's files, and the parameter that named the file."""
        for param, file_id in (
            ("training_file", job.training_file),
            ("validation_file", job.validation_file),
        ):
            if file_id is None:
                continue
            if self._store.get(FileRow, file_id) is None:
                return Problem("file_deleted", "A file of the job is gone."), param
            lines = self._blobs.lines(FILES, file_id)
            problem = find_problem(lines, is_training=param == "training_file")
            if problem is not None:
                return problem, param
        return None, None

    def _run(self) -> bool:
        """Watch the worker, or start the next; return whether there is one."""
        delete_expired_files(self._store, self._blobs)
        if self._work is not None and not self._watch(self._work):
            self._work = None
        self._drop_weights_of_dead_jobs()
        if self._work is None:
            queued = self._store.select(JobRow, "phase = 'queued'")
            if queued:
                self._work = self._begin(queued[0])
        return self._work is not None

    def _begin(self, queued: JobRow) -> _Work | None:
        attempt = queued.attempt + 1
        job = self._store.move(queued.job_id, was=("queued",), to="running", attempt=attempt)
        if job is None:
            return None
        self._store.insert(event(job.job_id, "Fine-tuning job started"))
        arguments = [job.job_id, str(attempt), str(self._places.vault), str(self._places.keys)]
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module, ids and paths of our own
                [sys.executable, "-m", _MODULE, *arguments, self._trainer],
                stdin=subprocess.PIPE,  # never written to: its end says that the server is gone
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a traceback may quote a row
                env=child_environment(),
            )
        except OSError:  # no memory, or too many processes
            self._begin_anew(job)
            return None
        return _Work(job.job_id, attempt, process)

    def _watch(self, work: _Work) -> bool:
        """Return whether a worker is still at work; settle its job where it is not."""
        has_ended = work.process.poll() is not None
        # Looked up afterwards: what a worker that has ended wrote is there to be seen.
        job = self._store.get(JobRow, work.job_id)
        if not has_ended:
            if job is None or job.phase != "running":
                work.unwanted_since = work.unwanted_since or time.monotonic()
                if time.monotonic() - work.unwanted_since > _STOP_SECONDS:
                    _end(work.process)
            return True
        _end(work.process)
        if job is not None and job.phase == "running" and job.attempt == work.attempt:
            self._begin_anew(job)
        return False

    def _begin_anew(self, job: JobRow) -> None:
        """Queue a job again whose worker is gone, unless that has happened too often."""
        if job.n_crashes + 1 >= MAX_CRASHES:
            message = f"The worker process ended unexpectedly {MAX_CRASHES} times."
            fail_job(self._store, job.job_id, code="server_error", message=message, param=None)
            return
        n_crashes = job.n_crashes + 1
        moved = self._store.move(job.job_id, was=("running",), to="queued", n_crashes=n_crashes)
        if moved is not None:
            note = (
                "The worker process ended unexpectedly; the job goes on from its last checkpoint."
            )
            self._store.insert(event(job.job_id, note, "warn"))

    def _drop_weights_of_dead_jobs(self) -> None:
        """Delete the checkpoints of failed and cancelled jobs, once their worker is gone."""
        at_work = {self._work.job_id} if self._work is not None else set()
        dead = self._store.ids(JobRow, "phase in ('failed', 'cancelled')")
        for folder in dead.intersection(self._blobs.folders()) - at_work:
            self._blobs.delete_folder(folder)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a worker: its pipe closes, and it is killed at once; its checkpoints are whole or not."""
    process.kill()
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
