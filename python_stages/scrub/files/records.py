"""JSON and JSON lines: the strings of a record by their path, and the record with other strings.

A column is a path without the places in lists: `messages.content`. A number is read as text too,
because a card number may stand as one; it becomes a string only where something in it is replaced,
and is written as it stood otherwise. Keys are no text, and stay.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, Final

from python_stages.errors import SourceError
from python_stages.scrub.files.chunks import SURROGATE, Chunk, Texts

_RECORDS: Final = 500
_ROOT: Final = "value"  # the column of a record that is a bare string
_MOST_DIGITS: Final = 40  # of a number with an exponent that is written out
_NOTHING_AFTER: Final = re.compile(r"\.0+\Z")


class JsonLines:
    """A record per line; empty lines are left out."""

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield some hundred records at a time."""
        records = (
            _parsed(f"line {number}", line)
            for number, line in enumerate(source, start=1)
            if line.strip()
        )
        yield _chunk(list(islice(records, _RECORDS)))
        while more := list(islice(records, _RECORDS)):
            yield _chunk(more)

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write a line per record."""
        records = _filled(chunk, columns)
        sink.writelines(f"{_dumped(record)}\n".encode() for record in records)

    def finish(self, sink: BinaryIO) -> None:
        """Write nothing more."""


class Json:
    """One JSON value, read whole; the members of a list are its records."""

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield the file as one chunk."""
        content = source.read()
        value = _parsed("the file", content)
        self._is_list = isinstance(value, list)
        self._newline = "\n" if b"\n" in content.strip() else ""
        yield _chunk(value if self._is_list else [value])

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write the file."""
        records = list(_filled(chunk, columns))
        value = records if self._is_list else records[0]
        sink.write(f"{_dumped(value, self._newline)}\n".encode())

    def finish(self, sink: BinaryIO) -> None:
        """Write nothing more."""


class _Dropped:
    """Stands where a column was dropped."""


_DROPPED: Final = _Dropped()


class _Decimal(str):
    """A number with a point or an exponent, as it stands in the file."""

    __slots__ = ()


def _parsed(where: str, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig", errors="surrogateescape")
        return json.loads(text, parse_float=_Decimal)
    except (ValueError, RecursionError):
        raise SourceError(f"{where} is not json: name the format with --format") from None


def _dumped(value: Any, newline: str = "") -> str:
    """Return JSON, on one line unless lines are to begin with a newline and some blanks."""
    if isinstance(value, _Decimal):
        return str(value)
    inner = f"{newline}  " if newline else ""
    if isinstance(value, dict):
        members = [f"{_dumped(key)}: {_dumped(item, inner)}" for key, item in value.items()]
        brackets = "{}"
    elif isinstance(value, list):
        members, brackets = [_dumped(item, inner) for item in value], "[]"
    else:  # utf-8 has no bytes for a lone surrogate; an escape does
        is_broken = isinstance(value, str) and SURROGATE.search(value) is not None
        return json.dumps(value, ensure_ascii=is_broken)
    joined = ("," + (inner or " ")).join(members)
    return brackets[0] + (f"{inner}{joined}{newline}" if members else "") + brackets[1]


def _chunk(records: Sequence[Any]) -> Chunk:
    """Return records as rows: a record with a list of texts takes a row for each of them."""
    columns: dict[str, list[str | None]] = defaultdict(list)
    names: set[str] = set()
    firsts: list[int] = []
    rows: list[int] = []
    for number, record in enumerate(records):
        found: dict[str, list[str]] = defaultdict(list)
        for column, text in _leaves("", record):
            found[column].append(text)
        for column, texts in found.items():
            columns[column] += [None] * (len(rows) - len(columns[column]))
            columns[column] += texts
        names.update(_keys("", record))
        firsts.append(len(rows))
        rows += [number] * max(map(len, found.values()), default=0)
    return Chunk(
        _padded(columns, len(rows)),
        len(rows),
        rest=(records, firsts),
        names=names,
        records=rows,
        is_open=True,
    )


def _padded(columns: Mapping[str, list[str | None]], n_rows: int) -> dict[str, Texts]:
    return {name: texts + [None] * (n_rows - len(texts)) for name, texts in columns.items()}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the column and the text of every string and number, in order."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(_joined(path, key), member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(path, member)
    elif _is_read(value):
        yield path or _ROOT, _text(value)


def _keys(path: str, value: Any) -> Iterator[str]:
    """Yield every key, by itself and as a path, whatever stands under it."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield _joined(path, key)
            yield from _keys(_joined(path, key), member)
    elif isinstance(value, list):
        for member in value:
            yield from _keys(path, member)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_read(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """Return a value as text, a whole number by its digits: 4.1e3 and 4100.0 are 4100."""
    text = str(value)
    if not isinstance(value, _Decimal):
        return text
    number = Decimal(text)
    if "e" in text.lower() and abs(number.adjusted()) <= _MOST_DIGITS:
        text = f"{number:f}"
    return _NOTHING_AFTER.sub("", text)


def _filled(chunk: Chunk, columns: Mapping[str, Texts]) -> Iterator[Any]:
    """Yield the records of a chunk with the texts of other columns."""
    records, firsts = chunk.rest
    for record, first in zip(records, firsts, strict=True):
        n_taken: dict[str, int] = defaultdict(int)
        yield _replaced("", record, columns, first, n_taken)


def _replaced(
    path: str,
    value: Any,
    columns: Mapping[str, Texts],
    first: int,
    n_taken: dict[str, int],
) -> Any:
    """Return a value with its strings replaced, in the order in which `_leaves` found them."""
    if isinstance(value, dict):
        members = {
            key: _replaced(_joined(path, key), member, columns, first, n_taken)
            for key, member in value.items()
        }
        return {key: member for key, member in members.items() if member is not _DROPPED}
    if isinstance(value, list):
        items = [_replaced(path, member, columns, first, n_taken) for member in value]
        return [item for item in items if item is not _DROPPED]
    if not _is_read(value):
        return value
    column = path or _ROOT
    if column not in columns:
        return _DROPPED
    text = columns[column][first + n_taken[column]]
    n_taken[column] += 1
    return value if text == _text(value) else text
