"""The same work on one core, on every core of this machine, or on a Ray cluster.

    executor      by name: auto, inline, processes, ray
    Inline        in this process, one item after the other
    Auto          in this process while the input is small, then in processes
    Pool          on workers: processes here, Ray's actors elsewhere (ray_pool.py)

Items come in as they are asked for and results go out in their order, with a few items per worker
on the way, so memory does not grow with the input. A worker starts the work once, which takes
seconds, and is replaced after some items. One that dies loses nothing: what it had is done again by
another, a few times at most (workers.py).
"""

import os
import pickle
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final, Protocol, TypeVar

from python_stages.errors import ConfigError, StageError
from python_stages.names import refuse_unknown
from python_stages.scrub.workers import ProcessWorker, Worker, WorkerLostError

EXECUTORS: Final = ("auto", "inline", "processes", "ray")

_ITEMS_AHEAD: Final = 4  # per worker, so that none waits for whoever takes the results
_MOST_TRIES: Final = 3  # of an item whose worker died
_MAX_ITEMS_PER_WORKER: Final = 500  # minutes of work beside seconds of starting anew
_LOOK_AHEAD: Final = 16  # items
_WORTH_SECONDS: Final = 5.0  # on one core: as much as loading the engine once more

Item = TypeVar("Item")
Result = TypeVar("Result")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


class Work(Protocol[Item_contra, Result_co]):
    """What is done with every item; it is pickled, as are items and results."""

    def start(self) -> Callable[[Item_contra], Result_co]:
        """Do what takes seconds, once, and return what does one item."""

    def seconds(self, item: Item_contra, /) -> float:
        """Return about how long an item takes on one core."""


class Executor(Protocol):
    """Somewhere to work."""

    def map(self, items: Iterable[Item], work: Work[Item, Result]) -> Generator[Result, None, None]:
        """Yield the result of every item, in order.

        Raises:
            StageError: an item failed, or its worker died too often.
            SealtuneError: what the work raises.
        """


def executor(
    name: str = "auto", *, n_workers: int | None = None, ray_address: str | None = None
) -> Executor:
    """Return the executor of that name.

    Args:
        name: one of EXECUTORS.
        n_workers: workers at most; by default a worker for each core, here or in the cluster.
        ray_address: the cluster, such as `10.0.0.1:6379`; by default the one of this machine.

    Raises:
        ConfigError: the name is unknown, there is no worker, or Ray is not installed.
    """
    if name not in EXECUTORS:
        raise ConfigError(f"unknown scrub_executor: the known ones are {', '.join(EXECUTORS)}")
    if n_workers is not None and (type(n_workers) is not int or n_workers < 1):
        raise ConfigError("scrub_workers must be a whole number from 1, or null for every core")
    if ray_address is not None and not isinstance(ray_address, str):
        raise ConfigError("ray_address must be an address such as 10.0.0.1:6379, or null")
    if name == "ray":
        from python_stages.scrub.ray_pool import RayPool  # noqa: PLC0415  # an optional extra

        return RayPool(ray_address, n_workers)
    pool = Pool(ProcessWorker, n_workers or _n_cores())
    if name == "processes":
        return pool
    return Inline() if name == "inline" or pool.n_workers == 1 else Auto(pool)


def from_config(config: Mapping[str, Any] | None) -> Executor:
    """Return the executor that a model's `scrub_on` settings name: executor, workers, ray_address.

    Raises:
        ConfigError: a setting is unknown, or as `executor`.
    """
    config = config or {}
    known = ("executor", "workers", "ray_address")
    refuse_unknown("scrub_on", config, known)
    return executor(
        config.get("executor", "auto"),
        n_workers=config.get("workers"),
        ray_address=config.get("ray_address"),
    )


@dataclass(frozen=True, slots=True)
class Inline:
    """In this process, one item after the other."""

    def map(self, items: Iterable[Item], work: Work[Item, Result]) -> Generator[Result, None, None]:
        """Yield the result of every item, in order."""
        do = work.start()
        for item in items:
            yield do(item)


