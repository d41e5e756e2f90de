"""Account for every record of a source: read = kept + rejected, with a reason for each rejection.

Two independent readers count: DuckDB's CSV reader, which also judges every cell, and a count of
physical lines (`lines.py`) that knows nothing of CSV. On a clean file that is one scan. Where the two
disagree, or anything is rejected, every broken line is found and judged by itself, so that one
unterminated quote costs one record and not its neighbours.

The result names rejected records by file, line, bytes and a keyed hash; it holds no value.
This stage runs inside a dbt Python model and talks SQL to the connection that dbt hands it.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from python_stages.errors import ConfigError, SourceError
from python_stages.lines import Line, broken_lines, locate
from python_stages.masked_files import MaskedFileSystem
from python_stages.sources import (
    SourceFile,
    csv_sql,
    identifier,
    literal,
    open_location,
    parquet_sql,
    require_columns,
)

INGESTED_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("outcome", pa.string()),  # read, kept or rejected
        ("reason", pa.string()),
        ("n_rows", pa.int64()),
        ("file_path", pa.string()),
        ("line_number", pa.int64()),  # 1-based; in Parquet the 1-based row number
        ("byte_start", pa.int64()),
        ("byte_end", pa.int64()),
        ("record_hmac", pa.string()),
        ("file_bytes", pa.int64()),
        ("modified_ns", pa.int64()),
    ]
)
_BATCH_ROWS = 10_000
_TYPES = ("varchar", "bigint", "double", "boolean", "timestamptz")


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What a cell of one column must be; checked in the order of the fields below.

    A cell is `missing` (empty), `invalid` (does not cast to `type`, or lacks the prefix or pattern),
    `unknown` (not among the accepted values), `below_min` or `above_max`.
    """

    type: str = "varchar"
    is_required: bool = True
    starts_with: str | None = None
    pattern: str | None = None
    accepted_values: tuple[str, ...] = ()
    min: str | float | None = None
    max: str | float | None = None

    @classmethod
    def from_config(cls, column: str, config: Mapping[str, Any]) -> "ColumnRule":
        """Read a rule from model config.

        Raises:
            ConfigError: an unknown key or type; lists what is known.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(config) - set(known))
        if unknown:
            raise ConfigError(
                f"column {column}: unknown {unknown[0]}; known are {', '.join(known)}"
            )
        rule = cls(**{**config, "accepted_values": tuple(config.get("accepted_values", ()))})
        if rule.type not in _TYPES:
            raise ConfigError(f"column {column}: unknown type; known are {', '.join(_TYPES)}")
        return rule

    def faults(self, column: str) -> Iterator[tuple[str, str]]:
        """Yield (reason, SQL condition under which a cell has this fault), the first one decides."""
        raw, value = identifier(column), f"try_cast({identifier(column)} as {self.type})"
        if self.is_required:
            yield f"{column}_missing", f"coalesce({raw}, '') = ''"
        if self.type != "varchar":
            yield f"{column}_invalid", f"{value} is null"
        if self.starts_with:
            yield f"{column}_invalid", f"not starts_with({raw}, {literal(self.starts_with)})"
        if self.pattern:
            yield f"{column}_invalid", f"not regexp_full_match({raw}, {literal(self.pattern)})"
        if self.accepted_values:
            accepted = ", ".join(map(literal, self.accepted_values))
            yield f"{column}_unknown", f"{raw} not in ({accepted})"
        if self.min is not None:
            yield f"{column}_below_min", f"{value} < {literal(self.min)}::{self.type}"
        if self.max is not None:
            yield f"{column}_above_max", f"{value} > {literal(self.max)}::{self.type}"


    def is_good(self, column: str) -> str:
        """Return the SQL condition that no fault holds, with one cast only: every cell pays it."""
        raw, value = identifier(column), f"try_cast({identifier(column)} as {self.type})"
        conditions = []
        if self.min is not None and self.max is not None:
            low, high = literal(self.min), literal(self.max)
            conditions.append(f"{value} between {low}::{self.type} and {high}::{self.type}")
        elif self.min is not None:
            conditions.append(f"{value} >= {literal(self.min)}::{self.type}")
        elif self.max is not None:
            conditions.append(f"{value} <= {literal(self.max)}::{self.type}")
        elif self.type != "varchar":
            conditions.append(f"{value} is not null")
        if self.starts_with:
            conditions.append(f"starts_with({raw}, {literal(self.starts_with)})")
        if self.pattern:
            conditions.append(f"regexp_full_match({raw}, {literal(self.pattern)})")
        if self.accepted_values:
            conditions.append(f"{raw} in ({', '.join(map(literal, self.accepted_values))})")
        good = " and ".join(conditions or [f"{raw} <> ''"])
        return good if self.is_required else f"coalesce({raw} = '' or {good}, true)"


@dataclass(frozen=True, slots=True)
class IngestSpec:
    """A dataset's source: where it lies, and what its records must be.

    `record_id` is a column whose repeats are counted, though they are no fault. `record_key` are
    columns that different records do not share: byte-identical repeats are looked for among records
    that agree in them (default: all columns, which is right but slower).
    """

    dataset: str
    location: str
    columns: Mapping[str, ColumnRule]
    record_id: str | None = None
    record_key: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, dataset: str, config: Mapping[str, Any]) -> "IngestSpec":
        """Read the spec from the config of a `*_ingested` model.

        Raises:
            ConfigError: something is missing or unknown.
        """
        if not config.get("location") or not config.get("columns"):
            raise ConfigError(
                f"{dataset}: the config of the ingested model needs location and columns"
            )
        rules = {
            name: ColumnRule.from_config(name, rule or {})
            for name, rule in config["columns"].items()
        }
        record_id = config.get("record_id")
        record_key = tuple(config.get("record_key") or rules)
        if not set(record_key) | ({record_id} - {None}) <= set(rules):
            raise ConfigError(
                f"{dataset}: record_id and record_key take columns of: {', '.join(rules)}"
            )
        return cls(dataset, str(config["location"]), rules, record_id, record_key)

    def reason_sql(self) -> str:
        """Return the SQL expression that is null for a good record, else its first reason."""
        is_good = " and ".join(rule.is_good(name) for name, rule in self.columns.items())
        whens = " ".join(
            f"when {condition} then {literal(reason)}"
            for name, rule in self.columns.items()
            for reason, condition in rule.faults(name)
        )
        return f"case when ({is_good}) is not true then case {whens} else 'unexplained' end end"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejected record; `start` and `end` are None in Parquet, which has no lines."""

    path: Path
    reason: str
    number: int
    start: int | None
    end: int | None
    content: bytes

    @classmethod
    def of_line(cls, path: Path, reason: str, line: Line) -> "Rejection":
        """Reject a physical line."""
        return cls(path, reason, line.number, line.start, line.end, line.content)


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
        scans.append(csv_sql(url, file.columns))
    return scans


