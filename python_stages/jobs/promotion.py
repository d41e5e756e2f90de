"""Which tuned model of a dataset is in use: an event in the ledger, which forgets nothing."""

from typing import Final

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


def promote(ledger: Ledger, row: LedgerRow) -> LedgerRow:
    """Note that the model of a job is the one in use from now on; durable when this returns.

    Raises:
        LockedError: a build is submitting.
    """
    with ledger.submitter():
        return ledger.save(row, _EVENT)
