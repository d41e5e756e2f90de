"""The values that pass between submission and backend.

Two names make a submission recognisable at the provider, whatever was lost on the way: each
uploaded file carries `JobSpec.file_name`, each job carries `job_key` in its metadata under
`METADATA_KEY`.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from python_stages.errors import ConfigError

METADATA_KEY: Final = "sealtune_key"

Split = Literal["train", "validation"]
Method = Literal["supervised", "dpo"]
JobState = Literal["running", "succeeded", "failed", "cancelled"]
HyperparameterValue = int | float | str

_KEY_VERSION: Final = 1
_OWN_PREFIX: Final = "sealtune"
# What OpenAI takes (16 pairs), less the three pairs that every job carries.
_MAX_METADATA: Final = 13
_DATASET_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{32,128}")


@dataclass(frozen=True, slots=True)
class Content:
    """The plaintext of one split, opened in memory only.

    Args:
        n_bytes: exact size of the plaintext in bytes.
        open: opens the decrypted stream; each call starts at the first byte. The iterator may
            raise at its end (a truncated seal is known only there).
    """

    n_bytes: int
    open: Callable[[], AbstractContextManager[Iterator[bytes]]]


@dataclass(frozen=True, slots=True)
class BackendIdentity:
    """Which provider this is; part of the job key.

    Args:
        name: the kind of backend, e.g. `plan` or `compatible`.
        base_url: where it answers, empty for `plan`; holds no credentials.
    """

    name: str
    base_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One fine-tuning job as wanted, before any backend has heard of it.

    Args:
        dataset: name of the dataset (letters, digits, underscores).
        base_model: model to start from, as the provider spells it.
        hyperparameters: e.g. `{"n_epochs": 3}`; numbers, or `"auto"` to let the provider choose.
        seed: seed of the training job.
        suffix: what the provider appends to the model's name, or None.
        training: plaintext of the training split.
        validation: plaintext of the validation split, or None.
        dataset_fingerprint: keyed fingerprint over all splits, lower-case hex.
        n_examples: training examples.
        n_training_tokens: tokens of the training split, one pass.
        price_per_million_tokens: price of a million trained tokens, or None where unknown.
        currency: unit of the price.
        method: `supervised` (chat lines) or `dpo` (preference lines).
        metadata: pairs of words that the provider shows beside the job; no data in them.
        max_cost: most money the job may cost, in `currency`, or None for no limit.
        allow_upload: whether the owner of the data consents to its leaving this machine.
        planted: keyed hash of the canaries that stand in the training split besides, or None.
        parent_key: key of the job whose tuned model is the base model, or None.

    Raises:
        ConfigError: a value is outside what a job can be.
    """

    dataset: str
    base_model: str
    hyperparameters: Mapping[str, HyperparameterValue]
    seed: int
    suffix: str | None
    training: Content
    validation: Content | None
    dataset_fingerprint: str
    n_examples: int
    n_training_tokens: int
    price_per_million_tokens: float | None = None
    currency: str = "USD"
    method: Method = "supervised"
    metadata: Mapping[str, str] = field(default_factory=dict)
    max_cost: float | None = None
    allow_upload: bool = False
    planted: str | None = None
    parent_key: str | None = None

    def __post_init__(self) -> None:
        if not _DATASET_NAME.fullmatch(self.dataset):
            msg = "the dataset's name goes into file names: use 1-64 letters, digits, underscores"
            raise ConfigError(msg)
        if not _FINGERPRINT.fullmatch(self.dataset_fingerprint):
            raise ConfigError("the dataset fingerprint is no lower-case hex digest: seal it first")
        if not self.base_model:
            raise ConfigError("no base model given: set base_model in the dataset's model config")
        if self.n_examples < 1 or self.training.n_bytes < 1:
            raise ConfigError("the training split is empty: check sample size and split")
        if self.method not in ("supervised", "dpo"):
            raise ConfigError("method must be supervised or dpo")
        _check_hyperparameters(self.hyperparameters)
        _check_amount("price_per_million_tokens", self.price_per_million_tokens)
        _check_amount("max_cost", self.max_cost)
        _check_metadata(self.metadata)

    @property
    def splits(self) -> tuple[tuple[Split, Content], ...]:
        """The splits to upload, in order."""
        if self.validation is None:
            return (("train", self.training),)
        return (("train", self.training), ("validation", self.validation))

    def file_name(self, split: Split, key: str) -> str:
        """Return the name a split is uploaded under; it is particular to the job and holds no data.

        A file belongs to one job alone, so that deleting it after that job can starve no other.
        """
        return f"sealtune-{self.dataset}-{split}-{self.dataset_fingerprint[:16]}-{key[:8]}.jsonl"

    def job_metadata(self, key: str) -> dict[str, str]:
        """Return what the job carries at the provider: the key to find it by, then the user's."""
        own = {
            METADATA_KEY: key,
            "sealtune_dataset": self.dataset,
            "sealtune_fingerprint": self.dataset_fingerprint,
        }
        return own | dict(self.metadata)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job will bill, as far as it can be known before it runs.

    Args:
        n_tokens: tokens of one pass over the training split.
        n_billed_tokens: tokens times epochs, or None where the provider chooses the epochs.
        price_per_million: price of a million trained tokens, or None.
        currency: unit of price and cost.
        cost: what the billed tokens cost, or None where price or epochs are unknown.
    """

    n_tokens: int
    n_billed_tokens: int | None
    price_per_million: float | None
    currency: str
    cost: float | None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the provider lists it; `n_bytes` is None where the provider does not say."""

    file_id: str
    name: str
    n_bytes: int | None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as the provider shows it.

    Args:
        job_id: the provider's id.
        state: `running` stands for every state that is not an end.
        key: our job key out of its metadata, or None.
        training_file_id: file trained on.
        validation_file_id: file validated on, or None.
        fine_tuned_model: name of the result, once there is one.
        n_trained_tokens: tokens billed, once known.
        error_code: the provider's machine-readable code of a failure; never its prose, which may
            quote a line of the data.
        phase: where it stands, more closely: validating_files, queued, running, paused, succeeded,
            failed or cancelled.
        estimated_finish: when the provider expects it to end, UTC, or None.
        result_file_ids: files with its metrics, once it has ended.
    """

    job_id: str
    state: JobState
    key: str | None
    training_file_id: str | None
    validation_file_id: str | None
    fine_tuned_model: str | None
    n_trained_tokens: int | None
    error_code: str | None
    phase: str = "running"
    estimated_finish: datetime | None = None
    result_file_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job: numbers, and of the provider's prose nothing.

    Args:
        event_id: the provider's id.
        at: when, UTC.
        level: info, warn or error.
        kind: message, metrics or checkpoint.
        step: training step, from 1, or None.
        n_steps: steps of the whole job, or None.
        train_loss: loss on the training batch, or None.
        valid_loss: loss on validation examples, or None.
    """

    event_id: str
    at: datetime
    level: str
    kind: str
    step: int | None
    n_steps: int | None
    train_loss: float | None
    valid_loss: float | None


