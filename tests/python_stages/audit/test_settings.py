"""How an audit is asked for, and what is refused."""

from typing import Any

import pytest

from python_stages.audit import AuditSettings
from python_stages.errors import ConfigError


def test_lists_of_yaml_become_a_spec() -> None:
    wanted = AuditSettings.from_config({"kinds": ["name"], "repeats": [4], "n_once": 40})
    assert (wanted.spec.kinds, wanted.spec.repeats) == (("name",), (4,))


def test_it_is_on_where_nothing_is_billed_unless_it_says_so() -> None:
    assert [AuditSettings().is_on(one) for one in ("local", "openai")] == [True, False]
    assert AuditSettings(enabled=True).is_on("openai")
    assert not AuditSettings(enabled=False).is_on("local")


@pytest.mark.parametrize(
    "config",
    [
        {"n_one": 1},
        {"n_once": "400"},
        {"n_once": 1},
        {"repeats": 4},
        {"repeats": [0]},
        {"repeats": ["4"]},
        {"kinds": ["colour"]},
        {"plant_in": "both"},
        {"enabled": "false"},
        {"checkpoints": 1},
    ],
)
def test_what_cannot_be_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="audit"):
        AuditSettings.from_config(config)
