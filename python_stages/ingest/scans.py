"""The SQL that scans one file as text.

Every column is VARCHAR: what a value means is decided, and counted, by the ingest stage, never by a
reader that drops what it cannot cast.
"""

import glob
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from python_stages.ingest.lines import MAX_LINE_BYTES

# the condition that a line is a record
IS_OBJECT = "coalesce(case when json_valid(line) then json_type(line) = 'OBJECT' end, false)"


def csv_sql(url: Path | str, columns: Sequence[str]) -> str:
    """Return the SELECT that scans one CSV file as text, with nothing left to detection."""
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
    source, compression = _bytes_of(url)
    return (
        f"select * from read_csv({source}, columns = {{{types}}}, header = true, "
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
        # a quarter of DuckDB's default buffer takes 50 MB less memory and no more time
        f"max_line_size = {MAX_LINE_BYTES}, buffer_size = {4 * MAX_LINE_BYTES}, "
        f"compression = '{compression}')"
    )


def lenient_csv_sql(path: Path) -> str:
    """Return the SELECT that scans what can be read of one CSV file as text."""
    return (
        f"select * from read_csv({_exact(path)}, all_varchar = true, header = true, delim = ',', "
        "quote = '\"', escape = '\"', strict_mode = false, ignore_errors = true, "
        "null_padding = true, parallel = false)"
    )


def _bytes_of(url: Path | str) -> tuple[str, str]:
    """Return a file, quoted, and how it is compressed; a masked one, a URL, is not."""
    if isinstance(url, Path):
        return _exact(url), "gzip" if url.suffix == ".gz" else "none"
    return literal(url), "none"


def json_sql(url: Path | str, columns: Sequence[str]) -> str:
    """Return the SELECT that scans one file of JSON lines as text, a column for each name."""
    source, compression = _bytes_of(url)
    paths = ", ".join(literal(_json_path(name)) for name in columns)
    cells = ", ".join(
        f"cells[{place}] as {identifier(name)}" for place, name in enumerate(columns, 1)
    )
    return (
        f"select {cells} from ("
        # all values by one call, which parses the line once
        f"select case when json_valid(line) then json_extract_string(line, [{paths}]) end as cells "
        f"from read_csv({source}, columns = {{'line': 'VARCHAR'}}, header = false, "
        "auto_detect = false, delim = '\x1f', quote = '', escape = '', strict_mode = true, "
        f"max_line_size = {MAX_LINE_BYTES}, buffer_size = {4 * MAX_LINE_BYTES}, "
        f"compression = '{compression}') where trim(line) <> '' and {IS_OBJECT})"
    )


def _json_path(name: str) -> str:
    return '$."' + name.replace('"', '\\"') + '"'


def parquet_sql(path: Path, columns: Sequence[str], without_rows: Sequence[int] = ()) -> str:
    """Return the SELECT that scans one Parquet file as text, without some 0-based row numbers."""
    nested = {field.name for field in pq.read_schema(path) if pa.types.is_nested(field.type)}
    casts = ", ".join(
        f"to_json({identifier(name)})::varchar as {identifier(name)}"
        if name in nested
        else f"{identifier(name)}::varchar as {identifier(name)}"
        for name in columns
    )
    scan = f"select {casts} from read_parquet({_exact(path)}, file_row_number = true)"
    if not without_rows:
        return scan
    return f"{scan} where file_row_number not in ({', '.join(map(str, without_rows))})"


def table_sql(relation: str, columns: Sequence[str], without_rows: Sequence[int] = ()) -> str:
    """Return the SELECT that scans a table of texts, without some 0-based row numbers."""
    scan = f"select {', '.join(map(identifier, columns))} from {relation}"
    if not without_rows:
        return scan
    return f"{scan} where rowid not in ({', '.join(map(str, without_rows))})"


def _exact(path: Path) -> str:
    """Quote a path that may hold glob characters, which DuckDB would expand."""
    return literal(glob.escape(str(path)))


def literal(value: object) -> str:
    """Quote a value as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
