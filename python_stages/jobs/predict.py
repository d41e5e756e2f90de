"""Prompts in, answers out: every prompt once, a few at a time, the answers in the prompts' order.

What asks is handed in, so that nothing here knows a network. A prompt that fails gives an answer
with an error code in its place: as many answers come out as prompts went in. Only a window of them
is in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Literal

from python_stages.errors import SealtuneError

Messages = Sequence[Mapping[str, Any]]  # the conversation so far, as the chat API takes it
# Whom a failure concerns: this prompt, for good; every prompt; or this moment.
Reach = Literal["prompt", "everything", "moment"]

UNREADABLE: Final = "unreadable_prompt"
_WINDOW: Final = 4  # prompts under way or waiting for their turn, per prompt asked at once
_PATIENCE: Final = 8  # prompts in a row that may fail before the others are not asked


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn.

    Args:
        max_tokens: most tokens of an answer.
        temperature: 0 takes the likeliest token each time, as far as the host does.
        seed: wished-for seed, or None for hosts that know none.
    """

    max_tokens: int
    temperature: float = 0.0
    seed: int | None = 7


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: a machine-readable code and whom it concerns."""

    code: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one prompt.

    Args:
        text: the answer; None where there is none.
        finish_reason: why it ended, as the host says it (stop, length, content_filter).
        n_prompt_tokens: tokens of the prompt, by the host's count, or None.
        n_answer_tokens: tokens of the answer, by the host's count, or None.
        failure: why there is no answer, or None.
    """

    text: str | None = None
    finish_reason: str | None = None
    n_prompt_tokens: int | None = None
    n_answer_tokens: int | None = None
    failure: Failure | None = None


Ask = Callable[[Messages], Answer]


def predict(
    prompts: Iterable[Messages | None],
    ask: Ask,
    *,
    n_at_once: int = 4,
    patience: int = _PATIENCE,
) -> Iterator[Answer]:
    """Ask every prompt once; yield the answers in order.

    Once a failure concerns everything (no such model, a wrong key), or `patience` prompts in a row
    have failed for the moment, the rest is not asked and carries the same code.

    Args:
        prompts: conversations; None stands for one that could not be read.
        ask: gives the answer to a conversation; called in threads, raises nothing.
        n_at_once: prompts that are asked at the same time.
        patience: failures in a row after which the host is left in peace.

    Raises:
        SealtuneError: what `prompts` raises, once every answer before it is out.
    """
    ended_by: list[SealtuneError] = []
    gate = _Gate(ask, patience)
    window: deque[Future[Answer]] = deque()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="predict") as pool:
        try:
            for prompt in _until_error(prompts, ended_by):
                window.append(pool.submit(gate.ask, prompt))
                while window and (len(window) >= n_at_once * _WINDOW or window[0].done()):
                    yield window.popleft().result()
            while window:
                yield window.popleft().result()
        finally:
            # nobody waits for these any more
            pool.shutdown(wait=False, cancel_futures=True)
    if ended_by:
        raise ended_by[0]


def _until_error(
    prompts: Iterable[Messages | None], ended_by: list[SealtuneError]
) -> Iterator[Messages | None]:
    """Yield the prompts; keep the error that ends them for later."""
    try:
        yield from prompts
    except SealtuneError as error:
        ended_by.append(error)


class _Gate:
    """Lets prompts through until it is plain that the host will not answer."""

    def __init__(self, ask: Ask, patience: int) -> None:
        self._ask = ask
        self._patience = patience
        self._n_in_a_row = 0
        self._closed_by: Failure | None = None
        self._lock = Lock()

    def ask(self, prompt: Messages | None) -> Answer:
        if prompt is None:
            return Answer(failure=Failure(UNREADABLE, "prompt"))
        if self._closed_by is not None:
            return Answer(failure=self._closed_by)
        answer = self._ask(prompt)
        with self._lock:
            failure = answer.failure
            reach = None if failure is None else failure.reach
            self._n_in_a_row = self._n_in_a_row + 1 if reach == "moment" else 0
            if reach == "everything" or self._n_in_a_row >= self._patience:
                self._closed_by = self._closed_by or failure
        return answer
