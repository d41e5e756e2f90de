"""Noise that was drawn: kept in the warehouse, so that no build draws it twice.

OpenDP cannot be seeded, and a second draw would spend a second epsilon: who sees both knows the
value better. So every draw stands in a relation of its dataset that dbt knows nothing of, which
`--full-refresh` therefore leaves alone, under the row, the column, and a keyed hash of value and
settings. The same again is answered with the same (the permanent response of Erlingsson et al.,
RAPPOR, CCS 2014, section 3.1); a value or setting that changed is drawn again, and both count.

    <dataset>_noise_draws    one row per draw on a value
    <dataset>_noise_counts   one row per count of a class and split, of a version of the dataset

A draw is committed before what shows it: a build that is killed can lose nothing but time. All that
a build draws for a column has one time. By that the report knows how often a record can have been
drawn for that was changed: a row is named after what it holds, so it then is another row.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

import duckdb
import pyarrow as pa

from python_stages.errors import ConfigError
from python_stages.ingest.scans import identifier, literal
from python_stages.names import nearest
from python_stages.noise import ColumnNoise, require_opendp

OTHER: Final = "(other)"
SPLITS: Final = ("train", "validation")
_NUMERIC: Final = ("tinyint", "smallint", "integer", "bigint", "hugeint", "float", "double")
_BATCH_ROWS: Final = 65_536
# share of rows in which another column holds the same number, from which it is no coincidence
_COPIED_SHARE: Final = 0.5


def dataset_of(checked: str) -> str:
    """Return the dataset of a `*_checked` relation, quoted for SQL."""
    return checked.rpartition(".")[2].strip('"').removesuffix("_checked")


def draws_of(dataset: str) -> str:
    """Return the name of the relation of a dataset's draws on values."""
    return f"{dataset}_noise_draws"


def counts_of(dataset: str) -> str:
    """Return the name of the relation of a dataset's noisy counts."""
    return f"{dataset}_noise_counts"


