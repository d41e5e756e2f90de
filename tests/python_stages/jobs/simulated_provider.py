"""A provider in memory, on a clock of its own, that goes wrong in every way that was asked for.

It is for schedules by the ten thousand; what the unmodified client makes of a real socket is tested
against loopback_api.py. It raises what that client raises: UnknownOutcomeError for a request that
creates and got no answer, 408, 409 or 5xx, BackendError for every other refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from python_stages.backends.base import (
    BackendIdentity,
    Content,
    JobEvent,
    JobSpec,
    JobStatus,
    RemoteFile,
    UnknownOutcomeError,
)
from python_stages.backends.settling import Settling
from python_stages.errors import BackendError

REQUEST_SECONDS = 0.1
TIMEOUT_SECONDS = 120.0
LATE_SECONDS = 10.0
JOB_SECONDS = 45.0

_Answer = TypeVar("_Answer")
Kind = Literal[
    "refused",
    "swallowed",
    "reset_before",
    "reset_after",
    "timeout",
    "late",
    "twice",
    "twice_unanswered",
]


@dataclass(frozen=True, slots=True)
class SimulatedFault:
    """One request that goes wrong: the `nth` of an operation, counted from 0.

    Kinds: `refused` answers `status` without an effect, `swallowed` after it (as a proxy may);
    `reset_*` drop the connection before or after the effect, `timeout` is silent after it, `late`
    has the effect ten seconds after the client has given up, `twice*` have it two times.
    """

    operation: str
    kind: Kind
    status: int = 0
    nth: int = 0

    @property
    def is_told_as_unknown(self) -> bool:
        """Whether a client cannot know if it took effect."""
        by_status = self.status in {408, 409} or self.status >= 500
        return by_status if self.kind in {"refused", "swallowed"} else self.kind != "twice"


@dataclass(slots=True)
class Clock:
    """Time that passes by sleeping and by requests."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Return monotonic time in seconds."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def settling(self, seconds: float = 60.0) -> Settling:
        """Return a settle window on this clock."""
        return Settling(seconds, self, self.sleep, self.now)


@dataclass(slots=True)
class Thing:
    """A file or job at the provider, and since when and until when it is there."""

    value: RemoteFile | JobStatus
    made_at: float
    gone_at: float | None = None


