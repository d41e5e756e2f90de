"""Weighted choice between ways to make a value."""

from collections.abc import Callable, Sequence
from random import Random

Maker = Callable[[Random], str]


def choose(random: Random, *ways: tuple[int, Maker]) -> str:
    """Make a value in one of several ways.

    Args:
        random: the source of chance.
        ways: weight and maker of each way.
    """
    weights, makers = zip(*ways, strict=True)
    make: Maker = random.choices(makers, weights)[0]
    return make(random)


def chance(random: Random, percent: int) -> bool:
    """Return true so many times in a hundred."""
    return random.random() * 100 < percent


def listed(values: Sequence[str]) -> Maker:
    """Return a maker that takes one of some values."""
    return lambda random: random.choice(values)
