"""Stand-ins on 127.0.0.1 for what costs money: OpenAI's and Azure's APIs.

They behave as the pages in `rules/` say, keep everything in memory and log every request, so that
the unmodified clients meet real sockets. Faults are few and named; `loopback_api` has the rest.
"""

import asyncio
import hashlib
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from tests.python_stages.backends.running import running

KEY = "sk-stand-in-THE-KEY-0123456789"


@dataclass
class Provider:
    """State of a provider.

    Args:
        prefix: path in front of every endpoint.
        tokens: what is accepted as a bearer token.
        n_polls: how often an imported file is asked for before it is processed.
        n_silent: how many questions a deployment leaves without an answer.
        refuses_part: number of the part (from 1) that is refused, or 0.
        drops_completion: complete an upload, and answer that it failed.
        shutdown_dates: model -> day it shuts down; models that are not here are unknown.
        refusal: status and code that creating a job is refused with, or None.
    """

    prefix: str = "/v1"
    tokens: set[str] = field(default_factory=lambda: {KEY})
    n_polls: int = 0
    n_silent: int = 0
    refuses_part: int = 0
    drops_completion: bool = False
    shutdown_dates: dict[str, str | None] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    url: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    seen_tokens: list[str] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    n_ids: int = 0

    def new_id(self, kind: str) -> str:
        """Return an id that was not used yet."""
        self.n_ids += 1
        return f"{kind}-{self.n_ids:06d}"

    def keep(self, name: str, purpose: str, content: bytes, status: str) -> dict[str, Any]:
        """Store a file and return it as the API shows it."""
        file_id = self.new_id("file")
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
            "status": status,
        }
        return self.files[file_id]

    def bodies(self, path: str) -> list[Any]:
        """Return the bodies of POST requests to a path behind the prefix."""
        return [body for method, seen, body in self.requests if (method, seen) == ("POST", path)]


