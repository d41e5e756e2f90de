"""A trainer that is small but real: it counts which character follows which in the answers.

It has the functions of `python_stages.training` and needs no JAX, so that a server of the tests
starts in a second. A step pauses for a moment, as a larger model's arithmetic would: there is time
to kill it.
"""

import itertools
import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from python_stages.training import (
    PRESETS,
    Checkpoint,
    Storage,
    TrainEvent,
    TrainResult,
    TrainSettings,
)
from python_stages.training.answers import Completion, FinishReason, TokenLogprob
from python_stages.training.asking import Sampling

__all__ = ["PRESETS", "TrainSettings", "load", "load_base", "train"]

_STEP_SECONDS = 0.02
_STEPS_PER_CHECKPOINT = 5
_END = "\x00"


def train(
    settings: TrainSettings,
    train_lines: Iterable[bytes],
    validation_lines: Iterable[bytes] | None,
    *,
    storage: Storage,
    on_event: Callable[[TrainEvent], None],
    should_stop: Callable[[], str | None],
    resume: bool,
) -> TrainResult | None:
    """Count the bigrams of one pass per epoch, a step each."""
    answers = [json.loads(line)["messages"][-1]["content"] for line in train_lines]
    n_steps = settings.n_epochs or 3
    step, counts = 0, Counter[str]()
    if resume and "state" in storage.names():
        state = json.loads(storage.read("state"))
        step, counts = state["step"], Counter(state["counts"])
    del validation_lines
    while step < n_steps:
        if (wish := should_stop()) is not None:
            if wish == "pause":
                storage.write("state", json.dumps({"step": step, "counts": counts}).encode())
            return None
        for answer in answers:
            text = f"{_END}{answer}{_END}"
            counts.update(a + b for a, b in itertools.pairwise(text))
        time.sleep(_STEP_SECONDS)
        step += 1
        if step % _STEPS_PER_CHECKPOINT == 0:
            storage.write("state", json.dumps({"step": step, "counts": counts}).encode())
        on_event(TrainEvent(step, n_steps, train_loss=1 / step, eta_seconds=_STEP_SECONDS))
    storage.write("half", json.dumps(counts).encode())
    storage.write("final", json.dumps(counts).encode())
    return TrainResult(
        n_steps=n_steps,
        n_trained_tokens=n_steps * sum(map(len, answers)),
        final_checkpoint="final",
        checkpoints=(
            Checkpoint("half", max(1, n_steps // 2), is_final=False, valid_loss=0.5),
            Checkpoint("final", n_steps, is_final=True, valid_loss=0.25),
        ),
        metrics_csv=b"step,train_loss\n1,1.0\n",
        counts=None,
        privacy=None,
    )


class Model:
    """Says, character by character, what followed most often."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def generate(
        self, prompts: Sequence[Sequence[Mapping[str, str]]], sampling: Sampling
    ) -> list[Completion]:
        return [
            self._answer(prompt, sampling.for_choice(i))
            for prompt in prompts
            for i in range(sampling.n)
        ]

    def generate_stream(
        self, prompt: Sequence[Mapping[str, str]], sampling: Sampling
    ) -> Iterator[Completion]:
        whole = self._answer(prompt, sampling)
        for token in whole.tokens:
            time.sleep(0.002)
            yield Completion(token.token, (token,), whole.n_prompt_tokens, None)
        yield Completion("", (), whole.n_prompt_tokens, whole.finish_reason)

    def score(
        self, prompts: Sequence[Sequence[Mapping[str, str]]], answers: Sequence[str]
    ) -> list[Completion]:
        found = []
        for prompt, answer in zip(prompts, answers, strict=True):
            text = _END + answer
            tokens = tuple(
                TokenLogprob(b, b.encode(), dict(self._following(a)).get(b, -20.0), ())
                for a, b in itertools.pairwise(text)
            )
            found.append(Completion(answer, tokens, _length(prompt), "stop"))
        return found

    def _answer(self, prompt: Sequence[Mapping[str, str]], sampling: Sampling) -> Completion:
        draws = random.Random(sampling.seed)
        text, last = "", _END
        reason: FinishReason = "length"
        tokens: list[TokenLogprob] = []
        while len(tokens) < sampling.max_tokens:
            options = self._following(last)
            if sampling.temperature == 0:
                character, logprob = options[0]
            else:
                weights = [math.exp(score / sampling.temperature) for _, score in options]
                character, logprob = draws.choices(options, weights)[0]
            if character == _END:
                reason = "stop"
                break
            if any(one in text + character for one in sampling.stop):
                reason = "stop"
                break
            tokens.append(
                TokenLogprob(
                    character, character.encode(), logprob, tuple(options[: sampling.top_logprobs])
                )
            )
            text, last = text + character, character
        return Completion(text, tuple(tokens), _length(prompt), reason)

    def _following(self, character: str) -> list[tuple[str, float]]:
        found = {pair[1]: n for pair, n in self._counts.items() if pair[0] == character}
        found = found or {_END: 1}
        total = sum(found.values())
        scored = [(one, math.log(n / total)) for one, n in found.items()]
        return sorted(scored, key=lambda one: (-one[1], one[0]))


def load(storage: Storage, checkpoint: str) -> Model:
    return Model(json.loads(storage.read(checkpoint)))


def load_base(preset: str) -> Model:
    del preset
    return Model({})


def _length(prompt: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(message["content"]) for message in prompt)