@dataclass(frozen=True, slots=True)
class Auto:
    """In this process as long as starting workers would take longer than what they would save.

    Decided by what the items are estimated at, not by a clock: the same input, the same way.

    Attributes:
        pool: where to work when there is enough to do.
        worth_seconds: how much is enough, on one core.
    """

    pool: Executor
    worth_seconds: float = _WORTH_SECONDS

    def map(self, items: Iterable[Item], work: Work[Item, Result]) -> Generator[Result, None, None]:
        """Yield the result of every item, in order."""
        rest = iter(items)
        do: Callable[[Item], Result] | None = None
        seconds = 0.0
        while ahead := list(islice(rest, _LOOK_AHEAD)):
            seconds += sum(map(work.seconds, ahead))
            if seconds >= self.worth_seconds:
                yield from self.pool.map(chain(ahead, rest), work)
                return
            do = do or work.start()
            yield from map(do, ahead)


@dataclass(frozen=True, slots=True)
class Pool:
    """On workers, each of which does one item at a time.

    Attributes:
        hire: starts a worker, whose desk is for the pickled work that it is given.
        n_workers: how many there are at once.
        max_items_per_worker: after how many a worker is replaced, and its memory freed.
    """

    hire: Callable[[bytes], Worker]
    n_workers: int
    max_items_per_worker: int = _MAX_ITEMS_PER_WORKER

    def map(self, items: Iterable[Item], work: Work[Item, Result]) -> Generator[Result, None, None]:
        """Yield the result of every item, in order."""
        pickled = pickle.dumps(work)
        crew = _Crew(lambda: self.hire(pickled), self.max_items_per_worker)
        # the threads do nothing but wait, each for a worker
        threads = ThreadPoolExecutor(self.n_workers, thread_name_prefix="scrub")
        ahead: deque[Future[Any]] = deque()
        try:
            for item in items:
                ahead.append(threads.submit(crew.do, item))
                if len(ahead) >= _ITEMS_AHEAD * self.n_workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            crew.close()
            threads.shutdown(cancel_futures=True)


class _Crew:
    """The workers of one `Pool.map`: those that are free, and those that are at work."""

    def __init__(self, hire: Callable[[], Worker], max_items: int) -> None:
        self._hire: Final = hire
        self._max_items: Final = max_items
        self._lock: Final = threading.Lock()
        self._free: Final[list[Worker]] = []
        self._n_done: Final[dict[Worker, int]] = {}
        self._is_closed = False

    def do(self, item: Any) -> Any:
        """Have some worker do an item; called from many threads.

        Raises:
            StageError: the workers that had it died.
            SealtuneError: what the work raised.
        """
        message = pickle.dumps(item)
        lost = ""
        for _ in range(_MOST_TRIES):
            worker = self._take()
            try:
                answer = worker.do(message)
            except WorkerLostError as error:
                lost = str(error)
                self._dismiss(worker)
                continue
            self._give_back(worker)
            result, failure = pickle.loads(answer)  # noqa: S301  # written by our own worker
            if failure is not None:
                raise failure
            return result
        raise StageError(
            f"{_MOST_TRIES} workers in a row died on the same texts ({lost}), which were not let "
            "through: give workers more memory or set fewer scrub_workers; scrub_executor: inline "
            "shows what fails"
        )

    def close(self) -> None:
        """End all workers, which ends the calls of `do` that wait for one."""
        with self._lock:
            self._is_closed = True
            workers = list(self._n_done)
        for worker in workers:
            worker.close()

    def _take(self) -> Worker:
        with self._lock:
            if self._is_closed:
                raise StageError("the pool was closed before all was done: read it to its end")
            if self._free:
                return self._free.pop()
            worker = self._hire()
            self._n_done[worker] = 0
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._n_done[worker] += 1
            if self._n_done[worker] < self._max_items:
                self._free.append(worker)
                return
        self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        with self._lock:
            del self._n_done[worker]
        worker.close()


def _n_cores() -> int:
    """Return the cores that this process may use, which in a container are not all."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
