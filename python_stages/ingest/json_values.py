"""A JSON file shown as JSON lines: one array, or objects one behind another, on any lines.

Its records are the elements of the array, or the objects. Brackets, quotes and backslashes alone
say where one ends, so that numpy finds all ends in one pass and no record has to be parsed for it;
whether a record is JSON is left to the reader of the lines, who looks at each by itself. If every
one is, then the ends were right, for there is only one way to cut JSON into values.

What is shown has a line for each record: line ends inside of it are spaces, and so are the outer
brackets; a control character, which no JSON text may hold, stays one that is no line end. Every
byte is where it is in the file, until an object follows another with nothing in between, where a
line end is put.

Nothing is copied, and memory holds one chunk, wherever is read. Arrays that do not end, and
brackets that do not match, spoil the records behind them: such a file is refused.
"""

import io
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from python_stages.errors import SourceError

_CHUNK_BYTES = 256 << 10  # what comes of it stays in the processor's cache
_BLANKS: Final = b" \t\r\n"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SPACE, _LINE_FEED, _NO_JSON = 0x20, 0x0A, 0x01

# what a byte can be to the scan; of the others none matters
_QUOTE, _BACKSLASH, _OPENING, _CLOSING, _COMMA, _BLANK, _CONTROL = range(1, 8)
_BY_BYTE: Final = {
    **dict.fromkeys(range(32), _CONTROL),
    **dict.fromkeys(b"\t\r\n", _BLANK),
    **dict.fromkeys(b"[{", _OPENING),
    **dict.fromkeys(b"]}", _CLOSING),
    **dict(zip(b'"\\,', (_QUOTE, _BACKSLASH, _COMMA), strict=True)),
}
_KINDS: Final = bytes(_BY_BYTE.get(byte, 0) for byte in range(256))
_STEPS: Final = np.array([0, 0, 0, 1, -1, 0, 0, 0])  # of depth, by kind


@dataclass(frozen=True, slots=True)
class _State:
    """Where the scan stands in front of a chunk.

    Attributes:
        is_array: whether the records are elements of an array; None in front of the first of them.
        depth: how many brackets are open.
        is_quoted: whether it is inside of a text.
        is_escaped: whether a backslash takes the meaning from the next byte.
        is_due: whether an object has just ended, and its line has not.
        is_over: whether the array has ended.
    """

    is_array: bool | None = None
    depth: int = 0
    is_quoted: bool = False
    is_escaped: bool = False
    is_due: bool = False
    is_over: bool = False


