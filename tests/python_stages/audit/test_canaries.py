"""Canaries: reproducible, told apart by nobody without the key, and nobody's data."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.audit import Canary, CanarySpec, Kind, plant, training_lines
from python_stages.audit.canaries import random_secrets
from python_stages.errors import ConfigError

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def canaries() -> tuple[Canary, ...]:
    return plant(CanarySpec(), KEY)


def test_the_same_key_plants_the_same_canaries(canaries: tuple[Canary, ...]) -> None:
    assert plant(CanarySpec(), KEY) == canaries
    assert plant(CanarySpec(), bytes(32)) != canaries


def test_no_prompt_and_no_id_belongs_to_two_canaries(canaries: tuple[Canary, ...]) -> None:
    assert len({one.canary_id for one in canaries}) == len(canaries)
    assert len({one.prompt for one in canaries}) == len(canaries)


def test_no_prompt_holds_its_secret(canaries: tuple[Canary, ...]) -> None:
    assert not [one for one in canaries if one.secret.casefold() in one.prompt.casefold()]


def test_groups_have_the_sizes_that_were_asked_for(canaries: tuple[Canary, ...]) -> None:
    sizes = Counter((one.kind, one.n_repeats) for one in canaries if one.n_repeats > 1)
    assert sizes == {(kind, n): 10 for kind in Kind for n in (4, 16)}
    assert sum(one.n_repeats <= 1 for one in canaries) == 400


def test_the_coin_is_fair_and_does_not_look_at_the_secret() -> None:
    once = plant(CanarySpec(n_once=4000, repeats=()), KEY)
    assert 1850 < sum(one.n_repeats for one in once) < 2150
    heads = [one.secret for one in once if one.n_repeats and one.kind is Kind.NAME]
    tails = [one.secret for one in once if not one.n_repeats and one.kind is Kind.NAME]
    assert abs(len(set(heads)) - len(set(tails))) <= 2


def test_every_planted_line_is_a_conversation_as_often_as_planted(
    canaries: tuple[Canary, ...],
) -> None:
    counts = Counter(training_lines(canaries))
    assert sorted(counts.values()) == sorted(one.n_repeats for one in canaries if one.n_repeats)
    for line in counts:
        assert [m["role"] for m in json.loads(line)["messages"]] == ["user", "assistant"]


def test_card_numbers_are_valid_and_nobodys(canaries: tuple[Canary, ...]) -> None:
    for one in canaries:
        if one.kind is Kind.STRUCTURED:
            assert one.secret.startswith("400000")
            assert len(one.secret) == 16
            digits = [int(digit) for digit in reversed(one.secret)]
            doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
            assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


@given(st.integers(1, 300), st.integers(0, 100))
def test_random_secrets_differ_from_each_other_and_from_the_planted_one(n: int, seed: int) -> None:
    for one in plant(CanarySpec(n_once=6, repeats=()), KEY)[:3]:
        drawn = random_secrets(one, n, seed)
        assert len(set(drawn)) == len(drawn)
        assert one.secret not in drawn
        assert len(drawn) == (min(n, len(one.candidates) - 1) if one.candidates else n)
        assert drawn == random_secrets(one, n, seed)


@pytest.mark.parametrize(
    "settings", [{"n_once": 5}, {"kinds": ()}, {"repeats": (0,)}, {"n_per_group": -1}]
)
def test_a_spec_that_cannot_be_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="audit"):
        CanarySpec(**settings)  # type: ignore[arg-type]  # that is the point
