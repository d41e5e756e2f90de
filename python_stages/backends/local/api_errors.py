"""Errors as the OpenAI API gives them: `{"error": {"message", "type", "param", "code"}}`.

A message says what was wrong and quotes nothing of what was sent but well-formed ids.
Source: https://platform.openai.com/docs/guides/error-codes and the `openai` client's error classes
(read 2026-11-20).
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from python_stages.backends.local import requests
from python_stages.backends.local.store import UnknownCursorError
from python_stages.errors import SealtuneError

_KNOWN_ID: Final = re.compile(r"(file|ftjob)-[A-Za-z0-9]{1,64}")
_INVALID: Final = "invalid_request_error"
_SERVER: Final = "server_error"
_QUERY_NAMES: Final = frozenset({"limit", "after", "order", "purpose"})
_NAMES: Final = _QUERY_NAMES | {
    name
    for kind in vars(requests).values()
    if isinstance(kind, type) and issubclass(kind, BaseModel)
    for name in kind.model_fields
}


class ApiError(HTTPException):
    """A request that is refused.

    The framework lets its own kind of exception through wherever one is raised, hence the base.

    Args:
        status: HTTP status (RFC 9110).
        message: what was wrong; no value of the data.
        param: the parameter it is about, or None.
        code: the machine-readable code, or None.
        kind: the API's `type`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = _INVALID,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.kind = kind

    def response(self) -> JSONResponse:
        """Return the answer."""
        body = {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        headers = {"www-authenticate": "Bearer"} if self.status == 401 else None  # noqa: PLR2004 - RFC 9110, unauthorized
        return JSONResponse({"error": body}, self.status, headers=headers)


def no_such_file(file_id: str) -> ApiError:
    """Return the answer about a file that is not there."""
    return ApiError(404, f"No such File object: {_shown(file_id)}", param="id")


def no_such_job(job_id: str) -> ApiError:
    """Return the answer about a job that is not there."""
    return ApiError(
        404,
        f"Could not find fine tune: {_shown(job_id)}",
        param="fine_tune_id",
        code="fine_tune_not_found",
    )


def no_such_model() -> ApiError:
    """Return the answer about a model that is not there."""
    message = "The model does not exist here: GET /v1/models lists those that do."
    return ApiError(404, message, param="model", code="model_not_found")


def too_large(n_bytes: int) -> ApiError:
    """Return the answer to a body that is over its limit."""
    return ApiError(413, f"Maximum content size limit ({n_bytes} bytes) exceeded.")


def handle_errors(app: FastAPI) -> None:
    """Make an application answer every error in the API's form."""

    @app.exception_handler(ApiError)
    async def refused(_request: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return _invalid(list(error.errors())).response()

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:  # noqa: PLR2004 - RFC 9110, not found
            message = "Unknown request URL. Check it for typos: GET /openapi.json lists all."
            return ApiError(404, message, code="unknown_url").response()
        if error.status_code == 405:  # noqa: PLR2004 - RFC 9110, method not allowed
            message = f"Not allowed to {request.method} here."
            refusal = ApiError(405, message, code="method_not_supported").response()
            refusal.headers.update(error.headers or {})
            return refusal
        return ApiError(error.status_code, "The request cannot be read.").response()

    @app.exception_handler(UnknownCursorError)
    async def no_cursor(_request: Request, error: UnknownCursorError) -> JSONResponse:
        return ApiError(400, f"{error}: start the list anew.", param="after").response()

    @app.exception_handler(SealtuneError)
    async def failed(_request: Request, error: SealtuneError) -> JSONResponse:
        # Our own sentences hold no value of the data.
        return ApiError(500, str(error), kind=_SERVER, code=_SERVER).response()


def unexpected(error: Exception) -> ApiError:
    """Return the answer about an error that nobody expected: its type, since its text may quote."""
    message = f"The server failed with {type(error).__name__}; its message may hold data."
    return ApiError(500, message, kind=_SERVER, code=_SERVER)


def _invalid(problems: list[dict[str, Any]]) -> ApiError:
    """Return the answer about the first parameter that is wrong; its value is not quoted."""
    problem = problems[0]
    kind, param = str(problem["type"]), _param(problem["loc"][1:])
    if kind == "json_invalid":
        return ApiError(400, "We could not parse the JSON body of your request.")
    if kind == "missing":
        code, message = "missing_required_parameter", f"Missing required parameter: '{param}'."
    elif kind == "extra_forbidden":
        # A parameter that nobody knows may be anything, hence data: it is not named.
        code, message = "unknown_parameter", "Unknown parameter: this server does not have it."
    else:
        code, message = "invalid_value", f"Invalid value for '{param or 'a parameter'}' ({kind})."
    return ApiError(400, message, param=param, code=code)


def _param(where: Sequence[object]) -> str | None:
    """Return a place in a request as the API writes it, as far as we named its parts ourselves."""
    shown = ""
    for part in where:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif isinstance(part, str) and part in _NAMES:
            shown += f".{part}" if shown else part
        else:
            break
        if part == "metadata":
            break  # what follows is the client's
    return shown or None


def _shown(one_id: str) -> str:
    return one_id if _KNOWN_ID.fullmatch(one_id) else "not an id of this server"
