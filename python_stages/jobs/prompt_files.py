"""Files of prompts: text, JSON lines, CSV and Parquet, read as they are asked for.

None stands in the place of a prompt that cannot be read, so that none is lost. An error quotes
nothing of the file.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from python_stages.errors import SourceError
from python_stages.jobs.predict import Messages

FORMATS: Final = ("auto", "lines", "jsonl", "csv", "parquet")
TABLES: Final = frozenset({"csv", "parquet"})
_ENDINGS: Final = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_BATCH_ROWS: Final = 1_024


def form_of(file: str, form: str) -> str | None:
    """Return the format of a file: the one that is named, else that of its ending, else auto.

    Auto takes a line of JSON with messages as such, and every other line as one prompt.
    None is returned where there is no such format.
    """
    if form not in FORMATS:
        return None
    ending = "" if file == "-" else Path(file).suffix.lower()
    return _ENDINGS.get(ending, form) if form == "auto" else form


def read(file: str, form: str, column: str | None) -> Iterator[Messages | None]:
    """Return the prompts of a file.

    Args:
        file: path of the file, or - for stdin.
        form: what `form_of` returned.
        column: column of a table that holds the prompts.

    Raises:
        SourceError: the file cannot be read; some prompts may have been.
    """
    return _of_lines(file, form) if column is None else _of_table(file, form, column)


def of_text(text: str) -> Iterator[Messages | None]:
    """Yield a text as the only prompt."""
    yield _from_text(text)


def _of_lines(file: str, form: str) -> Iterator[Messages | None]:
    """Yield the prompts of a text file."""
    with _opened(file) as source:
        for raw in source:
            try:
                line = raw.decode().strip("\r\n\ufeff")
            except UnicodeDecodeError:
                yield None
                continue
            if not line.strip():
                continue
            messages = None if form == "lines" else _from_json(line)
            yield messages if messages or form == "jsonl" else _from_text(line)


def _of_table(file: str, form: str, column: str) -> Iterator[Messages | None]:
    """Yield the prompts of a column, one per row."""
    import pyarrow as pa  # noqa: PLC0415 - help need not load it

    try:
        with _opened(file) as source:
            for batch in _batches(source, form, column):
                for cell in batch.column(column).to_pylist():
                    yield _from_text(cell)
    except (pa.ArrowException, KeyError):
        raise SourceError(
            f"the file cannot be read as {form} with this column of text: check --format and "
            "--column"
        ) from None


def _batches(source: BinaryIO, form: str, column: str) -> "Iterable[Any]":
    """Return the batches of a table, with one column."""
    import pyarrow as pa  # noqa: PLC0415 - help need not load it
    from pyarrow import csv, parquet  # noqa: PLC0415 - the same

    if form == "parquet":
        return parquet.ParquetFile(source).iter_batches(_BATCH_ROWS, columns=[column])
    return csv.open_csv(
        source,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=[column], column_types={column: pa.string()}, strings_can_be_null=False
        ),
    )


def _from_text(text: object) -> Messages | None:
    """Return a text as a conversation of one message."""
    if not isinstance(text, str) or not text.strip():
        return None
    return [{"role": "user", "content": text}]


def _from_json(line: str) -> Messages | None:
    """Return the messages of a JSON line, or None where it has none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    messages = found.get("messages") if isinstance(found, Mapping) else None
    if not isinstance(messages, list) or not messages:
        return None
    is_whole = all(
        isinstance(one, Mapping) and isinstance(one.get("role"), str) for one in messages
    )
    return messages if is_whole else None


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = Path(file).open("rb")  # noqa: SIM115 - closed below, outside of what is caught
    except OSError as error:
        raise SourceError(f"cannot read the prompts: {error.strerror}") from None
    with opened:
        yield opened
