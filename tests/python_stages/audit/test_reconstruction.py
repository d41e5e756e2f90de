"""What is shown by secrets that nobody could have guessed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.audit.reconstruction import reconstruction

K = 10**9


def shown(n_hits: int, n: int, delta: float = 1e-5, k: int = K) -> float:
    return reconstruction(n_hits, n, k, delta=delta, significance=0.0125).epsilon


def test_nothing_said_shows_nothing() -> None:
    assert shown(0, 100) == 0


def test_one_secret_of_nine_digits_refutes_an_epsilon_of_eight() -> None:
    assert shown(1, 100) > 8


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1e-3))
def test_more_hits_show_no_less_and_a_larger_delta_no_more(
    n_hits: int, more: int, delta: float
) -> None:
    assert shown(n_hits, 100, delta) <= shown(n_hits + more, 100, delta)
    assert shown(n_hits, 100, delta + 1e-4) <= shown(n_hits, 100, delta)


def test_no_audit_shows_more_than_it_says_it_could() -> None:
    found = reconstruction(7, 100, K, delta=1e-5, significance=0.0125)
    assert found.epsilon <= found.max_epsilon == pytest.approx(math.log(K * (0.0125 - 1e-5)))


def test_a_mechanism_that_says_secrets_as_often_as_its_epsilon_allows_is_seldom_refuted() -> None:
    k, epsilon, n = 1_000, 3.0, 50
    rng = np.random.default_rng(1)
    hits = rng.binomial(n, math.exp(epsilon) / k, size=2_000)
    refuted = [shown(int(one), n, 0.0, k) > epsilon for one in hits]
    assert np.mean(refuted) <= 0.0125
