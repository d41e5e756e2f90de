"""Physical lines of a text file: counted, judged and located without the reader that loads them.

A record of a source is one physical line (RFC 4180 without line breaks inside quotes), where its
dataset does not say otherwise (records.py). That makes the number of records a property of the
bytes, which any reader can be held against: DuckDB's CSV reader swallows the next line after an
unterminated quote, and gives up on a whole file at a stray carriage return. The first line is the
header, and the way it ends, LF or CRLF, is how every line
has to end. A line of nothing but that line end is blank, and no record.

All functions stream in chunks of a few MiB; `.gz` files are read through `gzip`, and JSON files as
the lines that `json_values.py` shows.
"""

import gzip
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import regex  # type: ignore[import-untyped]  # its stubs are a package of their own
from numpy.typing import NDArray

from python_stages.ingest.json_values import JsonLines

_CHUNK_BYTES = 4 << 20
_COUNT_BYTES = 256 << 10  # stays in the processor's cache
MAX_LINE_BYTES = 2_000_000  # DuckDB's default max_line_size; longer lines are rejected, not read

# What DuckDB's strict reader takes for a field, found by comparing the two on random lines: one
# space may stand before the quotes and any number behind them, from where a quote goes on quoting;
# a quote that does not open a field is a character like any other. Not by Python's own `re`: in
# 3.11.2, which Debian 12 has, it goes wrong with a group that is repeated possessively.
_FIELD = regex.compile(rb' ?+"((?:[^"]|""|" ++")*+)" *+(?=,|\Z)|((?! ?")[^,]*+)')


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line: 1-based number (the header is 1), offset of its first byte, its bytes."""

    number: int
    start: int
    raw: bytes

    @property
    def end(self) -> int:
        """Offset behind the last byte of the line, its line end included."""
        return self.start + len(self.raw)

    @property
    def content(self) -> bytes:
        """The bytes without the line end."""
        return self.raw.removesuffix(b"\n").removesuffix(b"\r")


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many records a file holds, and whether all of its line ends are alike.

    `is_plain` is false where a carriage return is no part of such a line end, or where there is a
    NUL byte: CSV readers disagree about both, so such lines have to be found and rejected.
    """

    n_records: int
    is_plain: bool


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading bytes, decompressing `.gz` and showing JSON as lines on the way."""
    is_json = path.name.endswith((".json", ".json.gz"))
    return cast("BinaryIO", JsonLines(_open(path), path.name)) if is_json else _open(path)


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb", buffering=0)


def count_lines(path: Path) -> LineCount:
    """Count the records: the lines after the header that are not blank."""
    n_lines = n_blank = n_returns = n_pairs = 0
    has_nul = False
    is_crlf = line_end(path) == b"\r\n"
    tail = b"\n\n"  # a line ends in front of the first one, too
    with open_bytes(path) as file:
        while chunk := file.read(_COUNT_BYTES):
            data = np.frombuffer(tail + chunk, np.uint8)
            is_end = data == ord("\n")
            n_lines += int(np.count_nonzero(is_end[2:]))
            if b"\r" in chunk or tail.endswith(b"\r"):
                is_return = data == ord("\r")
                is_pair = is_return[1:-1] & is_end[2:]
                n_returns += int(np.count_nonzero(is_return[2:]))
                n_pairs += int(np.count_nonzero(is_pair))
                n_blank += int(np.count_nonzero(is_pair & is_end[:-2])) if is_crlf else 0
            if not is_crlf:
                n_blank += int(np.count_nonzero(is_end[1:-1] & is_end[2:]))
            has_nul = has_nul or b"\0" in chunk
            tail = data[-2:].tobytes()
    n_rest = int(not tail.endswith(b"\n"))  # a last line without a line end
    ends_alike = n_returns == n_pairs == (n_lines if is_crlf else 0)
    return LineCount(max(n_lines - n_blank + n_rest - 1, 0), ends_alike and not has_nul)


def broken_lines(
    path: Path, n_columns: int, used: Collection[int] | None = None
) -> Iterator[tuple[Line, str]]:
    """Yield the lines after the header that are no record of `n_columns` fields, with the reason.

    Empty fields too many at the end of a line are tolerated, as DuckDB does.

    Args:
        path: the file.
        n_columns: how many columns its header has.
        used: positions of the columns that must be UTF-8 (default: all); DuckDB does not look into
            the others.

    Returns:
        Lines in file order, each with one of the reasons line_too_long, nul_byte, wrong_line_end,
        stray_carriage_return, unterminated_quote, too_many_columns, missing_columns and
        invalid_encoding.
    """
    end = line_end(path)
    judge = _Judge(end, n_columns, frozenset(range(n_columns) if used is None else used))
    for block in _blocks(path):
        for index in judge.doubtful(block).tolist():
            line = block.line(index)
            reason = judge.fault(line.raw) if line.number > 1 and line.raw != end else None
            if reason:
                yield line, reason


def locate(path: Path, ordinals: Iterable[int], skip: Iterable[int]) -> dict[int, Line]:
    """Map the ordinals of records (0-based, in file order) to their lines.

    Args:
        path: the file that was read.
        ordinals: which records are wanted.
        skip: numbers of the lines that were hidden when the ordinals were given out.

    Raises:
        LookupError: an ordinal lies behind the last record.
    """
    wanted = np.unique(np.fromiter(ordinals, np.int64))
    skipped = np.unique(np.fromiter(skip, np.int64))
    end = line_end(path)
    found: dict[int, Line] = {}
    n_records = 0
    for block in _blocks(path):
        numbers = block.number + np.arange(len(block.ends))
        is_record = ~block.are_blank(end) & (numbers > 1) & ~np.isin(numbers, skipped)
        positions = np.flatnonzero(is_record)
        low, high = np.searchsorted(wanted, [n_records, n_records + len(positions)])
        for ordinal in wanted[low:high].tolist():
            found[ordinal] = block.line(int(positions[ordinal - n_records]))
        n_records += len(positions)
    if len(found) != len(wanted):
        raise LookupError("a record lies behind the last line of its file")
    return found


def line_end(path: Path) -> bytes:
    """Return the line end of the header: CRLF or LF."""
    with open_bytes(path) as file:
        header = b""
        while b"\n" not in header and (chunk := file.read(_COUNT_BYTES)):
            header += chunk
    return b"\r\n" if header.partition(b"\n")[0].endswith(b"\r") else b"\n"


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines in a row: number and offset of the first, and where in `data` each one ends."""

    number: int
    start: int
    data: bytes
    ends: NDArray[np.int64]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where in `data` each line starts."""
        return np.concatenate(([0], self.ends[:-1]))

    def line(self, index: int) -> Line:
        start = int(self.ends[index - 1]) if index else 0
        return Line(self.number + index, self.start + start, self.data[start : self.ends[index]])

    def are_blank(self, end: bytes) -> NDArray[np.bool_]:
        """Whether each line is nothing but the line end."""
        data = np.frombuffer(self.data, np.uint8)
        starts = self.starts
        is_blank: NDArray[np.bool_] = self.ends - starts == len(end)
        is_blank &= (data[starts] == end[0]) & (data[self.ends - 1] == end[-1])
        return is_blank


def _blocks(path: Path) -> Iterator[_Block]:
    number, start, rest = 1, 0, b""
    with open_bytes(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            data, line_feed, rest_of_chunk = chunk.rpartition(b"\n")
            if not line_feed:
                rest += chunk
                continue
            data, rest = rest + data + b"\n", rest_of_chunk
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
            yield _Block(number, start, data, ends)
            number, start = number + len(ends), start + len(data)
    if rest:
        yield _Block(number, start, rest, np.array([len(rest)]))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Tells records of a file from what is none, as DuckDB's strict CSV reader does.

    Args:
        end: how every line has to end; the last one may do without.
        n_columns: how many fields a record has.
        used: positions of the fields that must be UTF-8.
    """

    end: bytes
    n_columns: int
    used: frozenset[int]

    def doubtful(self, block: _Block) -> NDArray[np.int64]:
        """Return the indices of the lines that may have a fault; all others are records.

        A line is without doubt if it ends as it has to, every quote of it opens or closes a field
        or is one of a pair, and as many commas as there ought to be lie outside of quotes.
        """
        data = np.frombuffer(b"\n" + block.data + b"\n", np.uint8)  # every byte has neighbours
        starts, ends = block.starts + 1, block.ends + 1
        is_quote = data == ord('"')
        parity = np.cumsum(is_quote, dtype=np.uint8) & 1  # 1 inside of quotes, if none is astray
        parity_before = parity[starts - 1]
        is_doubtful = parity[ends - 1] != parity_before
        is_doubtful |= ends - starts >= MAX_LINE_BYTES

        commas = np.flatnonzero(data == ord(","))
        line_of_comma = np.searchsorted(ends, commas, "right")
        is_outside = parity[commas] == parity_before[line_of_comma]
        n_outside = np.bincount(line_of_comma[is_outside], minlength=len(ends))
        is_doubtful |= n_outside != self.n_columns - 1

        quotes = np.flatnonzero(is_quote)
        line_of_quote = np.searchsorted(ends, quotes, "right")
        opens = parity[quotes] != parity_before[line_of_quote]
        neighbours = np.where(opens, data[quotes - 1], data[quotes + 1])
        is_astray = ~np.isin(neighbours, np.frombuffer(b',"\r\n', np.uint8))
        is_doubtful[line_of_quote[is_astray]] = True

        is_odd = data == 0
        if self.end == b"\r\n":
            is_doubtful |= data[ends - 2] != ord("\r")
            is_odd[:-1] |= (data[:-1] == ord("\r")) & (data[1:] != ord("\n"))
        else:
            is_odd |= data == ord("\r")
        if not is_utf8(block.data):
            is_odd |= data > 127  # noqa: PLR2004 - the last byte of ASCII
        is_doubtful[np.searchsorted(ends, np.flatnonzero(is_odd), "right")] = True
        return np.flatnonzero(is_doubtful)

    def fault(self, raw: bytes) -> str | None:
        """Return why a line that is not blank is no record, or None if it is one."""
        content = raw.removesuffix(self.end)
        if len(content) >= MAX_LINE_BYTES:
            return "line_too_long"
        if b"\0" in content:
            return "nul_byte"
        if raw.endswith(b"\n") and raw.endswith(b"\r\n") != (self.end == b"\r\n"):
            return "wrong_line_end"
        if b"\r" in content:
            return "stray_carriage_return"
        return self._fault_of_fields(_fields(content))

    def _fault_of_fields(self, fields: list[bytes] | None) -> str | None:
        if fields is None:
            return "unterminated_quote"
        if any(fields[self.n_columns :]):
            return "too_many_columns"
        if len(fields) < self.n_columns:
            return "missing_columns"
        return None if all(is_utf8(fields[place]) for place in self.used) else "invalid_encoding"


def _fields(content: bytes) -> list[bytes] | None:
    """Split a line into its fields, or return None if a quote is out of place."""
    fields, place = [], 0
    while True:
        match = _FIELD.match(content, place)
        if match is None:
            return None
        fields.append(match[1] if match[2] is None else match[2])
        place = match.end() + 1
        if place > len(content):
            return fields


def is_utf8(field: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    try:
        field.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
