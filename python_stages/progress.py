"""How far a stage has come, for whoever looks on in the same process.

Every dbt command does for the served site, and `sealtune build` on a terminal. Where nobody does,
nothing is counted.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Count:
    """How far something has come.

    Args:
        thread: name of the thread that began it, by which it is told from what goes on beside it.
        unit: what is counted: rows, steps, or % of a query.
        n_done: how many are done.
        n_total: of how many, or None where that is not known.
        at: when that was so, monotonic seconds.
    """

    thread: str
    unit: str
    n_done: int
    n_total: int | None
    at: float


Listener = Callable[[Count], None]
_listeners: list[Listener] = []


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Tell a listener every count meanwhile; it is called from any thread, and must not raise."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def is_heard() -> bool:
    """Return whether anybody listens."""
    return bool(_listeners)


def listen(listener: Listener) -> None:
    """Tell a listener every count from now on, for as long as this process lives."""
    _listeners.append(listener)


def tell(unit: str, n_done: int, n_total: int | None, thread: str | None = None) -> None:
    """Tell those who listen how far something is; by default, something of this thread."""
    if _listeners:
        name = threading.current_thread().name if thread is None else thread
        count = Count(name, unit, n_done, n_total, time.monotonic())
        for listener in tuple(_listeners):
            listener(count)


def counted(batches: Iterator[pa.RecordBatch], n_total: int | None) -> Iterator[pa.RecordBatch]:
    """Return the same batches, and tell their rows as they pass.

    DuckDB pulls them in threads of its own, so the thread is that of this call.
    """
    return _counted(batches, n_total, threading.current_thread().name) if _listeners else batches


def total(count: Callable[[], int]) -> int | None:
    """Return how many there will be, or None where nobody listens, for whom it would be counted."""
    return count() if _listeners else None


def _counted(
    batches: Iterator[pa.RecordBatch], n_total: int | None, thread: str
) -> Iterator[pa.RecordBatch]:
    n_done = 0
    tell("rows", n_done, n_total, thread)
    for batch in batches:
        yield batch
        n_done += batch.num_rows
        tell("rows", n_done, n_total, thread)
