"""JSON lines: every line that is not blank is a record, a JSON object whose names are columns.

There is no header. A nested value, such as the messages of a chat, is its JSON text. A line is an
object if DuckDB, who reads its values, takes it for one. A file of another JSON layout has the
lines that `json_values.py` shows.
"""

import io
import json
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import cast

import duckdb

from python_stages.ingest.lines import MAX_LINE_BYTES, Line, LineCount, is_utf8, open_bytes
from python_stages.ingest.scans import IS_OBJECT

_HEAD_LINES = 1_000
_HEAD_BYTES = 8 << 20
_BATCH_LINES = 1_000
_COUNT_BYTES = 1 << 20
_BLANK_LINES = re.compile(rb"\n *(?=\n)")
# bytes that no JSON text holds, over which the reader of its lines stumbles
_ODD = {b"\0": "nul_byte", b"\r": "stray_carriage_return", b"\x1f": "unit_separator"}


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the names that the first lines have, in the order in which they come up."""
    names: dict[str, None] = {}
    for line in takewhile(lambda one: one.start < _HEAD_BYTES, islice(_lines(path), _HEAD_LINES)):
        try:
            record = json.loads(line.raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            names |= dict.fromkeys(record)
    return tuple(names)


def count_json_lines(path: Path) -> LineCount:
    """Count the lines that are not blank; plain where no reader stumbles over a byte of them."""
    n_lines, is_plain, begun = 0, True, b""
    with open_bytes(path) as file:
        while chunk := file.read(_COUNT_BYTES):
            is_plain = is_plain and not any(byte in chunk for byte in _ODD)
            data = b"\n" + begun + chunk
            n_lines += chunk.count(b"\n") - len(_BLANK_LINES.findall(data))
            # all that matters of a line that has begun is whether it is blank so far
            begun = b"x" if data.rpartition(b"\n")[2].strip(b" ") else b""
    return LineCount(n_lines + bool(begun), is_plain)


def broken_json_lines(path: Path) -> Iterator[tuple[Line, str]]:
    """Yield the lines that are no JSON object, with the reason, in order."""
    lines = _lines(path)
    with duckdb.connect(config={"threads": 1}) as con:
        while batch := list(islice(lines, _BATCH_LINES)):
            judged = [(line, _fault(line.raw)) for line in batch]
            texts = [None if fault else line.raw.decode() for line, fault in judged]
            answers = con.execute(
                f"select {IS_OBJECT} from (select unnest($1::varchar[]) as line)", [texts]
            ).fetchall()
            for (line, fault), (is_object,) in zip(judged, answers, strict=True):
                if not is_object:
                    yield line, fault or "no_json_object"


def _fault(raw: bytes) -> str | None:
    """Return why no reader can be trusted with a line, or None."""
    if len(raw) >= MAX_LINE_BYTES:
        return "line_too_long"
    reason = next((reason for byte, reason in _ODD.items() if byte in raw), None)
    return reason or (None if is_utf8(raw) else "invalid_encoding")


def locate_json_lines(
    path: Path, ordinals: Iterable[int], skip: Collection[int]
) -> dict[int, Line]:
    """Map the ordinals of records (0-based, in file order) to their lines; see `lines.locate`.

    Raises:
        LookupError: an ordinal lies behind the last record.
    """
    wanted, hidden = set(ordinals), frozenset(skip)
    visible = (line for line in _lines(path) if line.number not in hidden)
    found = {place: line for place, line in enumerate(visible) if place in wanted}
    if len(found) != len(wanted):
        raise LookupError("a record lies behind the last line of its file")
    return found


def _lines(path: Path) -> Iterator[Line]:
    """Yield the lines that are not blank."""
    start = 0
    with open_bytes(path) as bare, io.BufferedReader(cast("io.RawIOBase", bare), 1 << 20) as file:
        for number, raw in enumerate(file, 1):
            if raw.strip(b" \n"):
                yield Line(number, start, raw)
            start += len(raw)
