"""Text, CSV and Parquet, in chunks and back.

Bytes that are not UTF-8 become lone surrogates (PEP 383): what is kept is written as it was, and
what is to be scrubbed is unreadable: a cell, or of text, a line.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from python_stages.errors import SourceError
from python_stages.scrub.files.chunks import SURROGATE, Chunk, Texts

TEXT_COLUMN: Final = "text"

_BLOCK: Final = 200_000  # characters
_ROWS: Final = 2_000
_DELIMITERS: Final = ",;\t|"
_LONGEST_CELL: Final = 1 << 30  # characters; the csv module's own limit is 131,072


class Text:
    """Text in blocks that end with a line, after an empty one if there is any.

    Args:
        by_line: every line is a text of its own, written before the next is read.
    """

    def __init__(self, *, by_line: bool) -> None:
        self._by_line = by_line

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield a block, or a line, at a time."""
        lines = _decoded(source)
        for block in lines if self._by_line else _blocks(lines):
            text = block.rstrip("\r\n")
            yield Chunk({TEXT_COLUMN: [text]}, 1, rest=block[len(text) :])

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write the block."""
        texts = [f"{text}{chunk.rest}" for text in columns.get(TEXT_COLUMN, [])]
        sink.write("".join(texts).encode("utf-8", errors="surrogateescape"))
        if self._by_line:
            sink.flush()

    def finish(self, sink: BinaryIO) -> None:
        """Write nothing more."""


class Csv:
    """Comma-separated values (RFC 4180), or separated by what the first line holds most of.

    Args:
        has_header: the first row holds the names; otherwise they are column0, column1, …
    """

    def __init__(self, *, has_header: bool) -> None:
        self._has_header = has_header
        self._is_begun = False

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield some thousand rows at a time."""
        csv.field_size_limit(_LONGEST_CELL)
        lines = _decoded(source)
        first = next(lines, "")
        self._mark = "\ufeff" if first.startswith("\ufeff") else ""
        self._newline = "\r\n" if first.endswith("\r\n") else "\n"
        self._delimiter = max(_DELIMITERS, key=first.count)
        every = chain([first.removeprefix(self._mark)], lines)
        yield from self._chunks(csv.reader(every, delimiter=self._delimiter, strict=True))

    def _chunks(self, rows: Iterator[list[str]]) -> Iterator[Chunk]:
        numbered = _numbered(rows)
        blank: list[tuple[int, list[str]]] = []
        head: list[str] = []
        for number, row in numbered:
            if row:
                head = row
                break
            blank.append((number, row))
        names = head if self._has_header else [f"column{i}" for i in range(len(head))]
        if repeated := [number for number in Counter(names).values() if number > 1]:
            raise SourceError(
                f"the header names {len(repeated)} column(s) more than once: "
                "make the names differ, or say --no-header where there is none"
            )
        if not self._has_header and head:
            numbered = chain(blank, [(len(blank) + 1, head)], numbered)
        yield _columns(names, list(islice(numbered, _ROWS)))
        while some := list(islice(numbered, _ROWS)):
            yield _columns(names, some)

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write the rows, and before the first of them the header."""
        kept = [name for name in chunk.columns if name in columns]
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self._delimiter, lineterminator=self._newline)
        if not self._is_begun:
            text.write(self._mark)
            if self._has_header and kept:
                writer.writerow(kept)
        self._is_begun = True
        if kept:
            blanks = Counter(chunk.rest)
            rows = zip(*(columns[name] for name in kept), strict=True)
            for number, row in enumerate(chain(rows, [None])):
                text.write(self._newline * blanks[number])
                if row is not None:
                    writer.writerow(row)
        sink.write(text.getvalue().encode("utf-8", errors="surrogateescape"))

    def finish(self, sink: BinaryIO) -> None:
        """Write nothing more."""


class Parquet:
    """Parquet: text columns are read, other columns that cannot hold text pass as they are."""

    def __init__(self) -> None:
        self._writer: pq.ParquetWriter | None = None

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield some thousand rows at a time; a pipe is read whole first, as the format needs."""
        seekable = source if source.seekable() else io.BytesIO(source.read())
        try:
            file = pq.ParquetFile(seekable)
        except pa.ArrowInvalid:
            raise SourceError("this is no parquet file: name the format with --format") from None
        yield self._chunk(_empty(file.schema_arrow))
        for batch in file.iter_batches(batch_size=_ROWS):
            yield self._chunk(batch)

    @staticmethod
    def _chunk(batch: pa.RecordBatch) -> Chunk:
        texts = {
            field.name: batch.column(field.name).to_pylist()
            for field in batch.schema
            if _is_text(field.type)
        }
        unread = {
            field.name: str(field.type)
            for field in batch.schema
            if not _is_text(field.type) and not _is_no_text(field.type)
        }
        return Chunk(texts, batch.num_rows, rest=batch, unread=unread, names=batch.schema.names)

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write the rows with the schema of the file."""
        batch: pa.RecordBatch = chunk.rest
        gone = {*chunk.columns, *chunk.unread} - set(columns)
        schema = pa.schema([field for field in batch.schema if field.name not in gone])
        schema = schema.with_metadata(batch.schema.metadata)
        arrays = [
            pa.array(columns[field.name], type=field.type)
            if field.name in chunk.columns
            else batch.column(field.name)
            for field in schema
        ]
        if self._writer is None:
            self._writer = pq.ParquetWriter(sink, schema)
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))

    def finish(self, sink: BinaryIO) -> None:
        """Write the footer."""
        del sink
        if self._writer is not None:
            self._writer.close()


def _decoded(source: BinaryIO) -> Iterator[str]:
    return (line.decode("utf-8", errors="surrogateescape") for line in source)


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Join lines into blocks: cut after an empty line, or after any once a block is very long.

    A line that is not UTF-8 is a block of its own, as it takes its block with it.
    """
    block: list[str] = []
    n_characters = 0
    for line in lines:
        is_broken = not line.isascii() and SURROGATE.search(line) is not None
        if block and (is_broken or n_characters >= 2 * _BLOCK):
            yield "".join(block)
            block, n_characters = [], 0
        block.append(line)
        n_characters += len(line)
        if is_broken or (n_characters >= _BLOCK and not line.strip()):
            yield "".join(block)
            block, n_characters = [], 0
    if block:
        yield "".join(block)


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with their number; an error names that, and no value."""
    number = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            raise SourceError(f"row {number + 1} is not csv: look at its quotes") from None
        number += 1
        yield number, row


def _columns(names: list[str], rows: Iterable[tuple[int, list[str]]]) -> Chunk:
    """Return rows as columns, with the places of blank lines, which are an empty cell of one."""
    cells: list[list[str]] = []
    blanks: list[int] = []
    for number, row in rows:
        if not row and len(names) == 1:
            cells.append([""])
        elif not row:
            blanks.append(len(cells))
        elif len(row) != len(names):
            raise SourceError(
                f"row {number} has {len(row)} cells where the first has {len(names)}: "
                "look at its separators and quotes"
            )
        else:
            cells.append(row)
    columns = {name: [row[i] for row in cells] for i, name in enumerate(names)}
    return Chunk(columns, len(cells), rest=blanks)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], type=f.type) for f in schema], schema=schema)


def _is_text(data_type: pa.DataType) -> bool:
    if isinstance(data_type, pa.DictionaryType):
        data_type = data_type.value_type
    return pa.types.is_string(data_type) or pa.types.is_large_string(data_type)


def _is_no_text(data_type: pa.DataType) -> bool:
    """Return whether a column of the type cannot hold text."""
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_temporal,
        pa.types.is_null,
    )
    return any(test(data_type) for test in tests)
