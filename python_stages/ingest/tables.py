"""A table of a database as a source: copied once in a process, and read from the copy.

A build looks at its source several times, and must see one state of it; a transaction held open for
as long would stand in the way of others. The copy is a DuckDB file in the vault's folder for
temporary files, encrypted under a key that is drawn for it and kept nowhere. It goes with the
process; what a killed one leaves opens for nobody, and the next build removes it. Rows stream into
it in batches.
"""

import atexit
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import duckdb
import pyarrow as pa

from python_stages.errors import SourceError, VaultError
from python_stages.ingest.postgres import read_table
from python_stages.ingest.scans import identifier, literal

_COPIES: Final = "sealtune_tables"
_copying: Final = Lock()  # models run in threads


@dataclass(frozen=True, slots=True)
class Copy:
    """A table's rows as they were in one moment.

    Attributes:
        name: server, database and table, as a path.
        relation: where the rows are, quoted for SQL.
        columns: in the order of the table.
        n_rows: how many the server counted.
        n_bytes: of the rows as JSON.
        content_hash: of all rows in their order, below 2**63.
    """

    name: str
    relation: str
    columns: tuple[str, ...]
    n_rows: int
    n_bytes: int
    content_hash: int


def copy_of(con: duckdb.DuckDBPyConnection, location: str) -> Copy:
    """Return the copy of a table; make it, where this process has none.

    Args:
        con: with the vault open, which has a folder for encrypted temporary files.
        location: of the table (postgres.py).

    Raises:
        SourceError: see `postgres.read_table`; or other rows arrived than were counted.
        VaultError: temporary files would not be encrypted.
    """
    with _copying, con.cursor() as cursor:
        _attach(cursor)
        sql = f"select * exclude (location) from {_COPIES}.made where location = ?"
        if not cursor.execute(sql, [location]).fetchall():
            _make(cursor, location)
        ((name, relation, columns, *numbers),) = cursor.execute(sql, [location]).fetchall()
    return Copy(name, relation, tuple(json.loads(columns)), *numbers)


def _attach(con: duckdb.DuckDBPyConnection) -> None:
    if con.execute("from duckdb_databases() where database_name = ?", [_COPIES]).fetchall():
        return
    is_encrypted, folder = con.execute(
        "select current_setting('temp_file_encryption'), current_setting('temp_directory')"
    ).fetchall()[0]
    if not is_encrypted:
        raise VaultError("a table is copied only where temporary files are encrypted: in a vault")
    Path(folder).mkdir(mode=0o700, exist_ok=True)
    path = Path(folder) / f"tables-{secrets.token_hex(8)}.duckdb"
    key = secrets.token_hex(32)
    con.execute(f"attach {literal(path)} as {_COPIES} (encryption_key {literal(key)})")
    path.chmod(0o600)
    atexit.register(path.unlink, missing_ok=True)
    con.execute(f"""
        create table {_COPIES}.made (
            location varchar, name varchar, relation varchar, columns varchar,
            n_rows bigint, n_bytes bigint, content_hash bigint
        )
    """)


def _make(con: duckdb.DuckDBPyConnection, location: str) -> None:
    ((n_made,),) = con.execute(f"select count(*) from {_COPIES}.made").fetchall()
    relation = f"{_COPIES}.main.table_{n_made}"
    with read_table(location) as rows:
        cells = ", ".join(f"{identifier(name)} varchar" for name in rows.columns)
        con.execute(f"create or replace table {relation} ({cells})")
        try:
            # each its own transaction: one that takes in all of a table takes memory in proportion
            for batch in rows.reader:
                con.register("arriving", pa.Table.from_batches([batch]))
                con.execute(f"insert into {relation} from arriving")
        except (duckdb.Error, pa.ArrowException, OSError) as error:  # its message may quote a row
            raise SourceError(
                f"the rows of {rows.name} did not arrive ({type(error).__name__}); is there room "
                "in the vault folder, and is the server still there?"
            ) from None
        finally:
            con.unregister("arriving")
    (measured,) = con.execute(f"""
        with shown as (select rowid as place, to_json(t)::varchar as cells from {relation} as t)
        select
            count(*),
            coalesce(sum(strlen(cells)), 0)::bigint,
            (coalesce(sum(md5_number_lower(place || cells)), 0) % (1::hugeint << 63))::bigint
        from shown
    """).fetchall()
    if measured[0] != rows.n_rows:
        raise SourceError(
            f"{rows.name} holds {rows.n_rows} rows, but {measured[0]} arrived; nothing was kept"
        )
    con.execute(
        f"insert into {_COPIES}.made values (?, ?, ?, ?, ?, ?, ?)",
        [location, rows.name, relation, json.dumps(rows.columns), *measured],
    )
