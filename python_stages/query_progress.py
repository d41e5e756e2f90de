"""How far DuckDB is with a query, told to whoever looks on, in percent: it knows no more.

DuckDB estimates it from what its scans have read, and for some queries knows nothing; then nothing
is told. Small queries are over before anybody looks.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import duckdb

from python_stages import progress

UNIT: Final = "%"
_LOOK_SECONDS: Final = 0.5
_running: dict[str, duckdb.DuckDBPyConnection] = {}  # by the thread that waits for it


def measure(con: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB measure how far the queries of this connection are, and print nothing of it."""
    con.execute("set enable_progress_bar = true")
    con.execute("set enable_progress_bar_print = false")


@contextmanager
def told(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Tell how far the query is that this thread runs meanwhile; `measure` was called before."""
    if not progress.is_heard():
        yield
        return
    _watcher()
    name = threading.current_thread().name
    outer = _running.get(name)
    _running[name] = con
    try:
        yield
    finally:
        if outer is None:
            del _running[name]
        else:
            _running[name] = outer


@cache
def _watcher() -> threading.Thread:
    thread = threading.Thread(target=_watch, name="query-progress", daemon=True)
    thread.start()
    return thread


def _watch() -> None:
    pause = threading.Event()
    while not pause.wait(_LOOK_SECONDS):
        for thread, con in tuple(_running.items()):
            try:
                percent = con.query_progress()
            except duckdb.Error:  # it was closed meanwhile
                continue
            if percent > 0:  # below, DuckDB does not know
                progress.tell(UNIT, min(int(percent), 100), 100, thread)
