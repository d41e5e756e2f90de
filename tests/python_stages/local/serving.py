"""A real local server in a process of its own, for the tests, and the clients that ask it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai
from openai.types.fine_tuning import FineTuningJob

from python_stages import keys
from python_stages.backends.local.places import Address, Places, find_server, read_token

BIGRAM = "tests.python_stages.local.bigram"
CANARY = "PLAINTEXT-CANARY"
ENDS = ("succeeded", "failed", "cancelled")
ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 300.0  # a guard against hanging, no claim about speed


def lines(n: int = 12, answer: str = "Travel") -> bytes:
    """Return a training file."""
    examples = (
        {
            "messages": [
                {"role": "user", "content": f"{CANARY} {i}"},
                {"role": "assistant", "content": answer},
            ]
        }
        for i in range(n)
    )
    return b"".join(json.dumps(example).encode() + b"\n" for example in examples)


def until(is_so: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)
    return found


@dataclass
class Server:
    """A server that runs, or ran until it was killed."""

    places: Places
    process: subprocess.Popen[bytes]
    address: Address

    @property
    def token(self) -> str:
        """Return the bearer token."""
        return read_token(self.places)

    @property
    def url(self) -> str:
        """Return the address without /v1."""
        return f"http://127.0.0.1:{self.address.port}"

    def client(self, **options: Any) -> openai.OpenAI:
        """Return the unmodified client, which tries once."""
        return openai.OpenAI(
            base_url=self.address.base_url, api_key=self.token, max_retries=0, **options
        )

    def http(self) -> httpx2.Client:
        """Return an HTTP client with the token."""
        return httpx2.Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, trust_env=False
        )

    def kill(self) -> None:
        """End the server as a crash does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(
    root: Path, *, trainer: str = BIGRAM, options: tuple[str, ...] = ()
) -> Iterator[Server]:
    """Start a server on keys and vault under a folder; end it with the block."""
    places = Places(root / "vault", root / "keys")
    keys.create(places.keys)
    command = [sys.executable, "-m", "python_stages.backends.local.server"]
    command += [str(places.vault), str(places.keys), "--trainer", trainer, *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:

            def started() -> Address | None:
                assert process.poll() is None, "the server ended while it started"
                found = find_server(places)
                return found if found is not None and found.pid == process.pid else None

            yield Server(places, process, until(started))
        finally:
            process.terminate()


def upload(client: openai.OpenAI, content: bytes | None = None, name: str = "a.jsonl") -> str:
    """Upload a training file and return its id."""
    file = (name, lines() if content is None else content)
    return client.files.create(file=file, purpose="fine-tune").id


def create(client: openai.OpenAI, file_id: str, n_epochs: int = 3, **more: Any) -> FineTuningJob:
    """Create a job of so many steps."""
    method: Any = {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": n_epochs}},
    }
    return client.fine_tuning.jobs.create(
        model="nano", training_file=file_id, method=method, **more
    )


def wait(client: openai.OpenAI, job_id: str, *phases: str) -> FineTuningJob:
    """Wait until a job is in one of some phases, or has ended."""
    wanted = {*phases, *ENDS}

    def arrived() -> FineTuningJob | None:
        job = client.fine_tuning.jobs.retrieve(job_id)
        return job if job.status in wanted else None

    job: FineTuningJob = until(arrived)
    return job


def stored(places: Places) -> bytes:
    """Return every byte that lies in the vault."""
    return b"".join(p.read_bytes() for p in sorted(places.vault.rglob("*")) if p.is_file())
