"""Rows that an earlier build scrubbed: taken over where nothing changed that they depend on.

Beside each scrubbed row stands `input_hmac`, a keyed hash of all that went into it: every column of
the rendered row, the policy, the budget of tokens, and the version of the engine. A row is taken
over from the relation that is about to be replaced where row_id and input_hmac are the same; every
other row is scrubbed. The relation is written as a whole: a row that is not rendered any more is
gone, and a build that is killed leaves the old one.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

INPUT_HMAC: Final = "input_hmac"
_KNOWN: Final = "rows_scrubbed_before"
_BATCH_ROWS: Final = 4096


@dataclass(frozen=True, slots=True)
class EarlierRows:
    """What there is of a `*_scrubbed` relation before it is built again.

    Attributes:
        session: dbt's connection, which has `keyed_hmac`.
        this: the relation, quoted for SQL.
        purpose: what its keyed hashes are made for.
        settings: all but the row that a scrubbed row depends on; holds no quote.
    """

    session: duckdb.DuckDBPyConnection
    this: str
    purpose: str
    settings: str

    def hashed(self, rendered: duckdb.DuckDBPyRelation) -> str:
        """Return the SQL of the rendered rows with their input_hmac."""
        columns = ", ".join(f'"{name}"' for name in rendered.columns)
        return (
            f"select *, keyed_hmac('{self.purpose}', '{self.settings}' || "  # noqa: S608 - names of columns
            f"json_array({columns})::varchar) as {INPUT_HMAC} from ({rendered.sql_query()})"
        )

    def known(self, rendered: duckdb.DuckDBPyRelation, *, is_possible: bool) -> pa.Table:
        """Return the row_id of every row that can be taken over; leaves it with the session.

        Args:
            rendered: the rows.
            is_possible: whether any can be, where there is such a relation.
        """
        found = pa.table({"row_id": pa.array([], pa.string())})
        if is_possible:
            # there is none yet, or an older version made it
            with suppress(duckdb.CatalogException, duckdb.BinderException):
                found = self.session.execute(
                    f"select row_id from ({self.hashed(rendered)}) "  # noqa: S608 - dbt's own names
                    # a text may be unreadable for want of time alone, so it gets another chance
                    f"semi join (select * from {self.this} where n_unreadable = 0) "
                    f"using (row_id, {INPUT_HMAC})"
                ).to_arrow_table()
        self.session.register(_KNOWN, found)
        return found

    def others(self, rendered: duckdb.DuckDBPyRelation, known: pa.Table) -> duckdb.DuckDBPyRelation:
        """Return the rendered rows that are not known, with their input_hmac."""
        if known.num_rows:
            rest = f"select * from ({rendered.sql_query()}) anti join {_KNOWN} using (row_id)"  # noqa: S608 - dbt's own names
            rendered = self.session.query(rest)
        return self.session.query(self.hashed(rendered))

    def taken_over(self, known: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the known rows as they were scrubbed; the last thing to be asked of the session."""
        if known.num_rows:
            names = ", ".join(f'"{name}"' for name in schema.names)
            rows = f"select {names} from {self.this} semi join {_KNOWN} using (row_id)"  # noqa: S608 - dbt's own names
            for batch in self.session.execute(rows).to_arrow_reader(_BATCH_ROWS):
                yield batch.cast(schema)
        self.session.unregister(_KNOWN)
