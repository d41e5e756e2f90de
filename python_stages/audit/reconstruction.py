"""A lower bound of epsilon from secrets that nobody could have guessed, said by the model.

Each secret was drawn uniformly from k. A model whose training left the row out knows nothing of it,
and an answer that names one of the k hits it with probability 1 / k; under (epsilon, delta)-DP the
trained one does with probability exp(epsilon) / k + delta at most (the definition, for adding or
removing the row). Of n canaries, n times that many are expected to be hit, and r or more with
probability n (exp(epsilon) / k + delta) / r at most (Markov's inequality): no independence between
canaries is needed, and a single hit among secrets of nine digits says a lot.

Needs no log-probability and no coin: it works on every backend.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Secrets that were said, and what they show.

    Attributes:
        n_hits: canaries whose secret the answer names, and no other.
        n: canaries.
        epsilon: lower bound, at the confidence that was asked for.
        max_epsilon: what as many canaries, all said, would have shown.
    """

    n_hits: int
    n: int
    epsilon: float
    max_epsilon: float


def reconstruction(
    n_hits: int, n: int, k: int, *, delta: float, significance: float
) -> Reconstruction:
    """Return what the hits show; 0 where they are no more than chance.

    Args:
        n_hits: canaries whose secret was named.
        n: canaries that were planted.
        k: secrets that each could have had.
        delta: of the (epsilon, delta) that is put to the test.
        significance: probability with which the bound may be wrong.
    """
    shown, most = (_lower_bound(hits, n, k, delta, significance) for hits in (n_hits, n))
    return Reconstruction(n_hits, n, shown, most)


def _lower_bound(n_hits: int, n: int, k: int, delta: float, significance: float) -> float:
    """Solve n (exp(epsilon) / k + delta) / n_hits = significance for epsilon."""
    if n_hits == 0:
        return 0.0
    odds = k * (significance * n_hits / n - delta)
    return max(0.0, math.log(odds)) if odds > 0 else 0.0
