"""Claims about submission: exactly one job, whatever crashes, hangs or lags.

Every schedule runs the real client against the provider on loopback. A crash is an exception before
a request or a write to the ledger, which nothing in the package catches; the next run starts from
the ledger file. Many more schedules are in test_crash_points.py.
"""

import itertools
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.backends.base import Content, JobSpec, job_key
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.plan import PlanBackend
from python_stages.backends.settling import Settling
from python_stages.errors import (
    AmbiguousJobError,
    BackendError,
    ConfigError,
    LedgerError,
    LockedError,
    TamperedError,
)
from python_stages.jobs.ledger import Ledger, LedgerRow, State
from python_stages.jobs.refresh import Refreshed, refresh
from python_stages.jobs.settle import settle
from python_stages.jobs.submit import submit
from tests.python_stages.backends.loopback_api import API_KEY, Fault, LoopbackApi, serve
from tests.python_stages.jobs.crashes import Crash, Crasher, CrashingLedger, crashing

CANARY = b"PLAINTEXT-CANARY"
LINES, VALIDATION = (
    b"".join(
        b'{"messages":[{"role":"user","content":"%s %d"},{"role":"assistant","content":"A"}]}\n'
        % (CANARY, n)
        for n in numbers
    )
    for numbers in (range(12), range(12, 18))
)
FILES, JOBS = "/v1/files", "/v1/fine_tuning/jobs"
SILENT_KINDS: tuple[Any, ...] = ("reset_before", "reset_after", "fail_after", "nonsense_after")


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


def content_of(plaintext: bytes) -> Content:
    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield iter([plaintext[:500], plaintext[500:]])

    return Content(len(plaintext), opened)


SPEC = JobSpec(
    dataset="transactions",
    base_model="small-1",
    hyperparameters={"n_epochs": 3},
    seed=7,
    suffix=None,
    training=content_of(LINES),
    validation=content_of(VALIDATION),
    dataset_fingerprint="ab" * 32,
    n_examples=12,
    n_training_tokens=1_000,
    price_per_million_tokens=2.0,
)


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


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LoopbackApi, CompatibleBackend]]:
    """One server and one client for all tests: making a client costs more than a submission."""
    with serve() as api:
        backend = CompatibleBackend(api.base_url, api_key=API_KEY, timeout_seconds=0.5)
        yield api, backend
        backend.close()


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


@pytest.fixture
def world(served: tuple[LoopbackApi, CompatibleBackend]) -> Iterator[World]:
    with new_world(served) as world:
        yield world


def steps_of_a_clean_run(world: World) -> list[str]:
    crasher = Crasher()
    world.run(crasher)
    world.reset()
    return crasher.steps


def before(world: World, step: str) -> int:
    """Return the point of a clean run right before a step."""
    return steps_of_a_clean_run(world).index(step)


def test_a_submission_makes_one_job_over_both_files(world: World) -> None:
    row = world.submit()
    world.check_one_of_each(row)
    assert [file.content for file in world.api.files.values()] == [LINES, VALIDATION]
    assert world.api.jobs[row.job_id or ""].shown["metadata"]["sealtune_key"] == row.key
    assert world.clock.now == 0  # nothing was in doubt, so nothing was waited for


def test_submitting_again_sends_nothing(world: World) -> None:
    first = world.submit()
    world.api.requests.clear()
    assert world.submit() == first
    assert world.api.requests == []


@pytest.mark.parametrize("listing_lag", [0, 3])
def test_after_any_one_crash_there_is_one_job(world: World, listing_lag: int) -> None:
    n_steps = len(steps_of_a_clean_run(world))
    world.api.listing_lag = listing_lag
    for crash_at in range(n_steps):
        world.reset()
        world.check_one_of_each(world.run_schedule([crash_at]))


def test_after_two_crashes_there_is_one_job(world: World) -> None:
    n_steps = len(steps_of_a_clean_run(world))
    # all pairs are played in test_crash_points.py
    for crashes in itertools.islice(itertools.product(range(n_steps), repeat=2), 0, None, 13):
        world.reset()
        world.check_one_of_each(world.run_schedule(crashes))


@pytest.mark.parametrize("kind", SILENT_KINDS)
@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_silent_request_followed_by_any_crash_ends_in_one_job(
    world: World, kind: Any, nth: int
) -> None:
    n_steps = len(steps_of_a_clean_run(world))
    for crash_at in (None, *range(nth, n_steps, 5)):
        world.reset()
        add_silence(world, kind, nth)
        world.check_one_of_each(world.run_schedule([crash_at, crash_at]))


