"""Physical lines of a text file: counted, judged and located without the CSV reader that loads them.

A record of a source is one physical line (RFC 4180 without line breaks inside quotes). That makes
the number of records a property of the bytes, which any reader can be held against: DuckDB's CSV
reader swallows the next line after an unterminated quote, and gives up on a whole file at a stray
carriage return. The first line is the header, and the way it ends, LF or CRLF, is how every line
has to end. A line of nothing but that line end is blank, and no record.

All functions stream in chunks of a few MiB; `.gz` files are read through `gzip`.
"""

import csv
import gzip
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

_CHUNK_BYTES = 4 << 20
_COUNT_BYTES = 256 << 10  # stays in the processor's cache
MAX_LINE_BYTES = 2_000_000  # DuckDB's default max_line_size; longer lines are rejected, not read

# What DuckDB's reader takes for a field: spaces may stand around the quotes, and a quote that does
# not open a field is a character like any other.
_FIELD = re.compile(rb' *+"((?:[^"]|"")*+)" *+(?=,|\Z)|((?! *+")[^,]*+)')


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line: 1-based number (the header is 1), offset of its first byte, all its bytes."""

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
    """Open a file for reading bytes, decompressing `.gz` on the way."""
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb", buffering=0)


def count_lines(path: Path) -> LineCount:
    """Count the records: the lines after the header that are not blank."""
    n_lines = n_blank = n_returns = n_pairs = 0
    has_nul = False
    is_crlf = _line_end(path) == b"\r\n"
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
    end = _line_end(path)
    judge = _Judge(end, n_columns, frozenset(range(n_columns) if used is None else used))
    for first_number, first_offset, lines in _split(path):
        if judge.are_all_good(lines):
            continue
        offset = first_offset
        for number, raw in enumerate(lines, first_number):
            if number > 1 and raw != end:
                reason = judge.fault(raw)
                if reason:
                    yield Line(number, offset, raw), reason
            offset += len(raw)


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
    end = _line_end(path)
    found: dict[int, Line] = {}
    n_records = 0
    for first_number, first_offset, lines in _split(path):
        numbers = np.arange(first_number, first_number + len(lines))
        starts = first_offset + np.concatenate(([0], np.cumsum([len(line) for line in lines])))
        is_record = np.fromiter((line != end for line in lines), bool, len(lines))
        is_record &= (numbers > 1) & ~np.isin(numbers, skipped)
        positions = np.flatnonzero(is_record)
        low, high = np.searchsorted(wanted, [n_records, n_records + len(positions)])
        for ordinal in wanted[low:high].tolist():
            position = int(positions[ordinal - n_records])
            found[ordinal] = Line(int(numbers[position]), int(starts[position]), lines[position])
        n_records += len(positions)
    if len(found) != len(wanted):
        raise LookupError("a record lies behind the last line of its file")
    return found


def _line_end(path: Path) -> bytes:
    """Return how the header ends: b"\\r\\n" or b"\\n"."""
    with open_bytes(path) as file:
        header = b""
        while b"\n" not in header and (chunk := file.read(_COUNT_BYTES)):
            header += chunk
    return b"\r\n" if header.partition(b"\n")[0].endswith(b"\r") else b"\n"


def _split(path: Path) -> Iterator[tuple[int, int, list[bytes]]]:
    """Yield (number of the first line, its offset, whole lines with their line ends)."""
    number, offset, rest = 1, 0, b""
    with open_bytes(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            lines = [line + b"\n" for line in lines]
            yield number, offset, lines
            number += len(lines)
            offset += sum(map(len, lines))
    if rest:
        yield number, offset, [rest]


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

    def are_all_good(self, lines: list[bytes]) -> bool:
        """Whether every line is a record; a cheap check over many lines, false when in doubt."""
        block = b"".join(lines)
        n_returns = len(lines) if self.end == b"\r\n" else 0
        # the standard library takes a quote behind a space for a character, DuckDB for a quote
        if b"\0" in block or b' "' in block or block.count(b"\r") != n_returns:
            return False
        if not all(line.endswith(self.end) for line in lines):
            return False
        try:
            text = block.decode("utf-8")
            rows = list(csv.reader(text.split("\n")[:-1], strict=True))
        except (UnicodeDecodeError, csv.Error):
            return False
        if max(map(len, lines), default=0) > MAX_LINE_BYTES:
            return False
        # a quoted line break joins two lines, so equal numbers mean that every line stands alone
        return len(rows) == len(lines) and all(len(row) == self.n_columns for row in rows)

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
        fields = _fields(content)
        if fields is None:
            return "unterminated_quote"
        if any(fields[self.n_columns :]):
            return "too_many_columns"
        if len(fields) < self.n_columns:
            return "missing_columns"
        return None if all(_is_utf8(fields[place]) for place in self.used) else "invalid_encoding"


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


def _is_utf8(field: bytes) -> bool:
    try:
        field.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
