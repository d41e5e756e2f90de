"""What is in a file, column by column: counts of findings, of distinct values, of words.

A sample of the rows is looked at, drawn by a seed; every entity is looked for. Values stay here.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from python_stages.errors import SourceError
from python_stages.ingest.kept import scan_sql
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.postgres import is_table, read_table
from python_stages.ingest.sources import open_location
from python_stages.scrub.engine import Engine

SAMPLE_ROWS: Final = 500
_COVERED: Final = 0.6  # of a cell's characters: it is the value, and little else
_MOST_LABELS: Final = 50
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_CODE: Final = re.compile(r"(?=.*\d)[\w.:#/-]{2,40}")


@dataclass(frozen=True, slots=True)
class Column:
    """What was seen of a column, in a sample of its cells.

    Attributes:
        name: as the file has it.
        n_cells: cells that are not empty.
        n_empty: cells that are.
        n_distinct: different values among them.
        n_words: words of all cells together.
        n_lines: cells of several lines.
        n_numbers: cells that are numbers; n_dates, that are dates; n_codes, one word with a digit.
        found: entity -> cells in which it was found.
        whole: entity -> cells that are one, and little else.
        is_chat: whether every cell is the messages of a chat, as JSON.
    """

    name: str
    n_cells: int
    n_empty: int
    n_distinct: int
    n_words: int
    n_lines: int
    n_numbers: int
    n_dates: int
    n_codes: int
    found: Mapping[str, int] = field(default_factory=dict)
    whole: Mapping[str, int] = field(default_factory=dict)
    is_chat: bool = False

    def share(self, n: int) -> float:
        """Return a count as a share of the cells that are not empty."""
        return n / max(self.n_cells, 1)

    @property
    def words_a_cell(self) -> float:
        """Return the mean number of words."""
        return self.share(self.n_words)


@dataclass(frozen=True, slots=True)
class Profile:
    """What was seen of a file.

    Attributes:
        columns: in the order of the file.
        n_rows: how many rows it has; n_sampled of them were looked at.
        is_multiline: whether its records may span lines.
    """

    columns: tuple[Column, ...]
    n_rows: int
    n_sampled: int
    is_multiline: bool


def profile(location: str, *, seed: int = 7) -> Profile:
    """Look at the source of a new dataset.

    Raises:
        SourceError: it cannot be read, or holds nothing.
    """
    seen = _of_table(location, seed) if is_table(location) else _of_files(location, seed)
    if not seen.rows or not seen.names:
        raise SourceError(f"{seen.source} has no rows to learn from")
    engine = Engine(["all"])
    cells = {name: [row[place] for row in seen.rows] for place, name in enumerate(seen.names)}
    columns = tuple(_column(name, values, engine) for name, values in cells.items())
    return Profile(columns, seen.n_rows, len(seen.rows), seen.is_multiline)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Some of the `n_rows` rows of a source."""

    source: str
    names: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    n_rows: int
    is_multiline: bool = False


def _of_files(location: str, seed: int) -> _Sample:
    files = open_location(location)
    is_multiline = any(
        one.count().n_records != one.count(is_multiline=True).n_records
        for one in files
        if one.is_csv
    )
    masked_files = MaskedFileSystem()
    scans = " union all by name ".join(scan_sql(files, [], "new", masked_files))
    try:
        with duckdb.connect(config={"threads": 1}) as con:
            con.register_filesystem(masked_files)
            con.execute(f"create temp view records as {scans}")
            ((n_rows,),) = con.execute("select count(*) from records").fetchall()
            rows = _drawn(con, seed)
    except duckdb.Error as error:  # its message may quote a line
        raise SourceError(
            f"{files[0].path.name} cannot be read ({type(error).__name__}); every record must have "
            "all columns, and quotes must be closed"
        ) from None
    return _Sample(files[0].path.name, files[0].columns, rows, int(n_rows), is_multiline)


def _of_table(location: str, seed: int) -> _Sample:
    with read_table(location) as table, duckdb.connect(config={"threads": 1}) as con:
        con.register("records", table.reader)
        try:
            rows = _drawn(con, seed)
        except duckdb.Error as error:  # its message may quote a row
            raise SourceError(f"{table.name} did not arrive ({type(error).__name__})") from None
    return _Sample(table.name, table.columns, rows, table.n_rows)


def _drawn(con: duckdb.DuckDBPyConnection, seed: int) -> list[tuple[Any, ...]]:
    """Return a sample of the rows of `records`, in one pass."""
    return con.execute(
        f"from records using sample reservoir({SAMPLE_ROWS} rows) repeatable ({int(seed)})"
    ).fetchall()


def _column(name: str, values: Sequence[str | None], engine: Engine) -> Column:
    cells = [value for value in values if value and value.strip()]
    is_chat = bool(cells) and all(map(_is_chat, cells))
    found: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    if not is_chat:
        for text, findings in zip(cells, engine.spans(cells), strict=True):
            found.update({finding.entity for finding in findings})
            covered = {
                one.entity for one in findings if one.end - one.start >= _COVERED * len(text)
            }
            whole.update(covered)
    return Column(
        name=name,
        n_cells=len(cells),
        n_empty=len(values) - len(cells),
        n_distinct=len(set(cells)),
        n_words=sum(len(text.split()) for text in cells),
        n_lines=sum("\n" in text.strip() for text in cells),
        n_numbers=sum(map(_is_number, cells)),
        n_dates=sum(_DATE.fullmatch(text.strip()) is not None for text in cells),
        n_codes=sum(_CODE.fullmatch(text.strip()) is not None for text in cells),
        found=dict(found.most_common()),
        whole=dict(whole.most_common()),
        is_chat=is_chat,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_chat(text: str) -> bool:
    """Tell whether text is a chat: a JSON list of messages with a role and a text."""
    try:
        messages = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(messages, list)
        and len(messages) > 1
        and all(isinstance(one, dict) and {"role", "content"} <= set(one) for one in messages)
    )
