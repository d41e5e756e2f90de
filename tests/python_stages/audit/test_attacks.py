"""The attacks, on answers and scores whose memory is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from python_stages.audit import Canary, CanarySpec, Kind, plant
from python_stages.audit.exposure import CHANCE_BITS, exposure, more_exposed
from python_stages.audit.extraction import discoverable, extraction, share
from python_stages.audit.guessing import guesses, p_value
from python_stages.audit.membership import auc, max_epsilon, membership

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def digits() -> Canary:
    return next(one for one in plant(CanarySpec(), KEY) if one.kind is Kind.DIGITS)


def test_the_planted_answer_is_verbatim(digits: Canary) -> None:
    found = extraction(digits, f" {digits.answer}\n")
    assert (found.is_verbatim, found.is_contained, found.is_near) == (True, True, True)


def test_a_secret_in_other_words_and_spacing_is_contained(digits: Canary) -> None:
    found = extraction(digits, f"Try {'-'.join(digits.secret)}, perhaps")
    assert (found.is_verbatim, found.is_contained, found.is_near) == (False, True, True)


def test_a_secret_with_one_letter_wrong_is_near() -> None:
    card = next(one for one in plant(CanarySpec(), KEY) if one.kind is Kind.STRUCTURED)
    wrong = card.secret[:-1] + str((int(card.secret[-1]) + 1) % 10)
    found = extraction(card, f"It is {wrong}.")
    assert (found.is_contained, found.is_near) == (False, True)


@pytest.mark.parametrize("answer", ["", "I do not know.", "It opens with 1."])
def test_another_answer_is_no_extraction(digits: Canary, answer: str) -> None:
    assert not extraction(digits, answer).is_near


def test_what_the_prompt_held_is_no_leak(digits: Canary) -> None:
    asked = replace(digits, prompt=f"Is it {digits.secret}?")
    assert not extraction(asked, asked.answer).is_near


@given(st.integers(0, 50), st.integers(1, 50))
def test_an_exact_interval_holds_the_share(n_hits: int, n: int) -> None:
    found = share(min(n_hits, n), n)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_nothing_tried_says_nothing() -> None:
    assert (share(0, 0).low, share(0, 0).high) == (0, 1)


@given(st.floats(-50, -1e-6), st.integers(1, 10_000))
def test_more_samples_discover_no_less(log_probability: float, n: int) -> None:
    once, more = discoverable(log_probability, n), discoverable(log_probability, n + 1)
    assert 0 <= once <= more <= 1


def test_an_answer_of_one_in_a_hundred_is_discovered_in_a_hundred_samples_two_times_in_three() -> (
    None
):
    assert discoverable(math.log(0.01), 100) == pytest.approx(1 - 0.99**100)


@given(st.lists(st.floats(-100, 0), min_size=1, max_size=100), st.floats(-100, 0))
def test_exposure_lies_between_nothing_and_everything(others: list[float], secret: float) -> None:
    bits = exposure(secret, np.array(others))
    assert -1e-9 <= bits <= math.log2(len(others) + 1) + 1e-9


def test_a_secret_that_was_never_seen_has_chance_exposure() -> None:
    rng = np.random.default_rng(1)
    bits = [exposure(rng.normal(), rng.normal(size=255)) for _ in range(4000)]
    assert np.mean(bits) == pytest.approx(CHANCE_BITS, abs=0.1)


def test_higher_exposures_are_told_from_equal_ones() -> None:
    assert more_exposed([5.0, 6.0, 7.0, 8.0, 6.5], [1.0, 0.5, 2.0, 1.5, 0.1]) < 0.01
    assert more_exposed([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) > 0.3
    assert more_exposed([], [1.0]) == 1


def test_equal_scores_show_no_membership() -> None:
    rng = np.random.default_rng(2)
    told = [membership(rng.normal(size=200), rng.normal(size=200), delta=1e-5) for _ in range(10)]
    assert sum(one.auc.low < 0.5 < one.auc.high for one in told) >= 8
    assert np.mean([one.auc.value for one in told]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([one.tpr_at_5_percent.value for one in told]) == pytest.approx(0.05, abs=0.03)
    assert max(one.epsilon for one in told) < 0.2  # 97.5 % of such bounds are 0


@given(st.lists(st.integers(-5, 5), min_size=1), st.lists(st.integers(-5, 5), min_size=1))
def test_the_area_is_the_share_of_pairs_that_are_in_order(
    planted: list[int], controls: list[int]
) -> None:
    pairs = [(p > c) + (p == c) / 2 for p in planted for c in controls]
    found = auc(np.array(planted, dtype=float), np.array(controls, dtype=float))
    assert float(found) == pytest.approx(sum(pairs) / len(pairs))


def test_perfect_scores_show_all_that_an_audit_of_this_size_can() -> None:
    rng = np.random.default_rng(3)
    told = membership(rng.normal(9, size=200), rng.normal(-9, size=200), delta=1e-5)
    assert told.auc.value == told.tpr_at_1_percent.value == 1
    assert told.epsilon == told.max_epsilon > 3


@pytest.mark.parametrize(("n_planted", "n_controls"), [(1, 1), (1, 9), (9, 1)])
def test_where_a_coin_left_one_the_interval_says_that_nothing_is_known(
    n_planted: int, n_controls: int
) -> None:
    told = membership(np.ones(n_planted), np.zeros(n_controls), delta=1e-5)
    assert told.auc.value == 1
    for found in (told.auc, told.tpr_at_1_percent, told.tpr_at_5_percent):
        assert (found.low, found.high) == (0, 1)


def test_a_larger_audit_can_show_more() -> None:
    assert max_epsilon(50, 50, delta=1e-5) < max_epsilon(200, 200, delta=1e-5)


def test_without_delta_the_p_value_is_the_binomial_tail() -> None:
    expected = binom.sf(29, 60, 1 / (1 + 63 * math.exp(-2 * 1.5)))
    assert p_value(30, 60, 64, 1.5, 0.0) == pytest.approx(expected)


@given(st.integers(0, 40), st.floats(0, 8), st.floats(0, 1e-3))
def test_a_p_value_grows_with_epsilon_and_delta(n_right: int, epsilon: float, delta: float) -> None:
    p = p_value(n_right, 40, 64, epsilon, delta)
    assert 0 <= p <= 1
    assert p_value(n_right, 40, 64, epsilon + 0.5, delta) >= p - 1e-12
    assert p_value(n_right, 40, 64, epsilon, delta + 1e-6) >= p - 1e-12


def test_guesses_at_chance_show_nothing_and_right_ones_all() -> None:
    assert guesses(1, 64, 64, delta=1e-9).epsilon == 0
    right = guesses(60, 60, 64, delta=1e-9)
    assert right.epsilon == right.max_epsilon > 3


def test_guesses_under_randomised_response_stay_below_its_epsilon() -> None:
    """Randomised response over k values is (e)-DP for a changed row, with equality."""
    k, epsilon, n = 16, 1.0, 300
    rng = np.random.default_rng(4)
    truth = 1 / (1 + (k - 1) * math.exp(-2 * epsilon))
    shown = [guesses(int(rng.binomial(n, truth)), n, k, delta=0.0).epsilon for _ in range(200)]
    assert np.mean(np.array(shown) > epsilon) <= 0.05  # at most 0.025, and its sampling error
    assert np.median(shown) > 0.7


def test_one_candidate_is_no_secret() -> None:
    with pytest.raises(ValueError, match="two candidates"):
        p_value(1, 1, 1, 0.0, 0.0)
