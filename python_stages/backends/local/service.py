"""What the endpoints share, handed to them through the application's state."""

import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from python_stages.backends.local.blobs import Blobs
from python_stages.backends.local.decoder import Decoder
from python_stages.backends.local.job_queue import JobQueue
from python_stages.backends.local.store import Store
from python_stages.backends.local.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running server.

    Args:
        store: what is known.
        blobs: what is stored.
        jobs: the queue.
        decoder: the loaded models.
        trainer: the border to the trainer.
        token: the bearer token.
        activity: when something was asked last.
    """

    store: Store
    blobs: Blobs
    jobs: JobQueue
    decoder: Decoder
    trainer: Trainer
    token: str = field(repr=False)
    activity: "Activity"


class Activity:
    """When something was asked last, on the monotonic clock."""

    def __init__(self) -> None:
        self._last_at = time.monotonic()
        self._n_open = 0

    def begin(self) -> None:
        """Note that a request began."""
        self._n_open += 1

    def end(self) -> None:
        """Note that a request ended."""
        self._n_open -= 1
        self._last_at = time.monotonic()

    def note(self) -> None:
        """Note that there is something to do."""
        self._last_at = time.monotonic()

    def idle_seconds(self) -> float:
        """Return for how long nothing was asked."""
        return 0.0 if self._n_open else time.monotonic() - self._last_at


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serviced = Annotated[Service, Depends(_service)]
