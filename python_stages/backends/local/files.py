"""/v1/files: create, list, retrieve, content, delete."""

import re
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from python_stages.backends.local.answers import Deleted, File, ListPage, page_of, shown_file
from python_stages.backends.local.api_errors import ApiError, no_such_file, too_large
from python_stages.backends.local.deletion import FILES, delete_file, now
from python_stages.backends.local.rows import FileRow, new_id
from python_stages.backends.local.service import Service, Serviced
from python_stages.backends.local.store import Page
from python_stages.backends.local.uploads import MAX_FILE_BYTES, MAX_FORM_BYTES, Form, receive

PURPOSE: Final = "fine-tune"
LIFETIME_SECONDS: Final = range(3_600, 2_592_000 + 1)

_ANCHOR: Final = "expires_after[anchor]"
_SECONDS: Final = "expires_after[seconds]"
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": [PURPOSE]},
                        _ANCHOR: {"type": "string", "enum": ["created_at"]},
                        _SECONDS: {
                            "type": "integer",
                            "minimum": LIFETIME_SECONDS.start,
                            "maximum": LIFETIME_SECONDS.stop - 1,
                        },
                    },
                    "dependentRequired": {_ANCHOR: [_SECONDS], _SECONDS: [_ANCHOR]},
                }
            }
        },
    }
}

router = APIRouter(prefix="/v1/files", tags=["files"])


@router.post("", openapi_extra=_FORM)
async def create_file(request: Request, service: Serviced) -> File:
    """Upload a file for fine-tuning: JSON lines, at most 512 MiB.

    It is stored when all of it has arrived and is on disk; half an upload is no file.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_FORM_BYTES:
        raise too_large(MAX_FILE_BYTES)
    file_id = new_id("file")
    with service.blobs.create(FILES, file_id) as writer:
        content_type = request.headers.get("content-type", "")
        form = await receive(request.stream(), content_type, writer)
        seconds = _check_form(form)
    created_at = now()
    row = FileRow(
        file_id=file_id,
        filename=form.filename,
        purpose=PURPOSE,
        n_bytes=writer.n_bytes,
        created_at=created_at,
        expires_at=None if seconds is None else created_at + seconds,
    )
    await to_thread.run_sync(service.store.insert, row)
    return shown_file(row)


@router.get("")
def list_files(
    service: Serviced,
    purpose: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    after: Annotated[str | None, Query(max_length=64)] = None,
    order: Literal["asc", "desc"] = "desc",
) -> ListPage[File]:
    """List the files, newest first."""
    is_there = "coalesce(expires_at > ?, true) and purpose = coalesce(?, purpose)"
    rows = service.store.page(FileRow, Page(limit, after, order), is_there, now(), purpose)
    return ListPage[File](**page_of([shown_file(row) for row in rows], limit))


@router.get("/{file_id}")
def retrieve_file(file_id: str, service: Serviced) -> File:
    """Return what is known of a file."""
    return shown_file(_file(service, file_id))


@router.get(
    "/{file_id}/content",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The content."}},
)
def read_file(file_id: str, service: Serviced) -> StreamingResponse:
    """Return the content of a file, decrypted while it is sent."""
    row = _file(service, file_id)
    # Opened before the answer begins, so that a file that is gone is still an error.
    opened = service.blobs.open(FILES, file_id)
    return StreamingResponse(
        service.blobs.blocks(opened, FILES, file_id),
        media_type="application/octet-stream",
        headers={"content-length": str(row.n_bytes), "cache-control": "no-store"},
    )


@router.delete("/{file_id}")
def remove_file(file_id: str, service: Serviced) -> Deleted:
    """Delete a file; a job that would still need it ends as failed."""
    _file(service, file_id)
    delete_file(service.store, service.blobs, file_id)
    service.jobs.wake()
    return Deleted(id=file_id, object="file")


def _file(service: Service, file_id: str) -> FileRow:
    row = service.store.get(FileRow, file_id)
    if row is None or (row.expires_at is not None and row.expires_at <= now()):
        raise no_such_file(file_id)
    return row


def _check_form(form: Form) -> int | None:
    """Return the lifetime in seconds that a form asks for, or None.

    Raises:
        ApiError: a field is missing, unknown, or has a value that cannot be.
    """
    if unknown := set(form.fields) - {"purpose", _ANCHOR, _SECONDS}:
        del unknown  # a name that nobody knows may be anything: it is not quoted
        message = "Unknown parameter: this server does not have it."
        raise ApiError(400, message, code="unknown_parameter")
    if "purpose" not in form.fields:
        message = "Missing required parameter: 'purpose'."
        raise ApiError(400, message, param="purpose", code="missing_required_parameter")
    if form.fields["purpose"] != PURPOSE:
        message = f"Invalid value for 'purpose': this server stores files for {PURPOSE} alone."
        raise ApiError(400, message, param="purpose", code="invalid_value")
    if not form.filename.endswith(".jsonl"):
        message = "Invalid file format: files for fine-tuning are JSON lines, named .jsonl."
        raise ApiError(400, message, param="file", code="invalid_file_format")
    if _ANCHOR not in form.fields and _SECONDS not in form.fields:
        return None
    seconds = form.fields.get(_SECONDS, "")
    is_sound = form.fields.get(_ANCHOR) == "created_at" and _NUMBER.fullmatch(seconds) is not None
    if not is_sound or int(seconds) not in LIFETIME_SECONDS:
        message = (
            "Invalid value for 'expires_after': the anchor is created_at, and seconds lie between "
            "3600 and 2592000."
        )
        raise ApiError(400, message, param="expires_after", code="invalid_value")
    return int(seconds)
