"""Asking a provider: what the client raises becomes a sentence, without request, key or prose."""

import json
import re
from collections.abc import Callable
from typing import Final, TypeVar

import openai

from python_stages.backends.base import UnknownOutcomeError
from python_stages.backends.preflight import ALTERNATIVES
from python_stages.errors import BackendError

_ERROR_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_IN_DOUBT_STATUSES: Final = frozenset({408, 409})
_HINTS: Final = {
    400: "check base_model, hyperparameters and suffix against what the provider offers",
    401: "check SEALTUNE_API_KEY, or this backend's own, such as SEALTUNE_AZURE_API_KEY",
    403: (
        "this key may not do that there (at Azure, check its role; at OpenAI, fine-tuning is "
        f"winding down). {ALTERNATIVES}"
    ),
    404: "check base_url (it usually ends in /v1) and whether this host offers fine-tuning",
    409: "it is in use there, or another request is at work: remove what uses it, then try again",
    413: "the file is too large for this host: lower the sample size",
    429: "rate limit or quota reached: check the account's billing, then build again later",
}

_Answer = TypeVar("_Answer")


class NotFoundError(BackendError):
    """The provider knows no such thing."""


def asked(action: str, request: Callable[[], _Answer], *, is_creating: bool = False) -> _Answer:
    """Make a request; turn what the client raises into a sentence without request, key or prose.

    The sentence is raised outside the handler, so that no traceback and no collector of errors can
    follow it to the client's error, which holds the headers and the answer's body.

    Raises:
        NotFoundError: the provider knows no such thing.
        UnknownOutcomeError: something was to be created, and may have been.
        BackendError: the provider refused or did not answer.
    """
    try:
        return request()
    except (openai.OpenAIError, json.JSONDecodeError, AttributeError) as error:
        # AttributeError: an answer that is no JSON object reaches us as plain text.
        failure = _failure(action, error, is_creating=is_creating)
    raise failure


def is_missing(action: str, request: Callable[[], object]) -> bool:
    """Make a request about one thing and say whether the provider does not know it."""
    try:
        asked(action, request)
    except NotFoundError:
        return True
    return False


def error_code(value: object) -> str | None:
    """Return a machine-readable code; prose in its place is dropped, it may quote anything."""
    return value if isinstance(value, str) and _ERROR_CODE.fullmatch(value) else None


def _failure(action: str, error: Exception, *, is_creating: bool) -> BackendError:
    if not isinstance(error, openai.APIStatusError):
        is_silent = isinstance(error, openai.APIConnectionError)
        what = "the provider did not answer" if is_silent else "the provider answered nonsense"
        kind = UnknownOutcomeError if is_creating else BackendError
        return kind(f"{action}: {what}; check base_url and the network, then build again")
    status = error.status_code
    code = error_code(error.code)
    shown = f"status {status}" if code is None else f"status {status}, {code}"
    fallback = (
        "base_url redirects: set the final address"
        if status < 400  # noqa: PLR2004 - the HTTP boundary between redirects and refusals
        else "the provider has trouble: build again later"
    )
    text = f"{action}: the provider refused ({shown}); {_HINTS.get(status, fallback)}"
    if status == 404:  # noqa: PLR2004 - RFC 9110, not found
        return NotFoundError(text)
    if is_creating and (status in _IN_DOUBT_STATUSES or status >= 500):  # noqa: PLR2004 - RFC 9110
        return UnknownOutcomeError(text)
    return BackendError(text)
