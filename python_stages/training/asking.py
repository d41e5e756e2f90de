"""What may be asked of a model, whichever it is."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from python_stages.errors import ConfigError
from python_stages.training.answers import Completion
from python_stages.training.chat_format import Message

MAX_TOP_LOGPROBS: Final = 20
MAX_TEMPERATURE: Final = 2.0


def check_request(max_tokens: int, temperature: float, top_logprobs: int, n: int) -> None:
    """Refuse what is out of range.

    Raises:
        ConfigError: a setting is.
    """
    if max_tokens < 1 or n < 1:
        raise ConfigError("max_tokens and n must be at least 1")
    if not 0 <= temperature <= MAX_TEMPERATURE:
        raise ConfigError(f"temperature must be from 0 to {MAX_TEMPERATURE:g}")
    if not 0 <= top_logprobs <= MAX_TOP_LOGPROBS:
        raise ConfigError(f"top_logprobs must be from 0 to {MAX_TOP_LOGPROBS}")


class Model(Protocol):
    """What can be asked, whichever library computes it; `TrainedModel` says what each does."""

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        top_logprobs: int = 0,
        n: int = 1,
    ) -> list[Completion]:
        """Return n answers to each prompt."""

    def generate_stream(
        self,
        prompt: Sequence[Message],
        *,
        max_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        top_logprobs: int = 0,
    ) -> Iterator[Completion]:
        """Yield an answer piece by piece."""

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[Completion]:
        """Return each answer with the log-probability of its tokens."""
