"""What the ledger holds: jobs, what happened to them, and what was decided about lines."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """How far a job is known to have come."""

    PLANNED = "PLANNED"
    INTENT = "INTENT"
    FILE_UPLOADED = "FILE_UPLOADED"
    SUBMITTING = "SUBMITTING"
    JOB_CREATED = "JOB_CREATED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    FILES_DELETED = "FILES_DELETED"


ENDED: Final = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
UNFINISHED: Final = frozenset({State.INTENT, State.FILE_UPLOADED, State.SUBMITTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One job; also the columns of the table, in order.

    `hyperparameters` is JSON with sorted names. `outcome` is the provider's last word on the job
    (running, succeeded, failed, cancelled) and stays when the files are deleted. `parked_reason`
    is set while a person has to decide. `in_doubt_until` is set where the provider refused to make
    the job: when a refusal that is no proof has become one. `n_result_looks` counts how often the
    result files were asked for in vain. `access` is JSON of what opens the backend again, see
    access.py. `parent_key` is the job whose model it started from, None where it was a base model.
    Times are UTC, ISO 8601; `ledger.save` sets the last two.
    """

    key: str
    state: State
    dataset: str
    dataset_fingerprint: str
    backend: str
    base_url: str
    base_model: str
    hyperparameters: str
    seed: int
    suffix: str | None
    n_examples: int
    n_training_tokens: int
    n_billed_tokens: int | None
    price_per_million_tokens: float | None
    currency: str
    estimated_cost: float | None
    training_file_name: str
    training_n_bytes: int
    training_file_id: str | None = None
    validation_file_name: str | None = None
    validation_n_bytes: int | None = None
    validation_file_id: str | None = None
    is_upload_in_doubt: bool = False
    job_id: str | None = None
    outcome: str | None = None
    fine_tuned_model: str | None = None
    n_trained_tokens: int | None = None
    error_code: str | None = None
    parked_reason: str | None = None
    in_doubt_until: str | None = None
    are_results_stored: bool = False
    n_result_looks: int = 0
    access: str = "{}"
    parent_key: str | None = None
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One thing that happened to a job; never changed, never removed."""

    event_id: int
    key: str
    at: str
    event: str
    from_state: State | None
    to_state: State


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether lines that changed are worth a new job; the last word on them counts.

    Args:
        dataset: name of the dataset.
        dataset_fingerprint: of the lines as they are now.
        key: the job that was trained last, which they are compared with.
        is_retrained: whether a new job is submitted; else the model of `key` stays the dataset's.
        reason: how far each threshold is, a sentence.
        drift_psi: how far labels, lengths or words moved, whichever moved most.
        n_feedback: corrections that the job's lines had not.
        changed_share: examples added, removed or relabelled, of the job's; None for very few.
        decided_at: when, UTC, ISO 8601; `Ledger.decide` sets it.
    """

    dataset: str
    dataset_fingerprint: str
    key: str
    is_retrained: bool
    reason: str
    drift_psi: float
    n_feedback: int
    changed_share: float | None
    decided_at: str = ""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file with a job's metrics, sealed in the vault.

    Args:
        file_id: the provider's id of it.
        path: where it lies, below the vault's folder.
        n_bytes: size of the plaintext.
    """

    file_id: str
    path: str
    n_bytes: int
