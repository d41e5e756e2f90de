"""Rows of a PostgreSQL table, in batches of text (optional extra `postgres`).

    postgresql://USER@HOST:PORT/DATABASE?table=SCHEMA.NAME

It is the URI that every client of PostgreSQL takes, with one more parameter: a table, a view, or
whatever else rows are selected from, spelt as in SQL. The password is no part of it; libpq finds it
in PGPASSWORD or ~/.pgpass. Where the server is not said to be this machine, TLS with a verified
certificate is asked for, unless the URI says another sslmode.

One read-only transaction of isolation level repeatable read counts the rows and hands them out,
through ADBC and in the order of the primary key, if there is one. Columns that the user may not
read are as if they were not there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pyarrow as pa

from python_stages.errors import SourceError
from python_stages.ingest.scans import identifier, literal

_SCHEMES: Final = ("postgresql://", "postgres://")
_SHAPE: Final = "postgresql://USER@HOST:PORT/DATABASE?table=SCHEMA.NAME"
_SECRETS: Final = frozenset({"password", "sslpassword", "oauth_client_secret"})
_HOSTS: Final = ("host", "hostaddr")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_CONNECT_SECONDS: Final = "10"

# what a cell reads like must not depend on how the server, or the user's role, is set up
_SETTINGS: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}
_TABLE_SQL: Final = """
    select format('%I.%I', n.nspname, c.relname), current_database()::text,
        current_setting('server_encoding')
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where c.oid = to_regclass($1)
"""
# arrays and rows have a text of PostgreSQL's own; their JSON is what such cells are elsewhere
_COLUMNS_SQL: Final = """
    select
        a.attname::text,
        t.typcategory = 'A' or t.typtype = 'c',
        coalesce(array_position(i.indkey::int2[], a.attnum), -1)
    from pg_attribute as a
    inner join pg_type as t on t.oid = a.atttypid
    left join pg_index as i on i.indrelid = a.attrelid and i.indisprimary
    where
        a.attrelid = to_regclass($1)
        and a.attnum > 0
        and not a.attisdropped
        and has_column_privilege(a.attrelid, a.attnum, 'select')
    order by a.attnum
"""
# what libpq says of a connection -> what we say; its own sentences go no further
_FAULTS: Final = {
    "no password supplied": "it asks for a password; set PGPASSWORD or ~/.pgpass",
    "authentication failed": "it did not accept user or password; see PGPASSWORD and ~/.pgpass",
    "pg_hba.conf": "it lets nobody in from here as this user, or not without TLS",
    "certificate": (
        "its certificate was not verified; name the authority's with sslrootcert=FILE or "
        "sslrootcert=system"
    ),
    "SSL": "it offers no TLS; sslmode=disable does without, and whoever is on the way reads along",
    "does not exist": "there is no such user or database",
    "translate host name": "there is no such host",
    "URI": f"the location is not {_SHAPE}",
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows on their way.

    Attributes:
        name: server, database and table, as a path.
        columns: in the order of the table.
        n_rows: how many the server counted.
        reader: batches of them; a column of text for each.
    """

    name: str
    columns: tuple[str, ...]
    n_rows: int
    reader: pa.RecordBatchReader


def is_table(location: str) -> bool:
    """Tell whether a location names a table, and not files."""
    return location.startswith(_SCHEMES)


@contextmanager
def read_table(location: str) -> Iterator[Rows]:
    """Count the rows of a table and hand them out, both as of one moment.

    Raises:
        SourceError: the location is wrong or holds a password, the extra is missing, or the server
            does not hand the table out.
    """
    uri, table, server = _parts(location)
    try:
        from adbc_driver_manager import Error  # noqa: PLC0415 - an optional extra
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - the same
    except ImportError:
        raise SourceError(
            "reading from PostgreSQL needs the extra `postgres`: pip install 'sealtune[postgres]'"
        ) from None
    try:
        con = dbapi.connect(uri)
    except Error as error:
        said = str(error)
        reason = next((ours for theirs, ours in _FAULTS.items() if theirs in said), "is it there?")
        raise SourceError(f"PostgreSQL does not answer at {server}: {reason}") from None
    try:
        with con, con.cursor() as cursor:
            rows = _rows(cursor, table, server)
            yield rows
    except Error as error:
        code = getattr(error, "sqlstate", None)
        raise SourceError(
            f"PostgreSQL did not hand out {table} (SQLSTATE {code or 'unknown'}); may the user "
            "read it, and is the name spelt as in SQL?"
        ) from None


