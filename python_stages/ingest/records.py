"""Records that may span lines: counted, judged and located without the reader that loads them.

Where a dataset's texts hold line breaks inside quotes (RFC 4180), a physical line is no record. A
record then ends at the first line end outside of quotes. Of a file without faults, that makes the
number of records a property of the bytes: line ends after an even number of quotes. One quote too
many turns every line end behind it around, so a file with a fault is judged record by record: a
line from which no whole record can be read is broken, by itself, and reading starts anew with the
next line. What follows and does not begin as records of the dataset do (`record_start`) belongs to
the broken record. So a bad quote costs its own record.

All functions stream; memory holds one record. `.gz` files are read through `gzip`.
"""

import io
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import regex  # type: ignore[import-untyped]  # its stubs are a package of their own

from python_stages.ingest.lines import (
    MAX_LINE_BYTES,
    Line,
    LineCount,
    is_utf8,
    line_end,
    open_bytes,
)

_COUNT_BYTES = 256 << 10  # stays in the processor's cache
# As DuckDB's strict reader has it (lines.py, which says why not `re`), but that a line may only end
# inside of quotes.
_QUOTED = regex.compile(rb' ?+"((?:[^"]|""|" ++")*+)" *+(?=,|\Z)')
_BARE = regex.compile(rb'((?! ?")[^,\r\n]*+)(?=,|\Z)')
_BLANK = "blank"
_OPENING = re.compile(rb' ?"')


@dataclass(frozen=True, slots=True)
class RecordShape:
    """What a record of a file looks like.

    Args:
        n_columns: how many fields it has.
        used: positions of the fields that must be UTF-8.
        start: what the first line of a record begins with; the empty pattern for anything.
    """

    n_columns: int
    used: frozenset[int]
    start: re.Pattern[bytes] = field(default_factory=lambda: re.compile(b""))


def count_records(path: Path) -> LineCount:
    """Count the line ends outside of quotes, less the header's and those of blank lines.

    It is the number of records if no quote is astray; then `is_plain` says, too, that every line
    end outside of quotes is as the header's.
    """
    n_ends = n_blank = n_returns = n_pairs = 0
    has_nul = False
    is_crlf = line_end(path) == b"\r\n"
    tail, parity = b"\n\n", 0  # a line ends in front of the first one, too
    with open_bytes(path) as file:
        while chunk := file.read(_COUNT_BYTES):
            data = np.frombuffer(tail + chunk, np.uint8)
            quotes = np.cumsum(data[2:] == ord('"'), dtype=np.uint8)
            is_outside = ((quotes + parity) & 1) == 0
            parity = (parity + int(quotes[-1])) & 1
            is_end = data == ord("\n")
            ends = is_end[2:] & is_outside
            n_ends += int(np.count_nonzero(ends))
            is_return = data == ord("\r")
            pairs = is_return[1:-1] & ends
            n_pairs += int(np.count_nonzero(pairs))
            n_returns += int(np.count_nonzero(is_return[2:] & is_outside))
            before = is_end[:-2] & pairs if is_crlf else is_end[1:-1] & ends
            n_blank += int(np.count_nonzero(before))
            has_nul = has_nul or b"\0" in chunk
            tail = data[-2:].tobytes()
    n_rest = int(not tail.endswith(b"\n"))  # a last record without a line end
    ends_alike = n_returns == n_pairs == (n_ends if is_crlf else 0)
    is_plain = ends_alike and not has_nul and parity == 0
    return LineCount(max(n_ends - n_blank + n_rest - 1, 0), is_plain)


def judged_records(path: Path, shape: RecordShape) -> Iterator[tuple[Line, str | None]]:
    """Yield every record after the header, in order, with the reason why it is none, or None."""
    end = line_end(path)
    broken: _Broken | None = None
    for record, reason in _read(path, shape, end):
        if broken and (reason == _BLANK or not shape.start.match(record.raw)):
            broken.rest.append(record.raw)
            continue
        if reason == _BLANK:
            continue
        if broken:
            yield broken.whole(end), broken.reason
            broken = None
        if reason:
            broken = _Broken(record, reason)
        else:
            yield record, None
    if broken:
        yield broken.whole(end), broken.reason


@dataclass(frozen=True, slots=True)
class _Broken:
    """A line from which no record can be read, and the lines that belong to it."""

    first: Line
    reason: str
    rest: list[bytes] = field(default_factory=list)

    def whole(self, end: bytes) -> Line:
        """Return all of it, without the blank lines behind it."""
        while self.rest and self.rest[-1] == end:
            self.rest.pop()
        return Line(self.first.number, self.first.start, b"".join([self.first.raw, *self.rest]))


