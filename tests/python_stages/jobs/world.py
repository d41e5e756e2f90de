"""A provider on loopback, a ledger, and a clock that waits for nobody."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from python_stages.backends.base import JobSpec, job_key
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.settling import Settling
from python_stages.errors import BackendError
from python_stages.jobs.ledger import Ledger, LedgerRow, State
from python_stages.jobs.refresh import Refreshed, refresh
from python_stages.jobs.settle import settle
from python_stages.jobs.submit import submit
from tests.python_stages.backends import specs
from tests.python_stages.backends.loopback_api import LoopbackApi
from tests.python_stages.backends.specs import chat_lines, content_of, spec_of
from tests.python_stages.jobs.crashes import Crash, Crasher, CrashingLedger, crashing

CANARY = specs.CANARY.encode()
LINES, VALIDATION = chat_lines(12), chat_lines(6, first=12)
FILES, JOBS = "/v1/files", "/v1/fine_tuning/jobs"
SILENT_KINDS: tuple[Any, ...] = ("reset_before", "reset_after", "fail_after", "nonsense_after")
SPEC = spec_of(
    suffix=None,
    training=content_of(LINES, 500),
    validation=content_of(VALIDATION, 500),
    price_per_million_tokens=2.0,
)


@dataclass
class FakeClock:
    """Monotonic time that passes only by sleeping."""

    now: float = 0.0
    later: timedelta = timedelta()

    def time_of_day(self) -> datetime:
        """Tell the time of day."""
        return datetime(2026, 1, 1, tzinfo=UTC) + self.later + timedelta(seconds=self.now)

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class World:
    """A provider, a backend that talks to it and the path of a ledger."""

    api: LoopbackApi
    backend: CompatibleBackend
    path: Path
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def settling(self) -> Settling:
        """A settle window of a minute that takes no time."""
        return Settling(60.0, self.clock, self.clock.sleep, self.clock.time_of_day)

    @property
    def key(self) -> str:
        """The key of SPEC at this provider."""
        return job_key(SPEC, self.backend.identity)

    def submit(self, crash_at: int | None = None, spec: JobSpec = SPEC) -> LedgerRow:
        """Run once, dying after so many steps where a number is given."""
        return self.run(Crasher(crash_at), spec)

    def run(self, crasher: Crasher, spec: JobSpec = SPEC) -> LedgerRow:
        """Run once, counting steps."""
        with CrashingLedger(self.path, crasher) as ledger:
            backend = crashing(self.backend, crasher)
            return submit(spec, backend, ledger, settling=self.settling)

    def refresh(self) -> tuple[LedgerRow, ...]:
        """Ask after the jobs, all of which must answer."""
        refreshed = self.refresh_whatever_happens()
        assert not refreshed.failures
        return refreshed.rows

    def refresh_whatever_happens(self) -> Refreshed:
        """Ask after the jobs."""
        with Ledger(self.path) as ledger:
            return refresh(self.backend, ledger, settling=self.settling)

    def settle(self, job_id: str | None, key: str = "") -> LedgerRow:
        """Settle the job as a person."""
        with Ledger(self.path) as ledger:
            return settle(key or self.key, job_id, self.backend, ledger, settling=self.settling)

    def row(self) -> LedgerRow:
        """Return the row of SPEC."""
        with Ledger(self.path) as ledger:
            row = ledger.get(self.key)
        assert row is not None
        return row

    def reset(self) -> None:
        """Forget everything but the sockets."""
        self.path.unlink(missing_ok=True)
        self.api.jobs.clear()
        self.api.files.clear()
        self.api.requests.clear()
        self.api.faults.clear()
        self.api.n_bytes_received = 0

    def run_schedule(self, crashes: Sequence[int | None]) -> LedgerRow:
        """Run once per entry, dying where it says or failing on its own; then run in peace."""
        for crash_at in crashes:
            try:
                self.submit(crash_at)
            except (Crash, BackendError):
                continue
        self.api.faults.clear()
        return self.submit()

    def check_one_of_each(self, row: LedgerRow) -> None:
        """Claim that there is one job, over one file of each split, and that the row knows them."""
        assert row.state is State.JOB_CREATED
        assert [row.job_id] == list(self.api.jobs)
        assert [row.training_file_id, row.validation_file_id] == list(self.api.files)
        job = self.api.jobs[row.job_id or ""].shown
        assert job["training_file"] == row.training_file_id
        assert job["validation_file"] == row.validation_file_id


@contextmanager
def new_world(served: tuple[LoopbackApi, CompatibleBackend]) -> Iterator[World]:
    """Give a world with nothing in it.

    In memory where the machine can: what dies here is a process and never the power, so that
    waiting for the disk would show nothing and take most of the time.
    """
    api, backend = served
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it is private
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        world = World(api, backend, Path(folder) / "ledger.sqlite")
        world.reset()
        yield world
        world.reset()
        api.listing_lag, api.keeps_deleted_files = 0, False
        api.page_size, api.repeats_items, api.knows_metadata_filter = 100, False, True


def steps_of_a_clean_run(world: World) -> list[str]:
    crasher = Crasher()
    world.run(crasher)
    world.reset()
    return crasher.steps


def before(world: World, step: str) -> int:
    """Return the point of a clean run right before a step."""
    return steps_of_a_clean_run(world).index(step)