def account(
    con: duckdb.DuckDBPyConnection,
    spec: IngestSpec,
    key: bytes,
    masked_files: MaskedFileSystem,
    *,
    is_empty: bool = False,
) -> pa.RecordBatchReader:
    """Judge every record of the source.

    Args:
        con: the connection to scan with; `masked_files` is registered with it.
        spec: location and column rules.
        key: secret for the keyed hashes of rejected records.
        masked_files: hides broken lines from DuckDB while the others are judged.
        is_empty: count no record, as if the files held none.

    Returns:
        Rows of INGESTED_SCHEMA: one `read` row per file, `kept` rows by reason, and one `rejected`
        row per rejected record.

    Raises:
        SourceError: a file cannot be read, or two counts of its records disagree.
    """
    files = open_location(spec.location)
    require_columns(files, list(spec.columns))
    if is_empty:
        rows = _report(spec, files, [0] * len(files), [], 0, key)
        return pa.Table.from_pylist(rows, INGESTED_SCHEMA).to_reader(_BATCH_ROWS)

    def scans(rejections: Sequence[Rejection]) -> list[str]:
        places = [(r.path, r.number, r.start, r.end) for r in rejections]
        view = f"{spec.dataset}-ingest"
        return scan_sql(files, places, view, masked_files)

    broken: list[Rejection] = []
    with ThreadPoolExecutor() as pool:  # numpy counts without holding the interpreter's lock
        counts = pool.map(SourceFile.count_records, files)
        n_judged = _judge(con, spec, scans([]))
        n_read = list(counts)
    if n_judged != sum(n_read):
        broken = [
            Rejection.of_line(file.path, reason, line)
            for file in files
            if not file.is_parquet
            for line, reason in broken_lines(file.path, len(file.columns))
        ]
        n_judged = _judge(con, spec, scans(broken))
        if n_judged is None or n_judged + len(broken) != sum(n_read):
            raise SourceError(
                f"{spec.dataset}: by their line ends the files hold {sum(n_read)} records, but "
                f"{n_judged or 'none'} can be read and {len(broken)} lines are broken; nothing was "
                "kept. Are there line breaks inside quoted values? A record must be one line"
            )
    bad = _bad_records(con, spec, files, scans(broken), broken)
    n_repeated_ids = con.execute(_N_REPEATED_IDS).fetchall()[0][0] if spec.record_id else 0
    n_repeated_ids -= sum(rejection.reason == "repeated_row" for rejection in bad)
    con.execute("drop table ingest_judged")
    rows = _report(spec, files, n_read, [*broken, *bad], n_repeated_ids, key)
    table = pa.Table.from_pylist(rows, INGESTED_SCHEMA)
    return table.to_reader(_BATCH_ROWS)


