"""A multipart upload (RFC 7578), encrypted while it arrives: no plaintext waits anywhere.

Web frameworks spool large parts into temporary files; this is why the form is parsed here, piece by
piece, by the parser that they use.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from python_stages.backends.local.api_errors import ApiError, too_large

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
MAX_FORM_BYTES: Final = MAX_FILE_BYTES + 64 * 1024
MAX_NAME_CHARACTERS: Final = 255

_MAX_FIELD_BYTES: Final = 1_024
_MAX_PARTS: Final = 16
_FILE_PART: Final = "file"


class Sink(Protocol):
    """Where the file goes."""

    def write(self, plaintext: bytes | memoryview) -> None:
        """Take the next piece."""


@dataclass(frozen=True, slots=True)
class Form:
    """What came beside the file's content.

    Args:
        filename: the name that the client gave, without folders.
        fields: the other parts.
    """

    filename: str
    fields: dict[str, str]


async def receive(body: AsyncIterator[bytes], content_type: str, sink: Sink) -> Form:
    """Read a form to its end, its file into the sink.

    Raises:
        ApiError: it is no form, is too large, was cut off, or holds not exactly one file.
    """
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if media_type != b"multipart/form-data" or not boundary:
        raise ApiError(400, "The request must be multipart/form-data.", param="file")
    reader = _FormReader(sink)
    n_bytes = 0
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for piece in body:
            n_bytes += len(piece)
            if n_bytes > MAX_FORM_BYTES:
                raise too_large(MAX_FILE_BYTES)
            parser.write(piece)
        parser.finalize()
    except FormParserError:
        raise ApiError(400, "The form cannot be read.", param="file") from None
    return reader.form()


class _FormReader:
    """Collects a form; its methods are the parser's callbacks."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name = ""
        self._content = bytearray()
        self._n_parts = 0
        self._n_file_bytes = 0
        self._filename: str | None = None
        self._fields: dict[str, str] = {}
        self._is_complete = False

    def callbacks(self) -> "MultipartCallbacks":
        """Return the callbacks by the parser's names for them."""
        return {
            "on_part_begin": self.on_part_begin,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_headers_finished": self.on_headers_finished,
            "on_end": self.on_end,
        }

    def form(self) -> Form:
        """Return what was collected, once all of it is there."""
        if not self._is_complete:
            raise ApiError(400, "The form was cut off before its end.", param="file")
        if self._filename is None:
            message = "Missing required parameter: 'file'."
            raise ApiError(400, message, param="file", code="missing_required_parameter")
        return Form(self._filename, self._fields)

    def on_part_begin(self) -> None:
        """Begin a part."""
        self._n_parts += 1
        if self._n_parts > _MAX_PARTS:
            raise ApiError(400, "The form has too many parts.")
        self._name, self._disposition, self._content = "", b"", bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's name."""
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's value."""
        self._value += data[start:end]

    def on_header_end(self) -> None:
        """Keep the one header that matters."""
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def on_headers_finished(self) -> None:
        """Read what the part is."""
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        self._name = options.get(b"name", b"").decode("utf-8", errors="replace")
        if self._name != _FILE_PART:
            return
        if b"filename" not in options:
            raise ApiError(400, "The part 'file' must be a file with a name.", param="file")
        if self._filename is not None:
            raise ApiError(400, "The form must hold one file.", param="file")
        name = options[b"filename"].decode("utf-8", errors="replace")
        self._filename = name.replace("\\", "/").rpartition("/")[2][:MAX_NAME_CHARACTERS]

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of the part's content."""
        if self._name == _FILE_PART:
            self._n_file_bytes += end - start
            if self._n_file_bytes > MAX_FILE_BYTES:
                raise too_large(MAX_FILE_BYTES)
            self._sink.write(memoryview(data)[start:end])
            return
        self._content += data[start:end]
        if len(self._content) > _MAX_FIELD_BYTES:
            raise ApiError(400, "A field of the form is too long.")

    def on_part_end(self) -> None:
        """Keep the part, if it is a field."""
        if self._name == _FILE_PART:
            return
        if not self._name or self._name in self._fields:
            raise ApiError(400, "A field of the form has no name, or comes twice.")
        self._fields[self._name] = self._content.decode("utf-8", errors="replace")

    def on_end(self) -> None:
        """Note that the form is complete."""
        self._is_complete = True
