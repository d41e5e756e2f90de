"""What a job starts from, and whether changed lines are worth one: told by the ledger alone."""

from dataclasses import replace
from typing import Any

import pytest

from python_stages.backends.base import BackendIdentity, JobSpec, job_key
from python_stages.errors import ConfigError
from python_stages.jobs.ledger import LedgerRow, State
from python_stages.jobs.lineage import started
from python_stages.jobs.retraining import Change, decide, last_trained
from python_stages.jobs.settings import JobSettings
from python_stages.jobs.thresholds import RetrainWhen
from tests.python_stages.backends.specs import spec_of
from tests.python_stages.jobs.rows import ROW

URL = "https://host/v1"
HOST = BackendIdentity("compatible", URL)
LINES = [f"{number:064x}" for number in range(9)]


def settings(**changes: Any) -> JobSettings:
    told = {"backend": "compatible", "base_url": URL, "base_model": "small", "allow_upload": True}
    return JobSettings.from_config({**told, "start_from": "last", **changes})


FIRST = spec_of(base_model="small")


def wanted(number: int, **changes: Any) -> JobSpec:
    return replace(FIRST, dataset_fingerprint=LINES[number], **changes)


def ran(job: JobSpec, at: int, **changes: Any) -> LedgerRow:
    """Return the row of a job that has succeeded, made as the at-th."""
    row = replace(
        ROW,
        key=job_key(job, HOST),
        state=State.FILES_DELETED,
        dataset=job.dataset,
        dataset_fingerprint=job.dataset_fingerprint,
        base_url=URL,
        base_model=job.base_model,
        outcome="succeeded",
        fine_tuned_model=f"ft:{at}",
        parent_key=job.parent_key,
        created_at=f"2026-01-{at:02}",
    )
    return replace(row, **changes)


# ── what it starts from ──


def test_the_first_job_starts_from_the_base_model() -> None:
    assert started(wanted(0), settings(), []) == wanted(0)


def test_a_job_of_other_lines_starts_from_the_newest_model() -> None:
    rows = [ran(wanted(0), 1), ran(wanted(1), 2)]
    found = started(wanted(2), settings(), rows)
    assert (found.base_model, found.parent_key) == ("ft:2", rows[1].key)


def test_without_the_setting_every_job_starts_from_the_base_model() -> None:
    rows = [ran(wanted(0), 1)]
    assert started(wanted(1), settings(start_from="base_model"), rows) == wanted(1)


@pytest.mark.parametrize("is_parent_gone", [False, True])
def test_a_rebuild_finds_its_own_job_and_starts_from_nothing_newer(*, is_parent_gone: bool) -> None:
    first = ran(wanted(0), 1)
    job = started(wanted(1), settings(), [first])
    second = ran(job, 2)
    third = ran(started(wanted(2), settings(), [first, second]), 3)
    parent = replace(first, fine_tuned_model=None) if is_parent_gone else first
    again = started(wanted(1), settings(), [parent, second, third])
    assert job_key(again, HOST) == second.key
    assert again.parent_key == first.key


def test_lines_that_were_the_first_find_their_job_again_though_later_models_are_there() -> None:
    first = ran(wanted(0), 1)
    later = ran(started(wanted(1), settings(), [first]), 2)
    assert started(wanted(0), settings(), [first, later]) == wanted(0)


def test_a_model_that_was_deleted_is_passed_over_for_the_one_before() -> None:
    first = ran(wanted(0), 1)
    second = ran(started(wanted(1), settings(), [first]), 2, fine_tuned_model=None)
    assert started(wanted(2), settings(), [first, second]).parent_key == first.key
    gone = replace(first, fine_tuned_model=None)
    assert started(wanted(2), settings(), [gone, second]) == wanted(2)


@pytest.mark.parametrize(
    "other",
    [
        {"dataset": "others"},
        {"base_url": "https://elsewhere/v1", "access": '{"base_url": "https://elsewhere/v1"}'},
        {"backend": "openai"},
        {"base_model": "large"},
        {"outcome": "failed", "fine_tuned_model": None},
        {"outcome": "running", "fine_tuned_model": None},
    ],
)
def test_only_a_model_of_this_dataset_place_and_base_is_gone_on_from(other: dict[str, Any]) -> None:
    assert started(wanted(1), settings(), [ran(wanted(0), 1, **other)]) == wanted(1)