def asked_counts(labels: Iterable[str], epsilon: float) -> str:
    """Return a hash of what is asked of counts: with other classes they are others."""
    return sha256(json.dumps([epsilon, *sorted(labels)]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DrawnNoise:
    """What was drawn for a dataset.

    Attributes:
        session: dbt's connection, which has `keyed_hmac`.
        this: a relation of the dataset, quoted for SQL; the draws lie in its schema.
        dataset: its name.
    """

    session: duckdb.DuckDBPyConnection
    this: str
    dataset: str

    def noised(
        self, rows: duckdb.DuckDBPyRelation, noise: Sequence[ColumnNoise], shown: Sequence[str]
    ) -> duckdb.DuckDBPyRelation:
        """Return the rows with noise in these columns; what was not drawn before is drawn now.

        A null stays one. No value of these columns comes through as it was: where there were no
        draw for one, it would be null.

        Args:
            rows: with row_id.
            noise: what is asked, a column each.
            shown: all columns that are worded.

        Raises:
            ConfigError: a column is unknown or not numeric, cannot hold its bounds, or its value
                stands in another shown column as well; or OpenDP is missing.
            StageError: a value is not a number.
        """
        require_opendp()
        types = dict(zip(rows.columns, map(str, rows.types), strict=True))
        for one in noise:
            self._refuse_column(one, types)
            others = sorted({*shown} & types.keys() - {"row_id"} - {one.column for one in noise})
            self._refuse_copies(rows, one.column, others)
        self.session.execute(
            f"create table if not exists {self._draws} (column_name varchar, row_id varchar, "
            "value_hmac varchar, noisy_value varchar, epsilon double, drawn_at timestamptz)"
        )
        for one in noise:
            self._draw(rows, one)
        return self.session.query(self._joined(rows, noise, types))

    def counted(
        self,
        examples: duckdb.DuckDBPyRelation,
        labels: Sequence[str],
        epsilon: float,
        fingerprint: str,
    ) -> None:
        """Draw the counts of classes and splits of a version, unless they were drawn before.

        Args:
            examples: with split and label.
            labels: the classes that the config declares; all others count as one.
            epsilon: what may be spent on whether an example is there.
            fingerprint: of the version.

        Raises:
            ConfigError: OpenDP is missing, or finds no noise that spends so little.
        """
        require_opendp()
        self.session.execute(
            f"create table if not exists {self._counts} (dataset_fingerprint varchar, "
            "split varchar, label varchar, n_noisy bigint, asked varchar, epsilon double, "
            "drawn_at timestamptz)"
        )
        names = [*sorted(labels), OTHER]
        cells = [(split, label) for split in SPLITS for label in names]
        asked = asked_counts(labels, epsilon)
        known = self.session.execute(
            f"select 1 from {self._counts} where dataset_fingerprint = ? and asked = ? limit 1",  # noqa: S608 - our own name
            [fingerprint, asked],
        ).fetchall()
        if known:
            return
        from python_stages.noise.mechanism import noisy_counts  # noqa: PLC0415 - an extra

        codes = {cell: code for code, cell in enumerate(cells)}
        found = [
            codes[split, label if label in names else OTHER]
            for split, label in examples.project("split, label").fetchall()
        ]
        counts, spent = noisy_counts(found, len(cells), epsilon)
        drawn = pa.table(
            {
                "dataset_fingerprint": pa.repeat(fingerprint, len(cells)),
                "split": [split for split, _ in cells],
                "label": [label for _, label in cells],
                "n_noisy": counts,
                "asked": pa.repeat(asked, len(cells)),
                "epsilon": pa.repeat(spent, len(cells)),
            }
        )
        self._keep(drawn, self._counts, datetime.now(UTC))

    @property
    def _draws(self) -> str:
        return self._beside(draws_of(self.dataset))

    @property
    def _counts(self) -> str:
        return self._beside(counts_of(self.dataset))

    def _beside(self, name: str) -> str:
        """Return a relation of the schema that `this` is in, quoted."""
        schema, dot, _ = self.this.rpartition(".")
        return f'{schema}{dot}"{name}"'

    def _keep(self, drawn: pa.Table, relation: str, at: datetime) -> None:
        """Append draws, all of them or none."""
        self.session.register("drawn_now", drawn)
        self.session.execute(f"insert into {relation} select *, ? from drawn_now", [at])  # noqa: S608 - our own name
        self.session.unregister("drawn_now")

    def _hashed(self, noise: ColumnNoise) -> str:
        """Return the SQL of the keyed hash of a value and its settings."""
        purpose = f"{self.dataset}.noise"
        return (
            f"keyed_hmac('{purpose}', '{noise.settings} ' || {identifier(noise.column)}::varchar)"
        )

    def _draw(self, rows: duckdb.DuckDBPyRelation, noise: ColumnNoise) -> None:
        """Draw what was not drawn before."""
        name = identifier(noise.column)
        missing = self.session.execute(
            f"with given as (select distinct row_id, {self._hashed(noise)} as value_hmac, "  # noqa: S608 - names of columns
            f"{name}::varchar as value from ({rows.sql_query()}) as bare where {name} is not null) "
            f"select * from given anti join (select * from {self._draws} where column_name = ?) "
            "using (row_id, value_hmac)",
            [noise.column],
        ).to_arrow_table()
        if not missing.num_rows:
            return
        from python_stages.noise.mechanism import ColumnMechanism  # noqa: PLC0415 - an extra

        mechanism, at = ColumnMechanism(noise), datetime.now(UTC)
        for batch in missing.to_batches(_BATCH_ROWS):
            values = [Decimal(str(value)) for value in batch.column("value").to_pylist()]
            drawn = pa.table(
                {
                    "column_name": pa.repeat(noise.column, batch.num_rows),
                    "row_id": batch.column("row_id"),
                    "value_hmac": batch.column("value_hmac"),
                    "noisy_value": [format(one, "f") for one in mechanism.draw(values)],
                    "epsilon": pa.repeat(mechanism.epsilon, batch.num_rows),
                }
            )
            self._keep(drawn, self._draws, at)

    def _joined(
        self,
        rows: duckdb.DuckDBPyRelation,
        noise: Sequence[ColumnNoise],
        types: dict[str, str],
    ) -> str:
        """Return the SQL of the rows with what was drawn for them."""
        hashes = ", ".join(f"{self._hashed(one)} as noise_{i}" for i, one in enumerate(noise))
        columns = ", ".join(
            f"try_cast(drawn_{i}.noisy_value as {types[one.column]}) as {identifier(one.column)}"
            for i, one in enumerate(noise)
        )
        joins = " ".join(
            f"left join {self._draws} as drawn_{i} on drawn_{i}.column_name = "
            f"{literal(one.column)} and drawn_{i}.row_id = given.row_id "
            f"and drawn_{i}.value_hmac = given.noise_{i}"
            for i, one in enumerate(noise)
        )
        names = ", ".join(f"noise_{i}" for i in range(len(noise)))
        return (
            f"select given.* exclude ({names}) replace ({columns}) from "  # noqa: S608 - names of columns
            f"(select *, {hashes} from ({rows.sql_query()}) as bare) as given {joins}"
        )

    def _refuse_column(self, noise: ColumnNoise, types: dict[str, str]) -> None:
        """Raise ConfigError unless the column is there, numeric, and wide enough."""
        kinds = {name: _is_numeric(kind) for name, kind in types.items()}
        if not kinds.get(noise.column):
            numeric = sorted(name for name, is_numeric in kinds.items() if is_numeric)
            problem = "not numeric" if noise.column in types else "unknown"
            meant = nearest(noise.column, numeric) if problem == "unknown" else None
            known = ", ".join(numeric) or "none"
            hint = f"did you mean {meant}?" if meant else f"numeric columns: {known}"
            raise ConfigError(f"noise: column {noise.column} is {problem}; {hint}")
        kind = types[noise.column]
        bounds = ", ".join(f"try_cast('{one:f}' as {kind})" for one in (noise.lower, noise.upper))
        if None in (self.session.execute(f"select {bounds}").fetchone() or (None,)):
            raise ConfigError(f"noise: a bound of {noise.column} does not fit its type, {kind}")

    def _refuse_copies(
        self, rows: duckdb.DuckDBPyRelation, column: str, others: Sequence[str]
    ) -> None:
        """Raise ConfigError where another column holds the same number in most rows, exactly."""
        if not others:
            return
        name = identifier(column)
        shares = ", ".join(
            f"avg(list_contains(list_transform(regexp_extract_all({identifier(other)}::varchar, "
            rf"'[0-9]+(?:\.[0-9]+)?'), lambda found: try_cast(found as double)), "
            f"abs({name}::double))::integer)"
            for other in others
        )
        found = self.session.execute(
            f"select {shares} from ({rows.sql_query()}) as given where {name} is not null"  # noqa: S608 - names of columns
        ).fetchone()
        for other, share in zip(others, found or (), strict=True):
            if share is not None and share > _COPIED_SHARE:
                raise ConfigError(
                    f"noise: {other} tells what {column} is in most rows, and is shown as well; "
                    f"ask for noise on it too, or leave it out of templates and carry"
                )


def _is_numeric(kind: str) -> bool:
    name = kind.lower()
    return name.removeprefix("u") in _NUMERIC or name.startswith("decimal")
