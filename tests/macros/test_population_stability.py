"""Drift: the population stability index, and what chance explains of it."""

from collections.abc import Callable, Mapping, Sequence

import duckdb
import numpy as np
import pytest
from scipy.stats import chi2

Measure = Callable[..., dict[str, tuple[float, float]]]


@pytest.fixture
def psi(macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection) -> Measure:
    """Return a function that gives PSI and chance of each dataset with the real macro."""

    def measure(**datasets: Sequence[tuple[int, int]]) -> dict[str, tuple[float, float]]:
        connection.execute(
            "create or replace table bins (dataset text, n_old bigint, n_new bigint)"
        )
        rows = [(name, old, new) for name, bins in datasets.items() for old, new in bins]
        connection.executemany("insert into bins values (?, ?, ?)", rows)
        found = connection.execute(macros["population_stability"]).fetchall()
        return {name: (value, chance) for name, value, chance in found}

    return measure


def test_it_is_the_sum_over_the_bins_with_half_a_count_more_in_each(psi: Measure) -> None:
    bins = np.array([(50, 20), (30, 30), (20, 40), (0, 10)])
    old, new = ((column + 0.5) / (column.sum() + 2) for column in bins.T)
    wanted = float(((new - old) * np.log(new / old)).sum())
    value, _ = psi(a=bins.tolist())["a"]
    assert value == pytest.approx(wanted)


def test_nothing_moved_is_zero_and_another_population_is_major(psi: Measure) -> None:
    found = psi(same=[(10, 100), (20, 200)], other=[(1000, 10), (10, 1000)])
    assert found["same"][0] == pytest.approx(0, abs=1e-3)
    assert found["other"][0] > 0.25
    assert found["other"][0] > found["other"][1]


@pytest.mark.parametrize("n_bins", [2, 8, 10, 64])
def test_chance_is_the_quantile_of_chi_squared(psi: Measure, n_bins: int) -> None:
    _, chance = psi(a=[(30, 20)] * n_bins)["a"]
    wanted = chi2.ppf(0.95, n_bins - 1) * (1 / (30 * n_bins) + 1 / (20 * n_bins))
    assert chance == pytest.approx(wanted, rel=0.03)


def test_two_samples_of_one_population_seldom_exceed_chance(psi: Measure) -> None:
    random, shares = np.random.default_rng(5), np.array([0.4, 0.3, 0.2, 0.1])
    samples = {
        f"d{n}": np.stack([random.multinomial(300, shares) for _ in range(2)], 1).tolist()
        for n in range(400)
    }
    exceeded = sum(value > chance for value, chance in psi(**samples).values())
    assert exceeded <= 36  # 20 expected; more come by chance once in a thousand times
