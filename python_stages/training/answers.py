"""An answer as it comes: text whose last byte is there, cut where a stop text begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from python_stages.training.chat_format import Mark
from python_stages.training.tokenizer import StreamDecoder, decode, token_bytes

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token of an answer.

    Args:
        token: its text; part of a character is U+FFFD.
        data: its bytes.
        logprob: natural logarithm of its probability, at temperature 1.
        top: text and logprob of the likeliest tokens in its place.
    """

    token: str
    data: bytes
    logprob: float
    top: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, token: int, logprob: float) -> "TokenLogprob":
        """Return it for a token's number."""
        return cls(decode([token]), token_bytes(token), logprob)


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer, or a piece of one.

    Args:
        text: what was said, without the stop text.
        tokens: its tokens.
        n_prompt_tokens: tokens of the prompt as the model saw it.
        finish_reason: stop: it ended by itself or at a stop text; length: it was cut; None: it goes
            on.
    """

    text: str
    tokens: tuple[TokenLogprob, ...]
    n_prompt_tokens: int
    finish_reason: FinishReason | None

    @property
    def logprobs(self) -> tuple[float, ...]:
        """Return the log-probability of each token."""
        return tuple(token.logprob for token in self.tokens)


class Answer:
    """Collects an answer token by token.

    Args:
        n_prompt_tokens: to be told with it.
        max_tokens: when to cut it.
        stop: texts that end it.
    """

    def __init__(self, n_prompt_tokens: int, max_tokens: int, stop: Sequence[str]) -> None:
        self._n_prompt_tokens = n_prompt_tokens
        self._max_tokens = max_tokens
        self._stop = tuple(text for text in stop if text)
        self._decoder = StreamDecoder()
        self._text = ""
        self._tokens: list[TokenLogprob] = []
        self._ends: list[int] = []  # length of the text after each token
        self._finish: FinishReason | None = None
        self._n_taken_characters = self._n_taken_tokens = 0

    @property
    def is_over(self) -> bool:
        """Return whether more tokens would change nothing."""
        return self._finish is not None

    def add_all(self, tokens: Iterable[tuple[int, TokenLogprob]]) -> None:
        """Take tokens, as far as the answer goes."""
        for number, told in tokens:
            if self.is_over:
                return
            self._add(number, told)

    def completion(self) -> Completion:
        """Return the whole answer."""
        return Completion(
            self._text, tuple(self._tokens), self._n_prompt_tokens, self._finish or "length"
        )

    def taken(self) -> Completion:
        """Return what is certain and was not taken yet: no stop text may still begin in it."""
        end = len(self._text) if self.is_over else len(self._text) - self._n_held_back()
        n_tokens = (
            len(self._tokens) if self.is_over else sum(1 for place in self._ends if place <= end)
        )
        piece = Completion(
            self._text[self._n_taken_characters : end],
            tuple(self._tokens[self._n_taken_tokens : n_tokens]),
            self._n_prompt_tokens,
            self._finish,
        )
        self._n_taken_characters, self._n_taken_tokens = end, max(n_tokens, self._n_taken_tokens)
        return piece

    def _add(self, number: int, told: TokenLogprob) -> None:
        if number == Mark.END:
            self._text += self._decoder.end()
            self._finish = "stop"
            return
        self._text += self._decoder.add(number)
        self._tokens.append(told)
        self._ends.append(len(self._text))
        found = [place for text in self._stop if (place := self._text.find(text)) >= 0]
        if found:
            self._cut(min(found))
        elif len(self._tokens) >= self._max_tokens:
            self._text += self._decoder.end()
            self._finish = "length"

    def _cut(self, place: int) -> None:
        """End before a stop text; the token that it begins in goes with it."""
        self._text = self._text[:place]
        n_tokens = sum(1 for end in self._ends if end <= place)
        del self._tokens[n_tokens:], self._ends[n_tokens:]
        self._finish = "stop"

    def _n_held_back(self) -> int:
        """Return how many of the last characters may be the beginning of a stop text."""
        longest = max((len(text) - 1 for text in self._stop), default=0)
        for n in range(min(longest, len(self._text)), 0, -1):
            if any(text.startswith(self._text[-n:]) for text in self._stop):
                return n
        return 0
