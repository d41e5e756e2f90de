"""JSON and JSON lines: the strings of a record by their path, and the record with other strings.

A column is a path without the places in lists: `messages.content`. A whole number is read as text
too, because a card number may stand as one; it becomes a string only where something in it is
replaced. Keys are no text, and stay.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final, TypeAlias

from python_stages.errors import SourceError
from python_stages.scrub.files.chunks import SURROGATE, Chunk, Texts

_RECORDS: Final = 500
_ROOT: Final = "value"  # the column of a record that is a bare string

Leaf: TypeAlias = tuple[str, int]  # column, row of the chunk


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
        sink.writelines(_dumped(record, indent=None) + b"\n" for record in records)

    def finish(self, sink: BinaryIO) -> None:
        """Write nothing more."""


class Json:
    """One JSON value, read whole; the members of a list are its records."""

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield the file as one chunk."""
        content = source.read()
        value = _parsed("the file", content)
        self._is_list = isinstance(value, list)
        self._indent = 2 if b"\n" in content.strip() else None
        yield _chunk(value if self._is_list else [value])

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write the file."""
        records = list(_filled(chunk, columns))
        value = records if self._is_list else records[0]
        sink.write(_dumped(value, indent=self._indent) + b"\n")

    def finish(self, sink: BinaryIO) -> None:
        """Write nothing more."""


class _Dropped:
    """Stands where a column was dropped."""


_DROPPED: Final = _Dropped()


def _parsed(where: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig", errors="surrogateescape"))
    except (ValueError, RecursionError):
        raise SourceError(f"{where} is not json: name the format with --format") from None


def _dumped(value: Any, *, indent: int | None) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if SURROGATE.search(text):  # utf-8 has no bytes for a lone one; an escape does
        text = json.dumps(value, ensure_ascii=True, indent=indent)
    return text.encode()


def _chunk(records: Sequence[Any]) -> Chunk:
    """Return records as rows: a record with a list of texts takes a row for each of them."""
    columns: dict[str, list[str | None]] = defaultdict(list)
    repeated: dict[str, list[str | None]] = defaultdict(list)
    firsts = []
    n_rows = 0
    for record in records:
        found: dict[str, list[str]] = defaultdict(list)
        for column, text in _leaves("", record):
            found[column].append(text)
        height = max(map(len, found.values()), default=0)
        for column, texts in found.items():
            for table, cells in (
                (columns, texts),
                (repeated, texts * height if len(texts) == 1 else texts),
            ):
                table[column] += [None] * (n_rows - len(table[column]))
                table[column] += cells
        firsts.append(n_rows)
        n_rows += height
    return Chunk(
        _padded(columns, n_rows),
        n_rows,
        rest=(records, firsts),
        repeated=_padded(repeated, n_rows),
        is_open=True,
    )


def _padded(columns: Mapping[str, list[str | None]], n_rows: int) -> dict[str, Texts]:
    return {name: texts + [None] * (n_rows - len(texts)) for name, texts in columns.items()}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the column and the text of every string and whole number, in order."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(path, member)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield path or _ROOT, str(value)


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
            key: _replaced(f"{path}.{key}" if path else key, member, columns, first, n_taken)
            for key, member in value.items()
        }
        return {key: member for key, member in members.items() if member is not _DROPPED}
    if isinstance(value, list):
        items = [_replaced(path, member, columns, first, n_taken) for member in value]
        return [item for item in items if item is not _DROPPED]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    column = path or _ROOT
    if column not in columns:
        return _DROPPED
    text = columns[column][first + n_taken[column]]
    n_taken[column] += 1
    return value if text == str(value) else text
