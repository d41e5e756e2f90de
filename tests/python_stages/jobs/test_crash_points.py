"""Every point at which a process can die, alone and in pairs, beside everything that providers do.

A schedule is: which requests go wrong and how, how far listings lag behind, and where the first
runs die; then runs go on in peace, and a person settles what is parked by the very command that the
message names. The claim, in every schedule: no second job, no lost job, no file left behind.

The provider is the one in memory (simulated_provider.py), because there are thousands of schedules
and a settle window must take no time; the ledger is the real one, over a database in memory.
`test_submit.py` runs the single crashes and the pairs of them once more, with the ledger in a file
and through the unmodified client over real sockets.

The same schedules are given to the protocol that one would write first: upload, create, write the
ids down; try again on an error. What becomes of both is printed (pytest -rP).
"""

import itertools
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from python_stages.backends.base import job_key
from python_stages.errors import AmbiguousJobError, BackendError
from python_stages.jobs.ledger import State
from python_stages.jobs.refresh import refresh
from python_stages.jobs.settle import settle
from python_stages.jobs.submit import submit
from tests.python_stages.backends.specs import content_of, spec_of
from tests.python_stages.jobs.crashes import (
    Crash,
    Crasher,
    LedgerInMemory,
    crashing,
    database_in_memory,
)
from tests.python_stages.jobs.simulated_provider import (
    TIMEOUT_SECONDS,
    Clock,
    SimulatedFault,
    SimulatedProvider,
)

