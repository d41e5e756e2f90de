"""How sure a number is: bootstrap intervals of any statistic of weighted examples.

A resample gives every example a weight, how often it was drawn; a statistic takes a block of
weights and returns a row of numbers for each resample. What is computed from one block of weights
is paired by construction: the difference of two models is just one more number of the row.

Intervals are BCa (Efron, "Better Bootstrap Confidence Intervals", 1987; scipy.stats.bootstrap
computes the same for one statistic at a time). Where the resamples all lie on one side, bias cannot
be corrected, and the interval is that of the percentiles.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
# weights (resamples, examples) -> numbers (resamples, statistics); nan where one is undefined
Statistic = Callable[[Numbers], Numbers]

_BLOCK_NUMBERS: Final = 2_000_000
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How resamples are drawn.

    Args:
        confidence: share of intervals that shall hold the true value, 0 to 1.
        n_resamples: how many are drawn.
        seed: another seed draws others.
    """

    confidence: float = 0.95
    n_resamples: int = 2_000
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Intervals:
    """Values and their intervals, one for each statistic; nan where undefined."""

    value: Numbers
    low: Numbers
    high: Numbers


def bootstrap(statistic: Statistic, n_examples: int, how: Bootstrap) -> Intervals:
    """Return the statistics of the sample, and their BCa intervals.

    Args:
        statistic: what is computed from a block of weights.
        n_examples: examples in the sample, at least one.
        how: confidence, number and seed of the resamples.
    """
    value = statistic(np.ones((1, n_examples)))[0]
    drawn = np.concatenate([statistic(block) for block in _resamples(n_examples, how)])
    without = np.concatenate([statistic(block) for block in _without_one(n_examples)])
    ends = [
        _bca(one, drawn[:, place], without[:, place], how.confidence)
        for place, one in enumerate(value)
    ]
    low, high = np.array(ends).T
    return Intervals(value, low, high)


def wilson(n_hits: float, n: float, confidence: float) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion; (nan, nan) of nothing.

    It keeps its width where all or none are hits, which a bootstrap does not. Source: Wilson,
    "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    if n <= 0:
        return math.nan, math.nan
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    share, spread = n_hits / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _resamples(n_examples: int, how: Bootstrap) -> Iterator[Numbers]:
    """Yield blocks of weights: how often each example was drawn."""
    random = np.random.default_rng(how.seed)
    n_rows = max(1, _BLOCK_NUMBERS // n_examples)
    even = np.full(n_examples, 1 / n_examples)
    for start in range(0, how.n_resamples, n_rows):
        size = min(n_rows, how.n_resamples - start)
        yield random.multinomial(n_examples, even, size=size).astype(np.float64)


def _without_one(n_examples: int) -> Iterator[Numbers]:
    """Yield blocks of weights: every example left out once, unless it is the only one."""
    if n_examples == 1:
        yield np.ones((1, 1))
        return
    n_rows = max(1, _BLOCK_NUMBERS // n_examples)
    for start in range(0, n_examples, n_rows):
        size = min(n_rows, n_examples - start)
        weights = np.ones((size, n_examples))
        weights[np.arange(size), start + np.arange(size)] = 0
        yield weights


def _bca(value: float, drawn: Numbers, without: Numbers, confidence: float) -> tuple[float, float]:
    """Return the interval of one statistic; resamples in which it is undefined do not count."""
    drawn = drawn[np.isfinite(drawn)]
    if not (math.isfinite(value) and drawn.size):
        return math.nan, math.nan
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    share_below = float(np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    if 0 < share_below < 1:
        bias, slope = _NORMAL.inv_cdf(share_below), _acceleration(without)
        shifted = [bias + _NORMAL.inv_cdf(end) for end in ends]
        ends = [_NORMAL.cdf(bias + one / (1 - slope * one)) for one in shifted]
    low, high = np.quantile(drawn, ends)
    return float(low), float(high)


def _acceleration(without: Numbers) -> float:
    """Return the skewness term of BCa, from the values that leave one example out."""
    without = without[np.isfinite(without)]
    pulls = without.mean() - without if without.size else without
    spread = float(np.sum(pulls**2))
    return float(np.sum(pulls**3)) / (6 * spread**1.5) if spread > 0 else 0.0
