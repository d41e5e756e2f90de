"""Asking a model, through the unmodified `openai` client.

What leaves: the prompts, over https (plain http on this machine only), to the configured address
and nowhere else. What comes back besides answers: machine-readable codes, never the provider's
prose, which may quote a prompt or the key.

A question changes nothing at the provider, so it is repeated, by the client itself: after timeouts,
lost connections, 408, 409, 429 and 5xx. It waits as long as Retry-After says, gives up where that
is more than two minutes, and makes growing pauses where nothing is said.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, cast

import openai

from python_stages.backends.addresses import is_loopback, normalised_url
from python_stages.backends.asking import asked, error_code
from python_stages.errors import BackendError
from python_stages.jobs.predict import Answer, Failure, Messages, Reach, Sampling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai.types.chat import ChatCompletionMessageParam

# What is wrong with the prompt itself, whoever asks and whenever; Azure bills the first of them.
# https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter (2026-11),
# https://platform.openai.com/docs/guides/error-codes (2026-11)
REFUSED_CODES: Final = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "context_length_exceeded",
        "invalid_prompt",
        "string_above_max_length",
    }
)
_FINISH_REASON: Final = re.compile(r"[a-z_]{1,32}")
_CODES: Final = {
    401: "invalid_api_key",
    403: "permission_denied",
    404: "model_not_found",
    408: "timeout",
    429: "rate_limit_exceeded",
}
_MOMENT_STATUSES: Final = frozenset({408, 409, 429})
_EVERYTHING_STATUSES: Final = frozenset({401, 403, 404})
_EVERYTHING_CODES: Final = frozenset(
    {"insufficient_quota", "model_not_found", "unsupported_parameter", "unsupported_value"}
)
_SERVER_ERRORS: Final = 500
_REFUSALS: Final = 400
# A key of one's own is of no use to a server on this machine that wants none; the client needs one.
_NO_KEY: Final = "none"


class ChatClient:
    """Models behind a base URL that answer chats. May be used by several threads at once.

    Args:
        base_url: e.g. `https://host/v1`; plain http is refused except to this machine.
        api_key: the provider's key, or a function that gives a fresh one (Entra ID); may be None
            on this machine.
        timeout_seconds: longest wait for a single read or write on the connection.
        n_retries: how often a question is repeated before it counts as failed.

    Raises:
        ConfigError: the address cannot be.
        BackendError: there is no key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | Callable[[], str] | None,
        timeout_seconds: float = 120.0,
        n_retries: int = 5,
    ) -> None:
        url = normalised_url(base_url)
        stays_here = is_loopback(url)
        if not api_key and not stays_here:
            raise BackendError("the provider needs a key: set SEALTUNE_API_KEY")
        self._client = openai.OpenAI(
            base_url=url,
            api_key=api_key or _NO_KEY,
            max_retries=n_retries,
            http_client=openai.DefaultHttpxClient(
                timeout=timeout_seconds,
                # A redirect could carry the prompts to a host nobody configured.
                follow_redirects=False,
                # A proxy from the environment must not see what is meant for this machine.
                trust_env=not stays_here,
            ),
        )
        # OpenAI keeps chat completions of new accounts unless told not to; other hosts may not know
        # the word. https://platform.openai.com/docs/guides/migrate-to-responses (2026-11)
        is_openai = re.match(r"https://([a-z]+\.)?api\.openai\.com(/|$)", url)
        self._store = False if is_openai else openai.omit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, model: str, messages: Messages, sampling: Sampling) -> Answer:
        """Return the model's answer, or why there is none; raises nothing that a host can cause."""
        try:
            completion = self._client.chat.completions.create(
                model=model,
                # what the host makes of other roles and parts is its affair
                messages=cast("Iterable[ChatCompletionMessageParam]", messages),
                temperature=sampling.temperature,
                seed=openai.omit if sampling.seed is None else sampling.seed,
                max_tokens=sampling.max_tokens,
                store=self._store,
            )
            return _answer(completion)
        except UnicodeEncodeError:
            return _failed("unreadable_prompt", "prompt")  # half a surrogate pair is no text
        except openai.APIStatusError as error:
            return _refused(error)
        except openai.APITimeoutError:
            return _failed("timeout", "moment")
        except openai.APIConnectionError:
            return _failed("no_connection", "moment")
        except (openai.OpenAIError, json.JSONDecodeError, AttributeError, IndexError, TypeError):
            # an answer that is no chat completion reaches us as whatever it was
            return _failed("answer_is_nonsense", "moment")

    def score(self, model: str, messages: Messages, answers: Sequence[str]) -> tuple[float, ...]:
        """Return the natural log-probability of each whole answer; the local server alone tells.

        Raises:
            BackendError: it did not answer.
        """
        first, *others = answers
        conversation = [*messages, {"role": "assistant", "content": first}]

        def ask() -> tuple[float, ...]:
            told = self._client.chat.completions.create(
                model=model,
                messages=cast("Iterable[ChatCompletionMessageParam]", conversation),
                logprobs=True,
                extra_body={"echo": True, "alternatives": others},
            )
            logprobs = told.choices[0].logprobs
            tokens = (logprobs.content if logprobs else None) or []
            rest = (told.model_extra or {})["alternatives"]
            return (sum(one.logprob for one in tokens), *(one["logprob"] for one in rest))

        return asked("scoring answers", ask)


def _answer(completion: Any) -> Answer:
    """Read a completion; a host that is only nearly compatible may leave out all but the text."""
    choice = completion.choices[0]
    content, usage = choice.message.content, getattr(completion, "usage", None)
    reason = getattr(choice, "finish_reason", None)
    if not (content is None or isinstance(content, str)):
        return _failed("answer_is_nonsense", "moment")
    return Answer(
        # a refusal, or a call of a tool, is an answer that says nothing
        text=content or "",
        finish_reason=reason
        if isinstance(reason, str) and _FINISH_REASON.fullmatch(reason)
        else None,
        n_prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        n_answer_tokens=_count(getattr(usage, "completion_tokens", None)),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _refused(error: openai.APIStatusError) -> Answer:
    """Say what a status means: whether for this prompt, for all, or for now."""
    status = error.status_code
    code = error_code(error.code) or _CODES.get(status, f"status_{status}")
    if code in _EVERYTHING_CODES or status in _EVERYTHING_STATUSES or status < _REFUSALS:
        return _failed(code, "everything")
    if status in _MOMENT_STATUSES or status >= _SERVER_ERRORS:
        return _failed(code, "moment")
    return _failed(code, "prompt")


def _failed(code: str, reach: Reach) -> Answer:
    return Answer(failure=Failure(code, reach))
