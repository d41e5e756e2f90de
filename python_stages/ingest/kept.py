"""The SQL that scans a source as text: all records, or the kept ones, or what can be read."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from python_stages.errors import SourceError
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.scans import (
    csv_sql,
    identifier,
    json_sql,
    lenient_csv_sql,
    parquet_sql,
    table_sql,
)
from python_stages.ingest.sources import SourceFile, open_source, require_columns


def scan_sql(
    files: Sequence[SourceFile],
    rejections: Sequence[tuple[Path, int, int | None, int | None]],
    view: str,
    masked_files: MaskedFileSystem,
) -> list[str]:
    """Return one SELECT per file that scans its records as text, without the rejected ones.

    Args:
        files: what `sources.open_source` found.
        rejections: (path, 1-based number, first byte, byte behind the last) of each.
        view: name under which the masks of these rejections are kept apart from others.
        masked_files: the file system registered with DuckDB.
    """
    by_path: dict[Path, list[tuple[int, int | None, int | None]]] = {f.path: [] for f in files}
    for path, number, start, end in rejections:
        by_path[path].append((number, start, end))
    scans = []
    for file in files:
        places = sorted(by_path[file.path])
        if not file.has_lines:
            without = [number - 1 for number, _, _ in places]
            scans.append(
                table_sql(file.copy, file.columns, without)
                if file.copy
                else parquet_sql(file.path, file.columns, without)
            )
            continue
        ranges = [(a, b) for _, a, b in places if a is not None and b is not None]
        is_masked = ranges or file.is_shown
        url = masked_files.mask(view, file.path, ranges) if is_masked else file.path
        scans.append((json_sql if file.is_json else csv_sql)(url, file.columns))
    return scans


def kept_sql(  # noqa: PLR0917 - the plugin hands on what SQL gives it, in order
    con: duckdb.DuckDBPyConnection,
    dataset: str,
    location: str,
    ingested: str,
    config_hash: str,
    masked_files: MaskedFileSystem,
) -> str:
    """Return the SELECT that scans exactly the kept records of a dataset's source, as text.

    Args:
        con: a connection that sees the relation `ingested`.
        dataset: name of the dataset.
        location: where its files lie.
        ingested: the `*_ingested` relation, quoted for SQL.
        config_hash: hash of the config that the records must have been judged by.
        masked_files: the file system registered with DuckDB.

    Raises:
        SourceError: the files or the rules are not the ones that the records were judged by.
    """
    files = open_source(con, location)
    read = con.execute(f"""
        select file_path, file_bytes, modified_ns, config_hash from {ingested}
        where outcome = 'read'
    """).fetchall()
    now = {(str(file.path), file.n_bytes, file.modified_ns, config_hash) for file in files}
    if set(read) != now:
        raise SourceError(
            f"{dataset}: the source files, or the rules for them, changed since the records were "
            f"judged; run dbt build -s {dataset}_ingested+"
        )
    rejected = con.execute(f"""
        select file_path, line_number, byte_start, byte_end from {ingested}
        where outcome = 'rejected'
    """).fetchall()
    rejections = [(Path(path), *place) for path, *place in rejected]
    scans = scan_sql(files, rejections, f"{dataset}-kept", masked_files)
    return " union all by name ".join(scans)


def lenient_sql(
    con: duckdb.DuckDBPyConnection, location: str, column: str, masked_files: MaskedFileSystem
) -> str:
    """Return the SELECT of one column of a location, named value, as far as it can be read.

    It is for looking for values, not for counting them: records that cannot be read are passed
    over, and a file that cannot be read has none.
    """
    try:
        files = open_source(con, location)
        require_columns(files, [column])
        for file in files:
            if file.is_shown:  # what is no JSON as a whole would stop the scan
                file.count()
    except SourceError:
        return "select null::varchar as value where false"
    scans = [
        lenient_csv_sql(file.path)
        if file.is_csv
        else scan_sql([file], [], "lenient", masked_files)[0]
        for file in files
    ]
    value = f"{identifier(column)} as value"
    return " union all ".join(f"select {value} from ({scan})" for scan in scans)
