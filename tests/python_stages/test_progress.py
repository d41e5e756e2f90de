"""Counts reach who listens, in order, and cost nothing where nobody does."""

import threading
from collections.abc import Iterator

import pyarrow as pa

from python_stages import progress


def batches() -> Iterator[pa.RecordBatch]:
    for n_rows in (3, 4):
        yield pa.RecordBatch.from_pydict({"n": list(range(n_rows))})


def test_nobody_listening_gets_the_very_same_batches_and_no_total() -> None:
    given = batches()
    assert progress.counted(given, 7) is given
    assert progress.total(lambda: 1 // 0) is None


def test_rows_are_told_as_they_pass_under_the_thread_that_asked() -> None:
    told: list[progress.Count] = []
    with progress.heard_by(told.append):
        counted = progress.counted(batches(), progress.total(lambda: 7))
        # DuckDB pulls in a thread of its own
        puller = threading.Thread(target=lambda: [None for _ in counted])
        puller.start()
        puller.join()
    here = threading.current_thread().name
    assert [(one.thread, one.n_done, one.n_total) for one in told] == [
        (here, 0, 7),
        (here, 3, 7),
        (here, 7, 7),
    ]


def test_a_listener_that_left_hears_nothing() -> None:
    told: list[progress.Count] = []
    with progress.heard_by(told.append):
        pass
    progress.tell("steps", 1, 2)
    assert told == []