def estimate(spec: JobSpec) -> Estimate:
    """Return what a job will bill: tokens of the training split times epochs times price."""
    n_epochs = spec.hyperparameters.get("n_epochs", "auto")
    n_billed = spec.n_training_tokens * n_epochs if isinstance(n_epochs, int) else None
    price = spec.price_per_million_tokens
    cost = None if n_billed is None or price is None else n_billed / 1_000_000 * price
    if price == 0:
        cost = 0.0
    return Estimate(spec.n_training_tokens, n_billed, price, spec.currency, cost)


def job_key(spec: JobSpec, identity: BackendIdentity) -> str:
    """Return the key that makes a job the same job: SHA-256 hex over JSON with sorted keys.

    Dataset, backend, base model, method, hyperparameters, seed and canaries are in it; suffix,
    metadata and price are not, since they change nothing that is learned. The default method and no
    canaries are left out, so that keys made before there was anything else stay what they were.
    """
    learned: dict[str, object] = {
        "version": _KEY_VERSION,
        "dataset_fingerprint": spec.dataset_fingerprint,
        "backend": identity.name,
        "base_url": identity.base_url,
        "base_model": spec.base_model,
        "hyperparameters": dict(spec.hyperparameters),
        "seed": spec.seed,
    }
    if spec.method != "supervised":
        learned["method"] = spec.method
    if spec.planted is not None:
        learned["planted"] = spec.planted
    canonical = json.dumps(learned, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _check_hyperparameters(values: Mapping[str, HyperparameterValue]) -> None:
    """Refuse what cannot be a hyperparameter."""
    for value in values.values():
        if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
            raise ConfigError("a hyperparameter is neither a finite number nor a word: correct it")
    n_epochs = values.get("n_epochs", "auto")
    if n_epochs != "auto" and not (isinstance(n_epochs, int) and n_epochs >= 1):
        raise ConfigError("n_epochs must be a whole number >= 1, or auto")


def _check_amount(name: str, value: float | None) -> None:
    """Refuse what cannot be an amount of money."""
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0 <= value < math.inf):
        raise ConfigError(f"{name} must be a number >= 0, or left out")


def _check_metadata(pairs: Mapping[str, str]) -> None:
    """Refuse metadata that would hide the job's own, or that providers would refuse.

    Source: https://platform.openai.com/docs/api-reference/fine-tuning/create, metadata (16 pairs,
    names up to 64, values up to 512 characters).
    """
    if len(pairs) > _MAX_METADATA:
        raise ConfigError(f"metadata: at most {_MAX_METADATA} pairs, the job adds three of its own")
    for name, value in pairs.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigError("metadata: names and values are words; put numbers into quotes")
        if not 1 <= len(name) <= 64 or len(value) > 512:  # noqa: PLR2004 - see the docstring
            raise ConfigError("metadata: a name has 1-64 characters, a value at most 512")
        if name.startswith(_OWN_PREFIX):
            raise ConfigError(f"metadata: names that begin with {_OWN_PREFIX} are taken")