# longer than a listing lags, shorter than the settle window of a minute
LAGS = (0.0, 20.0)
SECONDS_TO_A_RESTART = 1.0
SECONDS_TO_THE_NEXT_BUILD = 50.0
MAX_RUNS = 12
CONTENT = content_of(b"x" * 100)
SPEC = spec_of(suffix=None, training=CONTENT, validation=CONTENT)
_COMMAND = re.compile(r"`sealtune jobs settle (\w+) (?:--job (\S+)|--none)`")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens.

    Args:
        faults: requests that go wrong.
        lag: seconds that listings are behind.
        repeats: whether listings show everything two times.
        crashes: the point at which each of the first processes dies, counted from its first step.
    """

    faults: tuple[SimulatedFault, ...] = ()
    lag: float = 0.0
    repeats: bool = False
    crashes: tuple[int, ...] = ()

    def provider(self) -> SimulatedProvider:
        """Return the provider that it is about."""
        return SimulatedProvider(Clock(), self.lag, self.repeats, self.faults)


@dataclass(frozen=True, slots=True)
class End:
    """What has become of a schedule: all counted at the provider, but for what is parked."""

    n_jobs_made: int
    n_lost: int
    n_files: int
    n_parked: int

    @property
    def is_as_claimed(self) -> bool:
        """Whether there is one job, known, and no file; a parked one was settled by a person."""
        return (self.n_jobs_made, self.n_lost, self.n_files) == (1, 0, 0)


@dataclass
class Tally:
    """A line of the table."""

    n_schedules: int = 0
    n: Counter[str] = field(default_factory=Counter)
    worst: list[Schedule] = field(default_factory=list)

    def add(self, schedule: Schedule, end: End) -> None:
        """Count a schedule."""
        self.n_schedules += 1
        self.n["duplicates"] += end.n_jobs_made > 1
        self.n["losses"] += end.n_lost > 0 or end.n_jobs_made == 0
        self.n["orphans"] += end.n_files > 0
        self.n["parked"] += end.n_parked > 0
        if not end.is_as_claimed:
            self.worst.append(schedule)

    def line(self, name: str) -> str:
        """Return the line."""
        counts = "".join(f"{self.n[one]:>12,}" for one in COLUMNS)
        return f"{name:<34}{self.n_schedules:>10,}{counts}\n"


COLUMNS = ("duplicates", "losses", "orphans", "parked")


class OurProtocol:
    """Submission and refresh over the ledger, as the hooks run them."""

    def __init__(self, provider: SimulatedProvider) -> None:
        self._database = database_in_memory()
        self._provider = provider
        self._key = job_key(SPEC, provider.identity)
        self._n_parked = 0

    def run(self, crasher: Crasher) -> bool:
        """Run once, as a build does; say whether all is done."""
        settling = self._provider.clock.settling()
        backend = crashing(self._provider, crasher)
        ledger = LedgerInMemory(self._database, crasher)
        submit(SPEC, backend, ledger, settling=settling)
        refreshed = refresh(backend, ledger, settling=settling)
        for failure in refreshed.failures.values():
            raise failure
        row = ledger.get(self._key)
        return row is not None and row.state is State.FILES_DELETED

    def help(self, error: AmbiguousJobError) -> None:
        """Do what the message of a parked job says."""
        named = _COMMAND.search(str(error))
        assert named is not None
        prefix, job_id = named.groups()
        self._n_parked += 1
        ledger = LedgerInMemory(self._database, Crasher())
        key = ledger.find(prefix).key
        settling = self._provider.clock.settling()
        settle(key, job_id, self._provider, ledger, settling=settling)

    def end(self) -> End:
        """Count."""
        row = LedgerInMemory(self._database, Crasher()).get(self._key)
        self._database.close()
        known = set() if row is None or row.outcome != "succeeded" else {row.job_id}
        live = {status.job_id for status in self._provider.live_jobs()}
        n_made = max(len(self._provider.requests_that_made_jobs), len(live))
        return End(n_made, len(live ^ known), len(self._provider.files()), self._n_parked)


class NaiveProtocol:
    """Upload, create, write down; on an error, again; on a crash, from the start."""

    def __init__(self, provider: SimulatedProvider) -> None:
        self._provider = provider
        self._job_id: str | None = None
        self._file_ids: list[str] = []
        self._is_done = False

    def run(self, crasher: Crasher) -> bool:
        """Run once; say whether all is done."""
        if self._job_id is None:
            self._submit(crasher)
        if not self._is_done:
            backend = crashing(self._provider, crasher)
            if backend.status(self._job_id or "").state == "running":
                return False
            for file_id in self._file_ids:
                backend.delete_file(file_id)
            crasher.step("save done")
            self._is_done = True
        return self._is_done

    def _submit(self, crasher: Crasher) -> None:
        backend = crashing(self._provider, crasher)
        backend.preflight(SPEC)
        for attempt in range(3):
            try:
                files = [backend.upload(name, CONTENT).file_id for name in ("train", "validation")]
                job = backend.create(
                    SPEC, "key", training_file_id=files[0], validation_file_id=files[1]
                )
            except BackendError:
                if attempt == 2:
                    raise
            else:
                break
        crasher.step("save job")
        self._job_id, self._file_ids = job.job_id, files

    def help(self, error: AmbiguousJobError) -> None:
        """Is never asked for help."""

    def end(self) -> End:
        """Count."""
        live = {status.job_id for status in self._provider.live_jobs()}
        n_made = max(len(self._provider.requests_that_made_jobs), len(live))
        lost = live ^ ({self._job_id} - {None})
        return End(n_made, len(lost), len(self._provider.files()), 0)


Protocol = type[OurProtocol] | type[NaiveProtocol]


def play(protocol: Protocol, schedule: Schedule) -> End:
    """Play a schedule to its end."""
    provider = schedule.provider()
    player = protocol(provider)
    deaths: list[int | None] = [*schedule.crashes, None]
    crasher = Crasher(deaths.pop(0))
    for _ in range(MAX_RUNS):
        try:
            if player.run(crasher):
                break
            provider.clock.sleep(SECONDS_TO_THE_NEXT_BUILD)
        except AmbiguousJobError as error:
            with suppress(BackendError):  # then the person tries again
                player.help(error)
        except Crash:
            crasher = Crasher(deaths.pop(0))
            provider.clock.sleep(SECONDS_TO_A_RESTART)
        except BackendError:
            provider.clock.sleep(SECONDS_TO_A_RESTART)
    provider.clock.sleep(TIMEOUT_SECONDS)
    provider.catch_up(provider.clock())
    return player.end()


def n_points(protocol: Protocol) -> int:
    """Return at how many points a job without trouble can die, from its first step to its last."""
    provider = SimulatedProvider()
    player = protocol(provider)
    crasher = Crasher()
    while not player.run(crasher):
        provider.clock.sleep(SECONDS_TO_THE_NEXT_BUILD)
    player.end()
    return len(crasher.steps)


def creating_faults() -> Iterator[SimulatedFault]:
    """Every way in which a request that creates can go wrong: two uploads and the job."""
    for operation, nth in (("upload", 0), ("upload", 1), ("create", 0)):
        for status in (403, 409, 429, 500):
            yield SimulatedFault(operation, "refused", status, nth)
            yield SimulatedFault(operation, "swallowed", status, nth)
        for kind in ("reset_before", "reset_after", "timeout", "late", "twice", "twice_unanswered"):
            yield SimulatedFault(operation, kind, nth=nth)


def other_faults() -> Iterator[SimulatedFault]:
    """Listings, look-ups and deletions that are refused, before or after their effect."""
    for operation in ("preflight", "find_jobs", "find_files", "status", "has_file", "delete_file"):
        for nth in (0, 1):
            yield SimulatedFault(operation, "refused", 500, nth)
    yield SimulatedFault("delete_file", "swallowed", 403)


def crash_free() -> Iterator[Schedule]:
    """Every pair of faults, and no crash."""
    faults = [*creating_faults(), *other_faults()]
    pairs = itertools.combinations(faults, 2)
    for lag, repeats in itertools.product(LAGS, (False, True)):
        yield Schedule((), lag, repeats)
    for chosen in (*((one,) for one in faults), *pairs):
        yield Schedule(chosen, LAGS[1])


def crashed(
    n: int, length: int, faults: Sequence[tuple[SimulatedFault, ...]]
) -> Iterator[Schedule]:
    """Every sequence of so many crashes, at every lag, beside each of the faults."""
    for lag, chosen in itertools.product(LAGS, faults):
        for crashes in itertools.product(range(n), repeat=length):
            yield Schedule(chosen, lag, repeats=bool(sum(crashes) % 2), crashes=crashes)


def judge(protocol: Protocol, schedules: Iterable[Schedule]) -> Tally:
    """Play schedules and count how they ended."""
    tally = Tally()
    for schedule in schedules:
        tally.add(schedule, play(protocol, schedule))
    return tally


def schedules_of(protocol: Protocol, *, thin: int) -> dict[str, Iterator[Schedule]]:
    """Return the schedules by name; where faults meet, or meet crashes, one in so many is taken."""
    n = n_points(protocol)
    single = [(one,) for one in (*creating_faults(), *other_faults())]
    return {
        "one crash": crashed(n, 1, [()]),
        "two crashes": itertools.islice(crashed(n, 2, [()]), 0, None, 1 if thin == 1 else 2),
        "one fault or two": itertools.islice(crash_free(), 0, None, thin),
        "a crash and a fault": itertools.islice(crashed(n, 1, single), 0, None, thin),
        "two crashes and a fault": itertools.islice(crashed(n, 2, single), 0, None, 61 * thin),
    }


def table(thin: int) -> tuple[Tally, Tally]:
    """Judge both protocols, print the table and return their sums."""
    head = f"{'':<34}{'schedules':>10}" + "".join(f"{one:>12}" for one in COLUMNS) + "\n"
    sys.stdout.write(head)
    sums = []
    for protocol, title in ((OurProtocol, "this ledger"), (NaiveProtocol, "naive protocol")):
        whole = Tally()
        for name, schedules in schedules_of(protocol, thin=thin).items():
            tally = judge(protocol, schedules)
            whole.n_schedules += tally.n_schedules
            whole.n += tally.n
            whole.worst += tally.worst
            sys.stdout.write(tally.line(f"{title}: {name}"))
        sys.stdout.write(whole.line(f"{title}: all"))
        sums.append(whole)
    return sums[0], sums[1]


def check(ours: Tally, naive: Tally) -> None:
    """Claim what the table must show."""
    assert ours.worst == []
    assert (ours.n["duplicates"], ours.n["losses"], ours.n["orphans"]) == (0, 0, 0)
    # the schedules are hard enough to break what does without a ledger
    assert naive.n["duplicates"] > 0
    assert naive.n["losses"] > 0
    assert naive.n["orphans"] > 0


def test_no_schedule_of_crashes_and_faults_makes_a_second_job_or_loses_one_or_leaves_a_file() -> (
    None
):
    check(*table(thin=10))


@pytest.mark.slow
def test_the_same_of_all_schedules() -> None:
    check(*table(thin=1))
