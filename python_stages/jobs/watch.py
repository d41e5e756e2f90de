"""Following a job: its events and its phase, from the first to the last.

Nothing is remembered between two watches: the provider's events tell the whole story again.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from python_stages.backends.base import Backend, JobEvent, JobState, JobStatus
from python_stages.errors import BackendError
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.recovery import short

POLL_SECONDS: Final = 5.0

# Where something has just happened, the next thing may be near.
_FIRST_POLL_SECONDS: Final = 0.2
_POLL_GROWTH: Final = 1.5

# A rate is taken over so many steps, so that a slow start is forgotten.
_N_RATE_POINTS: Final = 20
_PATIENCE_SECONDS: Final = 600.0
# More lines than this about the steps of one job would be noise.
_N_STEP_LINES: Final = 10
_SECONDS_A_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Pace:
    """How a job is followed.

    Args:
        every_seconds: longest wait between two questions to the provider; shorter after a change.
        timeout_seconds: longest time to follow, or None to follow to the end.
        clock: monotonic time in seconds.
        sleep: waits so many seconds.
    """

    every_seconds: float = POLL_SECONDS
    timeout_seconds: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come.

    Args:
        at: when that was so, UTC.
        phase: the provider's word, see `JobStatus.phase`; empty before it is known.
        state: running, or how it ended.
        step: training steps done, or None before the first.
        n_steps: steps of the whole job, or None.
        train_loss: loss on the last training batch, or None.
        valid_loss: last loss on validation examples, or None.
        finish: when it is expected to end, UTC, or None.
        level: of the last event: info, warn or error.
        fine_tuned_model: name of the result, once there is one.
        error_code: the provider's code of a failure, or None.
        is_answering: whether the provider answered when it was last asked.
    """

    at: datetime
    phase: str = ""
    state: JobState = "running"
    step: int | None = None
    n_steps: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    finish: datetime | None = None
    level: str = "info"
    fine_tuned_model: str | None = None
    error_code: str | None = None
    is_answering: bool = True


def follow(row: LedgerRow, backend: Backend, pace: Pace | None = None) -> Iterator[Progress]:
    """Yield a job's progress at every change, from its first event until it has ended.

    Args:
        row: a job that has an id at the provider.
        backend: the provider.
        pace: how often to ask, and for how long.

    Raises:
        BackendError: the job did not end in time, or the provider did not answer for ten minutes;
            the job goes on in both cases.
    """
    pace = pace or Pace()
    story = _Story(row.job_id or "", backend)
    begin = answered_at = pace.clock()
    wait = _FIRST_POLL_SECONDS
    while True:
        before = story.progress
        try:
            yield from story.go_on()
        except BackendError:
            has_answered = bool(story.progress.phase)
            if not has_answered or pace.clock() - answered_at > _PATIENCE_SECONDS:
                raise
            yield from story.fall_silent()
        else:
            answered_at = pace.clock()
        if story.progress.state != "running":
            return
        if pace.timeout_seconds is not None and pace.clock() - begin >= pace.timeout_seconds:
            raise BackendError(
                f"the job had not ended after {pace.timeout_seconds:,.0f} s and goes on: follow "
                f"it with `sealtune watch {short(row.key)}`, or build again to wait once more"
            )
        wait = _FIRST_POLL_SECONDS if story.progress != before else wait * _POLL_GROWTH
        pace.sleep(min(wait, pace.every_seconds))


class _Story:
    """What a job's events and status have told so far."""

    def __init__(self, job_id: str, backend: Backend) -> None:
        self._job_id = job_id
        self._backend = backend
        self._last_event_id: str | None = None
        self._points: list[tuple[datetime, int]] = []
        self.progress = Progress(datetime.now(UTC))

    def go_on(self) -> Iterator[Progress]:
        """Ask once, and yield every change.

        Raises:
            BackendError: the provider does not tell the job's status.
        """
        # the status first: the events that are read behind an end are all there are
        status = self._backend.status(self._job_id)
        for event in self._events():
            self._last_event_id = event.event_id
            if event.step is not None:
                self._points = [*self._points, (event.at, event.step)][-_N_RATE_POINTS:]
            finish = status.estimated_finish or _expected_finish(self._points, event.n_steps)
            self.progress = _with_event(self.progress, event, finish)
            yield self.progress
        now = _with_status(self.progress, status)
        if now != replace(self.progress, at=now.at):
            self.progress = now
            yield now

    def fall_silent(self) -> Iterator[Progress]:
        """Note that there was no answer, and yield that once."""
        if self.progress.is_answering:
            self.progress = replace(self.progress, at=datetime.now(UTC), is_answering=False)
            yield self.progress

    def _events(self) -> tuple[JobEvent, ...]:
        """Return the new events; none from a host that offers no events."""
        try:
            return self._backend.events(self._job_id, self._last_event_id)
        except BackendError:
            return ()


