"""The vault, opened for reading; a relation that is not there is an answer, no error."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from python_stages import keys, settings
from python_stages.vault import WAREHOUSE, open_vault, register_functions


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Relations of the vault, read only."""

    con: duckdb.DuckDBPyConnection

    def has(self, *names: str) -> bool:
        """Return whether there are relations of all these names."""
        found = self.con.execute(
            "select count(distinct table_name) from information_schema.tables "
            "where table_catalog = 'vault' and list_contains(?, table_name)",
            [list(names)],
        ).fetchall()
        return bool(found[0][0] == len(set(names)))

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a relation."""
        rows = self.con.execute(
            "select column_name from information_schema.columns "
            "where table_catalog = 'vault' and table_name = ? order by ordinal_position",
            [name],
        ).fetchall()
        return tuple(str(column) for (column,) in rows)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.con.execute(sql, list(parameters)).fetchall()


@contextmanager
def opened() -> Iterator[tuple[Warehouse, keys.KeyRing]]:
    """Open the vault for reading, with sealtune's functions, and the keys.

    Raises:
        VaultError: there is none, or another process is writing to it.
        KeyFileError: there are no keys.
    """
    ring = keys.load(settings.keys_folder())
    with closing(duckdb.connect(":memory:")) as con:
        open_vault(con, settings.vault_folder(), ring.vault_key(), read_only=True)
        register_functions(con, ring)
        con.execute("use vault.main")
        yield Warehouse(con), ring


def columns() -> list[tuple[str, ...]]:
    """Return relation, name and type of every column in the vault; none where it has no warehouse.

    Raises:
        VaultError: another process is writing to it.
        KeyFileError: there are no keys.
    """
    if not (settings.vault_folder() / WAREHOUSE).exists():
        return []
    with opened() as (vault, _):
        return vault.rows(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where database_name = 'vault' order by all"
        )
