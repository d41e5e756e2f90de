"""Claims about following a job: the whole story each time, and nothing of the provider's prose."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from python_stages.backends.compatible import CompatibleBackend
from python_stages.errors import BackendError
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.recovery import with_job
from python_stages.jobs.watch import Pace, Progress, follow, lines, time_left
from python_stages.jobs.watch_view import show
from tests.python_stages.backends.loopback_api import API_KEY, Fault, LoopbackApi, serve
from tests.python_stages.jobs.rows import ROW
from tests.python_stages.jobs.world import SPEC

JOBS = "/v1/fine_tuning/jobs"
CANARY = "PLAINTEXT-CANARY"
BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Watched:
    """A job at a provider, and what happens to it while its watcher sleeps."""

    api: LoopbackApi
    backend: CompatibleBackend
    row: LedgerRow
    acts: list[Callable[[], object]] = field(default_factory=list)
    slept: float = 0.0

    @property
    def job_id(self) -> str:
        """The provider's id."""
        return self.row.job_id or ""

    def sleep(self, seconds: float) -> None:
        """Let time pass, and the next thing happen."""
        self.slept += seconds
        if self.acts:
            self.acts.pop(0)()
        elif self.slept > 1_000_000:
            pytest.fail("it would be followed for ever")

    def pace(self, timeout_seconds: float | None = None) -> Pace:
        """Return a pace that takes no time."""
        return Pace(5.0, timeout_seconds, lambda: self.slept, self.sleep)

    def follow(self) -> list[Progress]:
        """Follow it to the end."""
        return list(follow(self.row, self.backend, self.pace()))

    def step(
        self, step: int, n_steps: int = 10, seconds: float | None = None, **more: float
    ) -> None:
        """Let a training step be told of."""
        at = BEGIN + timedelta(seconds=step if seconds is None else seconds)
        message = f"Step {step}/{n_steps}: training loss={1 / step:.2f} {CANARY}"
        data = {"step": step, "total_steps": n_steps, "train_loss": 1 / step, **more}
        self.api.add_event(self.job_id, message, int(at.timestamp()), **data)

    def phase(self, word: str) -> None:
        """Let the job come to a phase."""
        self.api.jobs[self.job_id].shown["status"] = word

    def finish(self, word: str) -> None:
        """Let the job end."""
        self.api.finish(self.job_id, word, {"code": "a_code", "message": CANARY})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LoopbackApi, CompatibleBackend]]:
    """One server and one client for all tests: making a client takes a second."""
    with serve() as api, closing(CompatibleBackend(api.base_url, api_key=API_KEY)) as backend:
        yield api, backend


@pytest.fixture
def watched(served: tuple[LoopbackApi, CompatibleBackend]) -> Watched:
    api, backend = served
    api.holds_jobs = True
    api.faults.clear()
    file = backend.upload("sealtune-a.jsonl", SPEC.training)
    job = backend.create(SPEC, "ab" * 32, training_file_id=file.file_id, validation_file_id=None)
    return Watched(api, backend, with_job(ROW, job))


def news(progresses: Sequence[Progress]) -> list[str]:
    return [line.split("  ", 1)[1] for _, line in lines(iter(progresses))]


def test_a_job_s_story_is_told_in_order_from_its_first_event_to_its_end(watched: Watched) -> None:
    watched.acts = [
        lambda: watched.phase("queued"),
        lambda: watched.phase("running"),
        lambda: watched.step(1),
        lambda: watched.step(5, valid_loss=0.75),
        lambda: watched.step(10),
        lambda: watched.finish("succeeded"),
    ]
    assert news(watched.follow()) == [
        "validating files",
        "queued",
        "running",
        "step 1 of 10, train loss 1.0000",
        "step 5 of 10, train loss 0.2000, valid loss 0.7500, about 5 s left",
        "step 10 of 10, train loss 0.1000, valid loss 0.7500, about 0 s left",
        "succeeded, code a_code, model ft:small-1:loopback",
    ]


def test_a_second_watch_tells_the_same_steps_again_and_asks_for_no_event_twice(
    watched: Watched,
) -> None:
    for step in range(1, 6):
        watched.step(step)
    watched.finish("failed")
    first, second = watched.follow(), watched.follow()
    steps = [(one.step, one.train_loss) for one in first if one.state == "running"]
    assert steps == [(step, 1 / step) for step in range(1, 6)]
    assert steps == [(one.step, one.train_loss) for one in second if one.state == "running"]
    assert [first[-1].state, first[-1].error_code] == ["failed", "a_code"]


def test_of_what_the_provider_writes_nothing_but_numbers_codes_and_ids_is_shown(
    watched: Watched,
) -> None:
    watched.api.add_event(watched.job_id, CANARY)
    watched.step(1)
    watched.finish("failed")
    assert CANARY not in repr(watched.follow())


def test_what_is_left_is_reckoned_from_the_pace_of_the_last_steps(watched: Watched) -> None:
    for step in range(1, 31):
        watched.step(step, 100, seconds=step * 100 if step < 10 else 1_000 + step)
    watched.finish("succeeded")
    last = [one for one in watched.follow() if one.state == "running"][-1]
    assert last.finish == BEGIN + timedelta(seconds=1_030 + 70)


