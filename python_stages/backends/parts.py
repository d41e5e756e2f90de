"""Large files in parts, through OpenAI's Uploads API.

An upload is opened, filled part by part and completed; only the completion makes a file of it. So a
part may be sent twice (the list of parts names one of them), and an upload that is given up leaves
no file: it is cancelled, and expires within the hour where even that fails.

Source: https://developers.openai.com/api/reference/resources/uploads (read November 2026).
"""

import hashlib
from collections.abc import Iterator

from python_stages.backends.answers import identifier, remote_file
from python_stages.backends.asking import asked
from python_stages.backends.base import Content, RemoteFile, UnknownOutcomeError
from python_stages.backends.remote_files import MEDIA_TYPE, RemoteFiles
from python_stages.backends.upload import UploadStream
from python_stages.errors import BackendError


def upload_in_parts(
    files: RemoteFiles, name: str, content: Content, *, part_bytes: int
) -> RemoteFile:
    """Send a file in parts; one part at a time is in memory.

    Args:
        files: the account.
        name: name of the file to be.
        content: its plaintext.
        part_bytes: size of a part in bytes, the last one may be smaller.

    Raises:
        TamperedError: the seal turned out broken while it was read; there is no file.
        UnknownOutcomeError: the completion got no answer; there may be a file of this name.
        BackendError: the provider refused or did not answer; there is no file.
    """
    with content.open() as chunks:
        upload = asked(
            "opening an upload",
            lambda: files.once.uploads.create(
                bytes=content.n_bytes,
                filename=name,
                mime_type=MEDIA_TYPE,
                purpose=files.purpose,
                expires_after=files.expires_after,
            ),
        )
        upload_id = identifier(upload.id)
        # The provider compares it with what it received; nothing secret rests on it.
        checksum = hashlib.md5(usedforsecurity=False)
        part_ids: list[str] = []
        try:
            for part in _parts(UploadStream(chunks, content.n_bytes), part_bytes):
                checksum.update(part)
                part_ids.append(_send(files, upload_id, part))
        except BaseException:
            _cancel(files, upload_id)
            raise
    return _complete(files, upload_id, part_ids, checksum.hexdigest())


def _complete(files: RemoteFiles, upload_id: str, part_ids: list[str], checksum: str) -> RemoteFile:
    """Make a file of the parts: the one step that is tried once, and may be in doubt."""
    try:
        completed = asked(
            "completing an upload",
            lambda: files.once.uploads.complete(upload_id, part_ids=part_ids, md5=checksum),
            is_creating=True,
        )
    except UnknownOutcomeError:
        raise
    except BackendError:
        _cancel(files, upload_id)
        raise
    return remote_file(completed.file)


def _send(files: RemoteFiles, upload_id: str, part: bytes) -> str:
    sent = asked(
        "uploading a part",
        lambda: files.patient.uploads.parts.create(upload_id, data=("part", part, MEDIA_TYPE)),
    )
    return identifier(sent.id)


def _parts(stream: UploadStream, part_bytes: int) -> Iterator[bytes]:
    """Yield the parts; the last one only once the stream has ended well."""
    part = bytearray()
    while piece := stream.read(part_bytes - len(part)):
        part += piece
        if len(part) == part_bytes:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def _cancel(files: RemoteFiles, upload_id: str) -> None:
    """Cancel an upload; what cannot be cancelled expires by itself, and is no file before."""
    try:
        asked("cancelling an upload", lambda: files.patient.uploads.cancel(upload_id))
    except BackendError:
        return