def add_silence(world: World, kind: Any, nth: int) -> None:
    """Let the nth request that creates something go unanswered: two uploads, then the job."""
    path, skips = ((FILES, 0), (FILES, 1), (JOBS, 0))[nth]
    world.api.inject(Fault("POST", path, kind, skips=skips))


@pytest.mark.parametrize("path", [FILES, JOBS])
def test_a_request_that_timed_out_but_succeeded_is_found_in_the_same_run(
    world: World, path: str
) -> None:
    world.api.inject(Fault("POST", path, "hang_after", hang_seconds=0.8))
    row = world.submit()
    world.check_one_of_each(row)
    assert world.api.count("POST", path) == (2 if path == FILES else 1)


@pytest.mark.parametrize("path", [FILES, JOBS])
def test_a_request_lost_before_its_effect_is_repeated_once_and_only_by_the_next_run(
    world: World, path: str
) -> None:
    world.api.inject(Fault("POST", path, "reset_before"))
    with pytest.raises(BackendError, match="build again"):
        world.submit()
    assert world.clock.now >= 60
    world.check_one_of_each(world.submit())
    assert world.api.count("POST", path) == (3 if path == FILES else 2)


def test_a_job_in_doubt_is_looked_for_until_the_window_is_over(world: World) -> None:
    point = before(world, "save job_created")
    world.api.listing_lag = 8
    with pytest.raises(Crash):
        world.submit(point)
    world.check_one_of_each(world.submit())
    assert 0 < world.clock.now < 60


def test_a_refused_upload_leaves_nothing_in_doubt(world: World) -> None:
    world.api.inject(Fault("POST", FILES, "refuse", status=403, code="winding_down"))
    with pytest.raises(BackendError, match="winding_down"):
        world.submit()
    row = world.row()
    assert (row.state, row.is_upload_in_doubt) == (State.INTENT, False)
    world.check_one_of_each(world.submit())
    assert world.clock.now == 0


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500])
@pytest.mark.parametrize("listing_lag", [0, 3])
def test_a_refusal_to_make_a_job_that_is_made_all_the_same_is_found_out(
    world: World, status: int, listing_lag: int
) -> None:
    world.api.inject(Fault("POST", JOBS, "fail_after", status=status))
    world.api.listing_lag = listing_lag
    for _ in range(2):
        try:
            row = world.submit()
        except BackendError:
            assert world.row().state is State.SUBMITTING
    world.check_one_of_each(row)
    assert world.api.count("POST", JOBS) == 1


def test_a_refusal_that_is_older_than_the_settle_window_is_believed_at_once(world: World) -> None:
    world.api.inject(Fault("POST", JOBS, "refuse", status=403, code="winding_down"))
    with pytest.raises(BackendError, match="winding_down"):
        world.submit()
    assert world.row().in_doubt_until is not None
    world.clock.later = timedelta(seconds=61)
    world.check_one_of_each(world.submit())
    assert world.clock.now == 0


def test_a_seal_that_fails_while_it_is_sent_leaves_no_file_and_nothing_in_doubt(
    world: World,
) -> None:
    openings: list[int] = []

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            yield LINES
            if len(openings) > 1:  # the preflight has read it before
                raise TamperedError("the sealed file ends too early")

        openings.append(len(openings))
        yield chunks()

    with pytest.raises(TamperedError):
        world.submit(spec=replace(SPEC, training=Content(len(LINES), opened)))
    assert not world.api.files
    assert not world.row().is_upload_in_doubt


def test_a_preflight_that_fails_intends_nothing(world: World) -> None:
    world.api.inject(Fault("GET", JOBS, "refuse", status=403))
    with pytest.raises(BackendError, match="another OpenAI-compatible host"):
        world.submit()
    with Ledger(world.path) as ledger:
        assert ledger.jobs() == ()


def test_a_lost_ledger_adopts_the_job_without_sending_a_row(world: World) -> None:
    job_id = world.submit().job_id
    world.path.unlink()
    world.api.requests.clear()
    row = world.submit()
    assert row.job_id == job_id
    world.check_one_of_each(row)
    assert {request.method for request in world.api.requests} == {"GET"}


