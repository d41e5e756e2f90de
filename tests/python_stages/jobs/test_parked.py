"""Claims about what matches twice: it waits for a person, and ends as the person says."""

from dataclasses import replace

import pytest

from python_stages.errors import AmbiguousJobError, LedgerError
from python_stages.jobs.ledger import State
from tests.python_stages.backends.loopback_api import Fault
from tests.python_stages.backends.specs import content_of
from tests.python_stages.jobs.crashes import Crash
from tests.python_stages.jobs.world import FILES, JOBS, LINES, SPEC, World, before


def two_jobs(world: World) -> AmbiguousJobError:
    point = before(world, "save job_created")
    world.api.inject(Fault("POST", JOBS, "twice"))
    with pytest.raises(Crash):
        world.submit(point)
    with pytest.raises(AmbiguousJobError) as caught:
        world.submit()
    return caught.value


def test_two_matching_jobs_park_and_stay_parked_without_a_request(world: World) -> None:
    error = two_jobs(world)
    assert all(job_id in str(error) for job_id in world.api.jobs)
    assert world.row().parked_reason == str(error)
    world.api.requests.clear()
    with pytest.raises(AmbiguousJobError):
        world.submit()
    assert world.api.requests == []


def test_a_person_settles_two_jobs_by_naming_one_and_the_other_is_cancelled(world: World) -> None:
    two_jobs(world)
    other, chosen = world.api.jobs
    row = world.settle(chosen)
    assert (row.state, row.job_id, row.parked_reason) == (State.JOB_CREATED, chosen, None)
    assert world.api.jobs[other].shown["status"] == "cancelled"
    assert world.submit() == row


def test_a_person_settles_two_jobs_with_neither_and_the_next_build_makes_a_third(
    world: World,
) -> None:
    two_jobs(world)
    row = world.settle(None)
    assert (row.state, row.job_id, row.parked_reason) == (State.INTENT, None, None)
    assert {job.shown["status"] for job in world.api.jobs.values()} == {"cancelled"}
    assert not world.api.files
    made = world.submit()
    assert made.job_id == list(world.api.jobs)[2]
    assert [made.training_file_id, made.validation_file_id] == list(world.api.files)


def test_a_person_cannot_name_a_job_of_another_key(world: World) -> None:
    two_jobs(world)
    other = world.submit(spec=replace(SPEC, seed=8))
    with pytest.raises(LedgerError, match="not made for this key"):
        world.settle(other.job_id)
    with pytest.raises(LedgerError, match="waits for nobody"):
        world.settle(other.job_id, other.key)


def test_two_jobs_of_which_one_was_cancelled_are_no_riddle(world: World) -> None:
    point = before(world, "save job_created")
    world.api.inject(Fault("POST", JOBS, "twice"))
    with pytest.raises(Crash):
        world.submit(point)
    first, second = world.api.jobs
    world.api.finish(first, "cancelled")
    assert world.submit().job_id == second


def test_a_double_that_the_provider_made_of_one_request_parks_the_job_at_the_next_refresh(
    world: World,
) -> None:
    world.api.inject(Fault("POST", JOBS, "twice"))
    row = world.submit()
    failures = world.refresh_whatever_happens().failures
    assert isinstance(failures[row.key], AmbiguousJobError)
    assert world.row().parked_reason == str(failures[row.key])
    world.api.requests.clear()
    assert world.refresh() == ()
    assert world.api.requests == []
    world.settle(row.job_id)
    while world.row().state is not State.FILES_DELETED:
        world.refresh()
    assert [job.shown["status"] for job in world.api.jobs.values()] == ["succeeded", "cancelled"]


def test_of_two_files_that_match_either_does_and_both_are_deleted_in_the_end(world: World) -> None:
    point = before(world, "save file_uploaded")
    world.api.inject(Fault("POST", FILES, "twice"))
    with pytest.raises(Crash):
        world.submit(point)
    row = world.submit()
    assert len(world.api.files) == 3
    world.api.finish(row.job_id or "", "succeeded")
    world.refresh()
    assert not world.api.files


def test_a_file_of_the_right_name_and_another_size_is_not_adopted(world: World) -> None:
    world.backend.upload(SPEC.file_name("train", world.key), content_of(LINES[:600]))
    with pytest.raises(AmbiguousJobError, match="another size"):
        world.submit()
    assert not world.api.jobs
    world.settle(None)
    world.check_one_of_each(world.submit())