def lines(progresses: Iterator[Progress]) -> Iterator[tuple[Progress, str]]:
    """Yield progress with a line for a log, where there is something new to say."""
    before = Progress(datetime.now(UTC))
    for progress in progresses:
        parts = list(_news(before, progress))
        before = progress
        if parts:
            yield progress, f"{progress.at:%Y-%m-%d %H:%M:%S}Z  {', '.join(parts)}"


def time_left(progress: Progress, now: datetime) -> str | None:
    """Return the time that is left as a person reads it, or None where it is not known."""
    if progress.finish is None or progress.state != "running":
        return None
    minutes, seconds = divmod(max(0, round((progress.finish - now).total_seconds())), 60)
    return f"{minutes} min" if minutes >= 2 else f"{minutes * _SECONDS_A_MINUTE + seconds} s"  # noqa: PLR2004 - below two minutes, seconds say more


def _news(before: Progress, now: Progress) -> Iterator[str]:
    if now.is_answering != before.is_answering:
        yield (
            "the provider answers again"
            if now.is_answering
            else "the provider does not answer; asking again"
        )
    if now.level not in {before.level, "info"}:
        yield f"the provider reported a message of level {now.level}"
    if now.phase != before.phase:
        yield now.phase.replace("_", " ")
        if now.error_code:
            yield f"code {now.error_code}"
        if now.fine_tuned_model:
            yield f"model {now.fine_tuned_model}"
    if now.step != before.step and now.step is not None and _is_notable(before, now):
        yield f"step {now.step:,}" + (f" of {now.n_steps:,}" if now.n_steps else "")
        if now.train_loss is not None:
            yield f"train loss {now.train_loss:.4f}"
        if now.valid_loss is not None:
            yield f"valid loss {now.valid_loss:.4f}"
        left = time_left(now, now.at)
        if left is not None:
            yield f"about {left} left"


def _is_notable(before: Progress, now: Progress) -> bool:
    """Say whether a step is the first, the last, or begins another tenth of the way."""
    step, n_steps = now.step or 0, now.n_steps or 0
    if before.step is None or step == n_steps:
        return True
    every = max(1, -(-n_steps // _N_STEP_LINES))
    return step // every != before.step // every


def _with_event(before: Progress, event: JobEvent, finish: datetime | None) -> Progress:
    return replace(
        before,
        at=event.at,
        step=before.step if event.step is None else event.step,
        n_steps=event.n_steps or before.n_steps,
        train_loss=before.train_loss if event.train_loss is None else event.train_loss,
        valid_loss=before.valid_loss if event.valid_loss is None else event.valid_loss,
        finish=finish or before.finish,
        level=event.level,
        is_answering=True,
    )


def _with_status(before: Progress, status: JobStatus) -> Progress:
    return replace(
        before,
        at=datetime.now(UTC),
        phase=status.phase,
        state=status.state,
        finish=status.estimated_finish or before.finish,
        fine_tuned_model=status.fine_tuned_model,
        error_code=status.error_code,
        is_answering=True,
    )


def _expected_finish(points: list[tuple[datetime, int]], n_steps: int | None) -> datetime | None:
    """Return when the last step is done if the steps go on at their pace, or None."""
    if not points or n_steps is None:
        return None
    (first_at, first), (last_at, last) = points[0], points[-1]
    seconds = (last_at - first_at).total_seconds()
    if last <= first or seconds <= 0:
        return None
    return last_at + timedelta(seconds=(n_steps - last) * seconds / (last - first))
