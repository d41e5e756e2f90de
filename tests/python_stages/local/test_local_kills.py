"""Claims about `kill -9`: at any moment, no job is lost, doubled, or left half done."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import openai
import psutil
import pytest

from tests.python_stages.local.serving import (
    CANARY,
    Server,
    create,
    lines,
    serving,
    stored,
    until,
    upload,
    wait,
)

Restart = Callable[[], Server]


@pytest.fixture(scope="module")
def restart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restart]:
    """Return what starts a server on one and the same vault, once the one before was killed."""
    root = tmp_path_factory.mktemp("killed")
    running: list[Server] = []
    with ExitStack() as stack:

        def start() -> Server:
            if not running or running[-1].process.poll() is not None:
                running.append(stack.enter_context(serving(root)))
            return running[-1]

        yield start


def workers(server: Server) -> list[psutil.Process]:
    """Return the worker processes of a vault, whoever started them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if str(server.places.vault) in command and "python_stages.backends.local.worker" in command:
            found.append(process)
    return found


def steps(client: openai.OpenAI, job_id: str) -> list[int]:
    events = client.fine_tuning.jobs.list_events(job_id, limit=100)
    return [event.data["step"] for event in events if event.type == "metrics"][::-1]  # type: ignore[index] # data is typed as object


def test_a_server_killed_while_it_trains_goes_on_from_the_checkpoint(restart: Restart) -> None:
    killed = restart()
    with killed.client() as client:
        job = create(client, upload(client), n_epochs=100, metadata={"key": "k"})
        waiting = create(client, upload(client), n_epochs=3, metadata={"key": "w"})
        until(lambda: len(steps(client, job.id)) > 12)
    (worker,) = workers(killed)
    killed.kill()
    # The worker does not outlive its server, so that there can never be two.
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    with restart().client() as client:
        assert wait(client, job.id).status == "succeeded"
        assert wait(client, waiting.id).status == "succeeded"
        assert [one.id for one in client.fine_tuning.jobs.list(metadata={"key": "k"})] == [job.id]
        trained = steps(client, job.id)
        assert trained[-1] == 100
        assert len(trained) < 100 + 40  # it did not begin anew
        tuned = [one.id for one in client.models.list() if one.id.startswith("ft:")]
        assert len(tuned) == len(set(tuned)) == 4  # two jobs, each with a checkpoint on the way


def test_a_killed_worker_is_replaced_and_the_job_goes_on(restart: Restart) -> None:
    server = restart()
    with server.client() as client:
        job = create(client, upload(client), n_epochs=100)
        until(lambda: len(steps(client, job.id)) > 12)
        (worker,) = workers(server)
        os.kill(worker.pid, signal.SIGKILL)
        assert wait(client, job.id).status == "succeeded"
        messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
        assert any("ended unexpectedly" in message for message in messages)


def test_a_server_killed_during_an_upload_keeps_no_half_of_it(restart: Restart) -> None:
    killed = restart()
    with killed.client() as client:
        before = {file.id for file in client.files.list()}
    folder = killed.places.blobs / "files"
    names = {path.name for path in folder.iterdir()}
    with socket.create_connection(("127.0.0.1", killed.address.port)) as connection:
        connection.sendall(
            b"POST /v1/files HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"authorization: Bearer " + killed.token.encode() + b"\r\n"
            b"content-type: multipart/form-data; boundary=x\r\n"
            b"content-length: 10000000\r\n\r\n"
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
            + lines(2_000)
        )
        until(lambda: {path.name for path in folder.iterdir()} != names)
        killed.kill()
    assert CANARY.encode() not in stored(killed.places)
    with restart().client() as client:
        assert {file.id for file in client.files.list()} == before
        assert {path.name for path in folder.iterdir()} == names


def test_a_server_killed_while_it_answers_still_has_the_model(restart: Restart) -> None:
    hello: Any = [{"role": "user", "content": "x"}]
    killed = restart()
    long = lines(answer="".join(map(chr, range(0x100, 0x100 + 400))))
    with killed.client() as client:
        job_id = create(client, upload(client, long)).id
        model = str(wait(client, job_id).fine_tuned_model)
        n_jobs = len(list(client.fine_tuning.jobs.list()))
        with client.chat.completions.create(
            model=model, messages=hello, temperature=0, stream=True
        ) as stream:
            pieces = iter(stream)
            next(pieces)
            killed.kill()
            with pytest.raises((openai.APIError, httpx2.TransportError)):
                list(pieces)
    with restart().client() as client:
        answer = client.chat.completions.create(model=model, messages=hello, temperature=0)
        assert len(str(answer.choices[0].message.content)) == 400
        assert len(list(client.fine_tuning.jobs.list())) == n_jobs


def test_a_job_whose_worker_always_dies_fails_cleanly(tmp_path: Path) -> None:
    with (
        serving(tmp_path, trainer="tests.python_stages.local.no_trainer") as server,
        server.client() as client,
    ):
        job = wait(client, create(client, upload(client)).id)
        assert job.error is not None
        assert (job.status, job.error.code) == ("failed", "server_error")
        assert CANARY not in repr(client.fine_tuning.jobs.list_events(job.id).data)
        until(lambda: not (server.places.blobs / job.id).exists())
