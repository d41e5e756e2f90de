"""OpenDP's measurements: what adds the noise, and the epsilon that their own privacy maps say.

Everything is drawn in whole numbers, by the discrete Laplace mechanism, exactly: noise of doubles
betrays by its low bits which value it was added to (Mironov, "On significance of the least
significant bits for differential privacy", CCS 2012). How far a row can move a result is said by
OpenDP's stability maps, how much noise that takes by a search over its privacy map.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_laplace, then_laplace
from opendp.metrics import change_one_distance, l1_distance, symmetric_distance
from opendp.mod import Measurement, OpenDPException, binary_search_param, enable_features
from opendp.transformations import (
    make_count_by_categories,
    make_metric_unbounded,
    then_clamp,
    then_sum,
)

from python_stages.errors import ConfigError, StageError
from python_stages.noise.spec import ColumnNoise

# OpenDP's word for what its contributors have proven on paper and nobody outside has vetted
enable_features("contrib")

_INTEGER: Final = "i64"
_BATCH: Final = 65_536  # values that cross into OpenDP at once


class ColumnMechanism:
    """Discrete Laplace noise on each value of a column.

    Attributes:
        epsilon: what a draw spends on the value of a row, by OpenDP's privacy map.
    """

    def __init__(self, noise: ColumnNoise) -> None:
        """Find the least noise that spends at most what is asked.

        Raises:
            ConfigError: OpenDP finds none.
        """
        self._noise = noise
        # one row whose value becomes any other one: how far that moves it, behind the clamp
        row = make_metric_unbounded(
            vector_domain(atom_domain(T=_INTEGER), size=1), change_one_distance()
        )
        moved = (row >> then_clamp(noise.bounds) >> then_sum()).map(1)
        values = vector_domain(atom_domain(T=_INTEGER)), l1_distance(T=_INTEGER)

        def measured(scale: float) -> Measurement:
            return make_laplace(*values, scale)

        self._measurement = _calibrated(measured, moved, noise.epsilon, f"of {noise.column}")
        self.epsilon = float(self._measurement.map(moved))

    def draw(self, values: Sequence[Decimal]) -> list[Decimal]:
        """Return a noisy value for each value: clamped, rounded, drawn, clamped again.

        Raises:
            StageError: a value is not a number.
        """
        if any(value.is_nan() for value in values):
            raise StageError(f"{self._noise.column} holds what is no number: noise needs one")
        steps = [self._noise.steps(value) for value in values]
        found: list[Decimal] = []
        for start in range(0, len(steps), _BATCH):
            drawn = self._measurement(steps[start : start + _BATCH])
            found.extend(self._noise.value(int(one)) for one in drawn)
        return found


def noisy_counts(
    categories: Sequence[int], n_categories: int, epsilon: float
) -> tuple[list[int], float]:
    """Count rows by category, with discrete Laplace noise on each count.

    Args:
        categories: number of each row's category, from 0.
        n_categories: how many categories there are; known without looking at the rows.
        epsilon: what may be spent on whether a row is there.

    Returns:
        A count for each category, which may be below zero, and the epsilon that OpenDP's privacy
        map says.

    Raises:
        ConfigError: OpenDP finds no noise that spends so little.
    """
    counted = make_count_by_categories(
        vector_domain(atom_domain(T="i32")),
        symmetric_distance(),
        list(range(n_categories)),
        null_category=False,
        MO="L1Distance<i64>",
    )

    def measured(scale: float) -> Measurement:
        noised: Measurement = counted >> then_laplace(scale)
        return noised

    measurement = _calibrated(measured, 1, epsilon, "of private_counts")
    return [int(one) for one in measurement(list(categories))], float(measurement.map(1))


def _calibrated(measured: Any, moved: int, epsilon: float, what: str) -> Measurement:
    """Return the measurement of the least scale that spends at most epsilon."""
    try:
        scale = binary_search_param(measured, d_in=moved, d_out=epsilon, T=float)
        found: Measurement = measured(scale)
        is_enough = found.map(moved) <= epsilon
    except (OpenDPException, ValueError, OverflowError):
        is_enough = False
    if not is_enough:
        raise ConfigError(
            f"the epsilon {what} asks for noise that OpenDP cannot draw: ask for a larger one, or "
            "for a larger step"
        )
    return found
