"""/v1/chat/completions: answers of base and tuned models, whole or streamed."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse

from python_stages.backends.local import completions
from python_stages.backends.local.api_errors import ApiError, no_such_model, unexpected
from python_stages.backends.local.completions import Asked
from python_stages.backends.local.decoder import BusyError
from python_stages.backends.local.requests import MAX_SEED, MAX_TOKENS, CreateCompletion, Message
from python_stages.backends.local.rows import ModelRow
from python_stages.backends.local.service import Service, Serviced
from python_stages.backends.local.streams import chunks
from python_stages.errors import ConfigError, SealtuneError, StageError
from python_stages.training.asking import Sampling

_DONE: Final = b"data: [DONE]\n\n"
_EVENT_STREAM: Final = "text/event-stream"

router = APIRouter(prefix="/v1/chat", tags=["chat"])


@router.post(
    "/completions",
    response_model=completions.Completion,
    responses={200: {"content": {_EVENT_STREAM: {}}}},
)
async def create_completion(wanted: CreateCompletion, service: Serviced) -> Response:
    """Answer a conversation.

    `echo` is an extension: nothing is generated, and the log-probability of each token of the last
    message, which must be the assistant's, is returned; with `alternatives`, the log-probability of
    each of those as a whole besides.
    """
    _check(wanted)
    await asyncio.to_thread(_check_model, service, wanted.model)
    asked = Asked.of(wanted)
    messages = [_plain(message) for message in wanted.messages]
    if wanted.stream:
        events = _events(service, asked, messages, _sampling(wanted))
        return StreamingResponse(events, media_type=_EVENT_STREAM)
    try:
        if wanted.echo:
            answers = [messages.pop()["content"], *(wanted.alternatives or ())]
            given, *others = await asyncio.wrap_future(
                service.decoder.score(wanted.model, messages, answers)
            )
            told = {} if wanted.alternatives is None else asked.alternatives(others)
            return JSONResponse(asked.whole([given]) | told)
        generated = service.decoder.generate(wanted.model, messages, _sampling(wanted))
        return JSONResponse(asked.whole(await asyncio.wrap_future(generated)))
    except (BusyError, ConfigError, StageError) as error:
        raise _told(error) from None


async def _events(
    service: Service, asked: Asked, messages: list[dict[str, str]], sampling: Sampling
) -> AsyncIterator[bytes]:
    """Yield a streamed answer as server-sent events; an error is an event too, as it has begun."""
    try:
        async for chunk in chunks(service.decoder, asked, messages, sampling):
            yield completions.event(chunk)
        yield _DONE
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote a prompt
        yield completions.error_event(_told(error))


def _told(error: Exception) -> ApiError:
    """Return what is answered about an error."""
    if isinstance(error, BusyError):
        message = "Too many requests wait already: try again in a moment."
        return ApiError(429, message, kind="requests", code="rate_limit_exceeded")
    if isinstance(error, ConfigError | StageError):
        return ApiError(400, str(error), param="messages", code="invalid_prompt")
    if isinstance(error, SealtuneError):
        return ApiError(500, str(error), kind="server_error", code="server_error")
    return unexpected(error)


def _plain(message: Message) -> dict[str, str]:
    """Return a message as the trainer knows them: what developers say counts as the system's."""
    role = "system" if message.role == "developer" else message.role
    return {"role": role, "content": message.text()}


def _check_model(service: Service, model_id: str) -> None:
    is_base = model_id in service.trainer.base_models()
    if not is_base and service.store.get(ModelRow, model_id) is None:
        raise no_such_model()


def _check(wanted: CreateCompletion) -> None:
    """Refuse parameters that do not go together."""
    if wanted.top_logprobs is not None and not wanted.logprobs:
        message = "'top_logprobs' needs 'logprobs' to be true."
        raise ApiError(400, message, param="top_logprobs", code="invalid_value")
    if wanted.stream_options is not None and not wanted.stream:
        message = "'stream_options' needs 'stream' to be true."
        raise ApiError(400, message, param="stream_options", code="invalid_value")
    if wanted.max_tokens is not None and wanted.max_completion_tokens is not None:
        message = "'max_tokens' and 'max_completion_tokens' mean the same: give one of them."
        raise ApiError(400, message, param="max_tokens", code="invalid_value")
    if wanted.alternatives is not None and not wanted.echo:
        message = "'alternatives' needs 'echo' to be true."
        raise ApiError(400, message, param="alternatives", code="invalid_value")
    is_last_ours = wanted.messages[-1].role == "assistant"
    if wanted.echo and (not is_last_ours or len(wanted.messages) == 1 or wanted.stream):
        message = "'echo' needs a last message of the assistant after others, and no 'stream'."
        raise ApiError(400, message, param="echo", code="invalid_value")


def _sampling(wanted: CreateCompletion) -> Sampling:
    temperature = 1.0 if wanted.temperature is None else wanted.temperature
    if temperature == 0:
        seed = 0  # nothing is drawn, and requests that agree can be decoded together
    elif wanted.seed is None:
        seed = secrets.randbelow(MAX_SEED)
    else:
        seed = wanted.seed % MAX_SEED
    stop = wanted.stop or []
    return Sampling(
        max_tokens=wanted.max_tokens or wanted.max_completion_tokens or MAX_TOKENS,
        temperature=temperature,
        seed=seed,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        top_logprobs=wanted.top_logprobs or 0,
        n=wanted.n or 1,
    )
