"""What a job comes to before anything is sent: its key, its cost, its plan."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.backends.base import (
    BackendIdentity,
    Content,
    estimate,
    job_key,
)
from python_stages.backends.plan import PlanBackend
from python_stages.errors import ConfigError
from tests.python_stages.backends import specs
from tests.python_stages.backends.specs import chat_lines, content_of

LINES = chat_lines(12)
IDENTITY = BackendIdentity("compatible", "https://host/v1")
spec_of = partial(specs.spec_of, validation=content_of(chat_lines(6)), n_training_tokens=2_000_000)


def test_the_job_key_depends_on_what_is_learned_and_where_and_on_nothing_else() -> None:
    key = job_key(spec_of(), IDENTITY)
    same = [
        spec_of(suffix=None),
        spec_of(price_per_million_tokens=3.0),
        spec_of(training=content_of(b"x")),
        spec_of(metadata={"team": "payments"}, max_cost=5.0, allow_upload=True, currency="EUR"),
    ]
    other = [
        spec_of(dataset_fingerprint="cd" * 32),
        spec_of(base_model="small-2"),
        spec_of(hyperparameters={"n_epochs": 4}),
        spec_of(seed=8),
        spec_of(method="dpo"),
    ]
    assert {job_key(spec, IDENTITY) for spec in same} == {key}
    keys = {job_key(spec, IDENTITY) for spec in other}
    keys |= {job_key(spec_of(), BackendIdentity(*at)) for at in (("plan",), ("compatible", "x"))}
    assert len(keys | {key}) == len(other) + 3


def test_the_job_key_never_changes_between_versions() -> None:
    assert (
        job_key(spec_of(), IDENTITY)
        == "0965d3bca04a4140f9ade6310d53614427c82c1aa383199c130f9a7a2cf2bd30"
    )


@given(st.integers(1, 10**9), st.integers(1, 50), st.floats(0, 1e4))
def test_the_cost_is_tokens_times_epochs_times_price(
    tokens: int, epochs: int, price: float
) -> None:
    spec = spec_of(
        n_training_tokens=tokens,
        hyperparameters={"n_epochs": epochs},
        price_per_million_tokens=price,
    )
    estimated = estimate(spec)
    assert estimated.n_billed_tokens == tokens * epochs
    assert estimated.cost == pytest.approx(tokens * epochs * price / 1e6)


def test_a_plan_names_files_sizes_tokens_and_cost_without_opening_anything() -> None:
    def never() -> AbstractContextManager[Iterator[bytes]]:
        raise AssertionError("a plan must not open the sealed file")

    spec = spec_of(training=Content(1_000, never), price_per_million_tokens=2.5)
    plan = PlanBackend().plan(spec)
    assert [(file.split, file.n_bytes) for file in plan.files] == [
        ("train", 1_000),
        ("validation", len(chat_lines(6))),
    ]
    assert plan.files[0].name.startswith("sealtune-transactions-train-abababababababab-")
    assert plan.sentence.endswith("6,000,000 billed tokens, 15.00 USD")


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({}, "6,000,000 billed tokens, price unknown"),
        ({"hyperparameters": {}}, "number of epochs left to the provider"),
    ],
)
def test_a_plan_says_what_it_cannot_know(changes: dict[str, Any], ending: str) -> None:
    assert PlanBackend().plan(spec_of(**changes)).sentence.endswith(ending)


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "a b"},
        {"dataset": "../x"},
        {"dataset_fingerprint": "no hex"},
        {"base_model": ""},
        {"n_examples": 0},
        {"hyperparameters": {"n_epochs": 0}},
        {"hyperparameters": {"n_epochs": 1.5}},
        {"hyperparameters": {"learning_rate_multiplier": float("nan")}},
        {"price_per_million_tokens": -1.0},
        {"price_per_million_tokens": float("nan")},
        {"max_cost": float("inf")},
        {"max_cost": True},
        {"method": "reinforcement"},
        {"method": ["dpo"]},
    ],
)
def test_a_job_that_cannot_be_is_refused_at_once(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        spec_of(**changes)
