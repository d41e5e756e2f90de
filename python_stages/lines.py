"""Physical lines of a text file: counted, judged and located without the CSV reader that loads them.

A record of a source is one physical line (RFC 4180 without line breaks inside quotes). That makes
the number of records a property of the bytes, which any reader can be held against: DuckDB's CSV
reader swallows the next line after an unterminated quote, and gives up on a whole file at a stray
carriage return. Blank lines are no records. The first line is the header.

All functions stream in chunks of a few MiB; `.gz` files are read through `gzip`.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

_CHUNK_BYTES = 4 << 20
_COUNT_BYTES = 256 << 10  # stays in the processor's cache: 4 times as fast as 4 MiB
MAX_LINE_BYTES = 2_000_000  # DuckDB's default max_line_size; longer lines are rejected, not read


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line: 1-based number (the header is 1), offset of its first byte, its content."""

    number: int
    start: int
    content: bytes

    @property
    def end(self) -> int:
        """Offset behind the last byte; the line end is not part of the line."""
        return self.start + len(self.content)


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading bytes, decompressing `.gz` on the way."""
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb", buffering=0)


def count_records(path: Path) -> int:
    """Count the non-blank lines after the header."""
    n_lines = 0
    tail = b"\n\n"  # line ends stand in front of the first line, as before every other
    with open_bytes(path) as file:
        while chunk := file.read(_COUNT_BYTES):
            data = np.frombuffer(tail + chunk, np.uint8)
            is_end = data == ord("\n")
            n_lines += int(np.count_nonzero(is_end[2:]))
            n_lines -= int(np.count_nonzero(is_end[2:] & is_end[1:-1]))
            if b"\r" in chunk or tail.endswith(b"\r"):
                is_blank = is_end[2:] & (data[1:-1] == ord("\r")) & is_end[:-2]
                n_lines -= int(np.count_nonzero(is_blank))
            tail = data[-2:].tobytes()
    if not tail.endswith(b"\n") and tail != b"\n\r":
        n_lines += 1  # the last line has no line end
    return max(n_lines - 1, 0)


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


def broken_lines(path: Path, n_columns: int) -> Iterator[tuple[Line, str]]:
    """Yield the lines after the header that are no record of `n_columns` fields, with the reason.

    Judged with the standard library's strict CSV parser, one line at a time. One empty field too
    many at the end of a line is tolerated, as DuckDB does.

    Reasons: unterminated_quote, too_many_columns, missing_columns, invalid_encoding,
    stray_carriage_return, nul_byte, line_too_long.
    """
    crlf = False
    for first_number, first_offset, lines in _split(path):
        if first_number == 1:
            crlf = lines[0].endswith(b"\r\n")
        if _all_well_formed(lines, n_columns, crlf=crlf):
            continue
        offset = first_offset
        for number, line in enumerate(lines, first_number):
            content = line.removesuffix(b"\n")
            if number > 1 and content.removesuffix(b"\r"):
                reason = _judge(content, n_columns, crlf=crlf)
                if reason:
                    yield Line(number, offset, content), reason
            offset += len(line)


def _all_well_formed(lines: list[bytes], n_columns: int, *, crlf: bool) -> bool:
    """Whether every line is a record; a cheap necessary check over many lines at once."""
    block = b"".join(lines)
    if b"\0" in block or block.count(b"\r") != (len(lines) if crlf else 0):
        return False
    try:
        text = block.decode("utf-8").split("\n")
        rows = list(csv.reader(text[:-1] if text[-1] == "" else text, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return False
    # a quoted line break would join two lines, so equal numbers mean that every line stands alone
    return len(rows) == len(lines) and all(len(row) == n_columns for row in rows)


def _judge(content: bytes, n_columns: int, *, crlf: bool) -> str | None:
    if len(content) > MAX_LINE_BYTES:
        return "line_too_long"
    if b"\0" in content:
        return "nul_byte"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "invalid_encoding"
    if ("\r" in text.removesuffix("\r")) or (text.endswith("\r") != crlf):
        return "stray_carriage_return"
    try:
        (fields,) = csv.reader([text.removesuffix("\r")], strict=True)
    except csv.Error:
        return "unterminated_quote"
    if len(fields) == n_columns + 1 and not fields[-1]:
        return None
    if len(fields) > n_columns:
        return "too_many_columns"
    return "missing_columns" if len(fields) < n_columns else None


def locate(path: Path, ordinals: Iterable[int], skip: Iterable[int]) -> dict[int, Line]:
    """Map the ordinals of records (0-based, in file order) to their lines.

    Args:
        path: the file that was read.
        ordinals: which records are wanted.
        skip: numbers of the lines that were masked when the ordinals were given out.

    Raises:
        LookupError: an ordinal lies behind the last record.
    """
    wanted = np.unique(np.fromiter(ordinals, np.int64))
    skipped = np.unique(np.fromiter(skip, np.int64))
    found: dict[int, Line] = {}
    n_records = 0
    for first_number, first_offset, lines in _split(path):
        numbers = np.arange(first_number, first_number + len(lines))
        starts = first_offset + np.concatenate(([0], np.cumsum([len(line) for line in lines])))
        is_record = np.fromiter((line not in (b"\n", b"\r\n") for line in lines), bool, len(lines))
        is_record &= (numbers > 1) & ~np.isin(numbers, skipped)
        positions = np.flatnonzero(is_record)
        low, high = np.searchsorted(wanted, [n_records, n_records + len(positions)])
        for ordinal in wanted[low:high].tolist():
            position = int(positions[ordinal - n_records])
            content = lines[position].removesuffix(b"\n")
            found[ordinal] = Line(int(numbers[position]), int(starts[position]), content)
        n_records += len(positions)
    if len(found) != len(wanted):
        raise LookupError("a record lies behind the last line of its file")
    return found
