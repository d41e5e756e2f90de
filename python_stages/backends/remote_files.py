"""Files at a provider: streamed up from memory, found by name, read back in bounds, deleted."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, TypeVar, cast

import openai
from openai.pagination import SyncCursorPage
from openai.types.file_create_params import ExpiresAfter

from python_stages.backends.answers import remote_file
from python_stages.backends.asking import asked, is_missing
from python_stages.backends.base import Content, RemoteFile
from python_stages.backends.quirks import Quirks
from python_stages.backends.upload import UploadStream
from python_stages.backends.waiting import Waiting
from python_stages.errors import BackendError

MEDIA_TYPE: Final = "application/jsonl"
MAX_RESULT_BYTES: Final = 64 * 1024 * 1024

_READY: Final = frozenset({"processed", "succeeded"})
_BROKEN: Final = frozenset({"error", "failed", "deleted", "deleting"})
# A host that processes uploads at once may say nothing of a status at all.
_NO_STATUS: Final = ""

_Item = TypeVar("_Item", bound=openai.BaseModel)


class RemoteFiles:
    """The files of one account.

    Args:
        once: client that tries a request once.
        patient: client that retries.
        quirks: what is different at this host.
        expires_after_seconds: lifetime of uploads, or None.
    """

    def __init__(
        self,
        once: openai.OpenAI,
        patient: openai.OpenAI,
        quirks: Quirks,
        expires_after_seconds: int | None,
    ) -> None:
        self.once = once
        self.patient = patient
        # The client's annotation lists OpenAI's purposes; a host may have others.
        self.purpose = cast("Any", quirks.purpose)
        lifetime = expires_after_seconds if quirks.takes_expiry else None
        self.expires_after: ExpiresAfter | openai.Omit = (
            openai.omit if lifetime is None else ExpiresAfter(anchor="created_at", seconds=lifetime)
        )

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to the provider; only chunks of it are ever in memory."""
        with content.open() as chunks:
            # The client reads any binary stream; its annotation asks for an opened file.
            stream = cast("BinaryIO", UploadStream(chunks, content.n_bytes))
            file = asked(
                "uploading a file",
                lambda: self.once.files.create(
                    file=(name, stream, MEDIA_TYPE),
                    purpose=self.purpose,
                    expires_after=self.expires_after,
                ),
                is_creating=True,
            )
        return remote_file(file)

    def list(self) -> tuple[RemoteFile, ...]:
        """Return every training file (the API can filter by purpose only)."""
        listed = asked(
            "listing files", lambda: list(each_once(self.patient.files.list(purpose=self.purpose)))
        )
        return tuple(map(remote_file, listed))

    def has(self, file_id: str) -> bool:
        """Say whether the provider still holds a file."""
        return not is_missing("looking up a file", lambda: self.patient.files.retrieve(file_id))

    def delete(self, file_id: str) -> None:
        """Delete a file; a file that is gone already is no error."""
        is_missing("deleting a file", lambda: self.patient.files.delete(file_id))

    def await_processed(self, file_id: str, waiting: Waiting) -> None:
        """Wait until a file may be named in a job.

        Raises:
            BackendError: the provider cannot use it, or takes too long.
        """

        def is_ready() -> bool:
            file = asked("looking up a file", lambda: self.patient.files.retrieve(file_id))
            status = str(getattr(file, "status", None) or _NO_STATUS).lower()
            if status in _BROKEN:
                raise BackendError(
                    f"the provider cannot use file {file_id}: delete it, build again"
                )
            return status in _READY or status == _NO_STATUS

        if not waiting.until(is_ready):
            raise BackendError(f"file {file_id} is still being processed: build again later")

    def read(self, file_id: str) -> bytes:
        """Return the content of a file.

        Raises:
            BackendError: it is longer than 64 MiB, or the connection broke.
        """

        def read() -> bytes:
            pieces: list[bytes] = []
            n_bytes = 0
            with self.patient.files.with_streaming_response.content(file_id) as answer:
                for piece in answer.iter_bytes():
                    n_bytes += len(piece)
                    if n_bytes > MAX_RESULT_BYTES:
                        raise BackendError(f"file {file_id} is longer than 64 MiB: fetch it there")
                    pieces.append(piece)
            return b"".join(pieces)

        return asked("reading a file", read)


def each_once(first: SyncCursorPage[_Item]) -> Iterator[_Item]:
    """Yield the items of a paged list, each once; to be consumed where errors are caught.

    Two pages may show the same item: what is new meanwhile moves the others on. A whole page of
    nothing new is a host that ignores the cursor, and would go on for ever.
    """
    seen: set[str] = set()
    for page in first.iter_pages():
        new = {str(getattr(item, "id", "")): item for item in page.data or ()}
        unseen = [item for item_id, item in new.items() if item_id not in seen]
        if not unseen:
            return
        seen |= new.keys()
        yield from unseen
