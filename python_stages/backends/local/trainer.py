"""The border to the trainer: the one place that knows what `python_stages.training` looks like.

Importing it loads JAX, which takes seconds: every import of it stands inside a function here.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from python_stages.backends.local.blobs import JobStorage

DEFAULT_MODULE: Final = "python_stages.training"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How text is generated.

    Args:
        max_tokens: most tokens of an answer.
        temperature: 0 takes the likeliest token.
        seed: of what is drawn.
        stop: texts at which an answer ends, without them.
        top_logprobs: how many of the likeliest tokens are shown at each place.
        n: answers to one prompt.
    """

    max_tokens: int
    temperature: float
    seed: int
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0
    n: int = 1

    def for_choice(self, index: int) -> "Sampling":
        """Return the sampling of one choice of several."""
        return replace(self, seed=self.seed + index, n=1)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer, its bytes, natural log-probability, and the likeliest in its place."""

    text: str
    data: bytes
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer, or a piece of one; only the last piece says why it ended."""

    text: str
    tokens: tuple[Token, ...]
    n_prompt_tokens: int
    finish_reason: Literal["stop", "length"] | None = None


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A checkpoint that a training result publishes, by the trainer's name."""

    name: str
    step: int
    metrics: Mapping[str, float | int]
    is_final: bool


class LoadedModel(Protocol):
    """A model in memory."""

    def generate(
        self, prompts: Sequence[Sequence[Mapping[str, str]]], sampling: Sampling
    ) -> list[list[Generated]]:
        """Return `sampling.n` answers to each prompt."""

    def score(self, prompt: Sequence[Mapping[str, str]], answers: Sequence[str]) -> list[Generated]:
        """Return each answer to one prompt with the log-probability of each of its tokens."""

    def stream(
        self, prompt: Sequence[Mapping[str, str]], sampling: Sampling
    ) -> Iterator[Generated]:
        """Yield an answer piece by piece; the last piece says why it ended."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """The trainer's functions.

    Args:
        module: name of the module that has them; another one stands in for it in tests.
    """

    module: str = DEFAULT_MODULE

    def base_models(self) -> tuple[str, ...]:
        """Return the names of the sizes that can be tuned."""
        module = self._module()
        # one that stands in for the trainer in tests has sizes of its own alone
        return tuple(module.base_names() if hasattr(module, "base_names") else module.PRESETS)

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings that the trainer would refuse.

        Raises:
            ConfigError: a value is out of its range, or contradicts another.
        """
        self._module().TrainSettings.from_json(settings)

    def train(
        self,
        settings: Mapping[str, Any],
        train_lines: Iterable[bytes],
        validation_lines: Iterable[bytes] | None,
        *,
        storage: JobStorage,
        on_event: Callable[[Any], None],
        should_stop: Callable[[], Literal["stop", "pause"] | None],
    ) -> Any:
        """Train, from where the storage says it was; return None where it was stopped."""
        module = self._module()
        return module.train(
            module.TrainSettings.from_json(settings),
            train_lines,
            validation_lines,
            storage=storage,
            on_event=on_event,
            should_stop=should_stop,
            resume=True,
        )

    def checkpoints(self, result: Any) -> list[PublishedCheckpoint]:
        """Return what a result publishes, the tuned model last."""
        return [
            PublishedCheckpoint(
                name=one.name,
                step=one.step,
                is_final=one.is_final,
                metrics={
                    name: value
                    for name, value in (
                        ("full_valid_loss", one.valid_loss),
                        ("full_valid_mean_token_accuracy", one.valid_token_accuracy),
                    )
                    if value is not None
                },
            )
            for one in result.checkpoints
        ]

    def privacy_of(self, result: Any) -> dict[str, Any] | None:
        """Return what a result guarantees, or None."""
        return None if result.privacy is None else dict(result.privacy.to_json())

    def load(self, storage: JobStorage, checkpoint: str) -> LoadedModel:
        """Load a tuned model."""
        return _Adapter(self._module().load(storage, checkpoint))

    def load_base(self, preset: str) -> LoadedModel:
        """Load a size that was not tuned: fresh weights, which know nothing."""
        return _Adapter(self._module().load_base(preset))

    def _module(self) -> Any:
        return importlib.import_module(self.module)


class _Adapter:
    """A trained model, in the words of this server."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def generate(
        self, prompts: Sequence[Sequence[Mapping[str, str]]], sampling: Sampling
    ) -> list[list[Generated]]:
        """Return `sampling.n` answers to each prompt."""
        found = self._model.generate(
            prompts,
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            seed=sampling.seed,
            stop=sampling.stop,
            top_logprobs=sampling.top_logprobs,
            n=sampling.n,
        )
        n = sampling.n
        return [[_generated(one) for one in found[at : at + n]] for at in range(0, len(found), n)]

    def score(self, prompt: Sequence[Mapping[str, str]], answers: Sequence[str]) -> list[Generated]:
        """Return each answer to one prompt with the log-probability of each of its tokens."""
        return list(map(_generated, self._model.score([prompt] * len(answers), answers)))

    def stream(
        self, prompt: Sequence[Mapping[str, str]], sampling: Sampling
    ) -> Iterator[Generated]:
        """Yield an answer piece by piece; the last piece says why it ended."""
        pieces = self._model.generate_stream(
            prompt,
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            seed=sampling.seed,
            stop=sampling.stop,
            top_logprobs=sampling.top_logprobs,
        )
        yield from map(_generated, pieces)


def _generated(completion: Any) -> Generated:
    return Generated(
        text=completion.text,
        tokens=tuple(
            Token(one.token, one.data, one.logprob, tuple(one.top)) for one in completion.tokens
        ),
        n_prompt_tokens=completion.n_prompt_tokens,
        finish_reason=completion.finish_reason,
    )
