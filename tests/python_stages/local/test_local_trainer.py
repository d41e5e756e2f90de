"""The local server with the real trainer: it learns, guarantees, answers and scores."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from python_stages.backends.local.trainer import DEFAULT_MODULE
from tests.python_stages.local.serving import Server, serving, stored, upload, wait

SHOPS = {"bakery": "Food", "airline": "Travel", "cinema": "Leisure", "chemist": "Health"}


def examples(n: int) -> bytes:
    """Return rows whose answer follows from a word of the question."""
    rows = []
    for i in range(n):
        shop = list(SHOPS)[i % len(SHOPS)]
        question = f"{shop} number {i}"
        messages = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": SHOPS[shop]},
        ]
        rows.append(json.dumps({"messages": messages}).encode() + b"\n")
    return b"".join(rows)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("real"), trainer=DEFAULT_MODULE) as running:
        yield running


def ask(client: openai.OpenAI, model: str, question: str, **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": question}]
    return client.chat.completions.create(
        model=model, messages=messages, temperature=0, max_tokens=8, **more
    )


def create(client: openai.OpenAI, n_rows: int, n_epochs: int, **more: Any) -> Any:
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": n_epochs}}}
    file_id = upload(client, examples(n_rows))
    asked: dict[str, Any] = {"model": "nano", "seed": 1, **more}
    job = client.fine_tuning.jobs.create(training_file=file_id, method=method, **asked)
    return wait(client, job.id)


def test_a_tuned_model_answers_streams_and_scores_what_it_learned(server: Server) -> None:
    with server.client() as client:
        done = create(client, 120, 6, validation_file=upload(client, examples(20)))
        assert (done.status, done.error) == ("succeeded", None)
        model = done.fine_tuned_model
        answers = [
            ask(client, model, f"{shop} number 777").choices[0].message.content for shop in SHOPS
        ]
        assert answers == list(SHOPS.values())
        streamed = "".join(
            chunk.choices[0].delta.content or ""
            for chunk in ask(client, model, "airline number 3", stream=True)
        )
        assert streamed == "Travel"
        whole = ask(client, model, "airline number 3", logprobs=True, top_logprobs=3).choices[0]
        messages: Any = [
            {"role": "user", "content": "airline number 3"},
            {"role": "assistant", "content": "Travel"},
        ]
        scored = client.chat.completions.create(
            model=model, messages=messages, logprobs=True, extra_body={"echo": True}
        ).choices[0]
        said = [token.logprob for token in whole.logprobs.content]
        assert scored.logprobs is not None
        assert [one.logprob for one in scored.logprobs.content or ()] == pytest.approx(
            said, abs=1e-3
        )
        metrics = client.files.content(done.result_files[0]).content
        assert metrics.startswith(b"step,train_loss,")
        assert done.trained_tokens > 0


def test_rows_and_weights_lie_nowhere_in_clear(server: Server) -> None:
    found = stored(server.places)
    assert b"airline" not in found
    assert b"embedding" not in found


@pytest.mark.slow
def test_a_private_job_reports_its_guarantee_and_publishes_one_model(server: Server) -> None:
    with server.client() as client:
        done = create(client, 400, 4, extra_body={"privacy": {"epsilon": 8.0, "delta": 1e-5}})
        assert (done.status, done.error) == ("succeeded", None)
        report = done.model_extra["privacy"]
        assert report["epsilon"] <= 8.0
        assert report["delta"] == 1e-5
        assert report["noise_multiplier"] > 0
        assert report["not_covered"]
        (checkpoint,) = client.fine_tuning.jobs.checkpoints.list(done.id).data
        assert checkpoint.fine_tuned_model_checkpoint == done.fine_tuned_model
        events = client.fine_tuning.jobs.list_events(done.id, limit=100)
        assert not [event for event in events if "train_loss" in (event.data or {})]  # type: ignore[operator] # data is typed as object


@pytest.mark.slow
def test_a_private_job_of_too_few_rows_says_why_it_failed(server: Server) -> None:
    with server.client() as client:
        failed = create(client, 20, 1, extra_body={"privacy": {"epsilon": 8.0}})
        assert failed.status == "failed"
        assert failed.error.code == "training_failed"
        assert "rows" in failed.error.message


def first_loss(client: openai.OpenAI, job: Any) -> float:
    """Return the loss of a job's first step."""
    _, first, *_ = client.files.content(job.result_files[0]).content.decode().splitlines()
    return float(first.split(",")[1])


def test_a_tuned_model_can_be_tuned_on_and_begins_with_what_it_learned(server: Server) -> None:
    with server.client() as client:
        parent = create(client, 60, 6)
        again: dict[str, Any] = {"model": parent.fine_tuned_model}
        child = create(client, 60, 1, **again)
        assert (child.status, child.model) == ("succeeded", parent.fine_tuned_model)
        assert child.fine_tuned_model.startswith("ft:nano:local:")
        assert first_loss(client, child) < first_loss(client, parent) / 3
        with pytest.raises(openai.BadRequestError, match="loses the privacy of both trainings"):
            create(client, 60, 1, **again, extra_body={"privacy": {"epsilon": 4.0}})
        # what it began with may go; it stands by itself
        client.models.delete(parent.fine_tuned_model)
        assert ask(client, child.fine_tuned_model, "airline number 3").choices[0].message.content
        with pytest.raises(openai.BadRequestError) as caught:
            create(client, 60, 1, **again)
        assert caught.value.code == "model_not_available"
