"""Two tuned models on the very same examples: which is better, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from python_stages.errors import ConfigError
from python_stages.evaluate.intervals import Bootstrap, Numbers, bootstrap


@dataclass(frozen=True, slots=True)
class Paired:
    """How a candidate does beside the model that it would replace.

    Attributes:
        n: examples that both answered.
        candidate, incumbent: mean score of each, 0 to 1.
        difference: candidate minus incumbent.
        low, high: its 95 % interval (paired bootstrap, BCa); where no example spoke against one of
            the two, at least as wide as so many examples allow (Clopper and Pearson, 1934).
        n_better, n_worse: examples on which the candidate scores higher, and lower.
        p_value: that shares so uneven came by chance: the exact test of McNemar (1947) where scores
            are right or wrong, a sign test where they are shades.
    """

    n: int
    candidate: float
    incumbent: float
    difference: float
    low: float
    high: float
    n_better: int
    n_worse: int
    p_value: float

    def objection(self, margin: float) -> str | None:
        """Return why the candidate must not take the place, or None.

        Args:
            margin: how much worse it may at most be, 0 to 1.
        """
        if self.high < 0:
            return "it is worse"
        if self.low < -margin:
            return f"it may be worse by more than {margin:g}"
        return None


def compare(
    candidate: Sequence[float], incumbent: Sequence[float], how: Bootstrap | None = None
) -> Paired:
    """Compare two models on the same examples.

    Args:
        candidate: score of each example, 0 to 1.
        incumbent: score of the same examples, in the same order.
        how: the bootstrap; by default as everywhere.

    Raises:
        ConfigError: there is no example.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 - takes a second that others need not wait

    ours, theirs = np.array(candidate, np.float64), np.array(incumbent, np.float64)
    if not ours.size or ours.shape != theirs.shape:
        raise ConfigError("two models can only be compared on examples that both have answered")
    gains = ours - theirs

    def mean_gain(weights: Numbers) -> Numbers:
        mean: Numbers = weights @ gains[:, None] / weights.sum(axis=1, keepdims=True)
        return mean

    found = bootstrap(mean_gain, gains.size, how or Bootstrap())
    n_better, n_worse = int((gains > 0).sum()), int((gains < 0).sum())
    changed = n_better + n_worse
    # what never happened in n examples may still happen so often
    unseen = 1 - 0.05 ** (1 / gains.size)
    difference = float(found.value[0])
    low = min(float(found.low[0]), difference - unseen * (n_worse == 0))
    high = max(float(found.high[0]), difference + unseen * (n_better == 0))
    return Paired(
        n=gains.size,
        candidate=float(ours.mean()),
        incumbent=float(theirs.mean()),
        difference=difference,
        low=low,
        high=high,
        n_better=n_better,
        n_worse=n_worse,
        p_value=float(binomtest(n_better, changed).pvalue) if changed else 1.0,
    )