_N_REPEATED_IDS = """
    select count(*) - count(distinct id_hash) from ingest_judged where reason is null
"""


def _key(spec: IngestSpec) -> str:
    return ", ".join(map(identifier, spec.record_key))


def _columns(spec: IngestSpec) -> str:
    return ", ".join(map(identifier, spec.columns))


def _judge(con: duckdb.DuckDBPyConnection, spec: IngestSpec, scans: Sequence[str]) -> int | None:
    """Fill the temporary table ingest_judged, a row per record.

    Returns:
        The number of records, or None when the reader gave up.
    """
    id_hash = f"hash({identifier(spec.record_id)})" if spec.record_id else "null::ubigint"
    records = " union all ".join(f"select {_columns(spec)} from ({scan})" for scan in scans)
    try:
        con.execute(f"""
            create or replace temp table ingest_judged as
            select
                {spec.reason_sql()} as reason,
                hash({_key(spec)}) as key_hash,
                {id_hash} as id_hash
            from ({records})
        """)
    except duckdb.InvalidInputException:
        return None  # its message quotes the line, so it goes no further
    return int(con.execute("select count(*) from ingest_judged").fetchall()[0][0])


def _bad_records(
    con: duckdb.DuckDBPyConnection,
    spec: IngestSpec,
    files: Sequence[SourceFile],
    scans: Sequence[str],
    broken: Sequence[Rejection],
) -> list[Rejection]:
    """Find the records with a bad cell and all but the first of byte-identical ones.

    `hash()` of several columns only combines their hashes by XOR, so equal hashes make a candidate,
    and equal columns a repeat.
    """
    bad: list[Rejection] = []
    n_suspects = con.execute("""
        select count(reason) + count(*) - count(distinct key_hash) from ingest_judged
    """).fetchall()[0][0]
    if n_suspects == 0:
        return bad
    con.execute("""
        create or replace temp table ingest_suspects as
        select key_hash from ingest_judged group by all
        having count(*) > 1 or count(reason) > 0
    """)
    columns = _columns(spec)
    con.execute(f"""
        create or replace temp table ingest_bad as
        with numbered as (
            {
        " union all ".join(
            f"select {index} as file_index, row_number() over () - 1 as ordinal, {columns} "
            f"from ({scan})"
            for index, scan in enumerate(scans)
        )
    }
        ),
        judged as (
            select file_index, ordinal, {spec.reason_sql()} as reason, {columns}
            from numbered
            where hash({_key(spec)}) in (from ingest_suspects)
        )
        select
            file_index,
            ordinal,
            case
                when reason is not null then reason
                when row_number() over (
                    partition by {columns} order by file_index, ordinal
                ) > 1 then 'repeated_row'
            end as final_reason,
            concat_ws(chr(31), {columns}) as content
        from judged
        qualify final_reason is not null
    """)
    for index, file in enumerate(files):
        found = con.execute(
            "select ordinal, final_reason, content from ingest_bad where file_index = ?", [index]
        ).fetchall()
        if file.is_parquet:
            bad += [
                Rejection(file.path, reason, ordinal + 1, None, None, content.encode())
                for ordinal, reason, content in found
            ]
            continue
        skip = [rejection.number for rejection in broken if rejection.path == file.path]
        lines = locate(file.path, [ordinal for ordinal, _, _ in found], skip)
        bad += [Rejection.of_line(file.path, reason, lines[o]) for o, reason, _ in found]
    con.execute("drop table ingest_suspects; drop table ingest_bad")
    return bad