def provider_app(state: Provider) -> FastAPI:
    """Return the API of a provider over its state."""
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        state.seen_tokens.append(token)
        if token not in state.tokens:
            return refused(401, "invalid_api_key", f"Incorrect API key provided: {token}")
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body = await request.json() if is_json and await request.body() else None
        path = request.url.path.removeprefix(state.prefix)
        state.requests.append((request.method, path, body))
        answer: Response = await call_next(request)
        return answer

    @app.exception_handler(HTTPException)
    async def shown(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refused(error.status_code, "refused", str(error.detail))

    at = state.prefix
    app.post(f"{at}/files")(_files_create(state))
    app.post(f"{at}/files/import", status_code=201)(_files_import(state))
    app.get(f"{at}/files")(lambda: {"object": "list", "data": list(state.files.values())})
    app.get(f"{at}/files/{{file_id}}")(_file_get(state))
    app.get(f"{at}/files/{{file_id}}/content")(
        lambda file_id: Response(found_in(state.contents, file_id))
    )
    app.delete(f"{at}/files/{{file_id}}")(_file_delete(state))
    _add_uploads(app, state)
    _add_jobs(app, state)
    _add_models(app, state)
    return app


def refused(status: int, code: str, message: str) -> JSONResponse:
    """Return an error as the API shows it."""
    error = {"error": {"message": message, "type": "api_error", "code": code}}
    return JSONResponse(error, status, {"retry-after-ms": "1"})


def found_in(things: dict[str, Any], name: str) -> Any:
    if name not in things:
        raise HTTPException(404, f"No such thing: {name}")
    return things[name]


def _files_create(state: Provider) -> Any:
    async def create(request: Request) -> Any:
        async with request.form() as form:
            file: Any = form["file"]
            seconds = form.get("expires_after[seconds]")
            kept = state.keep(file.filename, str(form["purpose"]), await file.read(), "processed")
        kept["expires_after_seconds"] = int(str(seconds)) if seconds else None
        return kept

    return create


def _files_import(state: Provider) -> Any:
    async def import_(request: Request) -> Any:
        body = await request.json()

        def fetch() -> bytes:
            with urllib.request.urlopen(body["content_url"], timeout=10) as answer:  # noqa: S310 - the test's own emulator
                content: bytes = answer.read()
            return content

        content = await asyncio.to_thread(fetch)
        return state.keep(body["filename"], body["purpose"], content, "pending")

    return import_


def _file_get(state: Provider) -> Any:
    async def get(file_id: str) -> Any:
        file = found_in(state.files, file_id)
        if file["status"] == "pending":
            file["n_seen"] = file.get("n_seen", 0) + 1
            if file["n_seen"] > state.n_polls:
                file["status"] = "processed"
        return file

    return get


def _file_delete(state: Provider) -> Any:
    async def delete(file_id: str) -> Any:
        found_in(state.files, file_id)
        del state.files[file_id], state.contents[file_id]
        return {"id": file_id, "object": "file", "deleted": True}

    return delete


def _add_uploads(app: FastAPI, state: Provider) -> None:
    at = f"{state.prefix}/uploads"

    def shown(upload: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in upload.items() if name != "parts"}

    @app.post(at)
    async def create(request: Request) -> Any:
        upload_id = state.new_id("upload")
        wanted = await request.json()
        state.uploads[upload_id] = wanted | {
            "id": upload_id,
            "object": "upload",
            "created_at": 0,
            "expires_at": 3_600,
            "status": "pending",
            "parts": {},
        }
        return shown(state.uploads[upload_id])

    @app.post(f"{at}/{{upload_id}}/parts")
    async def add(upload_id: str, request: Request) -> Any:
        upload = found_in(state.uploads, upload_id)
        async with request.form() as form:
            data: Any = form["data"]
            part = await data.read()
        if len(upload["parts"]) + 1 == state.refuses_part:
            raise HTTPException(400, "line 3: PLAINTEXT-CANARY is no good")
        part_id = state.new_id("part")
        upload["parts"][part_id] = part
        return {"id": part_id, "object": "upload.part", "created_at": 0, "upload_id": upload_id}

    @app.post(f"{at}/{{upload_id}}/complete")
    async def complete(upload_id: str, request: Request) -> Any:
        upload, wanted = found_in(state.uploads, upload_id), await request.json()
        content = b"".join(upload["parts"][part_id] for part_id in wanted["part_ids"])
        checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if len(content) != upload["bytes"] or checksum != wanted["md5"]:
            raise HTTPException(400, "The upload is not what was announced.")
        file = state.keep(upload["filename"], upload["purpose"], content, "processed")
        upload |= {"status": "completed", "file": file}
        if state.drops_completion:
            raise HTTPException(500, "The server had an error.")
        return shown(upload)

    @app.post(f"{at}/{{upload_id}}/cancel")
    async def cancel(upload_id: str) -> Any:
        upload = found_in(state.uploads, upload_id)
        upload |= {"status": "cancelled", "parts": {}}
        return shown(upload)


def _add_jobs(app: FastAPI, state: Provider) -> None:
    at = f"{state.prefix}/fine_tuning/jobs"

    @app.post(at)
    async def create(request: Request) -> Any:
        if state.refusal is not None:
            return refused(*state.refusal, "Fine-tuning is winding down for PLAINTEXT-CANARY.")
        body = await request.json()
        job = {
            "id": state.new_id("ftjob"),
            "object": "fine_tuning.job",
            "created_at": 0,
            "model": body["model"],
            "status": "queued",
            "hyperparameters": body.get("hyperparameters", {}),
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "organization_id": "org",
            "seed": body.get("seed", 0),
            "result_files": [],
            "metadata": body.get("metadata"),
        }
        state.jobs[str(job["id"])] = job
        return job

    @app.get(at)
    async def jobs() -> Any:
        return {"object": "list", "data": list(state.jobs.values())[::-1], "has_more": False}

    @app.get(f"{at}/{{job_id}}")
    async def job(job_id: str) -> Any:
        return found_in(state.jobs, job_id)

    @app.post(f"{at}/{{job_id}}/cancel")
    async def cancel(job_id: str) -> Any:
        shown = found_in(state.jobs, job_id)
        if shown["status"] in {"succeeded", "failed", "cancelled"}:
            raise HTTPException(400, "The job has ended already.")
        shown["status"] = "cancelled"
        return shown

    @app.get(f"{at}/{{job_id}}/events")
    async def events(job_id: str, after: str | None = None, limit: int = 20) -> Any:
        listed = found_in(state.events, job_id)
        ids = [event["id"] for event in listed]
        start = ids.index(after) + 1 if after in ids else 0
        page = listed[start : start + limit]
        return {"object": "list", "data": page, "has_more": start + limit < len(listed)}


def _add_models(app: FastAPI, state: Provider) -> None:
    at = state.prefix

    @app.get(f"{at}/models/{{name:path}}")
    async def model(name: str) -> Any:
        last = found_in(state.shutdown_dates, name)
        shown = {"id": name, "object": "model", "created": 0, "owned_by": "stand-in"}
        return shown | {"shutdown_date": last}

    @app.delete(f"{at}/models/{{name:path}}")
    async def delete(name: str) -> Any:
        found_in(state.shutdown_dates, name)
        del state.shutdown_dates[name]
        return {"id": name, "object": "model", "deleted": True}

    @app.post(f"{at}/chat/completions")
    async def chat(request: Request) -> Any:
        body = await request.json()
        if state.n_silent > 0:
            state.n_silent -= 1
            return refused(404, "DeploymentNotFound", "The API deployment does not exist.")
        message = {"role": "assistant", "content": "yes"}
        choice = {"index": 0, "message": message, "finish_reason": "length"}
        shown = {"id": "chat-1", "object": "chat.completion", "created": 0, "choices": [choice]}
        return shown | {"model": body["model"]}


@contextmanager
def provider(state: Provider | None = None) -> Iterator[Provider]:
    """Serve a provider; its `url` is what a backend is given."""
    state = state or Provider()
    with running(provider_app(state)) as origin:
        state.url = f"{origin}{state.prefix}"
        yield state


def event(n: int, **changes: Any) -> dict[str, Any]:
    """Return an event of a job as the API gives it."""
    return {
        "id": f"ftevent-{n}",
        "object": "fine_tuning.job.event",
        "created_at": 1_700_000_000 + n,
        "level": "info",
        "type": "message",
        "message": "Job started.",
        "data": None,
    } | changes
