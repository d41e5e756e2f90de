"""Files of corrections: CSV with a header, or JSON lines; one record per correction.

    example_id   which example, as `sealtune predict --review` and `*_examples` name it
    label        the right label, or empty
    answer       the right answer, or empty
    who          who says so
    when         when, ISO 8601; without an offset it is UTC

A record without label and answer was looked at by nobody yet. Other columns are ignored: CONTEXT is
what `sealtune predict --review` writes beside these for people to read. What cannot be read is a
record with a fault, so that every record counts.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from python_stages.errors import SourceError

COLUMNS: Final = ("example_id", "label", "answer", "who", "when")
CONTEXT: Final = ("question", "current_answer", "model_answer", "uncertainty")
_EXAMPLE_ID: Final = re.compile(r"[0-9a-f]{32}")
_LONGEST_CELL: Final = 1 << 24  # characters; the csv module's own limit is shorter than a text


@dataclass(frozen=True, slots=True)
class Record:
    """One correction as it was written.

    Attributes:
        file: name of its file.
        line: line that it begins in, from 1.
        example_id: None where it names none.
        label, answer: what is right, None where nothing is said.
        who: who says so; empty only where there is a fault, or it is blank.
        at: when, UTC; None as `who`.
        fault: why it cannot be used, or None.
    """

    file: str
    line: int
    example_id: str | None = None
    label: str | None = None
    answer: str | None = None
    who: str = ""
    at: datetime | None = None
    fault: str | None = None

    @property
    def is_blank(self) -> bool:
        """Whether it corrects nothing."""
        return self.fault is None and self.label is None and self.answer is None


def read_folder(folder: Path) -> list[Record]:
    """Return the records of every `*.csv` and `*.jsonl` file of a folder, by name and line.

    Args:
        folder: where they lie; none where it does not exist, which is no error.

    Raises:
        SourceError: a file cannot be read, has no such columns, or is of another kind.
    """
    records: list[Record] = []
    for path in sorted(path for path in folder.glob("*") if not path.name.startswith(".")):
        kind = path.suffix.lower()
        if kind not in {".csv", ".jsonl"} or not path.is_file():
            raise SourceError(
                f"{path.name} in the folder of feedback is neither a .csv nor a .jsonl file; "
                "nothing there is passed over: move it away"
            )
        try:
            text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        except OSError as error:
            raise SourceError(
                f"feedback file {path.name} cannot be read: {error.strerror}"
            ) from None
        rows = _csv_rows(text, path.name) if kind == ".csv" else _json_rows(text)
        records += [_record(path.name, line, cells) for line, cells in rows]
    return records


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """Yield first line and cells of every record; None where they are not those of the header."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if missing := [one for one in COLUMNS if one not in header]:
            raise SourceError(
                f"feedback file {name} has no column {missing[0]}; it needs {', '.join(COLUMNS)}"
            )
        line = reader.line_num + 1
        for cells in reader:
            if cells:  # a blank line is none
                fits = len(cells) == len(header)
                yield line, dict(zip(header, cells, strict=True)) if fits else None
            line = reader.line_num + 1
    except csv.Error:
        # behind a quote that is never closed nothing can be told apart
        raise SourceError(
            f"feedback file {name} is broken from line {reader.line_num} on: mend its quotes"
        ) from None


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """Yield number and object of every line that is not blank; None where it holds no object."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            yield number, found if isinstance(found, dict) else None


def _record(file: str, line: int, cells: Mapping[str, Any] | None) -> Record:
    """Return a record; the first thing that is wrong with it is its fault."""
    if cells is None:
        return Record(file, line, fault="unreadable_record")
    found = {name: cells.get(name) for name in COLUMNS}
    if not all(one is None or (isinstance(one, str) and _is_text(one)) for one in found.values()):
        return Record(file, line, fault="unreadable_record")
    # blanks around a name say nothing; an answer's own are part of it
    example_id, label, who, when = (
        (found[name] or "").strip() for name in ("example_id", "label", "who", "when")
    )
    answer = found["answer"] if (found["answer"] or "").strip() else None
    if not _EXAMPLE_ID.fullmatch(example_id):
        return Record(file, line, fault=f"example_id_{'invalid' if example_id else 'missing'}")
    record = Record(file, line, example_id, label or None, answer, who, _moment(when))
    if record.is_blank or (who and record.at is not None):
        return record
    named = "who_missing" if not who else f"when_{'invalid' if when else 'missing'}"
    return replace(record, label=None, answer=None, fault=named)


def _is_text(value: str) -> bool:
    """Return whether it came from UTF-8, and has no NUL, which no relation holds well."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
