"""Which tuned model of a dataset is in use: an event in the ledger, which forgets nothing."""

from typing import Final

from python_stages.errors import LedgerError
from python_stages.jobs.ledger import Ledger, LedgerRow

_EVENT: Final = "promoted"


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
