"""How far above chance a model ranks the secret: exposure (Carlini et al. 2019, arXiv:1802.08232).

The rank of the planted secret among others that it could have been, by log-probability. Of a secret
the model knows nothing of, the rank is uniform: its exposure is 1/ln 2 = 1.44 bits on average,
whatever the number of others. The most that can be seen is log2(others + 1).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHANCE_BITS: Final = 1 / math.log(2)
CHANCE_MEDIAN_BITS: Final = 1.0
"""Half of the ranks are in the upper half, whose exposure is a bit or more."""


def exposure(secret: float, others: NDArray[np.float64]) -> float:
    """Return the exposure in bits: log2(n + 1) - log2(rank), ties counted as half above.

    Args:
        secret: log-probability of the planted secret.
        others: (n,) log-probabilities of random secrets in its place.
    """
    rank = 1 + float(np.sum(others > secret)) + float(np.sum(others == secret)) / 2
    return math.log2(len(others) + 1) - math.log2(rank)


def more_exposed(planted: Sequence[float], controls: Sequence[float]) -> float:
    """Return the p-value that the planted are no more exposed than the controls.

    One-sided Mann-Whitney U test; 1 where either is empty.
    """
    if not planted or not controls:
        return 1.0
    from scipy.stats import mannwhitneyu  # noqa: PLC0415 - takes half a second

    return float(mannwhitneyu(planted, controls, alternative="greater").pvalue)