def test_a_change_of_settings_starts_where_the_first_job_of_these_lines_did() -> None:
    first = ran(wanted(0), 1)
    second = ran(started(wanted(1), settings(), [first]), 2)
    other = started(wanted(1, hyperparameters={"n_epochs": 9}), settings(), [first, second])
    assert other.parent_key == first.key


def test_privacy_is_not_claimed_of_a_model_that_goes_on_from_another() -> None:
    private = {"backend": "local", "base_model": "nano", "epsilon": 8, "allow_upload": False}
    with pytest.raises(ConfigError, match="loses as much privacy as both together"):
        settings(**private)
    assert settings(**private, start_from=None).epsilon == 8


def test_an_unknown_start_is_refused() -> None:
    with pytest.raises(ConfigError, match="start_from must be one of base_model, last"):
        settings(start_from="lst")


# ── whether it is worth it ──


def test_the_last_training_is_the_newest_that_trains_or_has_a_model() -> None:
    rows = [
        ran(wanted(0), 1),
        ran(wanted(1), 2, outcome="running", fine_tuned_model=None),
        ran(wanted(2), 3, outcome="failed", fine_tuned_model=None),
        ran(wanted(3), 4, fine_tuned_model=None),  # deleted
        ran(wanted(4), 5, state=State.INTENT, outcome=None, fine_tuned_model=None),
    ]
    assert last_trained(wanted(5), settings(), rows) == rows[1]


def test_other_settings_are_another_job_that_was_never_trained() -> None:
    rows = [ran(wanted(0), 1)]
    for other in ({"hyperparameters": {"n_epochs": 9}}, {"seed": 9}):
        assert last_trained(wanted(1, **other), settings(), rows) is None


def test_a_model_in_a_row_of_others_was_trained_on_its_own_lines() -> None:
    first = ran(wanted(0), 1)
    second = ran(started(wanted(1), settings(), [first]), 2)
    assert last_trained(wanted(2), settings(), [first, second]) == second
    alone = settings(start_from="base_model")
    assert last_trained(wanted(2), alone, [first, second]) == first


def test_a_plan_stands_for_a_training_where_nothing_is_ever_trained() -> None:
    here = JobSettings.from_config({"backend": "plan", "base_model": "small"})
    job = wanted(0)
    row = ran(
        job,
        1,
        key=job_key(job, BackendIdentity("plan")),
        backend="plan",
        base_url="",
        state=State.PLANNED,
        outcome=None,
        fine_tuned_model=None,
    )
    assert last_trained(wanted(1), here, [row]) == row


@pytest.mark.parametrize(
    ("change", "is_retrained", "told"),
    [
        (Change(0.03, 4, 12, 400), False, "drift 0.03 of 0.2, feedback 4 of 50, changed 3.0%"),
        (Change(0.2, 0, 12, 400), True, "drift 0.20 of 0.2"),
        (Change(0.0, 50, 12, 400), True, "feedback 50 of 50"),
        (Change(0.0, 0, 20, 400), True, "changed 5.0% of 5.0%"),
        (Change(0.0, 1, 2, 400), False, "fewer than 5 examples changed, of 5.0%"),
    ],
)
def test_one_threshold_that_is_reached_suffices_and_all_are_told(
    change: Change, told: str, *, is_retrained: bool
) -> None:
    limits = RetrainWhen(drift_psi=0.2, feedback=50, changed_share=0.05)
    found = decide(wanted(1), ran(wanted(0), 1), limits, change)
    assert (found.is_retrained, told in found.reason) == (is_retrained, True)
    assert found.reason.startswith("trained again" if is_retrained else "not retrained")


def test_how_few_examples_changed_is_not_told() -> None:
    few = decide(wanted(1), ran(wanted(0), 1), RetrainWhen(feedback=9), Change(0, 0, 4, 400))
    assert few.changed_share is None
    assert "4" not in few.reason.partition(";")[0]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"drift_ps": 0.2}, "did you mean drift_psi"),
        ({"feedback": 0}, "feedback must be a number above 0"),
        ({"feedback": "50"}, "feedback must be a number above 0"),
        ({"changed_share": True}, "changed_share must be a number above 0"),
        ({}, "without a threshold would never train again"),
        ({"feedback": None}, "without a threshold would never train again"),
        (5, "holds thresholds"),
    ],
)
def test_thresholds_that_cannot_be_are_refused(config: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        settings(retrain_when=config)