def _report(
    spec: IngestSpec,
    files: Sequence[SourceFile],
    n_read: Sequence[int],
    rejections: Sequence[Rejection],
    n_repeated_ids: int,
    key: bytes,
) -> list[dict[str, Any]]:
    """Return the rows of INGESTED_SCHEMA."""
    n_kept = sum(n_read) - len(rejections) - n_repeated_ids
    kept: list[dict[str, Any]] = [{"outcome": "kept", "n_rows": n_kept}]
    if n_repeated_ids:
        reason = f"repeated_{spec.record_id}"
        kept.append({"outcome": "kept", "reason": reason, "n_rows": n_repeated_ids})
    rows = [
        *(
            {
                "outcome": "read",
                "n_rows": n,
                "file_path": str(file.path),
                "file_bytes": file.n_bytes,
                "modified_ns": file.modified_ns,
            }
            for file, n in zip(files, n_read, strict=True)
        ),
        *kept,
        *(
            {
                "outcome": "rejected",
                "reason": rejection.reason,
                "n_rows": 1,
                "file_path": str(rejection.path),
                "line_number": rejection.number,
                "byte_start": rejection.start,
                "byte_end": rejection.end,
                "record_hmac": hmac.digest(key, rejection.content, "sha256").hex(),
            }
            for rejection in sorted(rejections, key=lambda r: (r.path, r.number))
        ),
    ]
    return [{"dataset": spec.dataset, **row} for row in rows]


def kept_sql(
    con: duckdb.DuckDBPyConnection,
    dataset: str,
    location: str,
    ingested: str,
    masked_files: MaskedFileSystem,
) -> str:
    """Return the SELECT that scans exactly the kept records of a dataset's source, as text.

    Args:
        con: a connection that sees the relation `ingested`.
        dataset: name of the dataset.
        location: where its files lie.
        ingested: the `*_ingested` relation, quoted for SQL.
        masked_files: the file system registered with DuckDB.

    Raises:
        SourceError: the files are not the ones that were counted.
    """
    files = open_location(location)
    rows = con.execute(f"""
        select outcome, file_path, line_number, byte_start, byte_end, file_bytes, modified_ns
        from {ingested} where outcome in ('read', 'rejected')
    """).fetchall()
    counted = {(path, size, ns) for outcome, path, *_, size, ns in rows if outcome == "read"}
    if counted != {(str(file.path), file.n_bytes, file.modified_ns) for file in files}:
        raise SourceError(
            f"{dataset}: the source files changed since their records were counted; "
            f"run dbt build -s {dataset}_ingested+"
        )
    rejections = [
        (Path(path), number, start, end)
        for outcome, path, number, start, end, *_ in rows
        if outcome == "rejected"
    ]
    scans = scan_sql(files, rejections, f"{dataset}-kept", masked_files)
    return " union all by name ".join(scans)
