"""Which tuned model of a dataset is in use: an event in the ledger, which forgets nothing.

And which two models are asked the same examples: the newest, and the one that it would replace.
"""

from dataclasses import dataclass
from typing import Final

from python_stages.errors import LedgerError
from python_stages.jobs.chat import newest_tuned, ran_at
from python_stages.jobs.ledger import Ledger, LedgerRow
from python_stages.jobs.lineage import ancestors
from python_stages.jobs.settings import JobSettings

_EVENT: Final = "promoted"


@dataclass(frozen=True, slots=True)
class Contest:
    """The newest tuned model of a dataset, and the one that it would replace.

    Args:
        job: whose model is the newest.
        previous: the job whose model is in use, else the newest before; None where there is none.
        stands_for: fingerprints of later lines that were not worth a job.
        trained_on: fingerprints of what `job` goes on from, without its own lines.
        previous_on: fingerprints of all that `previous` was trained on.
    """

    job: LedgerRow
    previous: LedgerRow | None
    stands_for: frozenset[str]
    trained_on: frozenset[str]
    previous_on: frozenset[str]


def contest(ledger: Ledger, dataset: str, now: JobSettings) -> Contest | None:
    """Return which models of a dataset are asked, of those where its jobs are sent today.

    Args:
        ledger: open.
        dataset: name of the dataset.
        now: how its jobs are run today.
    """
    rows = ledger.jobs()
    here = [row for row in rows if ran_at(row, now)]
    job = newest_tuned(here, dataset)
    if job is None:
        return None
    in_use = promoted(ledger, dataset)
    if in_use is None or in_use.key == job.key or not ran_at(in_use, now):
        in_use = newest_tuned((row for row in here if row.created_at < job.created_at), dataset)
    return Contest(
        job,
        in_use,
        stands_for=frozenset(
            one.dataset_fingerprint
            for one in ledger.decisions()
            if one.key == job.key and not one.is_retrained
        ),
        trained_on=frozenset(one.dataset_fingerprint for one in ancestors(job, rows)[1:]),
        previous_on=frozenset(
            one.dataset_fingerprint for one in (ancestors(in_use, rows) if in_use else ())
        ),
    )


def promoted(ledger: Ledger, dataset: str) -> LedgerRow | None:
    """Return the job of a dataset whose model was promoted last, or None.

    A model that was deleted since is none.
    """
    found = [
        (event.event_id, row.key)
        for row in ledger.jobs()
        if row.dataset == dataset and row.fine_tuned_model
        for event in ledger.events(row.key)
        if event.event == _EVENT
    ]
    return ledger.get(max(found)[1]) if found else None


def promote(ledger: Ledger, row: LedgerRow, rival: LedgerRow | None) -> LedgerRow:
    """Note that the model of a job is the one in use from now on; durable when this returns.

    Args:
        ledger: open.
        row: the job, as it was compared.
        rival: the one that it was compared with, as `promoted` gave it.

    Raises:
        LedgerError: either is no longer what it was.
        LockedError: a build is submitting.
    """
    with ledger.submitter():
        now, rival_now = ledger.get(row.key), promoted(ledger, row.dataset)
        is_same = now is not None and now.fine_tuned_model == row.fine_tuned_model
        if now is None or not is_same or _key(rival_now) != _key(rival):
            raise LedgerError("the models of this dataset changed meanwhile: promote again")
        return ledger.save(now, _EVENT)


def _key(row: LedgerRow | None) -> str | None:
    return None if row is None else row.key