def test_a_lost_ledger_does_not_send_the_files_of_a_job_again_that_are_deleted(
    world: World,
) -> None:
    job_id = world.submit().job_id
    world.path.unlink()
    world.api.files.clear()
    world.api.requests.clear()
    assert world.submit().job_id == job_id
    assert {request.method for request in world.api.requests} == {"GET"}


def test_a_ledger_lost_between_upload_and_job_adopts_the_files(world: World) -> None:
    with pytest.raises(Crash):
        world.submit(before(world, "save submitting"))
    world.path.unlink()
    world.check_one_of_each(world.submit())
    assert world.api.count("POST", FILES) == 2


@pytest.mark.parametrize("step", ["save submitting", "create"])
def test_files_that_expired_before_the_job_are_uploaded_again(world: World, step: str) -> None:
    with pytest.raises(Crash):
        world.submit(before(world, step))
    del world.api.files[world.row().training_file_id or ""]
    row = world.submit()
    assert set(world.api.files) == {row.training_file_id, row.validation_file_id}
    assert list(world.api.jobs) == [row.job_id]
    assert world.api.count("POST", FILES) == 3


def test_a_job_behind_an_item_that_two_pages_of_a_listing_both_show_is_found(world: World) -> None:
    point = before(world, "save job_created")
    with pytest.raises(Crash):
        world.submit(point)
    for seed in (11, 12, 13):
        world.submit(spec=replace(SPEC, seed=seed))
    world.api.page_size, world.api.repeats_items = 2, True
    world.api.knows_metadata_filter = False
    assert world.submit().job_id == next(iter(world.api.jobs))
    assert len(world.api.jobs) == 4


def test_a_resumed_run_asks_the_preflight_before_it_sends_anything(world: World) -> None:
    with pytest.raises(Crash):
        world.submit(before(world, "find_files"))
    with pytest.raises(ConfigError, match="max_cost"):
        world.submit(spec=replace(SPEC, max_cost=0.000_001))
    assert world.api.n_bytes_received == 0


def test_another_seed_is_another_job_over_files_of_its_own(world: World) -> None:
    first, second = world.submit(), world.submit(spec=replace(SPEC, seed=8))
    assert first.key != second.key
    assert len(world.api.jobs) == 2
    assert len(world.api.files) == 4


def two_jobs(world: World) -> AmbiguousJobError:
    point = before(world, "save job_created")
    world.api.inject(Fault("POST", JOBS, "twice"))
    with pytest.raises(Crash):
        world.submit(point)
    with pytest.raises(AmbiguousJobError) as caught:
        world.submit()
    return caught.value


def test_two_matching_jobs_park_and_stay_parked_without_a_request(world: World) -> None:
    error = two_jobs(world)
    assert all(job_id in str(error) for job_id in world.api.jobs)
    assert world.row().parked_reason == str(error)
    world.api.requests.clear()
    with pytest.raises(AmbiguousJobError):
        world.submit()
    assert world.api.requests == []


def test_a_person_settles_two_jobs_by_naming_one_and_the_other_is_cancelled(world: World) -> None:
    two_jobs(world)
    other, chosen = world.api.jobs
    row = world.settle(chosen)
    assert (row.state, row.job_id, row.parked_reason) == (State.JOB_CREATED, chosen, None)
    assert world.api.jobs[other].shown["status"] == "cancelled"
    assert world.submit() == row


def test_a_person_settles_two_jobs_with_neither_and_the_next_build_makes_a_third(
    world: World,
) -> None:
    two_jobs(world)
    row = world.settle(None)
    assert (row.state, row.job_id, row.parked_reason) == (State.INTENT, None, None)
    assert {job.shown["status"] for job in world.api.jobs.values()} == {"cancelled"}
    assert not world.api.files
    made = world.submit()
    assert made.job_id == list(world.api.jobs)[2]
    assert [made.training_file_id, made.validation_file_id] == list(world.api.files)


def test_a_person_cannot_name_a_job_of_another_key(world: World) -> None:
    two_jobs(world)
    other = world.submit(spec=replace(SPEC, seed=8))
    with pytest.raises(LedgerError, match="not made for this key"):
        world.settle(other.job_id)
    with pytest.raises(LedgerError, match="waits for nobody"):
        world.settle(other.job_id, other.key)


