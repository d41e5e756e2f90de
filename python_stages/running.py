"""A build that runs now: what runs in it, how far that is, and what has failed.

`Running` hears dbt's events, whose names are dbt's, and the counts of the stages, in the process of
the build. `publish` tells other processes by a file in the vault's folder: one process alone may
open the warehouse, and a build that is under way has it. The file names models and tests, and
counts; it holds no value of a row. A killed build leaves it behind, so it counts for little time.
"""

import atexit
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from python_stages.progress import Count
from python_stages.query_progress import UNIT as PERCENT

FILE: Final = "running.json"
_EVERY_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 20.0
_MINUTE: Final = 60
_LEAST_SECONDS: Final = 0.5  # before that, a rate says nothing
_FAILED: Final = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class Stage:
    """A model that runs now.

    Args:
        name: of the model.
        seconds: since when.
        unit: what is counted of it; None where nothing is known yet.
        n_done: how many of that are done.
        n_total: of how many, or None where that is not known.
        rate: how many a second, or None before that can be told.
    """

    name: str
    seconds: float
    unit: str | None = None
    n_done: int = 0
    n_total: int | None = None
    rate: float | None = None

    def facts(self) -> Iterator[str]:
        """Yield what is known of it, for people: how much, how fast, how long it will take."""
        if self.unit is None:
            yield clock(self.seconds)
            return
        if self.unit == PERCENT:
            yield f"{self.n_done} %"
        else:
            of = f" of {self.n_total:,}" if self.n_total else ""
            yield f"{self.n_done:,}{of} {self.unit}"
        if not self.rate:
            return
        if self.unit != PERCENT:
            yield f"{self.rate:,.0f}/s" if self.rate >= 1 else f"{clock(1 / self.rate)} each"
        if self.n_total and self.n_done < self.n_total:
            yield f"about {clock((self.n_total - self.n_done) / self.rate)} left"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A build, as it is now.

    Args:
        seconds: since when it runs.
        n_done: models, tests and seeds that are done.
        n_total: of how many; None while dbt reads the project.
        failed: names of those that failed, in order.
        stages: the models that run, the longest first.
    """

    seconds: float
    n_done: int
    n_total: int | None
    failed: tuple[str, ...]
    stages: tuple[Stage, ...]

    @classmethod
    def load(cls, text: str) -> Self:
        """Return what `dump` wrote.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        told = json.loads(text)
        stages = tuple(Stage(**one) for one in told.pop("stages"))
        return cls(**(told | {"failed": tuple(told["failed"]), "stages": stages}))

    def dump(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
class _Begun:
    """A model that runs, and the first and the last that was counted of it."""

    name: str
    at: float
    first: Count | None = None
    last: Count | None = None

    def take(self, count: Count) -> None:
        last = self.last
        if last and last.unit != PERCENT == count.unit:
            return  # rows that a stage counts say more than what DuckDB estimates
        if (
            self.first is None
            or last is None
            or last.unit != count.unit
            or count.n_done < last.n_done
        ):
            self.first = count
        self.last = count

    def stage(self, now: float) -> Stage:
        last, first = self.last, self.first
        if last is None or first is None:
            return Stage(self.name, now - self.at)
        seconds, n_since = last.at - first.at, last.n_done - first.n_done
        rate = n_since / seconds if seconds >= _LEAST_SECONDS and n_since > 0 else None
        return Stage(self.name, now - self.at, last.unit, last.n_done, last.n_total, rate)


@dataclass(slots=True)
class Running:
    """What is known of the build of this process; `hear` takes dbt's events, `count` counts."""

    is_over: bool = False
    _begun: float = field(default_factory=time.monotonic)
    _n_done: int = 0
    _n_total: int | None = None
    _failed: list[str] = field(default_factory=list)
    _stages: dict[str, _Begun] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, event: Any) -> None:
        """Take an event of dbt's, an `EventMsg`; called from any thread."""
        info = event.info
        if info.name == "LogStartLine":
            node = event.data.node_info
            with self._lock:
                self._n_total = event.data.total
                if node.resource_type == "model":  # a test is over before it is read
                    self._stages[info.thread] = _Begun(node.node_name, time.monotonic())
        elif info.name == "NodeFinished":
            node = event.data.node_info
            with self._lock:
                self._stages.pop(info.thread, None)
                self._n_done += 1
                if node.node_status in _FAILED:
                    self._failed.append(node.node_name)
        elif info.name == "CommandCompleted":
            self.is_over = True

    def count(self, count: Count) -> None:
        """Take a count of a stage; called from any thread."""
        with self._lock:
            if stage := self._stages.get(count.thread):
                stage.take(count)

    def snapshot(self) -> Snapshot:
        """Return the build as it is now."""
        now = time.monotonic()
        with self._lock:
            begun = sorted(self._stages.values(), key=lambda one: one.at)
            return Snapshot(
                now - self._begun,
                self._n_done,
                self._n_total,
                tuple(self._failed),
                tuple(one.stage(now) for one in begun),
            )


def publish(running: Running, folder: Path) -> None:
    """Tell other processes of a build from its first model to its end, in a thread of its own."""
    threading.Thread(target=_publish, args=(running, folder), daemon=True).start()


def _publish(running: Running, folder: Path) -> None:
    path, new = folder / FILE, folder / f"{FILE}.{os.getpid()}"
    pause = threading.Event()
    is_told = False
    while not pause.wait(_EVERY_SECONDS) and not running.is_over:
        found = running.snapshot()
        if found.n_total is None:  # a command that builds nothing
            continue
        if not is_told:
            atexit.register(path.unlink, missing_ok=True)
            is_told = True
        try:
            new.touch(mode=0o600)
            new.write_text(found.dump(), "utf-8")
            new.replace(path)
        except OSError:  # a full disk, or no vault any more: a build does not fail for this
            continue
    if is_told:
        path.unlink(missing_ok=True)


def read(folder: Path) -> Snapshot | None:
    """Return the build that runs with the vault in a folder, or None."""
    path = folder / FILE
    try:
        if time.time() - path.stat().st_mtime > _STALE_SECONDS:
            return None
        return Snapshot.load(path.read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):  # none, or of another version of sealtune
        return None


def clock(seconds: float) -> str:
    """Return a time as people read it."""
    minutes, rest = divmod(max(0, round(seconds)), _MINUTE)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
