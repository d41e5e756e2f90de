"""Pools: the same results in the same order, nothing lost when a worker dies, memory bounded."""

import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from python_stages.errors import ConfigError, StageError
from python_stages.scrub.pool import EXECUTORS, Auto, Inline, Pool, from_config
from python_stages.scrub.ray_pool import RayPool
from python_stages.scrub.workers import ProcessWorker
from tests.python_stages.scrub.pool_work import (
    CANARY,
    Chatter,
    DieOnce,
    Double,
    Fail,
    FailToStart,
    hired,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pool() -> Iterator[Pool]:
    yield Pool(ProcessWorker, 2)
    assert hired() == []


@pytest.fixture
def one(pool: Pool) -> Pool:
    """Return a pool of one worker: a second one would take another second to start."""
    return replace(pool, n_workers=1)


def doubled(results: list[tuple[int, int]]) -> list[int]:
    return [number for number, _ in results]


def processes(results: list[tuple[int, int]]) -> set[int]:
    return {pid for _, pid in results}


# ── results ──


def test_results_come_in_the_order_of_the_items_and_few_items_are_ahead_of_them(pool: Pool) -> None:
    taken = 0
    results: list[tuple[int, int]] = []

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(200):
            taken += 1
            assert taken - len(results) <= 8
            yield number

    for result in pool.map(items(), Double()):
        results.append(result)  # noqa: PERF402  # counted while it grows
    assert doubled(results) == [2 * number for number in range(200)]
    assert len(processes(results)) == 2


def test_no_items_start_no_worker(pool: Pool) -> None:
    assert list(pool.map([], Double())) == []


def test_a_message_of_megabytes_goes_there_and_back(one: Pool) -> None:
    texts = ["x" * 10_000_000, "y" * 10_000_000]
    assert [len(a) for a, _ in one.map(texts, Double())] == [20_000_000] * 2


def test_a_pool_that_is_not_read_to_its_end_leaves_no_process(one: Pool) -> None:
    results = one.map(range(1_000), Double())
    next(results)
    assert hired()
    results.close()
    assert hired() == []
    assert not [one for one in threading.enumerate() if one.name.startswith("scrub")]


def test_a_worker_is_replaced_after_its_share_of_items(one: Pool) -> None:
    results = list(replace(one, max_items_per_worker=4).map(range(8), Double()))
    assert doubled(results) == [2 * number for number in range(8)]
    assert [len({pid for _, pid in results[n : n + 4]}) for n in (0, 4)] == [1, 1]
    assert len(processes(results)) == 2


def test_workers_need_no_guard_in_the_main_program(tmp_path: Path) -> None:
    program = tmp_path / "main.py"
    program.write_text(
        "from python_stages.scrub.pool import executor\n"
        "from tests.python_stages.scrub.pool_work import Double\n"
        "pool = executor('processes', n_workers=1)\n"
        "print(sum(number for number, _ in pool.map(range(10), Double())))\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert done.stdout == "90\n"


# ── workers that die ──


def test_what_a_killed_worker_had_is_done_by_another(one: Pool, tmp_path: Path) -> None:
    work = DieOnce(folder=tmp_path, deadly=(5,))
    results = list(one.map(range(20), work))
    assert doubled(results) == [2 * number for number in range(20)]
    assert len(list(tmp_path.iterdir())) == 1
    assert len(processes(results)) == 2


def test_a_worker_killed_from_outside_loses_nothing(one: Pool) -> None:
    results = []
    for result in one.map(range(100), Double()):
        results.append(result)
        if len(results) == 20:
            hired()[0].kill()
    assert doubled(results) == [2 * number for number in range(100)]
    assert len(processes(results)) == 2


def test_an_item_that_kills_every_worker_stops_the_stage(one: Pool, tmp_path: Path) -> None:
    work = DieOnce(folder=tmp_path, deadly=(5,), n_lives=99)
    with pytest.raises(StageError, match=r"3 workers in a row died .*exit code -9"):
        list(one.map(range(100), work))
    assert len(list(tmp_path.iterdir())) == 3


# ── errors ──


def test_an_error_in_a_worker_comes_back_without_its_message(one: Pool) -> None:
    with pytest.raises(StageError, match="failed with ValueError") as caught:
        list(one.map(range(10), Fail()))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("work", [Fail(is_ours=True), FailToStart()])
def test_an_error_of_ours_comes_back_as_it_was(one: Pool, work: Double) -> None:
    with pytest.raises(ConfigError, match="no model: make one"):
        list(one.map(range(10), work))


def test_what_a_worker_prints_goes_nowhere(one: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    assert doubled(list(one.map(range(10), Chatter()))) == list(range(0, 20, 2))
    assert capfd.readouterr() == ("", "")


# ── where to work ──


def test_little_work_stays_in_this_process() -> None:
    auto = Auto(Pool(ProcessWorker, 2), worth_seconds=10)
    assert processes(list(auto.map(range(100), Double(0.09)))) == {psutil.Process().pid}


def test_much_work_goes_to_workers_at_once() -> None:
    auto = Auto(Pool(ProcessWorker, 1), worth_seconds=10)
    results = list(auto.map(range(20), Double(1.0)))
    assert doubled(results) == [2 * number for number in range(20)]
    assert psutil.Process().pid not in processes(results)


def test_light_items_go_to_workers_when_they_have_become_much() -> None:
    auto = Auto(Pool(ProcessWorker, 1), worth_seconds=10)
    results = list(auto.map(range(200), Double(0.1)))
    assert doubled(results) == [2 * number for number in range(200)]
    here = [pid == psutil.Process().pid for _, pid in results]
    assert here == sorted(here, reverse=True)
    assert 64 < sum(here) <= 100


def test_little_is_looked_at_before_the_first_result() -> None:
    items = iter(range(1_000))
    next(Auto(Pool(ProcessWorker, 2)).map(items, Double(1e-9)))
    assert next(items) <= 16


# ── settings ──


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"executor": "inline"}, Inline),
        ({"executor": "inline", "workers": 2}, Inline),
        ({"executor": "processes", "workers": 2}, Pool),
        ({"executor": "auto", "workers": 2}, Auto),
        ({"executor": "auto", "workers": 1}, Inline),
        ({"executor": "ray", "workers": None, "ray_address": "10.0.0.1:6379"}, RayPool),
    ],
)
def test_an_executor_is_named_in_the_settings(settings: dict[str, Any], kind: type) -> None:
    assert isinstance(from_config(settings), kind)


def test_without_settings_it_is_auto() -> None:
    assert isinstance(from_config(None), Auto | Inline)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"executor": "threads"}, f"the known ones are {', '.join(EXECUTORS)}"),
        ({"executor": None}, "unknown scrub_executor"),
        ({"workers": 0}, "scrub_workers must be a whole number from 1"),
        ({"workers": True}, "scrub_workers must be"),
        ({"workers": "two"}, "scrub_workers must be"),
        ({"executor": "ray", "ray_address": 6379}, "ray_address must be an address"),
        ({"cores": 2}, "scrub_on: unknown setting cores; known are executor, workers"),
    ],
)
def test_wrong_settings_are_refused_with_a_hint(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        from_config(settings)
