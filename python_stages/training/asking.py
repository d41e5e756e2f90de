"""What may be asked of a model, whichever it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from python_stages.errors import ConfigError
from python_stages.training.answers import Completion
from python_stages.training.chat_format import Message

MAX_TOP_LOGPROBS: Final = 20
MAX_TEMPERATURE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How text is generated.

    Args:
        max_tokens: most tokens of an answer, and at most half the context.
        temperature: 0 takes the likeliest token; n answers are then the same.
        seed: of what is drawn: the same seed and prompt give the same answers, alone or not.
        stop: texts at which an answer ends, without them.
        top_logprobs: how many of the likeliest tokens are told at each place.
        n: answers to each prompt.

    Raises:
        ConfigError: a setting is out of its range.
    """

    max_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0
    n: int = 1

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or self.n < 1:
            raise ConfigError("max_tokens and n must be at least 1")
        if not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise ConfigError(f"temperature must be from 0 to {MAX_TEMPERATURE:g}")
        if not 0 <= self.top_logprobs <= MAX_TOP_LOGPROBS:
            raise ConfigError(f"top_logprobs must be from 0 to {MAX_TOP_LOGPROBS}")

    def for_choice(self, index: int) -> "Sampling":
        """Return the sampling of one choice of several."""
        return replace(self, seed=self.seed + index, n=1)


GREEDY: Final = Sampling()


class Model(Protocol):
    """A model in memory, whichever library computes it."""

    def generate(
        self, prompts: Sequence[Sequence[Message]], sampling: Sampling = GREEDY
    ) -> list[Completion]:
        """Return `sampling.n` answers to each prompt, those of the first prompt first.

        Args:
            prompts: conversations that the assistant is to go on with; one too long loses the
                middle of its longest messages.
            sampling: how.

        Raises:
            StageError: a prompt has messages of an unknown form, or more of them than fit.
        """

    def generate_stream(
        self, prompt: Sequence[Message], sampling: Sampling = GREEDY
    ) -> Iterator[Completion]:
        """Yield one answer piece by piece; only the last piece says why it ended."""

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[Completion]:
        """Return each answer with the log-probability of its tokens, the end left out.

        Raises:
            ConfigError: an answer is longer than half the context.
        """
