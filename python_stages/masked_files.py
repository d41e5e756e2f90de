"""A file system that shows a file with some byte ranges blanked out.

DuckDB skips blank lines, so a rejected line that reads as line breaks is a line that is not there,
and every other byte keeps its place. No copy of the file is made. Registered with DuckDB through
fsspec; about 1.5 times as slow as reading the file itself, and used only where lines were rejected.
"""

import io
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from fsspec.spec import AbstractFileSystem

from python_stages.lines import open_bytes

PROTOCOL = "sealtune-masked"
Ranges: TypeAlias = Sequence[tuple[int, int]]


class _MaskedFile(io.RawIOBase):
    """The bytes of `file`, with `ranges` (sorted, disjoint) read as line breaks."""

    def __init__(self, file: BinaryIO, ranges: Ranges) -> None:
        self._file = file
        self._ranges = ranges
        self._ends = [end for _, end in ranges]

    def read(self, size: int = -1) -> bytes:
        start = self._file.tell()
        data = self._file.read(size)
        index = bisect_right(self._ends, start)
        if index == len(self._ranges) or self._ranges[index][0] >= start + len(data):
            return data
        blanked = bytearray(data)
        for low, high in self._ranges[index:]:
            if low >= start + len(data):
                break
            first, last = max(low - start, 0), min(high - start, len(data))
            blanked[first:last] = b"\n" * (last - first)
        return bytes(blanked)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


class MaskedFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec is untyped
    """Read-only view of local files; `.gz` files appear decompressed."""

    protocol = PROTOCOL
    cachable = False  # every connection has masks of its own

    def __init__(self) -> None:
        super().__init__()
        self._masks: dict[str, Ranges] = {}

    def mask(self, view: str, path: Path, ranges: Ranges) -> str:
        """Blank the byte `ranges` (sorted, disjoint) of a file in one `view` of it.

        Returns:
            The URL under which the masked file is read.
        """
        url = f"{PROTOCOL}://{view}{path.absolute()}"
        self._masks[self._strip_protocol(url)] = list(ranges)
        return url

    def _local(self, path: str) -> Path:
        _view, _, local = self._strip_protocol(path).partition("/")
        return Path("/" + local)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> _MaskedFile:
        if mode != "rb":
            raise PermissionError("masked files are read-only")
        ranges = self._masks[self._strip_protocol(path)]  # a view that nobody masked is an error
        return _MaskedFile(open_bytes(self._local(path)), ranges)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return name, size in bytes of what can be read, and type."""
        local = self._local(path)
        size = local.stat().st_size
        if local.suffix == ".gz":
            with open_bytes(local) as file:
                size = file.seek(0, io.SEEK_END)
        return {"name": path, "size": size, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether the file is there."""
        return self._local(path).exists()

    def modified(self, path: str) -> float:
        """Return the time of the last change, in seconds since the epoch."""
        return self._local(path).stat().st_mtime
