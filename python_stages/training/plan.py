"""From what a job asks and how many rows there are to what is done; nothing else decides."""

import math
from dataclasses import dataclass
from typing import Final

from python_stages.errors import ConfigError
from python_stages.training.bases import base_of
from python_stages.training.presets import ModelShape
from python_stages.training.settings import TrainSettings

MIN_ROWS: Final = 10  # OpenAI's least number of examples
MIN_PRIVATE_ROWS: Final = 100

# the noise of a step is divided by the batch, so batches are large, steps few and long
_PRIVATE_FASTER: Final = 10.0
_PRIVATE_EPOCHS: Final = 22
_PRIVATE_BATCHES: Final = (16, 4_096)
_BATCHES: Final = (4, 64)
_DELTA: Final = 1e-5
_CLIP_NORM: Final = 1.0
_WARMUP: Final = 0.05  # of all steps
_LAST_RATE: Final = 0.1  # of the peak


@dataclass(frozen=True, slots=True)
class Plan:
    """How a training goes.

    Args:
        shape: sizes of the model.
        n_epochs: passes over the rows.
        batch_size: rows per step, expected ones under differential privacy.
        learning_rate: its peak.
        stops_early: whether validation decides when to end.
        n_checkpoints: published beside the final one.
        deduplicates: whether equal rows count once.
        epsilon: what may be spent; None without differential privacy.
        delta: the other half of the guarantee.
        clip_norm: largest norm of one row's gradient.
    """

    shape: ModelShape
    n_epochs: int
    batch_size: int
    learning_rate: float
    stops_early: bool
    n_checkpoints: int
    epsilon: float | None
    delta: float
    clip_norm: float


def make_plan(settings: TrainSettings, n_rows: int, *, has_validation: bool) -> Plan:
    """Return the plan for so many rows, after deduplication and cap.

    Raises:
        ConfigError: there are too few rows for what is asked.
    """
    is_private = settings.is_private
    _check_rows(settings, n_rows)
    if settings.early_stopping and not has_validation:
        raise ConfigError("early stopping needs validation rows: give a validation file")
    least, most = _PRIVATE_BATCHES if is_private else _BATCHES
    share = 3 * n_rows // 20 if is_private else n_rows // 50
    faster = _PRIVATE_FASTER if is_private else 1.0
    stops = has_validation and not is_private
    base = base_of(settings.preset)
    return Plan(
        shape=base.shape,
        n_epochs=settings.n_epochs or (_PRIVATE_EPOCHS if is_private else base.n_epochs),
        batch_size=settings.batch_size or min(max(least, share), most),
        learning_rate=base.learning_rate * faster * settings.learning_rate_multiplier,
        stops_early=stops if settings.early_stopping is None else settings.early_stopping,
        n_checkpoints=_n_checkpoints(settings),
        epsilon=settings.epsilon,
        delta=settings.delta or min(_DELTA, 0.1 / n_rows),
        clip_norm=settings.clip_norm or _CLIP_NORM,
    )


def learning_rate(peak: float, step: int, n_steps: int) -> float:
    """Return the rate of a step, counted from 0: a short rise, then half a cosine down."""
    n_rising = max(1, round(_WARMUP * n_steps))
    if step < n_rising:
        return peak * (step + 1) / n_rising
    share = (step - n_rising) / max(1, n_steps - n_rising)
    return peak * (_LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * share)) / 2)


def _n_checkpoints(settings: TrainSettings) -> int:
    if settings.is_private:
        return 0
    return 3 if settings.n_checkpoints is None else settings.n_checkpoints


def _check_rows(settings: TrainSettings, n_rows: int) -> None:
    least = MIN_PRIVATE_ROWS if settings.is_private else MIN_ROWS
    if n_rows < least:
        raise ConfigError(
            f"{n_rows} different rows are left to train on: give at least {least}"
            + (" with epsilon, where each row hides among the others" if least > MIN_ROWS else "")
        )
    if not settings.is_private:
        return
    if settings.delta is not None and settings.delta >= 1 / n_rows:
        raise ConfigError(
            "delta must be less than one over the number of rows: to publish a row in clear would "
            "satisfy a larger one"
        )
    if settings.batch_size is not None and settings.batch_size > n_rows:
        raise ConfigError("batch_size is larger than the number of different rows: lower it")