def test_the_provider_s_own_estimate_counts_for_more(watched: Watched) -> None:
    finish = BEGIN + timedelta(hours=1)
    watched.api.jobs[watched.job_id].shown["estimated_finish"] = int(finish.timestamp())
    watched.step(1)
    watched.step(2)
    watched.acts = [lambda: watched.finish("succeeded")]
    assert {one.finish for one in watched.follow() if one.step} == {finish}


def test_a_provider_that_falls_silent_is_asked_again(watched: Watched) -> None:
    silence = Fault("GET", JOBS, "refuse", status=503, times=10)
    watched.acts = [
        lambda: watched.api.inject(silence),
        lambda: setattr(silence, "times", 0),
        lambda: watched.finish("succeeded"),
    ]
    assert [line.partition(",")[0] for line in news(watched.follow())] == [
        "validating files",
        "the provider does not answer; asking again",
        "the provider answers again",
        "succeeded",
    ]


def test_a_provider_that_stays_silent_is_given_up_after_ten_minutes(watched: Watched) -> None:
    watched.acts = [
        lambda: watched.api.inject(Fault("GET", JOBS, "refuse", status=503, times=10_000))
    ]
    pace = Pace(60.0, None, lambda: watched.slept, watched.sleep)
    with pytest.raises(BackendError, match="503"):
        list(follow(watched.row, watched.backend, pace))
    assert 600 < watched.slept < 720


def test_a_watch_that_is_refused_at_once_says_so_at_once(watched: Watched) -> None:
    watched.api.inject(Fault("GET", JOBS, "refuse", status=401))
    with pytest.raises(BackendError, match="401"):
        watched.follow()
    assert watched.slept == 0


def test_a_host_without_events_is_followed_by_its_phases(watched: Watched) -> None:
    fault = Fault("GET", f"{JOBS}/{watched.job_id}/events", "refuse", status=404, times=99)
    watched.api.inject(fault)
    watched.acts = [lambda: watched.phase("running"), lambda: watched.finish("succeeded")]
    phases = [one.phase for one in watched.follow()]
    assert phases == ["validating_files", "running", "succeeded"]


def test_a_timeout_says_that_the_job_goes_on_and_how_to_follow_it(watched: Watched) -> None:
    with pytest.raises(BackendError, match=f"goes on.*`sealtune watch {ROW.key[:12]}`"):
        list(follow(watched.row, watched.backend, watched.pace(timeout_seconds=60.0)))
    assert 60 <= watched.slept < 70
    assert watched.api.jobs[watched.job_id].shown["status"] == "validating_files"


def test_questions_are_close_together_after_a_change_and_far_apart_where_nothing_happens(
    watched: Watched,
) -> None:
    waits: list[float] = []
    words = iter(["queued", *[""] * 12, "running", "", "succeeded"])

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        word = next(words)
        if word:
            (watched.finish if word == "succeeded" else watched.phase)(word)

    list(follow(watched.row, watched.backend, Pace(5.0, sleep=sleep)))
    assert waits[:3] == [0.2, 0.2, 0.3]
    assert max(waits) == 5.0
    assert waits[-2:] == [0.2, 0.3]


@settings(max_examples=30)
@given(n_steps=st.integers(1, 3_000), n_jumps=st.integers(1, 7))
def test_however_many_steps_a_job_has_about_ten_lines_tell_of_them(
    n_steps: int, n_jumps: int
) -> None:
    told = list(
        lines(
            Progress(BEGIN, "running", step=step, n_steps=n_steps, train_loss=1.0)
            for step in range(1, n_steps + 1, n_jumps)
        )
    )
    n_told_of = len(range(1, n_steps + 1, n_jumps))
    assert min(n_told_of, 5) <= len(told) <= 12


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (59.6, "60 s"), (119, "119 s"), (120, "2 min"), (7_260, "121 min")],
)
def test_time_is_told_as_a_person_reads_it(seconds: float, text: str) -> None:
    progress = Progress(BEGIN, "running", finish=BEGIN + timedelta(seconds=seconds))
    assert time_left(progress, BEGIN) == text


def test_a_terminal_gets_a_live_view(watched: Watched) -> None:
    watched.step(3, 10, valid_loss=0.5)
    watched.acts = [lambda: watched.finish("succeeded")]
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    last = show(follow(watched.row, watched.backend, watched.pace()), screen, "transactions")
    assert last is not None
    assert last.state == "succeeded"
    shown = screen.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    for text in ("transactions", "step 3 of 10", "train loss 0.3333", "valid loss 0.5000", "━"):
        assert text in shown


def test_what_is_no_terminal_gets_lines_without_control_characters(watched: Watched) -> None:
    watched.acts = [lambda: watched.finish("succeeded")]
    paper = Console(file=io.StringIO())
    show(follow(watched.row, watched.backend, watched.pace()), paper, "[bold]transactions")
    title, *rest = paper.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    assert title == "[bold]transactions"
    assert [line.split("  ")[1].partition(",")[0] for line in rest] == [
        "validating files",
        "succeeded",
    ]
    assert all(line.isprintable() for line in rest)
