"""Chat completions in the shapes of the OpenAI API: whole, and as the chunks of a stream."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel

from python_stages.backends.local.api_errors import ApiError
from python_stages.backends.local.deletion import now
from python_stages.backends.local.requests import CreateCompletion
from python_stages.backends.local.rows import new_id
from python_stages.training import answers


class TopToken(BaseModel):
    """A token that could have stood there."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenScore(TopToken):
    """A token that stands there, and the likeliest ones in its place."""

    top_logprobs: list[TopToken]


class Logprobs(BaseModel):
    """Log-probabilities of an answer's tokens."""

    content: list[TokenScore] | None
    refusal: None


class Message(BaseModel):
    """An answer."""

    role: Literal["assistant"]
    content: str
    refusal: None


class Choice(BaseModel):
    """One of the answers."""

    index: int
    message: Message
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length"]


class Usage(BaseModel):
    """Tokens of prompt and answers."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Alternative(BaseModel):
    """Another answer in the place of the one that was given."""

    logprob: float


class Completion(BaseModel):
    """The answers to a conversation."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    system_fingerprint: None
    service_tier: None
    alternatives: list[Alternative] | None = None


@dataclass(slots=True)
class Tally:
    """Tokens of a stream so far."""

    n_prompt: int = 0
    n_completion: int = 0

    def add(self, piece: answers.Completion) -> None:
        """Count a piece."""
        self.n_prompt = piece.n_prompt_tokens
        self.n_completion += len(piece.tokens)

    def shown(self) -> dict[str, int]:
        """Return the tally as the API shows it."""
        return {
            "prompt_tokens": self.n_prompt,
            "completion_tokens": self.n_completion,
            "total_tokens": self.n_prompt + self.n_completion,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answers to one request have in common."""

    model: str
    has_logprobs: bool
    includes_usage: bool
    created_at: int = field(default_factory=now)
    completion_id: str = field(default_factory=lambda: new_id("chatcmpl"))

    @classmethod
    def of(cls, wanted: CreateCompletion) -> Self:
        """Return the frame of the answers to a request that has just come."""
        options = wanted.stream_options
        return cls(
            model=wanted.model,
            has_logprobs=bool(wanted.logprobs),
            includes_usage=options is not None and bool(options.include_usage),
        )

    def whole(self, choices: list[answers.Completion]) -> dict[str, Any]:
        """Return all answers at once."""
        tally = Tally()
        for choice in choices:
            tally.add(choice)
        return self._frame("chat.completion") | {
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": choice.text, "refusal": None},
                    "logprobs": self._logprobs(choice.tokens),
                    "finish_reason": choice.finish_reason or "stop",
                }
                for index, choice in enumerate(choices)
            ],
            "usage": tally.shown(),
        }

    def alternatives(self, scored: list[answers.Completion]) -> dict[str, Any]:
        """Return what is told of other answers: an extension, next to `choices`."""
        # JSON has no infinity; the API shows -9999 for what can as good as never stand there
        told = [max(sum(token.logprob for token in one.tokens), -9999.0) for one in scored]
        return {"alternatives": [{"logprob": one} for one in told]}

    def opening(self, index: int) -> dict[str, Any]:
        """Return the first chunk of a choice."""
        return self._chunk(index, {"role": "assistant", "content": "", "refusal": None})

    def piece(self, index: int, piece: answers.Completion) -> dict[str, Any]:
        """Return a chunk with some text."""
        return self._chunk(index, {"content": piece.text}, self._logprobs(piece.tokens))

    def ending(self, index: int, reason: str) -> dict[str, Any]:
        """Return the last chunk of a choice."""
        return self._chunk(index, {}, finish_reason=reason)

    def usage(self, tally: Tally) -> dict[str, Any]:
        """Return the chunk that says how many tokens there were."""
        return self._frame("chat.completion.chunk") | {"choices": [], "usage": tally.shown()}

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        logprobs: dict[str, Any] | None = None,
        finish_reason: str | None = None,
    ) -> dict[str, Any]:
        choice = {
            "index": index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }
        frame = self._frame("chat.completion.chunk") | {"choices": [choice]}
        return frame | {"usage": None} if self.includes_usage else frame

    def _frame(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.completion_id,
            "object": kind,
            "created": self.created_at,
            "model": self.model,
            "system_fingerprint": None,
            "service_tier": None,
        }

    def _logprobs(self, tokens: tuple[answers.TokenLogprob, ...]) -> dict[str, Any] | None:
        if not self.has_logprobs:
            return None
        shown = [
            _token(token.token, token.data, token.logprob)
            | {"top_logprobs": [_token(text, text.encode(), score) for text, score in token.top]}
            for token in tokens
        ]
        return {"content": shown, "refusal": None}


def event(chunk: dict[str, Any]) -> bytes:
    """Return a chunk as a server-sent event (WHATWG HTML, section 9.2)."""
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def error_event(error: ApiError) -> bytes:
    """Return an error as an event: the answer has begun, so that no status can tell it."""
    return event(json.loads(bytes(error.response().body)))


def _token(text: str, data: bytes, logprob: float) -> dict[str, Any]:
    # JSON has no infinity; the API shows -9999 for what can as good as never stand there.
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(data)}
