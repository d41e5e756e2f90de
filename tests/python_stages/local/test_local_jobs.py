"""Claims about the local server's jobs, with the unmodified client."""

import openai
import pytest

from tests.python_stages.local.serving import CANARY, Server, create, lines, until, upload, wait


def test_a_job_trains_a_model_that_answers(server: Server, client: openai.OpenAI) -> None:
    job = create(client, upload(client), n_epochs=10, suffix="mine", seed=5)
    assert (job.status, job.seed, job.fine_tuned_model) == ("validating_files", 5, None)
    done = wait(client, job.id)
    assert (done.status, done.trained_tokens) == ("succeeded", 10 * 12 * len("Travel"))
    model = done.fine_tuned_model
    assert model is not None
    assert model.startswith("ft:nano:local:mine:")
    assert model in {one.id for one in client.models.list()}
    assert client.models.retrieve(model).owned_by == "local"
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "x"}], temperature=0
    )
    assert answer.choices[0].message.content == "Travel"
    # Only what a model needs is kept: the state to resume from is gone.
    assert {path.name for path in (server.places.blobs / job.id).iterdir()} == {"half", "final"}


def test_a_job_tells_what_happened_newest_first(client: openai.OpenAI) -> None:
    done = wait(client, create(client, upload(client), n_epochs=4).id)
    events = list(client.fine_tuning.jobs.list_events(done.id, limit=3))
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message.startswith("Created fine-tuning job")
    metrics = [event for event in events if event.type == "metrics"]
    assert [event.data["step"] for event in metrics] == [4, 3, 2, 1]  # type: ignore[index] # data is typed as object
    assert len({event.id for event in events}) == len(events)


def test_checkpoints_are_models(client: openai.OpenAI) -> None:
    done = wait(client, create(client, upload(client), n_epochs=4).id)
    last, middle = client.fine_tuning.jobs.checkpoints.list(done.id).data
    assert (last.step_number, middle.step_number) == (4, 2)
    assert last.fine_tuned_model_checkpoint == done.fine_tuned_model
    assert middle.metrics.full_valid_loss == 0.5
    name = middle.fine_tuned_model_checkpoint
    assert client.models.retrieve(name).id == name


def test_the_result_file_holds_the_metrics(client: openai.OpenAI) -> None:
    done = wait(client, create(client, upload(client)).id)
    (result,) = done.result_files
    assert client.files.retrieve(result).purpose == "fine-tune-results"
    assert client.files.content(result).content.startswith(b"step,train_loss\n")


def test_jobs_are_found_by_their_metadata_and_in_pages(client: openai.OpenAI) -> None:
    file_id = upload(client)
    mine = [create(client, file_id, metadata={"who": "me", "n": str(n)}).id for n in range(3)]
    listed = client.fine_tuning.jobs.list
    assert [job.id for job in listed(metadata={"who": "me"}, limit=1)] == mine[::-1]
    assert [job.id for job in listed(metadata={"who": "me", "n": "1"})] == [mine[1]]
    assert list(listed(metadata={"who": "you"})) == []
    all_of_them = [job.id for job in listed(limit=2)]
    assert len(all_of_them) == len(set(all_of_them))
    assert all_of_them[:3] == mine[::-1]
    with pytest.raises(openai.BadRequestError):
        listed(after="ftjob-" + "x" * 24)


def test_a_cancelled_job_leaves_no_weights(server: Server, client: openai.OpenAI) -> None:
    job = create(client, upload(client), n_epochs=200)
    blobs = server.places.blobs / job.id
    wait(client, job.id, "running")
    until((blobs / "state").exists)
    cancelled = client.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_at is not None
    until(lambda: not blobs.exists())
    assert client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model is None
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.cancel(job.id)
    assert caught.value.code == "invalid_job_state"


