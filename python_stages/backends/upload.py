"""An iterator of bytes, dressed as the readable file that HTTP clients want to upload."""

import io
from collections.abc import Iterator

from python_stages.errors import BackendError, TamperedError


class UploadStream(io.RawIOBase):
    """A stream of known length over chunks, as the client's multipart encoder wants it.

    The encoder asks for the length by seeking to the end, rewinds, then reads once. It closes the
    form only after a read that returned nothing, and a seal that turns out truncated or tampered
    with raises in that read: what the provider has then is half a request, and no file.

    Args:
        chunks: the bytes, in pieces of any size.
        n_bytes: how many there must be.
    """

    def __init__(self, chunks: Iterator[bytes], n_bytes: int) -> None:
        self._chunks = chunks
        self._n_bytes = n_bytes
        self._n_read = 0
        self._position = 0
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it cannot be rewound: what was sent once is not sent again."""
        return False

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to the end (to tell the length) or, before the first read, to the start."""
        if whence == io.SEEK_END and offset == 0:
            self._position = self._n_bytes
        elif whence == io.SEEK_SET and offset == self._n_read:
            self._position = offset
        else:
            raise BackendError("an upload cannot be rewound: build again to start a new one")
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, and nothing at the end."""
        if not self._ready:
            self._ready = memoryview(self._next_chunk())
        n = len(self._ready) if size < 0 else min(size, len(self._ready))
        piece, self._ready = bytes(self._ready[:n]), self._ready[n:]
        self._n_read += n
        self._position = self._n_read
        return piece

    def _next_chunk(self) -> bytes:
        """Return the next chunk that is not empty, or nothing at the end."""
        chunk = next((chunk for chunk in self._chunks if chunk), b"")
        n_seen = self._n_read + len(chunk)
        if n_seen > self._n_bytes or (not chunk and n_seen < self._n_bytes):
            raise TamperedError("the sealed file is not as long as its manifest says; seal again")
        return chunk
