"""A file system that shows a file without some of its lines.

What a reader must not see is cut out: the file appears shorter, and every other byte is as it was.
No copy is made. Registered with DuckDB through fsspec; about 1.5 times as slow as reading the file
itself, and used only where lines were rejected.
"""

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote

from fsspec.spec import AbstractFileSystem

from python_stages.ingest.lines import open_bytes

PROTOCOL = "sealtune-masked"
Ranges: TypeAlias = Sequence[tuple[int, int]]


class _MaskedFile(io.RawIOBase):
    """The bytes of `file` outside `ranges` (sorted, disjoint, inside the file)."""

    def __init__(self, file: BinaryIO, ranges: Ranges) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END) - sum(high - low for low, high in ranges)
        # the parts between the ranges: where they begin in the file, and in what is shown of it
        self._begins = [0, *(high for _, high in ranges)]
        lengths = (low - begin for begin, (low, _) in zip(self._begins, ranges, strict=False))
        self._places = list(accumulate(lengths, initial=0))
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._place + size, self._size)
        pieces = []
        while self._place < end:
            part = bisect_right(self._places, self._place) - 1
            part_end = self._places[part + 1] if part + 1 < len(self._places) else self._size
            self._file.seek(self._begins[part] + self._place - self._places[part])
            piece = self._file.read(min(end, part_end) - self._place)
            if not piece:
                raise OSError("the file was cut short while it was read")
            pieces.append(piece)
            self._place += len(piece)
        return b"".join(pieces)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


class MaskedFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec is untyped
    """Read-only view of local files without some byte ranges; `.gz` files appear decompressed."""

    protocol = PROTOCOL
    cachable = False  # every one has masks of its own

    def __init__(self) -> None:
        super().__init__()
        self._masks: dict[str, tuple[Path, Ranges]] = {}
        self._sizes: dict[str, int] = {}

    def mask(self, view: str, path: Path, ranges: Ranges) -> str:
        """Cut the byte `ranges` (sorted, disjoint) out of a file in one `view` of it.

        Returns:
            The URL under which the rest of the file is read.
        """
        url = f"{PROTOCOL}://{view}{quote(str(path.absolute()))}"  # DuckDB expands *, ? and [
        self._masks[self._strip_protocol(url)] = (path, tuple(ranges))
        self._sizes.pop(self._strip_protocol(url), None)
        return url

    def _open(self, path: str, mode: str = "rb", **_: Any) -> _MaskedFile:
        if mode != "rb":
            raise PermissionError("masked files are read-only")
        local, ranges = self._masks[self._strip_protocol(path)]  # unknown views are errors
        return _MaskedFile(open_bytes(local), ranges)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return name, size in bytes of what can be read, and type."""
        key = self._strip_protocol(path)
        if key not in self._sizes:  # DuckDB asks more than once, and all may have to be read for it
            with self._open(path) as file:
                self._sizes[key] = file.seek(0, io.SEEK_END)
        return {"name": path, "size": self._sizes[key], "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether the file is there."""
        key = self._strip_protocol(path)
        return key in self._masks and self._masks[key][0].exists()

    def modified(self, path: str) -> float:
        """Return the time of the last change, in seconds since the epoch."""
        local, _ranges = self._masks[self._strip_protocol(path)]
        return local.stat().st_mtime
