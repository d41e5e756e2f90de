"""Dying between two steps: before and after every request and every write to the ledger.

Nothing lies between the end of one step and the beginning of the next, so that the point after the
one is the point before the other, and is counted once.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from python_stages.backends.base import Backend
from python_stages.jobs.ledger import Ledger, LedgerRow
from python_stages.jobs.ledger_file import LEDGER


class Crash(BaseException):
    """The process dies here; nothing in the package may catch it."""


@dataclass
class Crasher:
    """Counts the points of one run, and dies at the one given; None never dies.

    Args:
        at: the point to die at: the number of steps that were done by then.
        dies_at: the same by name: the first step of this name is not begun any more.
        steps: names of the steps that were begun.
    """

    at: int | None = None
    dies_at: str = ""
    steps: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        """Die where the point has come, else begin a step."""
        if self.at == len(self.steps) or name == self.dies_at:
            raise Crash
        self.steps.append(name)


class _CrashingBackend:
    """A backend of which every request is a step."""

    def __init__(self, inner: Backend, crasher: Crasher) -> None:
        self._inner = inner
        self._crasher = crasher

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def request(*args: Any, **options: Any) -> Any:
            self._crasher.step(name)
            return found(*args, **options)

        return request


class CrashingLedger(Ledger):
    """A ledger of which every write is a step."""

    def __init__(self, path: Path, crasher: Crasher) -> None:
        super().__init__(path)
        self._crasher = crasher

    def save(self, row: LedgerRow, event: str, **changes: Any) -> LedgerRow:
        """Save, if the process lives to do it."""
        self._crasher.step(f"save {event}")
        return super().save(row, event, **changes)


class LedgerInMemory(CrashingLedger):
    """The same over a database that outlives the process.

    A file's saves would take most of the time of a schedule, and what dies here is a process, never
    the power.

    Args:
        database: from `database_in_memory`.
        crasher: where to die.
    """

    def __init__(self, database: sqlite3.Connection, crasher: Crasher) -> None:
        self._connection = database
        self._crasher = crasher

    @contextmanager
    def submitter(self, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Write without a lock: there is one process at a time."""
        del wait_seconds
        self._is_submitter = True
        yield


@cache
def _empty_ledger() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / LEDGER
        Ledger(path).close()
        return path.read_bytes()


def database_in_memory() -> sqlite3.Connection:
    """Return a database in memory with the tables of a ledger."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.deserialize(_empty_ledger())
    return database


def crashing(backend: Backend, crasher: Crasher) -> Backend:
    """Return a backend of which every request is a step."""
    return cast("Backend", _CrashingBackend(backend, crasher))
