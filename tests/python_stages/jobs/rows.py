"""A row of the ledger, for tests that need one and have submitted nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from python_stages.jobs.ledger import Ledger, LedgerRow, State

ROW = LedgerRow(
    key="k" * 64,
    state=State.INTENT,
    dataset="transactions",
    dataset_fingerprint="ab" * 32,
    backend="compatible",
    base_url="https://host/v1",
    base_model="small-1",
    hyperparameters='{"n_epochs": 3}',
    seed=7,
    suffix=None,
    n_examples=10,
    n_training_tokens=1_000,
    n_billed_tokens=3_000,
    price_per_million_tokens=2.5,
    currency="USD",
    estimated_cost=0.0075,
    training_file_name="a.jsonl",
    training_n_bytes=100,
)


def record(path: Path, **changes: Any) -> None:
    """Write a job that has succeeded into a ledger."""
    row = replace(ROW, **changes)
    with Ledger(path) as ledger, ledger.submitter():
        ledger.save(row, "intent")
        ledger.save(replace(row, state=State.JOB_CREATED), "created")
        ledger.save(replace(row, state=State.SUCCEEDED, outcome="succeeded"), "ended")
