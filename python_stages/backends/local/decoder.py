"""Loaded models, and the one thread that decodes with them.

Requests that wait at the same time, ask the same model for its likeliest text, and agree in their
settings are decoded together: a batch of 64 takes hardly longer than a single one. Requests that
draw at random are never put together, since what they draw would then depend on each other.
"""

import contextlib
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from python_stages.training.answers import Completion
from python_stages.training.asking import Model, Sampling

MAX_WAITING: Final = 1_024
MAX_BATCH: Final = 64
MAX_LOADED: Final = 2

_CLOSE_SECONDS: Final = 5.0

Conversation = Sequence[dict[str, str]]


class BusyError(Exception):
    """Too many requests wait already."""


@dataclass(frozen=True, slots=True)
class _Request:
    """Something to decode; `run` is None where it may be put together with others."""

    model_id: str
    run: Callable[[Model], Any] | None
    messages: Conversation = ()
    sampling: Sampling | None = None
    answer: "Future[Any]" = field(default_factory=Future)


class Decoder:
    """The decoding thread.

    Args:
        load: returns the model of an id; raises what the request shall raise.
    """

    def __init__(self, load: Callable[[str], Model]) -> None:
        self._load = load
        self._requests: queue.Queue[_Request | None] = queue.Queue(MAX_WAITING)
        self._held_back: _Request | None = None
        self._is_closing = False
        self._gone: set[str] = set()
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._lock = threading.Lock()
        # What is decoded when the server ends is nobody's any more.
        self._thread = threading.Thread(target=self._forever, daemon=True)

    def start(self) -> None:
        """Begin to decode what is asked."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, after the requests that wait, or leave it to the end of the process."""
        with contextlib.suppress(queue.Full):
            self._requests.put_nowait(None)
        self._thread.join(_CLOSE_SECONDS)

    def forget(self, model_id: str) -> None:
        """Drop a model from memory, also one that is being loaded; its id never comes again."""
        with self._lock:
            self._gone.add(model_id)
            self._models.pop(model_id, None)

    def generate(
        self, model_id: str, messages: Conversation, sampling: Sampling
    ) -> "Future[list[Completion]]":
        """Return the future answers to a conversation, `sampling.n` of them.

        Raises:
            BusyError: too many requests wait already.
        """
        if sampling.temperature == 0 and sampling.n == 1:
            return self._put(_Request(model_id, None, messages, sampling))
        return self._put(_Request(model_id, lambda model: model.generate([messages], sampling)))

    def score(
        self, model_id: str, messages: Conversation, answers: Sequence[str]
    ) -> "Future[list[Completion]]":
        """Return the future log-probabilities of the tokens of each answer to a conversation."""
        return self._put(
            _Request(model_id, lambda model: model.score([messages] * len(answers), answers))
        )

    def stream(
        self,
        model_id: str,
        messages: Conversation,
        sampling: Sampling,
        take: Callable[[Completion], bool],
    ) -> "Future[None]":
        """Hand an answer over piece by piece, until `take` says that nobody wants more."""

        def run(model: Model) -> None:
            pieces: Iterator[Completion] = model.generate_stream(messages, sampling)
            for piece in pieces:
                if not take(piece):
                    return

        return self._put(_Request(model_id, run))

    def _put(self, request: _Request) -> "Future[Any]":
        try:
            self._requests.put_nowait(request)
        except queue.Full:
            raise BusyError from None
        return request.answer

    def _forever(self) -> None:
        while not self._is_closing:
            request = self._held_back or self._requests.get()
            self._held_back = None
            if request is None:
                return
            # Who has gone away meanwhile is not answered.
            batch = [
                one
                for one in self._with_alike(request)
                if one.answer.set_running_or_notify_cancel()
            ]
            if batch:
                self._settle(batch)

    def _settle(self, batch: list[_Request]) -> None:
        """Answer requests; where they fail together, each for itself."""
        try:
            answers = self._answers(batch)
        except Exception as error:  # noqa: BLE001 - it is the request's, and raised there
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
            else:
                for one in batch:
                    self._settle([one])
        else:
            for one, answer in zip(batch, answers, strict=True):
                one.answer.set_result(answer)

    def _with_alike(self, first: _Request) -> list[_Request]:
        """Return a request with those behind it that can be decoded together with it."""
        batch = [first]
        while first.run is None and len(batch) < MAX_BATCH:
            try:
                following = self._requests.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._is_closing = True
                break
            is_alike = (following.run, following.model_id, following.sampling) == (
                None,
                first.model_id,
                first.sampling,
            )
            if not is_alike:
                self._held_back = following
                break
            batch.append(following)
        return batch

    def _answers(self, batch: list[_Request]) -> list[Any]:
        first = batch[0]
        model = self._model(first.model_id)
        if first.run is not None:
            return [first.run(model)]
        if first.sampling is None:
            return []
        # what is decoded together wants one answer each
        found = model.generate([one.messages for one in batch], first.sampling)
        return [[one] for one in found]

    def _model(self, model_id: str) -> Model:
        with self._lock:
            model = self._models.pop(model_id, None)
        if model is None:
            model = self._load(model_id)
        with self._lock:
            if model_id not in self._gone:
                self._models[model_id] = model
            while len(self._models) > MAX_LOADED:
                self._models.popitem(last=False)
        return model
