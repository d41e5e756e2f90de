"""The guarantee: how much noise it takes, where the noise comes from, and what it does not say.

DP-SGD (Abadi et al., 1607.00133): each step takes every row with the same probability,
independently; clips each row's gradient; adds Gaussian noise to the sum once. A step takes as many
parts as its rows need, so no row is ever left out to make a batch fit: the sampling is the one that
is accounted for. Noise is calibrated with privacy loss distributions (Koskela et al., 1906.03049;
Doroshenko et al., 2207.04380). Where rows name persons, the unit is the person.

All that is published is a function of the noisy sums: weights, and nothing else.
"""

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from python_stages.errors import ConfigError
from python_stages.training.results import PrivacyReport

ACCOUNTANT: Final = "dp-accounting, privacy loss distributions, Poisson sampling"
SECRET_BYTES: Final = 32

_TOLERANCE: Final = 4e-3  # of epsilon, which is spent up to this share
_LEAST_NOISE: Final = 0.1  # below it accounting takes minutes, and the guarantee means nothing
_MAX_TRIES: Final = 40
_MAX_JUMP: Final = 0.7  # of the noise's logarithm, in one try
_NOT_COVERED: Final = (
    "What is known otherwise, or stands in rows of other wordings too: only equal rows count once.",
    "The number of rows, which is treated as public, and how long the training took.",
    "Validation rows: the trainer does not look at them, an evaluation of the model does.",
    "Other trainings on the same rows: each spends its own epsilon, and they add up.",
    "Noise that float32 arithmetic rounds (Mironov, CCS 2012).",
)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Numbers that the guarantee depends on.

    Args:
        noise_multiplier: standard deviation of the noise in units of clip_norm.
        sampling_probability: of each row, in each step.
        n_steps: noisy steps.
        clip_norm: largest norm of one row's gradient.
        delta: of the guarantee.
        n_rows: rows, treated as public.
        rows_per_person: cap, where the unit is the person.
    """

    noise_multiplier: float
    sampling_probability: float
    n_steps: int
    clip_norm: float
    delta: float
    n_rows: int
    rows_per_person: int | None

    @property
    def noise_deviation(self) -> float:
        """Return the standard deviation of what is added to each number of the sum."""
        return self.noise_multiplier * self.clip_norm


@cache
def calibrate(
    *,
    epsilon: float,
    delta: float,
    n_rows: int,
    batch_size: int,
    n_steps: int,
    clip_norm: float,
    rows_per_person: int | None,
) -> Mechanism:
    """Return the mechanism with the least noise that spends at most epsilon.

    Raises:
        ConfigError: so little noise would do that the guarantee says nothing.
    """
    k = rows_per_person or 1
    mechanism = Mechanism(
        noise_multiplier=_first_guess(epsilon, delta, k * batch_size / n_rows, n_steps) * k,
        sampling_probability=batch_size / n_rows,
        n_steps=n_steps,
        clip_norm=clip_norm,
        delta=delta,
        n_rows=n_rows,
        rows_per_person=rows_per_person,
    )
    # epsilon falls about as a power of the noise: a line through two points in logarithms finds the
    # next, and the answer is a point that was tried, not one that was inferred
    too_little, enough = 0.0, math.inf
    noise, exponent, before = mechanism.noise_multiplier, -1.5, None
    for _ in range(_MAX_TRIES):
        mechanism = replace(mechanism, noise_multiplier=noise)
        found = max(spent(mechanism), 1e-9)  # of which there are logarithms
        if found <= epsilon:
            enough = min(enough, noise)
            if found >= epsilon * (1 - _TOLERANCE):
                return mechanism
        else:
            too_little = max(too_little, noise)
        if before is not None and found != before[1]:
            exponent = math.log(found / before[1]) / math.log(noise / before[0])
        before = noise, found
        wanted = math.log(epsilon * (1 - _TOLERANCE / 2) / found)
        noise *= math.exp(max(-_MAX_JUMP, min(_MAX_JUMP, wanted / exponent)))
        if not too_little < noise < enough:
            noise = (too_little + enough) / 2 if math.isfinite(enough) else 2 * too_little
        if noise < _LEAST_NOISE:
            raise ConfigError(
                "so large an epsilon over so few steps asks for next to no noise: ask for a "
                "smaller epsilon, or for none"
            )
    raise ConfigError("no noise was found that spends this epsilon: ask for another one")


def noisy_counts(
    secret: bytes, counts: tuple[int, ...], epsilon: float, rows_per_person: int | None
) -> tuple[int, ...]:
    """Return counts of rows, each row being in one of them at most, with two-sided geometric noise.

    That is epsilon-differentially private, without a delta (Ghosh et al., 0811.2841).
    """
    seed = int.from_bytes(_derived(secret, "counts", 0))
    draw = np.random.Generator(np.random.Philox(seed))
    p = 1 - math.exp(-epsilon / (rows_per_person or 1))
    return tuple(max(0, n + int(draw.geometric(p)) - int(draw.geometric(p))) for n in counts)


def report(
    mechanism: Mechanism, *, counts: tuple[int, int] | None = None, counts_epsilon: float = 0.0
) -> PrivacyReport:
    """Return what is guaranteed, epsilon computed anew from the mechanism.

    Args:
        mechanism: of the steps.
        counts: rows cut and rows left out, as `noisy_counts` tells them.
        counts_epsilon: what they spent, which adds up with the steps'.
    """
    n_cut, n_too_long = counts or (None, None)
    per_person = mechanism.rows_per_person
    repeats = (
        "A person with more rows than the cap: the others were left out, not hidden."
        if per_person
        else "A person with several rows: k rows have about k times this epsilon."
    )
    return PrivacyReport(
        epsilon=spent(mechanism) + counts_epsilon,
        delta=mechanism.delta,
        unit=f"one person, with at most {per_person} rows"
        if per_person
        else "one row, with all its exact copies",
        relation="the unit's gradients replaced by zeros, the number of rows unchanged",
        accountant=ACCOUNTANT,
        noise_multiplier=mechanism.noise_multiplier,
        sampling_probability=mechanism.sampling_probability,
        n_steps=mechanism.n_steps,
        clip_norm=mechanism.clip_norm,
        n_rows=mechanism.n_rows,
        not_covered=(repeats, *_NOT_COVERED),
        n_cut=n_cut,
        n_too_long=n_too_long,
        counts_epsilon=counts_epsilon,
    )


@cache
def spent(mechanism: Mechanism) -> float:
    """Return the epsilon that the mechanism spends.

    A person with k rows takes part in a step with a binomial number of them. That is bounded by all
    k coming whenever one does: with probability 1 - (1 - q)^k, moving the sum by k clip norms
    (mixtures of Gaussians are ordered like their sensitivities, Choquette-Choo et al., 2310.15526).
    """
    from dp_accounting import (  # noqa: PLC0415 - settings and reports are read without it
        GaussianDpEvent,
        NeighboringRelation,
        PoissonSampledDpEvent,
    )
    from dp_accounting.pld import PLDAccountant  # noqa: PLC0415 - as above

    k = mechanism.rows_per_person or 1
    probability = 1 - (1 - mechanism.sampling_probability) ** k
    accountant = PLDAccountant(NeighboringRelation.ADD_OR_REMOVE_ONE)
    accountant.compose(
        PoissonSampledDpEvent(probability, GaussianDpEvent(mechanism.noise_multiplier / k)),
        mechanism.n_steps,
    )
    return float(accountant.get_epsilon(mechanism.delta))


def _first_guess(epsilon: float, delta: float, probability: float, n_steps: int) -> float:
    """Return about how much noise it takes: a little more than moments say for small epsilon."""
    return 0.3 + min(1.0, probability) * math.sqrt(2 * n_steps * math.log(1 / delta)) / epsilon


def new_secret() -> bytes:
    """Return fresh randomness of the operating system, for the rows and the noise of a training."""
    return secrets.token_bytes(SECRET_BYTES)


def sampled_rows(secret: bytes, step: int, mechanism: Mechanism) -> np.ndarray:
    """Return the rows of a step: each with the same probability, independently."""
    seed = int.from_bytes(_derived(secret, "rows", step))
    drawn = np.random.Generator(np.random.Philox(seed)).random(mechanism.n_rows)
    return np.flatnonzero(drawn < mechanism.sampling_probability)


def noise_seed(secret: bytes, step: int) -> np.ndarray:
    """Return two 32-bit numbers, the key of a step's noise; another for every step."""
    return np.frombuffer(_derived(secret, "noise", step)[:8], dtype=np.uint32)


def _derived(secret: bytes, purpose: str, step: int) -> bytes:
    return hmac.digest(secret, f"{purpose} {step}".encode(), hashlib.sha256)
