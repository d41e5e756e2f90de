"""Small counts: what a breakdown may not show, since a count of one is a person.

A count above zero and below `SMALL` is left out. Where the total of its family is known, and it
alone is left out, subtraction would give it back: then the next smallest goes with it (primary and
complementary suppression, as statistical offices do it: Hundepool et al., Statistical Disclosure
Control, 2012, chapter 4).
"""

from collections.abc import Sequence
from typing import Final

SMALL: Final = 5


def suppress(counts: Sequence[int], *, small: int = SMALL) -> tuple[int | None, ...]:
    """Return the counts of a family with a known total, None where one is left out.

    Args:
        counts: counts that add up to a number that is shown elsewhere.
        small: the least count that is shown.
    """
    hidden = {i for i, n in enumerate(counts) if 0 < n < small}
    shown = sorted((n, i) for i, n in enumerate(counts) if i not in hidden and n)
    if hidden and sum(counts[i] for i in hidden) < small and shown:
        hidden.add(shown[0][1])
    return tuple(None if i in hidden else n for i, n in enumerate(counts))


def alone(count: int, *, small: int = SMALL) -> int | None:
    """Return a count whose family's total is shown nowhere, None where it is left out."""
    return None if 0 < count < small else count
