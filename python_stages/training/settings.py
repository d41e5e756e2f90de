"""What a job asks of the trainer, checked; requests that would void the guarantee are refused."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from python_stages.errors import ConfigError
from python_stages.training.bases import base_of

MAX_EPSILON: Final = 100.0
_MAX_SEED: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """The settings of a training; None leaves a choice to the trainer (see `plan`).

    Args:
        preset: size of the model, or the name of a base of the user's own (see `bases`).
        n_epochs: how often each row is seen, on average under differential privacy.
        batch_size: rows per step, on average under differential privacy.
        learning_rate_multiplier: factor on the preset's learning rate.
        seed: of fresh weights, where none are shipped, and of the order of the rows. Under
            differential privacy the rows' order and the noise come from the operating system's
            randomness instead: a seed that someone can guess would take the noise away.
        early_stopping: end when the validation loss has stopped falling, and keep the best weights;
            None: if there are validation rows and no epsilon.
        n_checkpoints: how many epochs' ends are published beside the tuned model, the last ones.
        deduplicate: train on equal rows once; None: only under differential privacy.
        epsilon: ask for (epsilon, delta)-differential privacy.
        delta: None: 1e-5, or a tenth of one over the number of rows if that is smaller.
        clip_norm: largest L2 norm of one row's gradient.
        max_rows_per_person: keep so many rows of each person; every row must then name its person
            in `metadata.subject`, and the guarantee is for the person and not for the row.

    Raises:
        ConfigError: a value is out of its range, or contradicts another.
    """

    preset: str = "nano"
    n_epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float = 1.0
    seed: int = 0
    early_stopping: bool | None = None
    n_checkpoints: int | None = None
    deduplicate: bool | None = None
    epsilon: float | None = None
    delta: float | None = None
    clip_norm: float | None = None
    max_rows_per_person: int | None = None

    def __post_init__(self) -> None:
        base_of(self.preset)
        _check_counts(self)
        _check_ranges(self)
        if self.epsilon is not None:
            _check_private(self)
        elif self.delta is not None or self.clip_norm is not None:
            raise ConfigError("delta and clip_norm guarantee nothing alone: give epsilon too")

    @property
    def is_private(self) -> bool:
        """Return whether differential privacy is asked for."""
        return self.epsilon is not None

    def to_json(self) -> dict[str, Any]:
        """Return the settings as what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TrainSettings":
        """Return the settings that `to_json` wrote, or that a person did.

        Raises:
            ConfigError: a name is unknown, or a value is not of its type or range.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise ConfigError(
                f"unknown training setting {', '.join(unknown)}: the known are {', '.join(known)}"
            )
        return cls(**data)


def _check_counts(settings: TrainSettings) -> None:
    for name, least in (
        ("n_epochs", 1),
        ("batch_size", 1),
        ("max_rows_per_person", 1),
        ("n_checkpoints", 0),
    ):
        value = getattr(settings, name)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_whole and value >= least):
            raise ConfigError(f"{name} must be a whole number of at least {least}")
    is_seed = isinstance(settings.seed, int) and not isinstance(settings.seed, bool)
    if not (is_seed and 0 <= settings.seed <= _MAX_SEED):
        raise ConfigError(f"seed must be a whole number from 0 to {_MAX_SEED}")
    for name in ("early_stopping", "deduplicate"):
        if getattr(settings, name) not in (None, True, False):
            raise ConfigError(f"{name} must be true or false")


def _check_ranges(settings: TrainSettings) -> None:
    for name, most in (
        ("learning_rate_multiplier", 1_000.0),
        ("epsilon", MAX_EPSILON),
        ("delta", 1.0),
        ("clip_norm", 1e6),
    ):
        value = getattr(settings, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (is_number and math.isfinite(value) and 0 < value <= most):
            raise ConfigError(f"{name} must be a number above 0 and at most {most:g}")


def _check_private(settings: TrainSettings) -> None:
    """Raise ConfigError where a setting would publish what epsilon does not cover."""
    if settings.early_stopping:
        raise ConfigError(
            "early stopping looks at private validation rows without noise: with epsilon, leave it "
            "out and fix n_epochs beforehand"
        )
    if settings.deduplicate is False:
        raise ConfigError(
            "epsilon holds for one row, and a row that is there n times loses n times as much: "
            "with epsilon, leave deduplicate on"
        )
    if settings.n_checkpoints:
        raise ConfigError(
            "with epsilon only the tuned model is published: leave n_checkpoints out, "
            "so that nobody chooses among checkpoints by looking at private rows"
        )