def test_two_jobs_of_which_one_was_cancelled_are_no_riddle(world: World) -> None:
    point = before(world, "save job_created")
    world.api.inject(Fault("POST", JOBS, "twice"))
    with pytest.raises(Crash):
        world.submit(point)
    first, second = world.api.jobs
    world.api.finish(first, "cancelled")
    assert world.submit().job_id == second


def test_a_double_that_the_provider_made_of_one_request_parks_the_job_at_the_next_refresh(
    world: World,
) -> None:
    world.api.inject(Fault("POST", JOBS, "twice"))
    row = world.submit()
    failures = world.refresh_whatever_happens().failures
    assert isinstance(failures[row.key], AmbiguousJobError)
    assert world.row().parked_reason == str(failures[row.key])
    world.api.requests.clear()
    assert world.refresh() == ()
    assert world.api.requests == []
    world.settle(row.job_id)
    while world.row().state is not State.FILES_DELETED:
        world.refresh()
    assert [job.shown["status"] for job in world.api.jobs.values()] == ["succeeded", "cancelled"]


def test_of_two_files_that_match_either_does_and_both_are_deleted_in_the_end(world: World) -> None:
    point = before(world, "save file_uploaded")
    world.api.inject(Fault("POST", FILES, "twice"))
    with pytest.raises(Crash):
        world.submit(point)
    row = world.submit()
    assert len(world.api.files) == 3
    world.api.finish(row.job_id or "", "succeeded")
    world.refresh()
    assert not world.api.files


def test_a_file_of_the_right_name_and_another_size_is_not_adopted(world: World) -> None:
    world.backend.upload(SPEC.file_name("train", world.key), content_of(LINES[:600]))
    with pytest.raises(AmbiguousJobError, match="another size"):
        world.submit()
    assert not world.api.jobs
    world.settle(None)
    world.check_one_of_each(world.submit())


def test_a_second_submitter_is_refused(world: World) -> None:
    with Ledger(world.path) as ledger, ledger.submitter(), pytest.raises(LockedError):
        world.submit()
    assert world.api.requests == []


def test_a_job_that_succeeded_ends_with_its_files_deleted(world: World) -> None:
    world.submit()
    states = [world.refresh()[0].state for _ in range(3)]
    assert states == [State.JOB_CREATED, State.JOB_CREATED, State.FILES_DELETED]
    row = world.row()
    assert (row.outcome, row.n_trained_tokens) == ("succeeded", 1234)
    assert row.fine_tuned_model == "ft:small-1:loopback"
    assert not world.api.files
    assert world.refresh() == ()
    assert world.submit() == row


def test_a_failed_job_keeps_its_code_and_not_the_quoted_line(world: World) -> None:
    row = world.submit()
    problem = {"code": "invalid_training_file", "message": f"Line 1: {LINES!r}", "param": None}
    world.api.finish(row.job_id or "", "failed", problem)
    (row,) = world.refresh()
    assert (row.state, row.outcome) == (State.FILES_DELETED, "failed")
    assert row.error_code == "invalid_training_file"
    assert CANARY not in world.path.read_bytes()


def test_a_cancelled_job_ends_with_its_files_deleted(world: World) -> None:
    row = world.submit()
    world.api.finish(row.job_id or "", "cancelled")
    (row,) = world.refresh()
    assert (row.state, row.outcome, dict(world.api.files)) == (
        State.FILES_DELETED,
        "cancelled",
        {},
    )


def test_a_deletion_that_did_not_happen_is_no_deletion(world: World) -> None:
    row = world.submit()
    world.api.finish(row.job_id or "", "succeeded")
    world.api.keeps_deleted_files = True
    failures = world.refresh_whatever_happens().failures
    assert "still at the provider" in str(failures[row.key])
    assert world.row().state is State.SUCCEEDED
    world.api.keeps_deleted_files = False
    assert [row.state for row in world.refresh()] == [State.FILES_DELETED]


def test_a_late_duplicate_of_an_upload_is_deleted_as_well(world: World) -> None:
    row = world.submit()
    world.backend.upload(row.training_file_name, SPEC.training)
    world.api.finish(row.job_id or "", "succeeded")
    world.refresh()
    assert not world.api.files


def test_one_job_that_cannot_be_asked_after_does_not_keep_the_others_waiting(
    world: World,
) -> None:
    first, second = world.submit(), world.submit(spec=replace(SPEC, seed=8))
    world.api.finish(second.job_id or "", "succeeded")
    del world.api.jobs[first.job_id or ""]
    failures = world.refresh_whatever_happens().failures
    assert list(failures) == [first.key]
    assert "404" in str(failures[first.key])
    with Ledger(world.path) as ledger:
        states = {row.key: row.state for row in ledger.jobs()}
    assert states == {first.key: State.JOB_CREATED, second.key: State.FILES_DELETED}


