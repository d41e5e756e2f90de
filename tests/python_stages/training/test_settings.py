"""What may be asked, and what would void a guarantee."""

from typing import Any

import pytest

from python_stages.errors import ConfigError
from python_stages.training import PrivacyReport, TrainSettings
from python_stages.training.plan import make_plan


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"epsilon": 8, "early_stopping": True}, "early stopping"),
        ({"epsilon": 8, "deduplicate": False}, "deduplicate"),
        ({"epsilon": 8, "n_checkpoints": 2}, "checkpoints"),
        ({"delta": 1e-5}, "epsilon"),
        ({"clip_norm": 1.0}, "epsilon"),
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": 1000.0}, "epsilon"),
        ({"epsilon": float("nan")}, "epsilon"),
        ({"epsilon": True}, "epsilon"),
        ({"epsilon": 8, "delta": 1.5}, "delta"),
        ({"n_epochs": 0}, "n_epochs"),
        ({"n_epochs": 1.5}, "n_epochs"),
        ({"batch_size": "8"}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"preset": "huge"}, "base model"),
        ({"learning_rate_multiplier": 0}, "learning_rate_multiplier"),
        ({"lerning_rate": 1}, "lerning_rate"),
    ],
)
def test_what_is_wrong_or_contradicts_is_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        TrainSettings.from_json(asked)


def test_settings_come_back_from_json() -> None:
    settings = TrainSettings(epsilon=2.0, max_rows_per_person=3, n_epochs=4)
    assert TrainSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("asked", "n_rows", "told"),
    [
        ({"epsilon": 8.0}, 99, "rows"),
        ({}, 9, "rows"),
        ({"epsilon": 8.0, "delta": 1e-2}, 100, "delta"),
        ({"epsilon": 8.0, "batch_size": 200}, 150, "batch_size"),
        ({"early_stopping": True}, 100, "validation"),
    ],
)
def test_what_the_rows_do_not_carry_is_refused(
    asked: dict[str, Any], n_rows: int, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        make_plan(TrainSettings.from_json(asked), n_rows, has_validation=False)


def test_validation_stops_a_training_unless_it_is_private() -> None:
    assert make_plan(TrainSettings(), 100, has_validation=True).stops_early
    assert not make_plan(TrainSettings(), 100, has_validation=False).stops_early
    assert not make_plan(TrainSettings(epsilon=1.0), 1000, has_validation=True).stops_early


def test_delta_is_far_below_one_over_the_number_of_rows() -> None:
    for n_rows in (100, 10_000, 10_000_000):
        plan = make_plan(TrainSettings(epsilon=1.0), n_rows, has_validation=False)
        assert plan.delta <= 0.1 / n_rows
        assert plan.delta <= 1e-5


def test_a_report_comes_back_from_json() -> None:
    report = PrivacyReport(1.0, 1e-5, "row", "zeroed", "pld", 1.1, 0.1, 10, 1.0, 100, ("a", "b"))
    assert PrivacyReport.from_json(report.to_json()) == report
