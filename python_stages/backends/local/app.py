"""The application: who may ask, how large, and what is answered when something goes wrong.

Everything asks for the bearer token but /docs, /openapi.json and /health, which hold no secret. A
request must name this machine as its host, so that no web page can reach the server by a name of
its own that resolves here (DNS rebinding), and there is no CORS. Nothing of a request is logged.
"""

import hmac
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from python_stages.backends.local import chat, files, jobs, models
from python_stages.backends.local.answers import ErrorAnswer
from python_stages.backends.local.api_errors import (
    ApiError,
    handle_errors,
    too_large,
    unexpected,
)
from python_stages.backends.local.docs_page import page
from python_stages.backends.local.service import Activity, Service

MAX_BODY_BYTES: Final = 8 * 1024 * 1024  # of everything but an upload, which has its own limit

_HOSTS: Final = frozenset({b"127.0.0.1", b"localhost"})
_OPEN_PATHS: Final = frozenset({"/docs", "/openapi.json", "/health"})
_UPLOAD_PATH: Final = "/v1/files"
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorAnswer, "description": description}
    for status, description in {
        400: "The request cannot be.",
        401: "No token, or a wrong one.",
        404: "There is no such thing.",
        413: "The body is too large.",
        500: "The server failed.",
    }.items()
}
_SPECIAL: Final[dict[str, dict[int | str, dict[str, Any]]]] = {
    "models": {403: {"model": ErrorAnswer, "description": "It may not be deleted."}},
    "chat": {429: {"model": ErrorAnswer, "description": "Too many requests wait."}},
}


def build_app(service: Service) -> FastAPI:
    """Return the application of a service."""
    app = _Described(
        title="sealtune local server",
        version="1",
        description="Files, fine-tuning jobs, models and chat completions, as the OpenAI API has "
        "them, on this machine.",
        docs_url=None,  # its page would load scripts from another host
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.service = service
    handle_errors(app)
    for module in (files, jobs, models, chat):
        name = module.__name__.rpartition(".")[2]
        app.include_router(module.router, responses=_REFUSALS | _SPECIAL.get(name, {}))
    _add_pages(app)
    app.add_middleware(_Guard, token=service.token, activity=service.activity)
    return app


class _Described(FastAPI):
    """An application whose OpenAPI document says how it refuses, and by which token it lets in."""

    def openapi(self) -> dict[str, Any]:
        """Return FastAPI's document, less FastAPI's own form of errors."""
        if self.openapi_schema is None:
            document = super().openapi()
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            components = document["components"]
            for name in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(name, None)
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"token": []}]
            self.openapi_schema = document
        return self.openapi_schema


class _Guard:
    """Refuses who has no token and what is too large; turns what nobody expected into an answer."""

    def __init__(self, app: ASGIApp, token: str, activity: Activity) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        self._activity.begin()
        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal.response()(scope, receive, sending)
                return
            is_upload = scope["method"] == "POST" and scope["path"] == _UPLOAD_PATH
            bounded = receive if is_upload else _bounded(receive)
            await self._app(scope, bounded, sending)
        except ApiError as error:
            if not has_begun:
                await error.response()(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - its text may quote a row: not shown, not logged
            if has_begun:
                raise ConnectionAbortedError from None
            await unexpected(error).response()(scope, receive, sending)
        finally:
            self._activity.end()

    def _refusal(self, scope: Scope) -> ApiError | None:
        headers = dict(scope["headers"])
        if headers.get(b"host", b"").partition(b":")[0] not in _HOSTS:
            return ApiError(400, "This server answers to the names 127.0.0.1 and localhost.")
        if scope["path"] in _OPEN_PATHS:
            return None
        given = headers.get(b"authorization")
        if given is None:
            return ApiError(401, "You didn't provide an API key: send the bearer token.")
        if not hmac.compare_digest(given, self._expected):
            return ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
        return None


def _bounded(receive: Receive) -> Receive:
    """Return a receiver that refuses a body which is over the limit."""
    n_bytes = 0

    async def bounded() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > MAX_BODY_BYTES:
            raise too_large(MAX_BODY_BYTES)
        return message

    return bounded


def _add_pages(app: FastAPI) -> None:
    """Add what is no API: the description, and whether the server is up."""

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()), headers={"content-security-policy": _CSP})

    @app.get("/health", include_in_schema=False)
    def health() -> Response:
        return Response("ok", media_type="text/plain")


_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'"
