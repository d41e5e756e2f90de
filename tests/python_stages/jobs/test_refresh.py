"""Claims about the end of a job: what is kept of it, and that its files are gone."""

from dataclasses import replace

from python_stages.jobs.ledger import Ledger, State
from tests.python_stages.jobs.world import CANARY, LINES, SPEC, World


def test_a_job_that_succeeded_ends_with_its_files_deleted(world: World) -> None:
    world.submit()
    states = [world.refresh()[0].state for _ in range(3)]
    assert states == [State.JOB_CREATED, State.JOB_CREATED, State.FILES_DELETED]
    row = world.row()
    assert (row.outcome, row.n_trained_tokens) == ("succeeded", 1234)
    assert row.fine_tuned_model == "ft:small-1:loopback"
    assert not world.api.files
    assert world.refresh() == ()
    assert world.submit() == row


def test_a_failed_job_keeps_its_code_and_not_the_quoted_line(world: World) -> None:
    row = world.submit()
    problem = {"code": "invalid_training_file", "message": f"Line 1: {LINES!r}", "param": None}
    world.api.finish(row.job_id or "", "failed", problem)
    (row,) = world.refresh()
    assert (row.state, row.outcome) == (State.FILES_DELETED, "failed")
    assert row.error_code == "invalid_training_file"
    assert CANARY not in world.path.read_bytes()


def test_a_cancelled_job_ends_with_its_files_deleted(world: World) -> None:
    row = world.submit()
    world.api.finish(row.job_id or "", "cancelled")
    (row,) = world.refresh()
    assert (row.state, row.outcome, dict(world.api.files)) == (
        State.FILES_DELETED,
        "cancelled",
        {},
    )


def test_a_deletion_that_did_not_happen_is_no_deletion(world: World) -> None:
    row = world.submit()
    world.api.finish(row.job_id or "", "succeeded")
    world.api.keeps_deleted_files = True
    failures = world.refresh_whatever_happens().failures
    assert "still at the provider" in str(failures[row.key])
    assert world.row().state is State.SUCCEEDED
    world.api.keeps_deleted_files = False
    assert [row.state for row in world.refresh()] == [State.FILES_DELETED]


def test_a_late_duplicate_of_an_upload_is_deleted_as_well(world: World) -> None:
    row = world.submit()
    world.backend.upload(row.training_file_name, SPEC.training)
    world.api.finish(row.job_id or "", "succeeded")
    world.refresh()
    assert not world.api.files


def test_one_job_that_cannot_be_asked_after_does_not_keep_the_others_waiting(
    world: World,
) -> None:
    first, second = world.submit(), world.submit(spec=replace(SPEC, seed=8))
    world.api.finish(second.job_id or "", "succeeded")
    del world.api.jobs[first.job_id or ""]
    failures = world.refresh_whatever_happens().failures
    assert list(failures) == [first.key]
    assert "404" in str(failures[first.key])
    with Ledger(world.path) as ledger:
        states = {row.key: row.state for row in ledger.jobs()}
    assert states == {first.key: State.JOB_CREATED, second.key: State.FILES_DELETED}
