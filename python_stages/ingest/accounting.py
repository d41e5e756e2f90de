"""Account for every record of a source: read = kept + rejected, with a reason for each rejection.

Two independent readers count: DuckDB's CSV reader, which also judges every cell, and a count of
physical lines (`lines.py`) that knows nothing of CSV, or of line ends outside of quotes, where
records may span lines (`records.py`). A file whose every record is good takes one scan, which
stores nothing. Of any other, every record is judged by itself; where the two counts disagree, every
broken record is found and hidden from DuckDB, so that one unterminated quote costs one record and
not its neighbours.

The result names rejected records by file, line, bytes and a keyed hash; it holds no value.
This stage runs inside a dbt Python model and talks SQL through a cursor of its own.
"""

import hmac
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from python_stages import query_progress
from python_stages.errors import SourceError
from python_stages.ingest import faults
from python_stages.ingest.column_rules import IngestSpec
from python_stages.ingest.kept import kept_sql, lenient_sql, scan_sql
from python_stages.ingest.lines import Line
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.rows import INGESTED_SCHEMA, Rejection, report
from python_stages.ingest.scans import identifier
from python_stages.ingest.sources import SourceFile, open_source, require_columns

__all__ = ["INGESTED_SCHEMA", "IngestSpec", "account", "kept_sql", "lenient_sql", "scan_sql"]

_BATCH_ROWS = 10_000
_LONG_SCAN_BYTES = 500_000_000  # takes seconds, in which Python has nothing to do


@dataclass(frozen=True, slots=True)
class _Tally:
    """Good records of each file; of all files the records, and keys and ids that differ by hash."""

    n_good: list[int]
    n_judged: int
    n_keys: int
    n_ids: int

    def is_clean(self, n_read: Sequence[int]) -> bool:
        """Tell whether each file's records are as many as were read, all good and none equal."""
        return self.n_good == list(n_read) and self.n_judged == self.n_keys == sum(n_read)


