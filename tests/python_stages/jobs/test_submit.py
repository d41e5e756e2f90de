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
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.backends.base import Content
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.plan import PlanBackend
from python_stages.errors import BackendError, ConfigError, LockedError, TamperedError
from python_stages.jobs.ledger import Ledger, State
from python_stages.jobs.submit import submit
from tests.python_stages.backends.loopback_api import API_KEY, Fault, LoopbackApi
from tests.python_stages.jobs.crashes import Crash
from tests.python_stages.jobs.world import (
    CANARY,
    FILES,
    JOBS,
    LINES,
    SILENT_KINDS,
    SPEC,
    VALIDATION,
    World,
    before,
    new_world,
    steps_of_a_clean_run,
)


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


def test_a_second_submitter_is_refused(world: World) -> None:
    with Ledger(world.path) as ledger, ledger.submitter(), pytest.raises(LockedError):
        world.submit()
    assert world.api.requests == []


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
    from tests.python_stages.backends.loopback_api import API_KEY
    from tests.python_stages.jobs.world import SPEC
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


@settings(max_examples=30)
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
