"""Can an attacker tell what was trained on? Scores of planted canaries beside those of controls.

The lower bound of epsilon from one training run is jax_privacy's (Steinke, Nasr and Jagielski 2023,
arXiv:2305.08846); it holds with the stated confidence for a fair coin that decided which canaries
were planted. The area under the ROC curve and the true positive rates are plain empirical ones:
jax_privacy takes those of the curve's convex hull, which lie above chance where there is nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SIGNIFICANCE: Final = 0.025
"""Half of 0.05: of the bounds (see guessing.py, reconstruction.py) the largest is taken."""

_N_BOOTSTRAP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Membership:
    """What the scores show.

    Attributes:
        auc: area under the ROC curve; 0.5 is chance.
        tpr_at_1_percent: true positive rate at a false positive rate of 0.01.
        tpr_at_5_percent: the same at 0.05.
        epsilon: lower bound of epsilon at confidence 97.5 %, 0 where nothing is shown.
        max_epsilon: what a perfect attack on as many canaries would have shown: the power.
        n_planted: canaries trained on.
        n_controls: canaries never trained on.
    """

    auc: Interval
    tpr_at_1_percent: Interval
    tpr_at_5_percent: Interval
    epsilon: float
    max_epsilon: float
    n_planted: int
    n_controls: int


def membership(
    planted: NDArray[np.float64], controls: NDArray[np.float64], *, delta: float, seed: int = 0
) -> Membership:
    """Attack membership with one score a canary, higher for what was trained on.

    Args:
        planted: (m1,) scores of the canaries that were trained on.
        controls: (m0,) scores of those that were not.
        delta: of the (epsilon, delta) that is put to the test; tiny where none was claimed.
        seed: of the bootstrap.

    Raises:
        ValueError: one of them is empty, or delta is outside (0, 1].
    """
    from jax_privacy.auditing import CanaryScoreAuditor  # noqa: PLC0415 - takes seconds

    def interval(statistic: Callable[..., Any]) -> Interval:
        return _interval(planted, controls, statistic, seed)

    return Membership(
        auc=interval(auc),
        tpr_at_1_percent=interval(partial(tpr, fpr=0.01)),
        tpr_at_5_percent=interval(partial(tpr, fpr=0.05)),
        epsilon=float(CanaryScoreAuditor(planted, controls).epsilon_one_run(SIGNIFICANCE, delta)),
        max_epsilon=max_epsilon(len(planted), len(controls), delta=delta),
        n_planted=len(planted),
        n_controls=len(controls),
    )


def auc(
    planted: NDArray[np.float64], controls: NDArray[np.float64], axis: int = -1
) -> NDArray[np.float64]:
    """Return the area under the ROC curve, over the last axis: Mann-Whitney's U / (m1 m0)."""
    from scipy.stats import rankdata  # noqa: PLC0415 - takes half a second

    n_planted, n_controls = planted.shape[axis], controls.shape[axis]
    ranks = rankdata(np.concatenate([planted, controls], axis=axis), axis=axis)
    rank_sum = ranks.take(range(n_planted), axis=axis).sum(axis=axis)
    u = rank_sum - n_planted * (n_planted + 1) / 2
    return np.asarray(u / (n_planted * n_controls))


def tpr(
    planted: NDArray[np.float64], controls: NDArray[np.float64], axis: int = -1, *, fpr: float
) -> NDArray[np.float64]:
    """Return the share of the planted above the threshold that a share `fpr` of controls passes."""
    threshold = np.quantile(controls, 1 - fpr, axis=axis, keepdims=True, method="higher")
    return np.asarray((planted > threshold).mean(axis=axis))


def _interval(
    planted: NDArray[np.float64],
    controls: NDArray[np.float64],
    statistic: Callable[..., Any],
    seed: int,
) -> Interval:
    """Return a share, a statistic of two samples, with its percentile bootstrap interval."""
    from scipy.stats import bootstrap  # noqa: PLC0415 - takes half a second

    if min(len(planted), len(controls)) == 1:  # nothing tells how far one score lies from others
        return Interval(float(statistic(planted, controls)), 0.0, 1.0)
    drawn = bootstrap(
        (planted, controls),
        statistic,
        n_resamples=_N_BOOTSTRAP,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(statistic(planted, controls)), float(drawn.low), float(drawn.high))


def max_epsilon(n_planted: int, n_controls: int, *, delta: float) -> float:
    """Return the bound that perfect scores would give: no audit of this size can show more."""
    from jax_privacy.auditing import CanaryScoreAuditor  # noqa: PLC0415 - takes seconds

    perfect = CanaryScoreAuditor(np.ones(n_planted), np.zeros(n_controls))
    return float(perfect.epsilon_one_run(SIGNIFICANCE, delta))
