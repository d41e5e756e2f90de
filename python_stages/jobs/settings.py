"""How a dataset's job is run: `job` in the config of its `*_sealed` model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self, cast

from python_stages.backends import open_backend
from python_stages.backends.addresses import is_loopback
from python_stages.backends.azure_settings import AzureSettings
from python_stages.backends.base import Backend
from python_stages.backends.plan import PlanBackend
from python_stages.backends.values import Content, HyperparameterValue, JobSpec, Method
from python_stages.errors import ConfigError
from python_stages.jobs.thresholds import RetrainWhen
from python_stages.names import refuse_unknown

# Backends that send nothing to another machine.
_STAY_HERE: Final = frozenset({"plan", "local"})
_PRIVACY: Final = ("epsilon", "delta", "clip_norm", "max_rows_per_person")
_HYPERPARAMETERS: Final = ("n_epochs", "batch_size", "learning_rate_multiplier", "beta", *_PRIVACY)
_NUMBERS: Final = ("price_per_million_tokens", "max_cost", "wait_timeout_seconds", *_PRIVACY)
_SWITCHES: Final = ("allow_upload", "validation")
_BASE_MODELS: Final = {"local": "nano"}
_USUAL_BASE_MODEL: Final = "gpt-4.1-mini-2025-04-14"
_USUAL_EPOCHS: Final = 3
_BASE_MODEL: Final = "base_model"
_STARTS: Final = (_BASE_MODEL, "last")


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How a dataset's job is run.

    Args:
        backend: plan, local, compatible, openai or azure.
        base_model: model to start from, as the provider spells it; None: `nano` for local, and
            gpt-4.1-mini for every other.
        n_epochs: a number or `auto`; None: `auto` for local, whose models are small, else 3.
        batch_size, learning_rate_multiplier, beta: numbers or `auto`; None leaves it to the
            provider (`beta` is for method dpo).
        seed: seed of the training.
        suffix: part of the tuned model's name, or None.
        base_url: address of the provider's API, where the backend does not know it.
        allow_upload: consent to sending the examples to another machine.
        price_per_million_tokens: price of a million trained tokens, or None where unknown.
        currency: unit of price and cost.
        max_cost: most money that the job may cost, or None.
        expires_after_seconds: lifetime of uploads at the provider, or None.
        method: supervised or dpo.
        validation: whether the validation split is sent along.
        metadata: pairs of words that the provider shows beside the job.
        data_residency: region that the data may not leave, e.g. `eu`, or None.
        quirks: entry of rules/hosts.yml for a host that it does not know by name.
        wait_for_jobs: whether a build waits for the job to end; None: for local, whose server then
            ends with the build.
        wait_timeout_seconds: how long it waits; None waits to the end.
        epsilon, delta, clip_norm, max_rows_per_person: differential privacy, where the backend
            trains with it (local does); None asks for none.
        azure: what backend azure needs besides.
        retrain_when: thresholds below which lines that changed are no new job; None: every
            change is one.
        start_from: `base_model`, or `last`: the tuned model of the last version, see lineage.py.
    """

    backend: str
    base_model: str
    n_epochs: int | str | None = _USUAL_EPOCHS
    seed: int = 7
    suffix: str | None = None
    base_url: str | None = None
    allow_upload: bool = False
    price_per_million_tokens: float | None = None
    expires_after_seconds: int | None = 7 * 24 * 3600
    currency: str = "USD"
    max_cost: float | None = None
    method: Method = "supervised"
    batch_size: int | str | None = None
    learning_rate_multiplier: float | str | None = None
    beta: float | str | None = None
    validation: bool = True
    metadata: Mapping[str, str] = field(default_factory=dict)
    data_residency: str | None = None
    quirks: str | None = None
    wait_for_jobs: bool | None = None
    wait_timeout_seconds: float | None = None
    epsilon: float | None = None
    delta: float | None = None
    clip_norm: float | None = None
    max_rows_per_person: int | None = None
    azure: AzureSettings = field(default_factory=AzureSettings)
    retrain_when: RetrainWhen | None = None
    start_from: str = _BASE_MODEL

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the settings.

        Raises:
            ConfigError: one is unknown, or rows would leave this machine without consent.
        """
        refuse_unknown("job", config, [known.name for known in fields(cls)])
        if missing := sorted({"backend", "base_model"} - set(config)):
            raise ConfigError(f"job: setting {missing[0]} is missing")
        values = dict(config)
        azure = values.pop("azure", None) or {}
        is_local = values["backend"] == "local"
        if values["base_model"] is None:
            values["base_model"] = _BASE_MODELS.get(values["backend"], _USUAL_BASE_MODEL)
        if values.get("n_epochs") is None:
            values["n_epochs"] = "auto" if is_local else _USUAL_EPOCHS
        if values.get("start_from") is None:
            values["start_from"] = _BASE_MODEL
        if not isinstance(azure, Mapping):
            raise ConfigError("job: azure holds settings of its own: write them below it")
        refuse_unknown("job: azure", azure, [known.name for known in fields(AzureSettings)])
        if (when := values.get("retrain_when")) is not None:
            if not isinstance(when, Mapping):
                raise ConfigError("job: retrain_when holds thresholds: write them below it")
            values["retrain_when"] = RetrainWhen.from_config(when)
        wanted = cls(**values, azure=AzureSettings(**azure))
        wanted._check()
        return wanted

    @property
    def waits(self) -> bool:
        """Whether a build waits for the job to end."""
        return self.backend == "local" if self.wait_for_jobs is None else self.wait_for_jobs

    @property
    def stays_here(self) -> bool:
        """Whether nothing leaves this machine."""
        addresses = [self.base_url or "", *filter(None, [self.azure.blob_container])]
        return self.backend in _STAY_HERE or all(map(is_loopback, addresses))

    @property
    def hyperparameters(self) -> dict[str, HyperparameterValue]:
        """The hyperparameters that were set."""
        named = {name: getattr(self, name) for name in _HYPERPARAMETERS}
        return {name: value for name, value in named.items() if value is not None}

    def spec(
        self,
        *,
        dataset: str,
        training: Content,
        validation: Content | None,
        dataset_fingerprint: str,
        n_examples: int,
        n_training_tokens: int,
    ) -> JobSpec:
        """Return the job over these contents; see JobSpec for the arguments."""
        return JobSpec(
            dataset=dataset,
            base_model=self.base_model,
            hyperparameters=self.hyperparameters,
            seed=self.seed,
            suffix=self.suffix,
            training=training,
            validation=validation if self.validation else None,
            dataset_fingerprint=dataset_fingerprint,
            n_examples=n_examples,
            n_training_tokens=n_training_tokens,
            price_per_million_tokens=self.price_per_million_tokens,
            currency=self.currency,
            method=self.method,
            metadata=self.metadata,
            max_cost=self.max_cost,
            allow_upload=self.allow_upload,
        )

    @contextmanager
    def opened(self) -> Iterator[Backend | PlanBackend]:
        """Open the backend that is configured; see `open_backend` for what it raises."""
        with open_backend(
            self.backend,
            base_url=self.base_url,
            expires_after_seconds=self.expires_after_seconds,
            data_residency=self.data_residency,
            quirks=self.quirks,
            azure=self.azure,
        ) as backend:
            yield backend

    def _check(self) -> None:
        """Refuse values of the wrong kind, and uploads without consent."""
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise ConfigError(f"job: {name} must be a number or null")
        if self.epsilon is None and any(getattr(self, name) is not None for name in _PRIVACY):
            raise ConfigError("job: differential privacy needs epsilon: set it, or leave the rest")
        self._check_start()
        if not isinstance(cast("object", self.metadata), Mapping):
            raise ConfigError("job: metadata must be pairs of words")
        # A text such as "false" would count as consent wherever it is only asked for its truth.
        if not self.stays_here and self.allow_upload is not True:
            raise ConfigError(
                f"backend {self.backend} would send the examples to another machine; "
                "if that is allowed, say so with allow_upload: true"
            )
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"job: {name} must be true or false")
        if not isinstance(cast("object", self.wait_for_jobs), bool | None):
            raise ConfigError("job: wait_for_jobs must be true, false or null")

    def _check_start(self) -> None:
        """Refuse a start that nobody knows, or whose loss of privacy nobody counts."""
        if self.start_from not in _STARTS:
            raise ConfigError(f"job: start_from must be one of {', '.join(_STARTS)}")
        if self.epsilon is not None and self.start_from != _BASE_MODEL:
            raise ConfigError(
                "job: a model that goes on from another one on the same rows loses as much privacy "
                "as both together, and epsilon would name a part of it: with epsilon, leave "
                "start_from out"
            )
