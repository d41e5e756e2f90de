"""The SQL that scans the records of a source as text, all of them or exactly the kept ones."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from python_stages.errors import SourceError
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.sources import SourceFile, csv_sql, json_sql, open_location, parquet_sql


def scan_sql(
    files: Sequence[SourceFile],
    rejections: Sequence[tuple[Path, int, int | None, int | None]],
    view: str,
    masked_files: MaskedFileSystem,
) -> list[str]:
    """Return one SELECT per file that scans its records as text, without the rejected ones.

    Args:
        files: what `sources.open_location` found.
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
        if file.is_parquet:
            scans.append(parquet_sql(file.path, file.columns, [n - 1 for n, _, _ in places]))
            continue
        ranges = [(a, b) for _, a, b in places if a is not None and b is not None]
        url = masked_files.mask(view, file.path, ranges) if ranges else file.path
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
    files = open_location(location)
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
