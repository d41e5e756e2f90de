"""What a dataset may ask for, and what is refused before a row is read."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from python_stages.check import CheckSpec
from python_stages.errors import ConfigError
from python_stages.noise import check_asked, count_epsilon, noisy_columns, spec
from python_stages.render import RenderSpec

ASKED = {"epsilon": 1.0, "lower": 0, "upper": 100}
RENDER = {
    "label_column": "kind",
    "instructions": ["{description}"],
    "templates": ["paid {amount:number} in {city}"],
    "currency_column": "currency",
}


@pytest.mark.parametrize("epsilon", [0, -1, float("inf"), float("nan"), "1", True, None])
def test_an_epsilon_that_promises_nothing_is_refused(epsilon: object) -> None:
    with pytest.raises(ConfigError, match="epsilon must be a finite number above 0"):
        noisy_columns({"amount": {**ASKED, "epsilon": epsilon}})
    with pytest.raises(ConfigError, match="epsilon must be a finite number above 0"):
        count_epsilon({"epsilon": epsilon})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lower": None}, "lower is missing or no number"),
        ({"upper": float("inf")}, "upper is missing or no number"),
        ({"lower": 100, "upper": 0}, "lower must be below upper"),
        ({"lower": 100}, "lower must be below upper"),
        ({"step": 0}, "step must be above 0"),
        ({"step": 1e-18}, "too many steps"),
        ({"epsilom": 1}, "did you mean epsilon"),
    ],
)
def test_bounds_have_to_be_stated_and_in_order(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        noisy_columns({"amount": {**ASKED, **changes}})


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("amuont", "no template shows amuont; did you mean amount"),
        ("elsewhere", "they show amount, city"),
        ("kind", "decides how a row is worded"),
        ("currency", "decides how a row is worded"),
    ],
)
def test_noise_is_for_columns_that_are_shown(column: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RenderSpec.from_config({**RENDER, "noise": {column: ASKED}})


def test_settings_of_every_model_are_checked_before_anything_is_built() -> None:
    wrong = {"amount": {**ASKED, "epsilon": -1}}
    check_asked({"a_rendered": {"render": {"noise": None}}, "a_checked": {"check": {}}, "b": {}})
    with pytest.raises(ConfigError, match="epsilon"):
        check_asked({"a_rendered": {"render": {"noise": wrong}}})
    with pytest.raises(ConfigError, match="epsilon"):
        check_asked({"a_checked": {"check": {"private_counts": {"epsilon": 0}}}})


@pytest.mark.parametrize(
    ("model", "sections", "message"),
    [
        ("a_rendered", {"noise": {}}, "move it under render"),
        ("a_checked", {"private_counts": {}}, "move it under check"),
        ("a_sampled", {"render": {"noise": {"amount": ASKED}}}, r"read in \*_rendered alone"),
        ("a_sealed", {"check": {"private_counts": {"epsilon": 1}}}, r"read in \*_checked alone"),
    ],
)
def test_noise_that_nobody_would_read_is_refused(
    model: str, sections: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_asked({model: sections})


def test_a_missing_opendp_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'sealtune\[opendp\]'"):
        check_asked({"a_rendered": {"render": {"noise": {"amount": ASKED}}}})


def test_private_counts_need_classes_that_are_public() -> None:
    bare = {"pii_entities": ["PERSON"], "max_tokens_per_example": 9}
    with pytest.raises(ConfigError, match="labels by name"):
        CheckSpec.from_config({**bare, "labels": "any", "private_counts": {"epsilon": 1}})
    told = CheckSpec.from_config({**bare, "labels": ["a"], "private_counts": {"epsilon": 1}})
    assert told.private_counts == 1
    assert "private_counts" not in told.parameters()


def test_values_are_clamped_and_rounded_to_steps() -> None:
    (noise,) = noisy_columns({"amount": {**ASKED, "step": 0.05}})
    values = [Decimal("-1e30"), Decimal("12.52"), Decimal("12.53"), Decimal("Infinity")]
    assert [noise.steps(value) for value in values] == [0, 250, 251, 2000]
    assert [noise.value(steps) for steps in (-1, 250, 10**9)] == [0, Decimal("12.50"), 100]


def test_asking_for_nothing_imports_no_opendp() -> None:
    code = (
        "import sys; from python_stages import dbt_models, check_models; "
        "sys.exit('opendp' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
