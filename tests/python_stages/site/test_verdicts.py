"""The sentence at the top never says more than was shown."""

from dataclasses import replace

import pytest

from python_stages.site import verdicts
from python_stages.site.facts.dataset import Dataset, Passage
from python_stages.site.facts.model import Audit, Model
from python_stages.site.facts.verdict import Level
from tests.python_stages.site.facts import CHECK, DATASET, MODEL, RECALL, SEALED, flow

R = Passage.RAW
FAILED = replace(CHECK, is_success=False)


def level(dataset: Dataset) -> Level:
    return verdicts.judged(dataset).verdict.level


def test_a_dataset_of_which_all_was_shown_is_good() -> None:
    found = verdicts.judged(DATASET).verdict
    assert (found.level, found.reasons) == (Level.GOOD, ())
    assert "80 examples of notes are sealed for 1 recipient" in found.sentence
    assert "1 of 1 checks passed" in found.sentence
    assert "96.7%" in found.sentence


@pytest.mark.parametrize(
    "wrong",
    [
        {"checks": (CHECK, FAILED)},
        {"sealed": (SEALED, replace(SEALED, is_verified=False, is_current=False, problem="x"))},
        {"recalls": (replace(RECALL, is_met=False),)},
        {"is_split_disjoint": False},
        {"flows": (flow("name", "direct", R, R, R, R, R, R),)},
        {"flows": (flow("note", "free_text", R, R, R, R, R, R),)},
        {"flows": (flow("x", "undeclared", R, R, R, R, R, R),)},
    ],
    ids=lambda one: next(iter(one)),
)
def test_whatever_is_wrong_says_do_not_use_it(wrong: dict[str, object]) -> None:
    found = verdicts.judged(replace(DATASET, **wrong)).verdict  # type: ignore[arg-type]  # of the parameters above
    assert found.level is Level.BAD
    assert found.sentence.startswith("Do not use notes: ")


@pytest.mark.parametrize(
    "missing",
    [
        {"stages": ()},
        {"checks": (), "n_expectations": None},
        {"n_expectations": 2},
        {"recalls": ()},
        {"sealed": ()},
        {"sealed": (replace(SEALED, is_current=False),)},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_was_not_shown_is_no_success(missing: dict[str, object]) -> None:
    found = verdicts.judged(replace(DATASET, **missing)).verdict  # type: ignore[arg-type]  # the same
    assert found.level is Level.OPEN
    assert found.reasons


def test_text_that_was_made_up_may_reach_the_sealed_lines() -> None:
    made_up = replace(flow("note", "free_text", R, R, R, R, R, R), is_synthetic=True)
    assert level(replace(DATASET, flows=(made_up,))) is Level.GOOD


def test_a_model_that_nobody_attacked_is_not_good() -> None:
    found = verdicts.judged_model(replace(MODEL, audit=None)).verdict
    assert found.level is Level.OPEN
    assert "it was not attacked" in found.sentence


def test_a_model_that_passed_its_audit_is_good() -> None:
    assert verdicts.judged_model(MODEL).verdict.level is Level.GOOD


def test_the_shadow_of_an_audit_is_no_model_that_was_forgotten() -> None:
    shadow = replace(
        MODEL, dataset=f"{MODEL.dataset}_shadow", is_current=False, scores=(), audit=None
    )
    found = verdicts.judged_model(shadow).verdict
    assert (found.level, found.reasons) == (Level.GOOD, ())
    assert f"the audit of {MODEL.dataset} attacked" in found.sentence
    parked = verdicts.judged_model(replace(shadow, outcome=None)).verdict
    assert (parked.level, parked.reasons) == (Level.OPEN, ("the job has not ended",))


def test_a_failed_audit_says_do_not_use_it_and_why() -> None:
    audit = Audit("FAIL", ("secrets were extracted",), None, 3.0, 4.0, ())
    found = verdicts.judged_model(replace(MODEL, audit=audit)).verdict
    assert found.level is Level.BAD
    assert "secrets were extracted" in found.sentence


def test_what_is_wrong_is_told_once_and_before_what_was_not_shown() -> None:
    audit = Audit("FAIL", ("secrets were extracted",), None, 3.0, 4.0, ())
    model = verdicts.judged_model(replace(MODEL, audit=audit))
    empty = verdicts.judged(replace(DATASET, name="mails", stages=(), checks=(), sealed=()))
    assert verdicts.of_all([empty], [model]).reasons == (
        f"model {model.job_key[:12]}: secrets were extracted",
        "mails: it has not been built",
    )


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_a_job_that_failed_is_bad(outcome: str) -> None:
    model: Model = replace(MODEL, outcome=outcome, error_code="x")
    assert verdicts.judged_model(model).verdict.level is Level.BAD


def test_a_plan_is_called_a_plan() -> None:
    planned = replace(MODEL, state="PLANNED", outcome=None, audit=None, scores=())
    found = verdicts.judged_model(planned).verdict
    assert found.level is Level.OPEN
    assert "nothing was sent" in found.sentence


def test_one_bad_dataset_makes_the_whole_bad_and_is_named() -> None:
    good = verdicts.judged(DATASET)
    bad = verdicts.judged(replace(DATASET, name="mails", checks=(FAILED,)))
    found = verdicts.of_all([good, bad], [])
    assert found.level is Level.BAD
    assert "Do not use mails" in found.sentence
    assert found.reasons == ("mails: 1 check failed",)


def test_jobs_of_earlier_lines_do_not_count_for_the_whole() -> None:
    old = verdicts.judged_model(replace(MODEL, outcome="failed", is_current=False))
    assert verdicts.of_all([verdicts.judged(DATASET)], [old]).level is Level.GOOD
