"""Verdicts over models whose epsilon and memory are known."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from python_stages.audit import (
    Attacked,
    Canary,
    CanarySpec,
    Kind,
    Report,
    Verdict,
    attack,
    plant,
    report,
)
from tests.python_stages.audit.models import KEY, Memory

SPEC = CanarySpec(n_once=400, repeats=(4, 16), n_per_group=5)


@pytest.fixture(scope="module")
def canaries() -> tuple[Canary, ...]:
    return plant(SPEC, KEY)


def attacked(canaries: tuple[Canary, ...], model: Memory) -> list[Attacked]:
    return list(attack(canaries, model, n_others=15))


def gaussian(seed: int, shift: float) -> Memory:
    """Return a model whose score of a planted canary is N(shift, 1), and of anything else N(0, 1).

    One canary's score is a Gaussian mechanism with sensitivity `shift`.
    """
    rng = np.random.default_rng(seed)

    def score(canary: Canary, is_planted_answer: bool) -> float:  # noqa: FBT001 - a plain callable
        is_known = is_planted_answer and canary.n_repeats
        return float(rng.normal(shift if is_known else 0.0) - 20)

    return Memory(plant(SPEC, KEY), score_of=score)


def test_a_model_that_knows_nothing_passes(canaries: tuple[Canary, ...]) -> None:
    found = report(attacked(canaries, gaussian(1, 0.0)))
    assert found.verdict is Verdict.PASS
    assert found.epsilon_shown == 0
    assert any("could have shown an epsilon of" in reason for reason in found.reasons)


def test_a_model_that_says_what_was_repeated_fails_without_a_claim(
    canaries: tuple[Canary, ...],
) -> None:
    found = report(attacked(canaries, Memory(canaries, says_from=16)))
    assert found.verdict is Verdict.FAIL
    extracted = {
        (row.kind, row.n_repeats): row.value for row in found.rows if row.metric == "extracted"
    }
    assert {n: value for (_, n), value in extracted.items()} == {0: 0, 1: 0, 4: 0, 16: 1}


def test_text_alone_shows_an_epsilon_when_single_rows_are_said(
    canaries: tuple[Canary, ...],
) -> None:
    found = report(attacked(canaries, Memory(canaries, says_from=1)), epsilon=2.0, delta=1e-5)
    assert found.verdict is Verdict.FAIL
    assert found.epsilon_shown > 2
    assert not [row for row in found.rows if row.metric.startswith("membership")]


def test_scores_far_apart_refute_a_small_epsilon(canaries: tuple[Canary, ...]) -> None:
    found = report(attacked(canaries, gaussian(2, 8.0)), epsilon=1.0, delta=1e-5)
    assert found.verdict is Verdict.FAIL
    assert found.epsilon_shown > 1


def true_epsilon(shift: float, delta: float) -> float:
    """Return epsilon of the Gaussian mechanism with noise 1 (Balle and Wang 2018, theorem 8)."""

    def excess(epsilon: float) -> float:
        above = norm.cdf(shift / 2 - epsilon / shift)
        return float(above - math.exp(epsilon) * norm.cdf(-shift / 2 - epsilon / shift) - delta)

    return float(brentq(excess, 0.0, 100.0))


@pytest.mark.parametrize("seed", range(8))
def test_a_true_claim_is_never_refuted(canaries: tuple[Canary, ...], seed: int) -> None:
    claimed = true_epsilon(0.5, 1e-5)
    found = report(attacked(canaries, gaussian(seed, 0.5)), epsilon=claimed, delta=1e-5)
    assert found.verdict is not Verdict.FAIL
    assert found.epsilon_shown <= claimed


def test_an_audit_too_small_for_the_claim_warns() -> None:
    few = plant(CanarySpec(n_once=12, repeats=(), kinds=(Kind.NAME,)), KEY)
    model = Memory(few, score_of=lambda canary, _: -20.0 - len(canary.prompt) / 1e6)
    found = report(attacked(few, model), epsilon=8.0, delta=1e-5)
    assert found.verdict is Verdict.WARN
    assert any("too small" in reason for reason in found.reasons)


def test_what_the_base_model_finds_likely_is_no_memory(canaries: tuple[Canary, ...]) -> None:
    likely = Memory(canaries, score_of=lambda canary, _: -5.0 - 90.0 * (not canary.n_repeats))
    base = attacked(canaries, likely)
    assert report(base).epsilon_shown > 1
    assert report(base, base=base).epsilon_shown == 0


def shown(found: Report, metric: str) -> list[float]:
    return [row.value for row in found.rows if row.metric == metric]


def test_without_log_probabilities_there_is_no_exposure(canaries: tuple[Canary, ...]) -> None:
    found = report(attacked(canaries, Memory(canaries)))
    assert shown(found, "exposure_bits") == []
    assert shown(found, "extracted")
    assert found.verdict is Verdict.PASS


def test_no_row_holds_a_secret(canaries: tuple[Canary, ...]) -> None:
    found = repr(report(attacked(canaries, Memory(canaries, says_from=1))))
    assert not [one for one in canaries if one.secret in found]
