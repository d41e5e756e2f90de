"""A build may be killed at any moment: the next one completes, and nothing is half or twice there.

The provider is the loopback API, in a thread of the test, so that it outlives every killed build.
Each dataset (a sample seed) is killed at several moments before it may complete: at random ones
and, because files and jobs are made within milliseconds, at random ones right behind the signs that
a stage has begun: a line that dbt prints, a draft, a request.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from python_stages import keys
from python_stages.jobs.ledger import Ledger, State
from python_stages.seal import verify
from tests.e2e.conftest import CHECKOUT, Project
from tests.e2e.warm import WarmProject
from tests.python_stages.backends.loopback_api import API_KEY, LoopbackApi, serve

SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill a build: so many seconds after something has come about.

    Args:
        name: what has to come about, in words.
        has_come: whether it has.
        seconds: how long to wait then.
    """

    name: str
    has_come: Callable[[], bool]
    seconds: float


def moments(project: Project, api: LoopbackApi, dice: random.Random) -> Iterator[Moment]:
    """Draw the moments to kill the builds of one dataset at, each when its build begins."""

    def at_start() -> bool:
        return True

    def printed(text: str) -> Callable[[], bool]:
        return lambda: text.encode() in project.output.read_bytes()

    def has_new_draft() -> bool:
        return any(path.suffix == ".draft" for path in set(sealed_and_drafts(project)) - known)

    def asked(method: str, path: str) -> Callable[[], bool]:
        before = api.count(method, path)
        return lambda: api.count(method, path) > before

    start = "START python table model main.transactions_"
    early, late = dice.choice(["ingested", "rendered"]), dice.choice(["scrubbed", "checked"])
    yield Moment("start", at_start, dice.uniform(0.3, 6.0))
    yield Moment(early, printed(start + early), dice.uniform(0.0, 0.6))
    yield Moment(late, printed(start + late), dice.uniform(0.0, 1.0))
    yield Moment("seal", printed("model main.transactions_sealed"), dice.uniform(0.0, 0.05))
    known = set(sealed_and_drafts(project))
    yield Moment("draft", has_new_draft, dice.uniform(0.0, 0.01))
    yield Moment("upload", asked("POST", "/v1/files"), dice.uniform(0.0, 0.02))
    yield Moment("job", asked("POST", "/v1/fine_tuning/jobs"), dice.uniform(0.0, 0.01))


def sealed_and_drafts(project: Project) -> Iterator[Path]:
    """Yield everything in the folders of sealed files but their locks."""
    for path in sorted((project.vault / "sealed").rglob("*")):
        if path.is_file() and path.name != ".lock":
            yield path


def check_after_kill(project: Project) -> str:
    """Check what must hold at any moment; return how far the killed build had come."""
    if not project.keys.exists():
        assert not (project.vault / "warehouse.duckdb").exists()
        return "no keys yet"
    ring = keys.load(project.keys)
    drafts = 0
    for path in sealed_and_drafts(project):
        if path.suffix == ".sealed":
            verify(path, keys=ring)
        else:
            assert path.suffix == ".draft"
            drafts += 1
    states = ledger_states(project)
    return f"{len(project.sealed_files())} sealed, {drafts} drafts, jobs {', '.join(states)}"


def ledger_states(project: Project) -> list[str]:
    """Return the state of every job, having checked that the ledger is whole."""
    path = project.vault / "ledger.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    with Ledger(path) as ledger:
        return [row.state.value for row in ledger.jobs()]


def check_after_build(project: Project, api: LoopbackApi, n_datasets: int) -> None:
    """Check that everything is there, once."""
    paths = list(sealed_and_drafts(project))
    assert len(paths) == 2 * n_datasets
    for path in paths:
        assert project.sealtune("verify", str(path)).stdout.startswith("ok: transactions/")
    with api.lock:
        jobs = {job.job_id: job.shown["metadata"] for job in api.jobs.values()}
        names = [file.name for file in api.files.values()]
    assert len(jobs) == n_datasets
    assert len(names) == len(set(names)), "a file was uploaded twice, and is still there"
    ledger_states(project)
    with Ledger(project.vault / "ledger.sqlite") as ledger:
        rows = ledger.jobs()
        assert {row.job_id: row.key for row in rows} == {
            job_id: metadata["sealtune_key"] for job_id, metadata in jobs.items()
        }
    assert project.query("select count(*) from vault.main.fine_tune_jobs") == [(n_datasets,)]
    passed = "select count(*), count(*) filter (is_success) from vault.main.transactions_checked"
    ((n_expectations, n_passed),) = project.query(passed)
    assert n_expectations == n_passed > 0


@pytest.mark.parametrize(
    ("n_datasets", "every"), [(1, 2), pytest.param(3, 1, marks=pytest.mark.slow)]
)
def test_a_build_killed_at_any_moment_is_completed_by_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n_datasets: int, every: int
) -> None:
    dice = random.Random(SEED)
    # what is killed starts cold, as a user's does; what completes it need not
    project = WarmProject(CHECKOUT, tmp_path, extra_env={"SEALTUNE_API_KEY": API_KEY})
    n_kills = 0
    with serve() as api:
        variables: dict[str, Any] = {"backend": "compatible", "base_url": api.base_url}
        for number in range(1, n_datasets + 1):
            variables["sample_seed"] = number
            for moment in islice(moments(project, api, dice), None, None, every):
                # dbt's tests between the models would only take time
                was_alive = project.dbt_killed(
                    *("run", "-s", "+transactions_sealed"),
                    vars=variables,
                    when=moment.has_come,
                    seconds=moment.seconds,
                )
                n_kills += was_alive
                how = f"killed {moment.seconds:.3f} s after {moment.name}"
                with capsys.disabled():
                    print(f"{how}, alive {was_alive}: {check_after_kill(project)}")  # noqa: T201 - the moments
            project.dbt("build", vars=variables)
            check_after_build(project, api, number)
        for job_id in list(api.jobs):
            api.finish(job_id, "succeeded")
        project.dbt("run", "-s", "transactions_sealed", "fine_tune_jobs", vars=variables)
        assert ledger_states(project) == [State.FILES_DELETED.value] * n_datasets
        assert not api.files
        assert len(api.jobs) == n_datasets
    assert n_kills == {1: 7, 2: 4}[every] * n_datasets
