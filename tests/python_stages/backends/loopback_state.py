"""The state of the API on loopback, and what it answers."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.python_stages.backends.loopback_values import (
    ApiError,
    Fault,
    Request,
    StoredFile,
    StoredJob,
)

API_KEY = "sk-loopback-THE-KEY-0123456789"

_ENDS = ("succeeded", "failed", "cancelled")
_LIFE = {"validating_files": "queued", "queued": "running", "running": "succeeded"}


@dataclass
class LoopbackApi:
    """The provider's state; `base_url` is what a backend is given.

    Args:
        listing_lag: how many list requests a new file or job stays invisible for.
        page_size: most items of one page.
        ignores_cursor: list from the start whatever `after` says, as some hosts do.
        repeats_items: begin every page with the last item of the one before, as hosts do that
            page by number while something is added.
        knows_metadata_filter: whether listing jobs heeds the `metadata[...]` filter.
        keeps_deleted_files: answer that a file was deleted, and keep it.
        holds_jobs: let jobs go on only by `finish`.
        results: content of the result file that a job has when it succeeds; None for no file.
    """

    listing_lag: int = 0
    page_size: int = 100
    ignores_cursor: bool = False
    repeats_items: bool = False
    knows_metadata_filter: bool = True
    keeps_deleted_files: bool = False
    holds_jobs: bool = False
    results: bytes | None = None
    base_url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    files: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, StoredJob] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    n_bytes_received: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    _n_ids: int = 0

    def inject(self, fault: Fault) -> None:
        """Let a coming request go wrong."""
        self.faults.append(fault)

    def finish(self, job_id: str, status: str, error: dict[str, Any] | None = None) -> None:
        """End a job."""
        shown = self.jobs[job_id].shown
        shown.update(status=status, error=error, finished_at=int(time.time()))
        if status == "succeeded":
            model = f"ft:{shown['model']}:loopback"
            shown.update(fine_tuned_model=model, trained_tokens=1234)
            self.models.add(model)
            if self.results is not None:
                shown["result_files"] = [self._add_results(self.results)]

    def add_event(self, job_id: str, message: str, at: int = 0, **data: Any) -> None:
        """Let something happen to a job; `data` are the numbers of a metrics event."""
        events = self.jobs[job_id].events
        event = {"object": "fine_tuning.job.event", "level": "info", "created_at": at}
        event |= {"id": f"ftevent-{job_id}-{len(events)}", "message": message}
        events.append(event | ({"type": "metrics", "data": data} if data else {"type": "message"}))

    def count(self, method: str, path: str) -> int:
        """Return how many requests of a kind came in."""
        return sum(seen.method == method and seen.path == path for seen in self.requests)

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that is due for a request, and count it."""
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and path.startswith(fault.path):
                if fault.skips == 0:
                    fault.times -= 1
                    return fault
                fault.skips -= 1
        return None

    def answer(self, request: Request) -> dict[str, Any] | bytes:
        """Do what a request asks and return the body of the answer."""
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            raise ApiError(401, "invalid_api_key", "Incorrect API key provided: " + API_KEY)
        query = parse_qs(request.query, keep_blank_values=True)
        match request.path.strip("/").split("/")[1:]:
            case ["files", *rest]:
                return self._answer_files(request, query, rest)
            case ["fine_tuning", "jobs", *rest]:
                return self._answer_jobs(request, query, rest)
            case ["models", name]:
                return self._answer_model(request.method, name)
        raise ApiError(404, None, "Unknown request URL.")

    def _answer_model(self, method: str, name: str) -> dict[str, Any]:
        if name not in self.models:
            raise ApiError(404, "model_not_found", "The model does not exist.")
        if method == "DELETE":
            self.models.remove(name)
            return {"id": name, "object": "model", "deleted": True}
        return {"id": name, "object": "model", "created": 0, "owned_by": "org-loopback"}

    def _answer_files(
        self, request: Request, query: dict[str, list[str]], rest: list[str]
    ) -> dict[str, Any] | bytes:
        match [request.method, *rest]:
            case ["POST"]:
                return self._create_file(request)
            case ["GET"]:
                purpose = query.get("purpose", [None])[0]
                files = [file for file in self.files.values() if purpose in {None, file.purpose}]
                return self._page([(file, file.shown()) for file in files], query)
            case ["GET", file_id]:
                return self._file(file_id).shown()
            case ["GET", file_id, "content"]:
                return self._file(file_id).content
            case ["DELETE", file_id]:
                self._file(file_id)
                if not self.keeps_deleted_files:
                    del self.files[file_id]
                return {"id": file_id, "object": "file", "deleted": True}
        raise ApiError(404, None, "Unknown request URL.")

    def _answer_jobs(
        self, request: Request, query: dict[str, list[str]], rest: list[str]
    ) -> dict[str, Any]:
        match [request.method, *rest]:
            case ["POST"]:
                return self._create_job(request.body)
            case ["GET"]:
                wanted = {
                    name.removeprefix("metadata[").removesuffix("]"): values[0]
                    for name, values in query.items()
                    if name.startswith("metadata[") and self.knows_metadata_filter
                }
                jobs = [
                    (job, job.shown)
                    for job in self.jobs.values()
                    if wanted.items() <= job.shown["metadata"].items()
                ]
                return self._page(jobs[::-1], query)
            case ["GET", job_id]:
                return self._live(self._job(job_id))
            case ["POST", job_id, "cancel"]:
                self.finish(self._job(job_id).job_id, "cancelled")
                return self._job(job_id).shown
            case ["GET", job_id, "events"]:
                events = [(StoredJob("", {}, 0), event) for event in self._job(job_id).events]
                return self._page(events[::-1], query)
        raise ApiError(404, None, "Unknown request URL.")

    def _new_id(self, prefix: str) -> str:
        self._n_ids += 1
        return f"{prefix}-{self._n_ids:06d}"

    def _file(self, file_id: str) -> StoredFile:
        if file_id not in self.files:
            raise ApiError(404, None, f"No such File object: {file_id}")
        return self.files[file_id]

    def _job(self, job_id: str) -> StoredJob:
        if job_id not in self.jobs:
            raise ApiError(404, "fine_tune_not_found", f"Could not find fine tune: {job_id}")
        return self.jobs[job_id]

    def _add_results(self, content: bytes) -> str:
        file = StoredFile(
            file_id=self._new_id("file"),
            name="step_metrics.csv",
            purpose="fine-tune-results",
            content=content,
            expires_after_seconds=None,
            created_at=int(time.time()),
            hidden_for=0,
        )
        self.files[file.file_id] = file
        return file.file_id

    def _create_file(self, request: Request) -> dict[str, Any]:
        parts = request.body
        if not isinstance(parts, dict) or "file" not in parts:
            raise ApiError(400, None, "'file' is a required property")
        name, content = parts["file"]
        purpose = parts.get("purpose", ("", b""))[1].decode()
        if purpose == "fine-tune" and not name.endswith(".jsonl"):
            raise ApiError(400, "invalid_file_format", "Invalid file format.")
        seconds = parts.get("expires_after[seconds]")
        if seconds is not None:
            anchor = parts.get("expires_after[anchor]", ("", b""))[1]
            if anchor != b"created_at" or not 3_600 <= int(seconds[1]) <= 2_592_000:
                raise ApiError(400, "invalid_expires_after", "Invalid expires_after.")
        file = StoredFile(
            file_id=self._new_id("file"),
            name=name,
            purpose=purpose,
            content=content,
            expires_after_seconds=None if seconds is None else int(seconds[1]),
            created_at=int(time.time()),
            hidden_for=self.listing_lag,
        )
        self.files[file.file_id] = file
        return file.shown()

    def _create_job(self, body: Any) -> dict[str, Any]:
        metadata = body.get("metadata") or {}
        if len(metadata) > 16 or any(
            len(name) > 64 or len(value) > 512 for name, value in metadata.items()
        ):
            raise ApiError(400, "invalid_metadata", "Invalid metadata.")
        for wanted in ("training_file", "validation_file"):
            if body.get(wanted) is not None and self._file(body[wanted]).purpose != "fine-tune":
                raise ApiError(400, "invalid_file", f"{wanted} was not uploaded for fine-tuning.")
        method = body["method"]
        if method["type"] != "supervised":
            raise ApiError(400, "invalid_method", "Only supervised fine-tuning is offered.")
        shown = {
            "id": self._new_id("ftjob"),
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "error": None,
            "fine_tuned_model": None,
            "finished_at": None,
            "hyperparameters": method["supervised"].get("hyperparameters", {}),
            "model": body["model"],
            "organization_id": "org-loopback",
            "result_files": [],
            "seed": body.get("seed", 0),
            "status": "validating_files",
            "trained_tokens": None,
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "metadata": metadata,
            "method": method,
            "user_provided_suffix": body.get("suffix"),
        }
        self.jobs[shown["id"]] = StoredJob(shown["id"], shown, self.listing_lag)
        return shown

    def _live(self, job: StoredJob) -> dict[str, Any]:
        """Move a job one state on and show it; its files are read when it leaves the first."""
        status = job.shown["status"]
        if self.holds_jobs:
            return job.shown
        problem = self._file_problem(job) if status == "validating_files" else None
        if problem is not None:
            self.finish(job.job_id, "failed", problem)
        elif status in _LIFE:
            following = _LIFE[status]
            if following in _ENDS:
                self.finish(job.job_id, following)
            else:
                job.shown["status"] = following
        return job.shown

    def _file_problem(self, job: StoredJob) -> dict[str, Any] | None:
        lines = self._file(job.shown["training_file"]).content.splitlines()
        for number, line in enumerate(lines, 1):
            try:
                is_chat = json.loads(line)["messages"][-1]["role"] == "assistant"
            except (ValueError, LookupError, TypeError):
                is_chat = False
            if not is_chat:
                message = f"Line {number} is invalid: {line!r}"
                return {"code": "invalid_training_file", "message": message, "param": None}
        if len(lines) < 10:
            return {"code": "invalid_n_examples", "message": "Too few examples.", "param": None}
        return None

    def _page(self, items: list[Any], query: dict[str, list[str]]) -> dict[str, Any]:
        visible = []
        for stored, shown in items:
            if stored.hidden_for > 0:
                stored.hidden_for -= 1
            else:
                visible.append(shown)
        after = query.get("after", [None])[0]
        ids = [shown["id"] for shown in visible]
        start = ids.index(after) + 1 if after in ids and not self.ignores_cursor else 0
        start -= start > 0 and self.repeats_items
        end = start + min(self.page_size, int(query.get("limit", [self.page_size])[0]))
        page = {"object": "list", "data": visible[start:end]}
        return page if self.ignores_cursor else page | {"has_more": end < len(visible)}
