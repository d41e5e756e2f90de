"""The recall of planted data belongs to the lines that it was measured beside."""

import duckdb
import pyarrow as pa
import pytest

from python_stages import dbt_models
from python_stages.check import CheckSpec
from python_stages.dbt_models import _recall
from python_stages.errors import ConfigError, StageError

pytestmark = pytest.mark.usefixtures("ring")

POLICY = {
    "user_text": {"entities": ["US_SSN", "EMAIL_ADDRESS"]},
    "system_text": {"operator": "keep"},
}
SPEC = CheckSpec(labels=("a",), pii_entities=("US_SSN",), max_tokens_per_example=9)


def relations(
    con: duckdb.DuckDBPyConnection, n_rows: int = 5
) -> tuple[duckdb.DuckDBPyRelation, duckdb.DuckDBPyRelation]:
    rendered = con.sql(
        """
        select i::varchar as row_id, 'bought ' || i || ' apples' as user_text,
               null::varchar as system_text
        from range(?) n(i)
        """,
        params=[n_rows],
    )
    examples = con.sql(
        """
        select i::varchar as example_id, 'train' as split, '[]' as messages
        from range(?) n(i)
        """,
        params=[n_rows],
    )
    return rendered, examples


def measure(con: duckdb.DuckDBPyConnection, n_rows: int = 5) -> pa.Table:
    return dbt_models.pii_recall(*relations(con, n_rows), "tests", POLICY, {"n_planted": 6})


def test_the_model_measures_every_entity_of_the_policy(con: duckdb.DuckDBPyConnection) -> None:
    rows = measure(con).to_pylist()

    assert [(row["column_name"], row["entity"], row["recall"]) for row in rows] == [
        ("user_text", "EMAIL_ADDRESS", 1.0),
        ("user_text", "US_SSN", 1.0),
    ]
    assert len({row["dataset_fingerprint"] for row in rows}) == 1
    assert rows == measure(con).to_pylist()


def test_no_text_gives_no_row_but_every_column(con: duckdb.DuckDBPyConnection) -> None:
    empty = measure(con, 0)

    assert empty.num_rows == 0
    assert empty.schema == measure(con).schema


def test_a_recall_measured_beside_other_lines_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    fingerprint = str(measure(con).column("dataset_fingerprint")[0])
    con.register("measured", measure(con))
    relation = con.table("measured")

    assert _recall(relation, fingerprint, SPEC).num_rows == 2
    with pytest.raises(StageError, match="measured beside other lines"):
        _recall(relation, "another", SPEC)


def test_the_check_asks_for_its_own_least_recall(con: duckdb.DuckDBPyConnection) -> None:
    con.register("measured", measure(con))
    spec = CheckSpec(
        labels=("a",),
        pii_entities=("US_SSN",),
        max_tokens_per_example=9,
        min_planted_recall={"US_SSN": 0.5},
    )
    fingerprint = str(measure(con).column("dataset_fingerprint")[0])
    rows = _recall(con.table("measured"), fingerprint, spec).to_pylist()

    assert {row["entity"]: row["min_recall"] for row in rows} == {
        "US_SSN": 0.5,
        "EMAIL_ADDRESS": 0.99,
    }


def test_an_unknown_setting_is_refused_before_anything_is_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(ConfigError, match="unknown setting n_plants"):
        dbt_models.pii_recall(*relations(con), "tests", POLICY, {"n_plants": 6})
