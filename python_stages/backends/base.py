"""What every backend is asked to do, and the values that pass between submission and backend.

A backend is a place that trains. `plan` only computes what would be sent; everything else
speaks the OpenAI API for files and fine-tuning jobs. Two names make a submission recognisable at
the provider, whatever was lost on the way: each uploaded file carries `JobSpec.file_name`, each job
carries `job_key` in its metadata under `METADATA_KEY`.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from python_stages.errors import BackendError, ConfigError

METADATA_KEY = "sealtune_key"

Split = Literal["train", "validation"]
JobState = Literal["running", "succeeded", "failed", "cancelled"]
HyperparameterValue = int | float | str

_KEY_VERSION = 1
_DATASET_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_FINGERPRINT = re.compile(r"[0-9a-f]{32,128}")
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class UnknownOutcomeError(BackendError):
    """A request that creates something got no answer; it may or may not have taken effect."""


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
        _check_hyperparameters(self.hyperparameters)
        price = self.price_per_million_tokens
        if price is not None and not (math.isfinite(price) and price >= 0):
            raise ConfigError("price_per_million_tokens must be a number >= 0, or left out")

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
    """

    job_id: str
    state: JobState
    key: str | None
    training_file_id: str | None
    validation_file_id: str | None
    fine_tuned_model: str | None
    n_trained_tokens: int | None
    error_code: str | None


class Backend(Protocol):
    """A provider that files and jobs are sent to.

    Every method raises BackendError with a sentence when the provider refuses. `upload` and
    `create` are tried once and raise UnknownOutcomeError when they may have taken effect;
    everything else is safe to repeat and is retried.
    """

    @property
    def identity(self) -> BackendIdentity:
        """Which provider this is."""

    def preflight(self, spec: JobSpec) -> None:
        """Refuse, before a byte is sent, a job that the provider would refuse."""

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to the provider."""

    def find_files(self, name: str) -> tuple[RemoteFile, ...]:
        """Return every file of this exact name."""

    def has_file(self, file_id: str) -> bool:
        """Say whether the provider still holds a file."""

    def delete_file(self, file_id: str) -> None:
        """Delete a file; a file that is gone already is no error."""

    def create(
        self, spec: JobSpec, key: str, *, training_file_id: str, validation_file_id: str | None
    ) -> JobStatus:
        """Create the job, with its key in the metadata."""

    def find_jobs(self, key: str) -> tuple[JobStatus, ...]:
        """Return every job whose metadata holds the key, in whatever state."""

    def status(self, job_id: str) -> JobStatus:
        """Return a job as it stands now."""


def estimate(spec: JobSpec) -> Estimate:
    """Return what a job will bill: tokens of the training split times epochs times price."""
    n_epochs = spec.hyperparameters.get("n_epochs", "auto")
    n_billed = spec.n_training_tokens * n_epochs if isinstance(n_epochs, int) else None
    price = spec.price_per_million_tokens
    cost = None if n_billed is None or price is None else n_billed / 1_000_000 * price
    return Estimate(spec.n_training_tokens, n_billed, price, spec.currency, cost)


def job_key(spec: JobSpec, identity: BackendIdentity) -> str:
    """Return the key that makes a job the same job: SHA-256 hex over JSON with sorted keys.

    Dataset, backend, base model, hyperparameters and seed are in it; suffix and price are not,
    since they change nothing that is learned.
    """
    canonical = json.dumps(
        {
            "version": _KEY_VERSION,
            "dataset_fingerprint": spec.dataset_fingerprint,
            "backend": identity.name,
            "base_url": identity.base_url,
            "base_model": spec.base_model,
            "hyperparameters": dict(spec.hyperparameters),
            "seed": spec.seed,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def normalised_url(base_url: str) -> str:
    """Return a base URL in the one spelling that the job key uses.

    Raises:
        ConfigError: no http(s) URL, plain http to another machine, or a URL that holds credentials
            (it is written into the ledger).
    """
    try:
        parts = urlsplit(base_url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError("base_url is no http(s) address: give one like https://host/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            "base_url holds credentials, a query or a fragment: leave the bare address and put the "
            "key into SEALTUNE_API_KEY"
        )
    if parts.scheme == "http" and host not in _LOOPBACK_HOSTS:
        raise ConfigError("base_url is plain http to another machine: use https")
    shown_host = f"[{host}]" if ":" in host else host
    is_default_port = port in {None, 443 if parts.scheme == "https" else 80}
    address = shown_host if is_default_port else f"{shown_host}:{port}"
    return f"{parts.scheme}://{address}{parts.path.rstrip('/')}"


def is_loopback(base_url: str) -> bool:
    """Say whether a base URL stays on this machine."""
    return (urlsplit(base_url).hostname or "").lower() in _LOOPBACK_HOSTS


def _check_hyperparameters(values: Mapping[str, HyperparameterValue]) -> None:
    """Refuse what cannot be a hyperparameter."""
    for value in values.values():
        if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
            raise ConfigError("a hyperparameter is neither a finite number nor a word: correct it")
    n_epochs = values.get("n_epochs", "auto")
    if n_epochs != "auto" and not (isinstance(n_epochs, int) and n_epochs >= 1):
        raise ConfigError("n_epochs must be a whole number >= 1, or auto")