def locate_records(
    path: Path, shape: RecordShape, ordinals: Iterable[int], skip: Collection[int]
) -> dict[int, Line]:
    """Map the ordinals of records (0-based, in file order) to them; see `lines.locate`.

    Raises:
        LookupError: an ordinal lies behind the last record.
    """
    wanted, hidden = set(ordinals), frozenset(skip)
    visible = (record for record, _ in judged_records(path, shape) if record.number not in hidden)
    found = {place: record for place, record in enumerate(visible) if place in wanted}
    if len(found) != len(wanted):
        raise LookupError("a record lies behind the last one of its file")
    return found


def _read(path: Path, shape: RecordShape, end: bytes) -> Iterator[tuple[Line, str | None]]:
    """Yield records, and single lines that are blank or from which none can be read."""
    with open_bytes(path) as raw, io.BufferedReader(cast("io.RawIOBase", raw)) as file:
        header = file.readline()
        lines = _Lines(file, 2, len(header))
        while (first := lines.take()) is not None:
            if first.raw == end:
                yield first, _BLANK
                continue
            taken = [first.raw]
            fields = _Fields(first.raw.removesuffix(end))
            while fields.is_open and fields.n_bytes < MAX_LINE_BYTES:
                more = lines.take()
                if more is None:
                    break
                taken.append(more.raw)
                fields.n_bytes += len(more.raw)
                if more.raw.count(b'"') % 2:  # else the quotes are as open as before
                    fields.split(b"".join(taken).removesuffix(end))
            whole = Line(first.number, first.start, b"".join(taken))
            reason = _fault(whole, fields, shape, end)
            if reason is None or len(taken) == 1:
                yield whole, reason
            else:
                lines.put_back(taken[1:])
                yield first, reason


class _Lines:
    """Physical lines of a file, of which some may be put back."""

    def __init__(self, file: "io.BufferedReader[Any]", number: int, start: int) -> None:
        self._file, self._number, self._start = file, number, start
        self._back: deque[bytes] = deque()

    def take(self) -> Line | None:
        """Return the next line, or None."""
        raw = self._back.popleft() if self._back else self._file.readline()
        if not raw:
            return None
        line = Line(self._number, self._start, raw)
        self._number, self._start = self._number + 1, line.end
        return line

    def put_back(self, lines: list[bytes]) -> None:
        """Give the last lines back, to be taken again."""
        self._back.extendleft(reversed(lines))
        self._number -= len(lines)
        self._start -= sum(map(len, lines))


class _Fields:
    """The fields of a record that may still grow.

    Attributes:
        values: None where a quote or a carriage return is out of place.
        is_open: whether quotes stand open that a later line may close.
        has_quote_astray: whether it is a quote that is out of place.
        n_bytes: how long the record is by now.
    """

    def __init__(self, content: bytes) -> None:
        self.values: list[bytes] | None = None
        self.is_open = self.has_quote_astray = False
        self.n_bytes = 0
        self.split(content)

    def split(self, content: bytes) -> None:
        """Split all that there is of the record."""
        self.values, self.n_bytes = None, len(content)
        self.is_open = self.has_quote_astray = False
        values: list[bytes] = []
        place = 0
        while place <= len(content):
            match = _QUOTED.match(content, place) or _BARE.match(content, place)
            if match is None:
                self.has_quote_astray = _OPENING.match(content, place) is not None
                # of an even number the last one closes, and stands where it cannot
                self.is_open = self.has_quote_astray and content.count(b'"', place) % 2 == 1
                return
            values.append(match[1])
            place = match.end() + 1
        self.values = values


def _fault(record: Line, fields: _Fields, shape: RecordShape, end: bytes) -> str | None:
    """Return why lines are no record, or None."""
    raw = record.raw
    if len(raw) >= MAX_LINE_BYTES:
        return "line_too_long"
    if b"\0" in raw:
        return "nul_byte"
    if fields.has_quote_astray:
        return "unterminated_quote"
    if raw.endswith(b"\n") and raw.endswith(b"\r\n") != (end == b"\r\n"):
        return "wrong_line_end"
    return _fault_of_fields(fields.values, shape)


def _fault_of_fields(values: list[bytes] | None, shape: RecordShape) -> str | None:
    if values is None:
        return "stray_carriage_return"
    if any(values[shape.n_columns :]):
        return "too_many_columns"
    if len(values) < shape.n_columns:
        return "missing_columns"
    return None if all(is_utf8(values[place]) for place in shape.used) else "invalid_encoding"
