"""OpenDP's own promises, and noise that is as large as they say."""

import math
from decimal import Decimal

import pytest
from opendp.combinators import make_composition
from opendp.domains import atom_domain
from opendp.measurements import make_laplace
from opendp.metrics import absolute_distance

from python_stages.errors import ConfigError, StageError
from python_stages.noise import ColumnNoise, noisy_columns
from python_stages.noise.mechanism import ColumnMechanism, noisy_counts

N = 20_000


def asked(epsilon: float, *, upper: float = 100, step: float = 0.01) -> ColumnNoise:
    (noise,) = noisy_columns(
        {"amount": {"epsilon": epsilon, "lower": 0, "upper": upper, "step": step}}
    )
    return noise


@pytest.mark.parametrize("epsilon", [0.01, 0.3, 1.0, 8.0])
def test_the_privacy_map_says_what_was_asked_and_no_more(epsilon: float) -> None:
    spent = ColumnMechanism(asked(epsilon)).epsilon
    assert epsilon * (1 - 1e-6) < spent <= epsilon


def test_what_comes_out_is_within_the_bounds_and_on_a_step() -> None:
    drawn = ColumnMechanism(asked(0.5, step=0.25)).draw([Decimal(10**9)] * 500)
    assert all(0 <= value <= 100 and value % Decimal("0.25") == 0 for value in drawn)
    assert len(set(drawn)) > 10


def test_a_value_beyond_a_bound_is_drawn_as_the_bound_is() -> None:
    noise = asked(400.0)  # next to no noise: a clamped value stays where it was clamped to
    near = ColumnMechanism(noise).draw([Decimal(-5), Decimal(10**12)] * 50)
    assert all(abs(value - bound) < 10 for value, bound in zip(near, [0, 100] * 50, strict=True))


def test_the_noise_is_as_large_as_a_laplace_of_range_over_epsilon() -> None:
    # |X| of a Laplace of scale b is exponential of mean b, deviation b: a mean of N is within 6
    # deviations b/sqrt(N) but for a chance of 2e-9 (normal), by Chernoff below 2 exp(-17.5)
    scale = 100 / 40
    drawn = ColumnMechanism(asked(40.0)).draw([Decimal(50)] * N)  # no bound within 20 scales
    mean = sum(abs(float(value) - 50) for value in drawn) / N
    assert abs(mean - scale) < 6 * scale / math.sqrt(N)


def test_neither_side_is_favoured() -> None:
    drawn = ColumnMechanism(asked(40.0)).draw([Decimal(50)] * N)
    above = sum(value > 50 for value in drawn) + sum(value == 50 for value in drawn) / 2
    assert abs(above - N / 2) < 6 * math.sqrt(N) / 2


def test_no_number_is_no_value() -> None:
    with pytest.raises(StageError, match="amount holds what is no number"):
        ColumnMechanism(asked(1.0)).draw([Decimal("NaN")])


def test_an_epsilon_that_no_noise_reaches_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot draw"):
        ColumnMechanism(asked(1e-300))


def test_counts_move_by_one_row_and_spend_what_was_asked() -> None:
    counts, spent = noisy_counts([0] * 5 + [2] * 7, 3, 50.0)
    assert counts == pytest.approx([5, 0, 7], abs=1)  # a deviation of 1 has a chance of e^-50
    assert 50 * (1 - 1e-6) < spent <= 50


def test_noise_on_counts_is_as_large_as_one_row_over_epsilon() -> None:
    # 400 cells, each a two-sided geometric of mean absolute value near 2 (scale 2, epsilon 0.5)
    counts, _ = noisy_counts([], 20_000, 0.5)
    q = math.exp(-0.5)
    mean = 2 * q / (1 - q * q)
    deviation = math.sqrt(2 * q / (1 - q) ** 2 - mean**2)
    found = sum(abs(one) for one in counts) / len(counts)
    assert abs(found - mean) < 6 * deviation / math.sqrt(len(counts))


def test_epsilons_add_up_as_opendp_composes_them() -> None:
    of = (atom_domain(T="i64"), absolute_distance(T="i64"))
    two = [make_laplace(*of, scale) for scale in (10_000.0, 4_000.0)]
    spent = sum(one.map(10_000) for one in two)
    assert make_composition(two).map(10_000) == pytest.approx(spent, rel=1e-12)
