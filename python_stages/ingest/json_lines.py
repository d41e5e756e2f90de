"""JSON lines: every line that is not blank is a record, a JSON object whose names are columns.

There is no header. A nested value, such as the messages of a chat, is its JSON text. A line that is
no JSON has no columns, so that the first one that a record needs is missing from it.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from python_stages.ingest.lines import MAX_LINE_BYTES, Line, LineCount, is_utf8, open_bytes

_HEAD_LINES = 1_000


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the names that the first lines have, in the order in which they come up."""
    names: dict[str, None] = {}
    for line, _ in zip(_lines(path), range(_HEAD_LINES), strict=False):
        try:
            record = json.loads(line.raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            names |= dict.fromkeys(record)
    return tuple(names)


def count_json_lines(path: Path) -> LineCount:
    """Count the lines that are not blank; plain where none has a carriage return or a NUL byte."""
    n_lines, is_plain = 0, True
    for line in _lines(path):
        n_lines += 1
        is_plain &= b"\r" not in line.raw and b"\0" not in line.raw
    return LineCount(n_lines, is_plain)


def broken_json_lines(path: Path) -> Iterator[tuple[Line, str]]:
    """Yield the lines that no reader can be trusted with, with the reason."""
    for line in _lines(path):
        if len(line.raw) >= MAX_LINE_BYTES:
            yield line, "line_too_long"
        elif b"\0" in line.raw:
            yield line, "nul_byte"
        elif b"\r" in line.raw:
            yield line, "stray_carriage_return"
        elif not is_utf8(line.raw):
            yield line, "invalid_encoding"


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
    with open_bytes(path) as file:
        for number, raw in enumerate(file, 1):
            if raw != b"\n":
                yield Line(number, start, raw)
            start += len(raw)