class JsonLines(io.RawIOBase):
    """The records of a JSON file as lines; can be read from anywhere.

    Reading raises a SourceError where the file is no JSON as a whole.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Show `file`, whose `name` stands in errors."""
        self._file, self._name = file, name
        self._place = 0
        self._shown, self._shown_at = b"", 0
        # of each chunk so far: where it begins in what is shown and in the file, and the state
        self._marks = [(0, 0, _State())]

    def readinto(self, buffer: Any) -> int:
        """Read up to as many bytes as fit."""
        view = memoryview(buffer).cast("B")
        n_read = 0
        while n_read < len(view) and self._load():
            start = self._place - self._shown_at
            piece = self._shown[start : start + len(view) - n_read]
            view[n_read : n_read + len(piece)] = piece
            n_read += len(piece)
            self._place += len(piece)
        return n_read

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte of what is shown."""
        if whence == io.SEEK_END:
            self._place = self._end()
        start = 0 if whence == io.SEEK_SET else self._place
        self._place = max(start + offset, 0)
        return self._place

    def tell(self) -> int:
        """Return the byte of what is shown that is read next."""
        return self._place

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _end(self) -> int:
        """Return how many bytes are shown."""
        self._place = 0
        if self._load() and self._marks[-1][2].is_array:  # which is as long as its file
            return self._file.seek(0, io.SEEK_END)
        self._place = self._marks[-1][0]
        while self._load():
            self._place = self._shown_at + len(self._shown)
        return self._place

    def _load(self) -> bool:
        """Show the chunk in which the next byte lies; False: it lies behind the last one."""
        if self._shown_at <= self._place < self._shown_at + len(self._shown):
            return True
        index = bisect_right(self._marks, self._place, key=lambda mark: mark[0]) - 1
        while True:
            self._shown_at, place, state = self._marks[index]
            self._file.seek(place)
            chunk = self._file.read(_CHUNK_BYTES)
            if not chunk:
                self._shown = b""
                self._require_whole(state)
                return False
            try:
                self._shown, state = _show(chunk, state)
            except _NoJsonError as error:
                raise SourceError(f"{self._name} {error}; is it whole?") from None
            index += 1
            end = self._shown_at + len(self._shown)
            if index == len(self._marks):
                self._marks.append((end, place + len(chunk), state))
            if self._place < end:
                return True

    def _require_whole(self, state: _State) -> None:
        if state.depth or state.is_quoted:
            raise SourceError(
                f"{self._name} ends inside of a record: a bracket or a quote in it is not closed; "
                "is it whole?"
            )


class _NoJsonError(Exception):
    """What is wrong with a whole file, as the end of a sentence."""


def _show(chunk: bytes, state: _State) -> tuple[bytes, _State]:
    """Return what is shown of a chunk, and the state behind it."""
    if state.is_array is None:
        chunk, state = _begin(chunk, state)
    if state.is_over and chunk.strip(_BLANKS):
        raise _NoJsonError("goes on behind the end of its array")
    raw = np.frombuffer(chunk, np.uint8)
    kinds = np.frombuffer(chunk.translate(_KINDS), np.uint8)
    places = np.flatnonzero(kinds != 0)
    kinds = kinds[places]
    is_due, is_escaped = state.is_due, state.is_escaped
    if is_escaped or _BACKSLASH in kinds:
        is_read, is_escaped = _unescaped(places, kinds, len(chunk), is_escaped=is_escaped)
        places, kinds = places[is_read], kinds[is_read]
    is_quote = kinds == _QUOTE
    is_inside = ((np.cumsum(is_quote) + state.is_quoted) & 1).astype(np.bool_)
    is_quoted = bool(is_inside[-1]) if len(places) else state.is_quoted
    is_inside &= ~is_quote
    depths = state.depth + np.cumsum(np.where(is_inside, 0, _STEPS[kinds]))
    if len(depths) and depths.min() < 0:
        raise _NoJsonError("closes more brackets than it opens")

    shown = raw.copy()
    is_blank = kinds == _BLANK
    shown[places[is_blank & ~is_inside]] = _SPACE
    shown[places[(kinds == _CONTROL) | (is_blank & is_inside)]] = _NO_JSON
    ends = places[(kinds == _CLOSING) & ~is_inside & (depths == 0)]
    is_over = state.is_over
    if state.is_array:
        shown[places[(kinds == _COMMA) & ~is_inside & (depths == 1)]] = _LINE_FEED
        shown[places[(kinds == _OPENING) & ~is_inside & (depths == 1)]] = _SPACE
        shown[ends] = _SPACE
        if len(ends):
            is_over = True
            _require_end(chunk[ends[0] :])
    elif len(ends) or is_due:
        shown, is_due = _end_lines(shown, ends + 1, is_due=is_due)
    depth = int(depths[-1]) if len(depths) else state.depth
    after = _State(state.is_array, depth, is_quoted, is_escaped, is_due, is_over)
    return shown.tobytes(), after


def _begin(chunk: bytes, state: _State) -> tuple[bytes, _State]:
    """Find out what the records are; a byte order mark, which says nothing, becomes spaces."""
    if chunk.startswith(_BYTE_ORDER_MARK):
        chunk = b" " * len(_BYTE_ORDER_MARK) + chunk.removeprefix(_BYTE_ORDER_MARK)
    first = chunk.lstrip(_BLANKS)[:1]
    if first not in {b"", b"[", b"{"}:
        raise _NoJsonError("is neither an array nor objects one behind another, in UTF-8")
    return chunk, replace(state, is_array=first == b"[" if first else None)


def _require_end(rest: bytes) -> None:
    """Require that an array ends as it began, and that nothing is behind it."""
    if not rest.startswith(b"]"):
        raise _NoJsonError("has brackets that do not match")
    if rest[1:].strip(_BLANKS):
        raise _NoJsonError("goes on behind the end of its array")


def _unescaped(
    places: NDArray[np.int64], kinds: NDArray[np.uint8], n_bytes: int, *, is_escaped: bool
) -> tuple[NDArray[np.bool_], bool]:
    """Return which places are no escaped quote, and whether the next chunk begins escaped.

    Behind a run of backslashes a quote is escaped if they are odd in number.
    """
    slashes = places[kinds == _BACKSLASH]
    if is_escaped:
        slashes = np.concatenate(([-1], slashes))
    is_first = np.diff(slashes, prepend=-3) != 1
    is_last = np.append(is_first[1:], True)
    ends = slashes[is_last] + 1
    escaped = ends[(ends - slashes[is_first]) % 2 == 1]
    is_hit = np.zeros(n_bytes + 1, np.bool_)
    is_hit[escaped] = True
    return ~((kinds == _QUOTE) & is_hit[places]), bool(is_hit[n_bytes])


def _end_lines(
    shown: NDArray[np.uint8], ends: NDArray[np.int64], *, is_due: bool
) -> tuple[NDArray[np.uint8], bool]:
    """End the line behind every object: in the blank behind it, or where there is none in between.

    Returns:
        What is shown, and whether the last line is still to be ended.
    """
    if is_due:
        ends = np.concatenate(([0], ends))
    is_due = bool(len(ends)) and int(ends[-1]) == len(shown)
    ends = ends[:-1] if is_due else ends
    is_blank = shown[ends] == _SPACE
    shown[ends[is_blank]] = _LINE_FEED
    return np.insert(shown, ends[~is_blank], _LINE_FEED), is_due