def test_a_plan_is_written_once_and_sends_and_opens_nothing(tmp_path: Path) -> None:
    def never() -> AbstractContextManager[Iterator[bytes]]:
        raise AssertionError("a plan must not open the sealed file")

    spec = replace(SPEC, training=Content(1_000, never), validation=Content(100, never))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first = submit(spec, PlanBackend(), ledger)
        assert submit(spec, PlanBackend(), ledger) == first
        assert (first.state, first.n_billed_tokens) == (State.PLANNED, 3_000)
        assert first.estimated_cost == pytest.approx(0.006)
        assert len(ledger.events(first.key)) == 1
        dearer = submit(replace(spec, price_per_million_tokens=4.0), PlanBackend(), ledger)
        assert dearer.estimated_cost == pytest.approx(0.012)
        assert len(ledger.jobs()) == 1


def test_neither_key_nor_plaintext_reaches_the_vault_folder(world: World) -> None:
    world.api.inject(Fault("POST", JOBS, "refuse", status=400, message=f"{CANARY!r} {API_KEY}"))
    with pytest.raises(BackendError) as caught:
        world.submit()
    assert API_KEY not in repr(caught.value)
    world.submit()
    world.refresh()
    for file in world.path.parent.rglob("*"):
        assert CANARY not in file.read_bytes()
        assert API_KEY.encode() not in file.read_bytes()


RUN_AND_DIE = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from tests.python_stages.jobs.crashes import Crasher, CrashingLedger, crashing
    from tests.python_stages.jobs.test_submit import SPEC, API_KEY
    from python_stages.backends.compatible import CompatibleBackend
    from python_stages.jobs.submit import submit

    class Killer(Crasher):
        def step(self, name):
            if name == sys.argv[3]:
                os.kill(os.getpid(), signal.SIGKILL)

    with CrashingLedger(Path(sys.argv[1]), Killer()) as ledger:
        backend = CompatibleBackend(sys.argv[2], api_key=API_KEY)
        submit(SPEC, crashing(backend, Killer()), ledger)
""")


@pytest.mark.parametrize("step", ["save file_uploaded", "save job_created"])
def test_a_killed_process_is_recovered_from_like_any_crash(world: World, step: str) -> None:
    died = subprocess.run(
        [sys.executable, "-c", RUN_AND_DIE, str(world.path), world.api.base_url, step],
        check=False,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL
    world.check_one_of_each(world.submit())


def fault_of(kinds: list[Any], statuses: list[int]) -> st.SearchStrategy[Fault]:
    return st.builds(
        Fault,
        method=st.just("POST"),
        path=st.sampled_from([FILES, JOBS]),
        kind=st.sampled_from(kinds),
        status=st.sampled_from(statuses),
        skips=st.integers(0, 2),
        times=st.integers(1, 2),
    )


FAULTS = fault_of(["refuse", *SILENT_KINDS], [400, 403, 404, 408, 409, 429, 500, 503])


@settings(max_examples=30, deadline=None)
@given(
    faults=st.lists(FAULTS, max_size=4),
    crashes=st.lists(st.none() | st.integers(0, 15), max_size=5),
    listing_lag=st.integers(0, 4),
)
def test_no_schedule_of_faults_crashes_and_lag_makes_a_second_job_or_leaves_a_file(
    served: tuple[LoopbackApi, CompatibleBackend],
    faults: list[Fault],
    crashes: list[int | None],
    listing_lag: int,
) -> None:
    with new_world(served) as world:
        world.api.listing_lag = listing_lag
        for fault in faults:
            world.api.inject(replace(fault))
        row = world.run_schedule(crashes)
        assert (row.state, [row.job_id]) == (State.JOB_CREATED, list(world.api.jobs))
        assert {row.training_file_id, row.validation_file_id} <= world.api.files.keys()
        # a refusal of an upload is believed; if it was a lie, there is a second file until the end
        for file in world.api.files.values():
            file.hidden_for = 0  # a job runs for longer than listings lag behind
        world.api.finish(row.job_id or "", "succeeded")
        world.refresh()
        assert not world.api.files
