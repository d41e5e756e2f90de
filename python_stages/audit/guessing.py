"""A lower bound of epsilon from text alone: how often the model's answer names the right candidate.

Each secret was drawn uniformly from k candidates. Where training is (e, d)-DP for a changed row,
the density of what is seen under the right candidate is at most exp(e) times the least one, but for
probability mass of at most (k - 1) d. Given everything else, a guess is then right with probability
at most exp(e) / (exp(e) + k - 1), and the number of right guesses is stochastically below a
binomial, but for that mass: the argument of Steinke, Nasr and Jagielski (2023, arXiv:2305.08846,
theorem 5.2) with k choices instead of two.

DP-SGD's (epsilon, delta) is that of adding or removing a row. A change is a removal and an
addition: e = 2 epsilon, d = (1 + exp(epsilon)) delta. The bound is for epsilon.

No log-probability is needed, so this works on a backend that returns text and no more.
"""

import math
from dataclasses import dataclass
from typing import Final

SIGNIFICANCE: Final = 0.0125
"""A quarter of 0.05: of the bounds (see membership.py, reconstruction.py) the largest is taken."""

_MAX_EPSILON: Final = 50.0


@dataclass(frozen=True, slots=True)
class Guesses:
    """Right guesses and what they show.

    Attributes:
        n_right: answers that name the secret and no other candidate.
        n_guesses: answers that name exactly one candidate.
        k: candidates of each secret.
        epsilon: lower bound for adding or removing a row, at confidence 98.75 %.
        max_epsilon: what as many guesses, all right, would have shown.
    """

    n_right: int
    n_guesses: int
    k: int
    epsilon: float
    max_epsilon: float


def guesses(n_right: int, n_guesses: int, k: int, *, delta: float) -> Guesses:
    """Return what the guesses show; 0 where they are no better than chance.

    Args:
        n_right: right guesses.
        n_guesses: guesses; an answer that names no candidate, or several, is none.
        k: candidates of each secret, two at least.
        delta: of the (epsilon, delta) that is put to the test.
    """
    shown, most = (_lower_bound(right, n_guesses, k, delta) for right in (n_right, n_guesses))
    return Guesses(n_right, n_guesses, k, shown, most)


def p_value(n_right: int, n_guesses: int, k: int, epsilon: float, delta: float) -> float:
    """Return the probability of as many right guesses, or more, under (epsilon, delta)-DP.

    Raises:
        ValueError: there are fewer than two candidates.
    """
    if k < 2:  # noqa: PLR2004 - one candidate is no secret
        raise ValueError("a guess needs two candidates at least")
    from scipy.stats import binom  # noqa: PLC0415 - takes half a second

    chance = 1 / (1 + (k - 1) * math.exp(-2 * epsilon))
    tail = float(binom.sf(n_right - 1, n_guesses, chance))
    if delta == 0 or n_right == 0:
        return tail
    # the most that a unit of the excepted mass can buy: i more right guesses at the price of i
    gain = max(
        (float(binom.sf(n_right - i - 1, n_guesses, chance)) - tail) / i
        for i in range(1, n_right + 1)
    )
    mass = n_guesses * k * (1 + math.exp(epsilon)) * delta
    return min(1.0, tail + max(gain, 0.0) * mass)


def _lower_bound(n_right: int, n_guesses: int, k: int, delta: float) -> float:
    """Return the largest epsilon that is refuted."""

    def excess(epsilon: float) -> float:
        return p_value(n_right, n_guesses, k, epsilon, delta) - SIGNIFICANCE

    if n_guesses == 0 or excess(0.0) > 0:
        return 0.0
    if excess(_MAX_EPSILON) <= 0:
        return _MAX_EPSILON
    from scipy.optimize import brentq  # noqa: PLC0415 - takes half a second

    return float(brentq(excess, 0.0, _MAX_EPSILON, xtol=1e-4))
