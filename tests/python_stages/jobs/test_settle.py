"""What a person does about a job is finished by doing it again, wherever it died.

The commands themselves are in test_cli_jobs.py; here the process dies before every request and
every write of them, at a provider whose listings lag behind.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from python_stages.backends.base import Backend, job_key
from python_stages.backends.settling import Settling
from python_stages.errors import LedgerError
from python_stages.jobs.ledger import Ledger, LedgerRow, State
from python_stages.jobs.refresh import refresh
from python_stages.jobs.settle import cancel, clean, settle
from python_stages.jobs.submit import submit
from tests.python_stages.jobs.crashes import (
    Crash,
    Crasher,
    LedgerInMemory,
    crashing,
    database_in_memory,
)
from tests.python_stages.jobs.simulated_provider import SimulatedFault, SimulatedProvider
from tests.python_stages.jobs.test_crash_points import SPEC

LAG_SECONDS = 20.0


def keep_the_second(key: str, backend: Backend, ledger: Ledger, settling: Settling) -> None:
    settle(key, "job-4", backend, ledger, settling=settling)


def keep_none(key: str, backend: Backend, ledger: Ledger, settling: Settling) -> None:
    settle(key, None, backend, ledger, settling=settling)


def end_it(key: str, backend: Backend, ledger: Ledger, settling: Settling) -> None:
    cancel(key, backend, ledger, settling=settling)


def clean_up(key: str, backend: Backend, ledger: Ledger, settling: Settling) -> None:
    clean(key, backend, ledger, settling=settling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that a person does about a job.

    Args:
        do: what is done.
        dies_at: where the submission before it died, if it did.
        has_double: whether the provider had made two jobs of one request.
        n_live: jobs that cost money behind it.
        n_files: files that are at the provider behind it.
        state: of the job behind it.
    """

    do: Callable[[str, Backend, Ledger, Settling], None]
    dies_at: str = ""
    has_double: bool = False
    n_live: int = 0
    n_files: int = 0
    state: State = State.FILES_DELETED


ACTS = {
    "keep one of two jobs": Act(
        do=keep_the_second, has_double=True, n_live=1, n_files=2, state=State.JOB_CREATED
    ),
    "keep none of two jobs": Act(do=keep_none, has_double=True, state=State.INTENT),
    "cancel a job that runs": Act(do=end_it),
    "cancel a job that is in doubt": Act(do=end_it, dies_at="save job_created"),
    "cancel a job that is announced": Act(do=end_it, dies_at="create"),
    "cancel a job with one file": Act(do=end_it, dies_at="save uploading_validation"),
    "clean up a job that is announced": Act(do=clean_up, dies_at="create", state=State.INTENT),
    "clean up a file in doubt": Act(do=clean_up, dies_at="save file_uploaded", state=State.INTENT),
}


def play(act: Act, at: int | None) -> tuple[SimulatedProvider, LedgerRow, int]:
    """Bring a job to where it is acted upon, die in the act, and do it again.

    Returns:
        The provider, the job's row, and the number of points in the act.
    """
    faults = (SimulatedFault("create", "twice"),) if act.has_double else ()
    provider = SimulatedProvider(listing_lag_seconds=LAG_SECONDS, faults=faults)
    database, settling = database_in_memory(), provider.clock.settling()
    first = Crasher(dies_at=act.dies_at)
    with suppress(Crash):
        submit(SPEC, crashing(provider, first), LedgerInMemory(database, first), settling=settling)
    ledger = LedgerInMemory(database, Crasher())
    if act.has_double:
        provider.clock.sleep(LAG_SECONDS)
        refresh(provider, ledger, settling=settling)
    key = job_key(SPEC, provider.identity)
    crasher = Crasher(at)
    try:
        act.do(key, crashing(provider, crasher), LedgerInMemory(database, crasher), settling)
    except Crash:
        # what was noted before the death needs no repeating, and the next build finishes it
        with suppress(LedgerError):
            act.do(key, provider, ledger, settling)
        refresh(provider, ledger, settling=settling)
    row = ledger.get(key)
    database.close()
    assert row is not None
    return provider, row, len(crasher.steps)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_dies_anywhere_is_finished_by_doing_it_again(name: str) -> None:
    act = ACTS[name]
    *_, n_steps = play(act, None)
    assert n_steps > 2
    for at in (None, *range(n_steps)):
        provider, row, _ = play(act, at)
        found = (len(provider.live_jobs()), len(provider.files()), row.state, row.parked_reason)
        assert found == (act.n_live, act.n_files, act.state, None), at
