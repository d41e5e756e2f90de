"""A build that runs tells other processes how far it is, and stops telling when it has ended."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages import progress, query_progress, running
from python_stages.running import Running, Snapshot, Stage

TEXT = st.text(max_size=9)
STAGES = st.builds(Stage, TEXT, st.floats(0, 1e6), st.none() | TEXT, st.integers(0), st.integers(1))


def event(name: str, node: str = "a_scrubbed", kind: str = "model", status: str = "") -> object:
    """Return what dbt's event of that name says, as far as it is read."""
    info = SimpleNamespace(name=name, thread="Thread-1")
    about = SimpleNamespace(node_name=node, resource_type=kind, node_status=status)
    return SimpleNamespace(info=info, data=SimpleNamespace(total=2, node_info=about))


def until(is_so: Callable[[], object]) -> None:
    """Wait for something that has no notice of its own; a hang is its failure."""
    while not is_so():
        time.sleep(0.05)


@given(
    st.builds(
        Snapshot, st.floats(0), st.integers(), st.integers(), st.tuples(TEXT), st.tuples(STAGES)
    )
)
def test_what_is_written_is_read_again(found: Snapshot) -> None:
    assert Snapshot.load(found.dump()) == found


def test_counts_go_to_the_model_of_their_thread_and_failures_are_named() -> None:
    build = Running()
    build.hear(event("LogStartLine"))
    for at, n_done in ((1.0, 0), (3.0, 400)):
        build.count(progress.Count("Thread-1", "rows", n_done, 1000, at))
        build.count(progress.Count("Thread-9", "rows", 7, 1000, at))
    (stage,) = build.snapshot().stages
    assert (stage.name, stage.n_done, stage.rate) == ("a_scrubbed", 400, 200.0)
    assert list(stage.facts()) == ["400 of 1,000 rows", "200/s", "about 3 s left"]
    build.hear(event("NodeFinished", status="error"))
    now = build.snapshot()
    assert (now.n_done, now.n_total, now.failed, now.stages) == (1, 2, ("a_scrubbed",), ())


def test_counted_rows_are_not_replaced_by_an_estimate_and_a_next_query_begins_anew() -> None:
    build = Running()
    build.hear(event("LogStartLine"))
    for at, percent in ((1.0, 10), (2.0, 90), (3.0, 5), (5.0, 25)):
        build.count(progress.Count("Thread-1", "%", percent, 100, at))
    (stage,) = build.snapshot().stages
    assert list(stage.facts()) == ["25 %", "about 8 s left"]
    build.count(progress.Count("Thread-1", "rows", 0, 10, 6.0))
    build.count(progress.Count("Thread-1", "%", 30, 100, 7.0))
    assert build.snapshot().stages[0].unit == "rows"


def test_a_build_is_told_of_until_it_is_over(tmp_path: Path) -> None:
    build = Running()
    running.publish(build, tmp_path)
    build.hear(event("LogStartLine"))
    until(lambda: running.read(tmp_path))
    assert (tmp_path / running.FILE).stat().st_mode & 0o077 == 0
    build.hear(event("CommandCompleted"))
    until(lambda: not list(tmp_path.iterdir()))


def test_what_a_killed_build_left_behind_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / running.FILE
    path.write_text(Snapshot(1.0, 1, 2, (), ()).dump())
    assert running.read(tmp_path) is not None
    os.utime(path, (0, 0))
    assert running.read(tmp_path) is None
    path.write_text("{}")
    assert running.read(tmp_path) is None


def test_duckdb_tells_how_far_a_query_is() -> None:
    heard: list[progress.Count] = []
    enough = threading.Event()

    def listen(count: progress.Count) -> None:
        heard.append(count)
        if count.n_done:
            enough.set()

    with duckdb.connect() as con, progress.heard_by(listen):
        con.execute("set threads = 1")
        con.execute("create table numbers as select range as n from range(150_000)")
        query_progress.measure(con)

        def stop_then() -> None:
            enough.wait()
            con.interrupt()

        stop = threading.Thread(target=stop_then)
        stop.start()
        with query_progress.told(con), pytest.raises(duckdb.InterruptException):
            con.execute("select count(*) from numbers a join numbers b on a.n <> b.n").fetchall()
        stop.join()
    assert {one.unit for one in heard} == {"%"}
    assert {one.thread for one in heard} == {threading.current_thread().name}
    assert 0 < heard[-1].n_done <= 100
