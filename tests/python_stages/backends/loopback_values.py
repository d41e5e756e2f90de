"""What the API on loopback keeps, and what can go wrong with it."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class Fault:
    """Requests that go wrong: the first `skips` that match do not, then `times` do.

    Kinds: `refuse` answers `status` without an effect; `fail_after` answers `status` after it;
    `reset_before` and `reset_after` drop the connection; `hang_after` stays silent for
    `hang_seconds` after the effect; `twice` has the effect two times and answers once;
    `nonsense_after` answers 200 with a page of HTML.
    """

    method: str
    path: str
    kind: Literal[
        "refuse",
        "fail_after",
        "reset_before",
        "reset_after",
        "hang_after",
        "twice",
        "nonsense_after",
    ]
    status: int = 500
    code: str | None = "server_error"
    message: str = "The server had an error."
    hang_seconds: float = 1.0
    times: int = 1
    skips: int = 0
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    n_body_bytes: int
    body: Any


@dataclass(slots=True)
class StoredFile:
    """An uploaded file."""

    file_id: str
    name: str
    purpose: str
    content: bytes
    expires_after_seconds: int | None
    created_at: int
    hidden_for: int

    def shown(self) -> dict[str, Any]:
        """Return the file as the API shows it."""
        lifetime = self.expires_after_seconds
        return {
            "id": self.file_id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "expires_at": None if lifetime is None else self.created_at + lifetime,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass(slots=True)
class StoredJob:
    """A job; `shown` is the API's answer about it."""

    job_id: str
    shown: dict[str, Any]
    hidden_for: int
    events: list[dict[str, Any]] = field(default_factory=list)


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(
        self, status: int, code: str | None, message: str, location: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.location = location