def _rows(cursor: Any, table: str, server: str) -> Rows:
    """Begin the transaction and the one query whose rows are wanted."""
    cursor.execute("set transaction isolation level repeatable read, read only")
    settings = ", ".join(
        f"set_config({literal(name)}, {literal(value)}, true)" for name, value in _SETTINGS.items()
    )
    _all(cursor, f"select {settings}")
    found = _all(cursor, _TABLE_SQL, table)
    if not found:
        raise SourceError(f"there is no table {table} at {server}, spelt as in SQL: SCHEMA.NAME")
    ((relation, database, encoding),) = found
    if encoding == "SQL_ASCII":
        raise SourceError(
            f"the database of {table} has encoding SQL_ASCII, so its bytes are not known to be "
            "text; copy the table to a database in UTF8"
        )
    columns = _all(cursor, _COLUMNS_SQL, table)
    if not columns:
        raise SourceError(f"{table} has no column that this user may read")
    ((n_rows,),) = _all(cursor, f"select count(*) from {relation}")
    # qualified, or a column's text would be sorted by and not its values
    cells = ", ".join(
        f"{'to_json(' * is_nested}t.{identifier(name)}{')' * is_nested}::text as {identifier(name)}"
        for name, is_nested, _ in columns
    )
    key = sorted((place, name) for name, _, place in columns if place >= 0)
    order = f" order by {', '.join(f't.{identifier(name)}' for _, name in key)}" if key else ""
    cursor.execute(f"select {cells} from {relation} as t{order}")
    names = tuple(name for name, _, _ in columns)
    return Rows(
        f"postgresql:/{server}/{database}/{relation}", names, n_rows, cursor.fetch_record_batch()
    )


def _all(cursor: Any, sql: str, *values: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql, values or None)
    return list(cursor.fetchall())


def _parts(location: str) -> tuple[str, str, str]:
    """Return the URI for libpq, the table, and what the server is called.

    Raises:
        SourceError: no table is named, or there is a password.
    """
    parts = urlsplit(location)
    said = dict(parse_qsl(parts.query, keep_blank_values=True))
    user, _, server = parts.netloc.rpartition("@")
    if user.partition(":")[2] or _SECRETS & said.keys():
        raise SourceError(
            "a location holds no password, for dbt copies it into its artifacts; put it into "
            "PGPASSWORD or ~/.pgpass, and take another if this one was in use"
        )
    table = said.pop("table", "")
    # a password with one of / ? # in it, as it is, ends the server's name early: say nothing of it
    is_torn = parts.fragment or "@" in parts.path or not all(map(_has_port, server.split(",")))
    if not table or not parts.path.strip("/") or is_torn:
        raise SourceError(f"the location of a table is {_SHAPE}, without a password")
    if not _is_here(server, said):
        said.setdefault("sslmode", "verify-full")
    said.setdefault("connect_timeout", _CONNECT_SECONDS)
    said.setdefault("fallback_application_name", "sealtune")
    query = urlencode(said, quote_via=quote)
    uri = f"postgresql://{parts.netloc}{parts.path}?{query}"
    return uri, table, server or said.get("host") or "local"


def _has_port(host: str) -> bool:
    """Tell whether what stands behind the colon of a host, if anything, is a number."""
    port = host.rpartition("]")[2].partition(":")[2]
    return not port or (port.isascii() and port.isdigit())


def _is_here(server: str, said: dict[str, str]) -> bool:
    """Tell whether every host that is named is this machine; that of PGHOST is not known here."""
    named = [*server.split(","), *(host for key in _HOSTS for host in said.get(key, "").split(","))]
    hosts = [one if one.startswith("/") else one.rpartition(":")[0] or one for one in named if one]
    return bool(hosts) and all(one in _LOOPBACK or one.startswith("/") for one in hosts)