@dataclass
class SimulatedProvider:
    """The provider, which is a Backend.

    A job runs for longer than listings lag behind, as they do; so whatever was made of its files
    beside what is known is listed by the time they are deleted.

    Args:
        clock: its time, and that of whoever talks to it.
        listing_lag_seconds: how long a listing goes on as if nothing had happened.
        repeats_items: list everything two times.
        faults: what goes wrong.
    """

    clock: Clock = field(default_factory=Clock)
    listing_lag_seconds: float = 0.0
    repeats_items: bool = False
    faults: tuple[SimulatedFault, ...] = ()
    things: dict[str, Thing] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    requests_that_made_jobs: set[int] = field(default_factory=set)
    _n_ids: int = 0
    _late: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    @property
    def identity(self) -> BackendIdentity:
        """Which provider this is."""
        return BackendIdentity("simulated", "https://simulated/v1")

    def live_jobs(self) -> list[JobStatus]:
        """Return the jobs that cost money: all but those that failed or were cancelled."""
        return [one for one in self._jobs() if one.state in {"running", "succeeded"}]

    def files(self) -> list[RemoteFile]:
        """Return the files that it holds."""
        return [
            one.value
            for one in self.things.values()
            if isinstance(one.value, RemoteFile) and one.gone_at is None
        ]

    def catch_up(self, until: float) -> None:
        """Let late effects happen that are due by then."""
        due = [effect for at, effect in self._late if at <= until]
        self._late = [(at, effect) for at, effect in self._late if at > until]
        for effect in due:
            effect()

    def preflight(self, spec: JobSpec) -> str:
        """Refuse nothing."""
        del spec
        self._do("preflight", lambda: None)
        return ""

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Take a file."""
        with content.open() as chunks:
            n_bytes = sum(map(len, chunks))
        return self._do("upload", lambda: self._add_file(name, n_bytes), is_creating=True)

    def find_files(self, name: str) -> tuple[RemoteFile, ...]:
        """List the files of a name."""

        def find() -> tuple[RemoteFile, ...]:
            listed = (one.value for one in self._listed() if isinstance(one.value, RemoteFile))
            return tuple(file for file in listed if file.name == name)

        return self._do("find_files", find)

    def has_file(self, file_id: str) -> bool:
        """Say whether it holds a file; what is asked for by id lags behind nothing."""
        return self._do("has_file", lambda: file_id in {file.file_id for file in self.files()})

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""

        def delete() -> None:
            if file_id in self.things and self.things[file_id].gone_at is None:
                self.things[file_id].gone_at = self.clock()

        self._do("delete_file", delete)

    def create(
        self, spec: JobSpec, key: str, *, training_file_id: str, validation_file_id: str | None
    ) -> JobStatus:
        """Make a job."""
        del spec
        request = self.counts.get("create", 0)

        def create() -> JobStatus:
            held = {file.file_id for file in self.files()}
            if not {training_file_id, validation_file_id} - {None} <= held:
                raise BackendError("no such file")
            self.requests_that_made_jobs.add(request)
            job_id = self._new_id("job")
            status = JobStatus(
                job_id, "running", key, training_file_id, validation_file_id, None, None, None
            )
            self._add(job_id, status)
            return status

        return self._do("create", create, is_creating=True)

    def find_jobs(self, key: str) -> tuple[JobStatus, ...]:
        """List the jobs of a key."""

        def find() -> tuple[JobStatus, ...]:
            listed = (one.value for one in self._listed() if isinstance(one.value, JobStatus))
            return tuple(status for status in listed if status.key == key)

        return self._do("find_jobs", find)

    def status(self, job_id: str) -> JobStatus:
        """Return a job, which succeeds after a while."""

        def status() -> JobStatus:
            thing, job = self.things[job_id], self._job(job_id)
            if job.state == "running" and self.clock() >= thing.made_at + JOB_SECONDS:
                thing.value = replace(job, state="succeeded", fine_tuned_model="ft:model")
            return self._job(job_id)

        return self._do("status", status)

    def cancel(self, job_id: str) -> JobStatus:
        """Cancel a job."""

        def cancel() -> JobStatus:
            self.things[job_id].value = replace(self._job(job_id), state="cancelled")
            return self._job(job_id)

        return self._do("cancel", cancel)

    def events(self, job_id: str, after: str | None = None) -> tuple[JobEvent, ...]:
        """Return nothing."""
        del job_id, after
        return ()

    def result_files(self, job_id: str) -> tuple[str, ...]:
        """Return nothing."""
        del job_id
        return ()

    def read_file(self, file_id: str) -> bytes:
        """Return nothing."""
        del file_id
        return b""

    def delete_model(self, name: str) -> None:
        """Keep no model."""

    def has_model(self, name: str) -> bool:
        """Keep no model."""
        del name
        return False

    def what_stays(self) -> str:
        """Keep nothing."""
        return "nothing"

    def _jobs(self) -> list[JobStatus]:
        return [one.value for one in self.things.values() if isinstance(one.value, JobStatus)]

    def _job(self, job_id: str) -> JobStatus:
        value = self.things[job_id].value
        assert isinstance(value, JobStatus)
        return value

    def _listed(self) -> list[Thing]:
        """Return what a listing shows: what was so a lag ago."""
        then = self.clock() - self.listing_lag_seconds
        found = [
            one
            for one in self.things.values()
            if one.made_at <= then and (one.gone_at is None or one.gone_at > then)
        ]
        return found * (2 if self.repeats_items else 1)

    def _new_id(self, prefix: str) -> str:
        self._n_ids += 1
        return f"{prefix}-{self._n_ids}"

    def _add(self, thing_id: str, value: RemoteFile | JobStatus) -> None:
        self.things[thing_id] = Thing(value, self.clock())

    def _add_file(self, name: str, n_bytes: int) -> RemoteFile:
        file = RemoteFile(self._new_id("file"), name, n_bytes)
        self._add(file.file_id, file)
        return file

    def _do(
        self, operation: str, effect: Callable[[], _Answer], *, is_creating: bool = False
    ) -> _Answer:
        """Have an effect and answer, or go wrong."""
        nth = self.counts.get(operation, 0)
        self.counts[operation] = nth + 1
        self.clock.sleep(REQUEST_SECONDS)
        self.catch_up(self.clock())
        fault = next(
            (one for one in self.faults if (one.operation, one.nth) == (operation, nth)), None
        )
        if fault is None:
            return effect()
        if fault.kind == "late":
            self.clock.sleep(TIMEOUT_SECONDS)
            self._late.append((self.clock() + LATE_SECONDS, effect))
        elif fault.kind not in {"refused", "reset_before"}:
            answer = effect()
            if fault.kind.startswith("twice"):
                effect()
            if fault.kind == "twice":
                return answer
        if fault.kind == "timeout":
            self.clock.sleep(TIMEOUT_SECONDS)
        is_unknown = is_creating and fault.is_told_as_unknown
        raise (UnknownOutcomeError if is_unknown else BackendError)("the provider refused")
