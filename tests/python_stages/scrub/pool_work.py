"""Work for workers, which must be able to import it: doubling, dying, failing."""

import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from python_stages.errors import ConfigError
from python_stages.scrub.pool import Inline, Work
from python_stages.scrub.work import Chunk
from python_stages.scrub.workers import Desk

CANARY = "4111-canary-1111"
Done = tuple[Any, int]


def hired() -> list[psutil.Process]:
    """Return the workers of this process; its other children are those of other tests' tools."""
    return [one for one in psutil.Process().children() if _is_worker(one)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("json.loads(sys.argv.pop())" in argument for argument in process.cmdline())
    except psutil.Error:  # it has just ended
        return False


@dataclass(frozen=True, slots=True)
class Double:
    """Twice an item, and the process that did it."""

    item_seconds: float = 0.0

    def start(self) -> Callable[[Any], Done]:
        """Return what does one item."""
        return self.do

    def seconds(self, _: Any, /) -> float:
        """Return what the test wants an item to be estimated at."""
        return self.item_seconds

    def do(self, item: Any) -> Done:
        """Double an item."""
        return 2 * item, os.getpid()


@dataclass(frozen=True, slots=True)
class DieOnce(Double):
    """Kills its own process in the middle of some items, the first times that they come."""

    folder: Path = Path()
    deadly: tuple[int, ...] = ()
    n_lives: int = 1

    def do(self, item: Any) -> Done:
        """Die, or double the item."""
        n_deaths = len(list(self.folder.glob(f"{item}-*")))
        if item in self.deadly and n_deaths < self.n_lives:
            (self.folder / f"{item}-{n_deaths}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * item, os.getpid()


@dataclass(frozen=True, slots=True)
class Chatter(Double):
    """Prints a value."""

    def do(self, item: Any) -> Done:
        """Print, and double the item."""
        os.write(1, CANARY.encode())
        os.write(2, CANARY.encode())
        return 2 * item, os.getpid()


@dataclass(frozen=True, slots=True)
class Fail(Double):
    """Raises a value, or an error of ours, at one item."""

    is_ours: bool = False

    def do(self, item: Any) -> Done:
        """Fail, or double the item."""
        if item == 3:
            raise ConfigError("no model: make one") if self.is_ours else ValueError(CANARY)
        return 2 * item, os.getpid()


@dataclass(frozen=True, slots=True)
class FailToStart(Double):
    """Cannot even start."""

    def start(self) -> Callable[[Any], Done]:
        """Fail."""
        raise ConfigError("no model: make one")


class Recording:
    """Works in this process and keeps what it was asked to do."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def map(self, items: Iterable[Any], work: Work[Any, Any]) -> Generator[Any, None, None]:
        """Yield the result of every item."""

        def recorded() -> Iterator[Chunk]:
            for item in items:
                self.chunks.append(item)
                yield item

        yield from Inline().map(recorded(), work)

    @property
    def texts(self) -> list[str]:
        """All texts of the chunks."""
        return [text for chunk in self.chunks for text in chunk.texts]


class AtADesk:
    """Works in this process, with all that passes pickled as it is for a worker."""

    def map(self, items: Iterable[Any], work: Work[Any, Any]) -> Generator[Any, None, None]:
        """Yield the result of every item."""
        desk = Desk(pickle.dumps(work))
        for item in items:
            result, failure = pickle.loads(desk.answer(pickle.dumps(item)))
            if failure is not None:
                raise failure
            yield result