def account(
    con: duckdb.DuckDBPyConnection,
    spec: IngestSpec,
    key: bytes,
    masked_files: MaskedFileSystem,
    *,
    is_empty: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> pa.RecordBatchReader:
    """Judge every record of the source.

    Args:
        con: a connection with which `masked_files` is registered.
        spec: location and column rules.
        key: secret for the keyed hashes of rejected records.
        masked_files: hides broken lines from DuckDB while the others are judged.
        is_empty: count no record, as if the files held none.
        meanwhile: done in a thread while DuckDB scans, where that takes long; what it raises is
            dropped, so it must be something that whoever needs it does again.

    Returns:
        Rows of INGESTED_SCHEMA: one `read` row per file, `kept` rows by reason, and one `rejected`
        row per rejected record.

    Raises:
        SourceError: a file cannot be read, or two counts of its records disagree.
    """
    files = open_source(con, spec.location)
    require_columns(files, list(spec.columns))
    if is_empty:
        rows = report(spec, files, [0] * len(files), [], 0)
        # nothing was judged, so nothing may be read as kept
        rows = [{**row, "file_bytes": None, "modified_ns": None} for row in rows]
    else:
        # a cursor of its own: an error of the reader would abort the transaction of the caller, and
        # its temporary tables go when it closes
        with con.cursor() as cursor:
            is_long = sum(file.n_bytes for file in files) > _LONG_SCAN_BYTES
            query_progress.measure(cursor)
            accounting = _Accounting(cursor, spec, key, masked_files, files)
            rows = accounting.run(meanwhile if is_long else None)
    return pa.Table.from_pylist(rows, INGESTED_SCHEMA).to_reader(_BATCH_ROWS)


@dataclass(frozen=True, slots=True)
class _Accounting:
    """One run over the files; `con` holds its temporary tables."""

    con: duckdb.DuckDBPyConnection
    spec: IngestSpec
    key: bytes
    masked_files: MaskedFileSystem
    files: Sequence[SourceFile]

    def run(self, meanwhile: Callable[[], object] | None = None) -> list[dict[str, Any]]:
        """Return the rows of INGESTED_SCHEMA."""
        with ThreadPoolExecutor() as pool:  # numpy counts without holding the interpreter's lock
            counts = pool.map(
                lambda file: file.count(is_multiline=self.spec.is_multiline), self.files
            )
            if meanwhile:
                pool.submit(meanwhile)
            tally = self._tally()
            line_counts = list(counts)
        n_read = [count.n_records for count in line_counts]
        is_plain = all(count.is_plain for count in line_counts)
        if is_plain and tally and tally.is_clean(n_read):
            return report(self.spec, self.files, n_read, [], sum(n_read) - tally.n_ids)
        return self._run_dirty(n_read, is_plain=is_plain)

    def _run_dirty(self, n_read: Sequence[int], *, is_plain: bool) -> list[dict[str, Any]]:
        """Return the rows of INGESTED_SCHEMA where not every record is good."""
        broken: list[Rejection] = []
        n_judged = self._judge(broken) if is_plain else None
        if n_judged != n_read:
            broken = self._broken()
            n_read = [
                faults.n_records(file, self.spec, n)
                for file, n in zip(self.files, n_read, strict=True)
            ]
            n_judged = self._judge(broken)
            self._require_equal(n_judged, n_read, broken)
        bad = self._bad(broken)
        n_repeated_ids = 0
        if self.spec.record_id:
            n_repeated_ids = self._number("""
                select count(*) - count(distinct id_hash) from judged where reason is null
            """) - sum(rejection.reason == "repeated_row" for rejection in bad)
        return report(self.spec, self.files, n_read, [*broken, *bad], n_repeated_ids)

    def _scans(self, broken: Sequence[Rejection]) -> list[str]:
        places = [(r.path, r.number, r.start, r.end) for r in broken]
        return scan_sql(self.files, places, f"{self.spec.dataset}-ingest", self.masked_files)

    def _number(self, sql: str) -> int:
        return int(self.con.execute(sql).fetchall()[0][0])

    def _records(self, broken: Sequence[Rejection]) -> str:
        """Return the SQL relation of all records but the broken ones, and their file's index."""
        records = " union all ".join(
            f"select {index}::integer as file_index, {self.spec.columns_sql()} from ({scan})"
            for index, scan in enumerate(self._scans(broken))
        )
        return f"({records})"

    def _tally(self) -> _Tally | None:
        """Count in one scan what tells whether all records are good; None: the reader gave up.

        Conditions in the filter of an aggregate take two thirds of the time that the same ones take
        as a column, and most files are clean.
        """
        spec = self.spec
        n_good = ", ".join(
            f"count(*) filter (where file_index = {index} and {spec.is_good_sql()})"
            for index in range(len(self.files))
        )
        n_ids = (
            f"count(distinct hash({identifier(spec.record_id)}))" if spec.record_id else "count(*)"
        )
        sql = f"""
            select [{n_good}], count(*), count(distinct hash({spec.key_sql()})), {n_ids}
            from {self._records([])}
        """
        if not self._execute(sql):
            return None
        return _Tally(*self.con.fetchall()[0])

    def _execute(self, sql: str) -> bool:
        """Execute SQL that scans the files; False says that the reader gave up.

        Raises:
            SourceError: it failed in another way.
        """
        try:
            with query_progress.told(self.con):
                self.con.execute(sql)
        except duckdb.InvalidInputException:
            return False  # its message quotes the line, so it goes no further
        except duckdb.OutOfMemoryException:
            raise SourceError(
                f"{self.spec.dataset}: not enough memory, or no room in the vault folder for what "
                "spills"
            ) from None
        except duckdb.Error as error:
            raise SourceError(
                f"{self.spec.dataset}: files cannot be read ({type(error).__name__}): are they "
                "whole?"
            ) from None
        return True

    def _judge(self, broken: Sequence[Rejection]) -> list[int] | None:
        """Fill the temporary table judged, a row per record, and return each file's number of them.

        None says that the reader gave up.
        """
        spec = self.spec
        id_hash = f"hash({identifier(spec.record_id)})" if spec.record_id else "null::ubigint"
        is_read = self._execute(f"""
            create or replace temp table judged as
            select
                file_index,
                {spec.reason_sql()} as reason,
                hash({spec.key_sql()}) as key_hash,
                {id_hash} as id_hash
            from {self._records(broken)}
        """)
        if not is_read:
            return None
        self.con.execute("select file_index, count(*) from judged group by all")
        counts = dict(self.con.fetchall())
        return [counts.get(index, 0) for index in range(len(self.files))]

    def _broken(self) -> list[Rejection]:
        """Find what is no record."""
        return [
            self._of_line(file, reason, line)
            for file in self.files
            if file.has_lines
            for line, reason in faults.broken(file, self.spec)
        ]

    def _require_equal(
        self, n_judged: Sequence[int] | None, n_read: Sequence[int], broken: Sequence[Rejection]
    ) -> None:
        n_broken_by_path = Counter(rejection.path for rejection in broken)
        for index, file in enumerate(self.files):
            n_broken = n_broken_by_path[file.path]
            if n_judged and n_judged[index] + n_broken == n_read[index]:
                continue
            n_good = n_judged[index] if n_judged else "none"
            raise SourceError(
                f"{self.spec.dataset}: {file.path.name} holds {n_read[index]} records, but "
                f"{n_good} can be read beside {n_broken} broken ones; nothing was kept. A record "
                "must be one line where the config has no record_start, and a file of one column "
                "must have no blank lines"
            )

    def _bad(self, broken: Sequence[Rejection]) -> list[Rejection]:
        """Find the records with a bad cell and all but the first of those that are equal.

        `hash()` of several columns only combines their hashes by XOR, so equal hashes make a
        candidate, and equal columns a repeat.
        """
        n_suspects = self._number("""
            select count(reason) + count(*) - count(distinct key_hash) from judged
        """)
        if n_suspects == 0:
            return []
        # a table, not a common table expression: DuckDB must know that it is the small side
        self.con.execute("""
            create or replace temp table suspects as
            select key_hash from judged group by all having count(*) > 1 or count(reason) > 0
        """)
        columns = self.spec.columns_sql()
        numbered = " union all ".join(
            f"select {index} as file_index, row_number() over () - 1 as ordinal, {columns} "
            f"from ({scan})"
            for index, scan in enumerate(self._scans(broken))
        )
        found = self.con.execute(f"""
            with numbered as ({numbered}),
            rejudged as (
                select file_index, ordinal, {self.spec.reason_sql()} as reason, {columns}
                from numbered
                where hash({self.spec.key_sql()}) in (from suspects)
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
            from rejudged
            qualify final_reason is not null
        """).fetchall()
        bad: list[Rejection] = []
        for index, file in enumerate(self.files):
            mine = [
                (ordinal, reason, content) for i, ordinal, reason, content in found if i == index
            ]
            if not file.has_lines:
                bad += [
                    Rejection(
                        file.path, reason, ordinal + 1, None, None, self._hmac(content.encode())
                    )
                    for ordinal, reason, content in mine
                ]
            elif mine:
                skip = [rejection.number for rejection in broken if rejection.path == file.path]
                lines = faults.located(file, self.spec, [ordinal for ordinal, _, _ in mine], skip)
                bad += [self._of_line(file, reason, lines[ordinal]) for ordinal, reason, _ in mine]
        return bad

    def _of_line(self, file: SourceFile, reason: str, line: Line) -> Rejection:
        record_hmac = self._hmac(line.content)
        return Rejection(file.path, reason, line.number, line.start, line.end, record_hmac)

    def _hmac(self, content: bytes) -> str:
        return hmac.digest(self.key, content, "sha256").hex()