def test_a_paused_job_goes_on_where_it_was(client: openai.OpenAI) -> None:
    job = create(client, upload(client), n_epochs=60)
    wait(client, job.id, "running")
    until(lambda: len(client.fine_tuning.jobs.list_events(job.id).data) > 6)
    assert str(client.fine_tuning.jobs.pause(job.id).status) == "paused"
    other = wait(client, create(client, upload(client)).id)  # the queue is free meanwhile
    assert other.status == "succeeded"
    assert str(client.fine_tuning.jobs.retrieve(job.id).status) == "paused"
    client.fine_tuning.jobs.resume(job.id)
    assert wait(client, job.id).status == "succeeded"
    events = client.fine_tuning.jobs.list_events(job.id, limit=100)
    steps = [event.data["step"] for event in events if event.type == "metrics"]  # type: ignore[index] # data is typed as object
    assert steps == list(range(60, 0, -1))


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (lines(11) + b"CANARY no json\n", "invalid_training_file", "Line 12"),
        (lines(3) + b'{"messages": []}\n' + lines(9), "invalid_training_file", "Line 4"),
        (lines(9), "invalid_n_examples", "9 example"),
        (b"\xff\xfe\n" + lines(), "invalid_training_file", "Line 1"),
        (b"", "invalid_n_examples", "0 example"),
    ],
)
def test_a_bad_file_fails_its_job_with_the_line_and_not_its_content(
    client: openai.OpenAI, content: bytes, code: str, place: str
) -> None:
    job = wait(client, create(client, upload(client, content)).id)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error.code, job.error.param) == (code, "training_file")
    assert place in job.error.message
    said = repr(job) + repr(client.fine_tuning.jobs.list_events(job.id).data)
    assert "CANARY" not in said


def test_a_bad_validation_file_is_named(client: openai.OpenAI) -> None:
    bad = upload(client, b"{}\n")
    job = wait(client, create(client, upload(client), validation_file=bad).id)
    assert job.error is not None
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")


def test_deleting_a_file_ends_the_jobs_that_need_it_and_no_other(client: openai.OpenAI) -> None:
    file_id = upload(client)
    done = wait(client, create(client, file_id).id)
    running = create(client, file_id, n_epochs=200)
    wait(client, running.id, "running")
    client.files.delete(file_id)
    failed = client.fine_tuning.jobs.retrieve(running.id)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == ("failed", "file_deleted")
    assert client.fine_tuning.jobs.retrieve(done.id).status == "succeeded"
    with pytest.raises(openai.BadRequestError) as caught:
        create(client, file_id)
    assert caught.value.param == "training_file"


def test_a_deleted_model_leaves_nothing_of_itself(server: Server, client: openai.OpenAI) -> None:
    done = wait(client, create(client, upload(client)).id)
    model = str(done.fine_tuned_model)
    checkpoint = f"{model}:ckpt-step-1"
    assert client.models.delete(checkpoint).deleted
    assert {path.name for path in (server.places.blobs / done.id).iterdir()} == {"final"}
    assert client.models.delete(model).deleted
    assert not (server.places.blobs / done.id).exists()
    for gone in (model, checkpoint):
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve(gone)
        assert caught.value.code == "model_not_found"
    assert client.fine_tuning.jobs.checkpoints.list(done.id).data == []


def test_a_base_model_cannot_be_deleted(client: openai.OpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("nano")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": "gpt-x"}, "model"),
        ({"training_file": "file-" + "x" * 24}, "training_file"),
        ({"training_file": "../../x"}, "training_file"),
        ({"method": {"type": "dpo"}}, "method.type"),
        ({"suffix": "a b"}, "suffix"),
        ({"metadata": {CANARY * 5: "v"}}, "metadata"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
        ({"extra_body": {"privacy": {"epsilon": 0}}}, "privacy.epsilon"),
        ({"extra_body": {"privacy": {"delta": 0.1}}}, "privacy.epsilon"),
        ({"extra_body": {"privacy": {"epsilon": 1e300}}}, "privacy.epsilon"),
        ({"extra_body": {CANARY: 1}}, None),
    ],
)
def test_a_job_that_cannot_be_is_refused_unquoted(
    client: openai.OpenAI, changes: dict[str, object], param: str | None
) -> None:
    wanted = {"model": "nano", "training_file": upload(client)} | changes
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.create(**wanted)  # type: ignore[arg-type] # wrong on purpose
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"
    assert CANARY not in str(caught.value)


def test_an_unknown_job_is_not_found(client: openai.OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    asks = (jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume, jobs.list_events)
    for ask in (*asks, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError) as caught:
            ask("ftjob-x")
        assert caught.value.code == "fine_tune_not_found"
