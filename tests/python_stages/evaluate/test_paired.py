"""A worse model is told from a better one on the same examples, and how sure that is."""

import numpy as np
import pytest

from python_stages.errors import ConfigError
from python_stages.evaluate.paired import compare

RIGHT, WRONG = [1.0], [0.0]


def test_a_model_that_is_wrong_more_often_is_worse() -> None:
    found = compare(RIGHT * 60 + WRONG * 40, RIGHT * 90 + WRONG * 10)
    assert (found.n_better, found.n_worse) == (0, 30)
    assert found.difference == pytest.approx(-0.3)
    assert found.high < 0
    assert found.p_value == pytest.approx(2 * 0.5**30)
    assert found.objection(1.0) == "it is worse"


def test_a_better_and_an_equal_model_are_let_through() -> None:
    assert compare(RIGHT * 90 + WRONG * 10, RIGHT * 60 + WRONG * 40).objection(0.05) is None
    same = compare(RIGHT * 50 + WRONG * 50, RIGHT * 50 + WRONG * 50)
    assert (same.difference, same.p_value, same.objection(0.05)) == (0, 1, None)


def test_that_nothing_changed_on_few_examples_is_no_proof() -> None:
    for n, objects in ((30, True), (58, True), (59, False)):
        same = compare(RIGHT * n, RIGHT * n)
        # what was seen in none of n is rarer than this, 95 times of 100
        assert same.low == pytest.approx(-(1 - 0.05 ** (1 / n)))
        assert same.high == -same.low
        assert (same.objection(0.05) is not None) is objects


def test_where_few_examples_leave_it_open_the_margin_decides() -> None:
    found = compare(RIGHT * 20 + WRONG * 2 + RIGHT * 2, RIGHT * 20 + RIGHT * 2 + WRONG * 2)
    assert found.difference == 0
    assert found.objection(0.05) == "it may be worse by more than 0.05"
    assert found.objection(0.5) is None


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says() -> None:
    random, hits, n_runs = np.random.default_rng(3), 0, 60
    for _ in range(n_runs):
        theirs = random.random(150) < 0.8
        ours = np.where(random.random(150) < 0.15, ~theirs, theirs)  # a true loss of 0.09
        found = compare(ours.astype(float).tolist(), theirs.astype(float).tolist())
        hits += found.low <= 0.15 * (0.2 - 0.8) <= found.high
    assert hits >= 52  # of 57 expected; fewer come by chance once in 50 times


def test_nothing_in_common_is_no_comparison() -> None:
    with pytest.raises(ConfigError, match="both have answered"):
        compare([], [])
