"""The recall of planted data belongs to the lines that it was measured beside."""

from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import dbt_models, recall_models
from python_stages.check import CheckSpec
from python_stages.check_models import _recall
from python_stages.errors import ConfigError, StageError
from python_stages.scrub import Policy

pytestmark = pytest.mark.usefixtures("ring")

POLICY: dict[str, dict[str, Any]] = {
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
    return recall_models.pii_recall(*relations(con, n_rows), "tests", POLICY, {"n_planted": 6})


def test_the_model_measures_every_entity_of_the_policy(con: duckdb.DuckDBPyConnection) -> None:
    rows = measure(con).to_pylist()

    assert [(row["column_name"], row["entity"], row["recall"]) for row in rows] == [
        ("user_text", "EMAIL_ADDRESS", 1.0),
        ("user_text", "US_SSN", 1.0),
    ]
    assert len({row["dataset_fingerprint"] for row in rows}) == 1
    assert rows == measure(con).to_pylist()


def test_no_text_gives_no_row_but_every_column(
    con: duckdb.DuckDBPyConnection, measured: pa.Table
) -> None:
    empty = measure(con, 0)

    assert empty.num_rows == 0
    assert empty.schema == measured.schema


def measured_anew(con: duckdb.DuckDBPyConnection, n_rows: int, **changes: Any) -> bool:
    """Return whether a build measures, where the relation `earlier` has other numbers."""
    found = recall_models.pii_recall(
        *relations(con, n_rows),
        "tests",
        POLICY | changes,
        {"n_planted": 6},
        session=con,
        this="earlier",
    )
    return found.column("recall").to_pylist() != [0.125] * found.num_rows


def test_what_an_earlier_build_measured_is_taken_over_where_nothing_changed(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert measured_anew(con, 5)  # there is no relation yet
    con.register("measured", measure(con))
    con.execute("create temp table earlier as select * replace (0.125 as recall) from measured")
    assert not measured_anew(con, 5)
    assert measured_anew(con, 4)
    assert measured_anew(con, 5, user_text={"entities": ["US_SSN"]})
    monkeypatch.setattr(recall_models, "engine_version", lambda: "another")
    assert measured_anew(con, 5)


def scrubbed_by(con: duckdb.DuckDBPyConnection, *hashes: str) -> duckdb.DuckDBPyRelation:
    """Return what `*_scrubbed` is to the check: rows with the hash of their policy."""
    return con.from_arrow(pa.table({"policy_hash": pa.array(hashes, pa.string())}))


@pytest.fixture
def measured(con: duckdb.DuckDBPyConnection) -> pa.Table:
    return measure(con)


def one(measured: pa.Table, column: str) -> str:
    (value,) = set(measured.column(column).to_pylist())
    return str(value)


def test_a_recall_measured_beside_other_lines_is_refused(
    con: duckdb.DuckDBPyConnection, measured: pa.Table
) -> None:
    scrubbed = scrubbed_by(con, one(measured, "policy_hash"))
    relation = con.from_arrow(measured)

    assert _recall(relation, scrubbed, one(measured, "dataset_fingerprint"), SPEC).num_rows == 2
    with pytest.raises(StageError, match="measured beside other lines"):
        _recall(relation, scrubbed, "another", SPEC)


def test_a_recall_measured_by_another_policy_than_that_which_scrubbed_is_refused(
    con: duckdb.DuckDBPyConnection, measured: pa.Table
) -> None:
    own, relation = one(measured, "policy_hash"), con.from_arrow(measured)

    for hashes in (["another"], [own, "another"], []):
        with pytest.raises(StageError, match="measured by another policy"):
            _recall(relation, scrubbed_by(con, *hashes), one(measured, "dataset_fingerprint"), SPEC)


def test_the_policy_that_measures_is_known_by_the_hash_of_the_policy_that_scrubs(
    con: duckdb.DuckDBPyConnection, measured: pa.Table
) -> None:
    rendered, _ = relations(con)
    table = dbt_models.scrubbed(rendered, "tests", POLICY).read_all()

    assert one(table, "policy_hash") == one(measured, "policy_hash")
    weaker = {**POLICY, "user_text": {**POLICY["user_text"], "min_score": 0.9}}
    assert Policy.from_config(weaker, dataset="tests").fingerprint != one(table, "policy_hash")


def test_the_check_asks_for_its_own_least_recall(
    con: duckdb.DuckDBPyConnection, measured: pa.Table
) -> None:
    spec = replace(SPEC, min_planted_recall={"US_SSN": 0.5})
    scrubbed = scrubbed_by(con, one(measured, "policy_hash"))
    fingerprint = one(measured, "dataset_fingerprint")
    rows = _recall(con.from_arrow(measured), scrubbed, fingerprint, spec).to_pylist()

    assert {row["entity"]: row["min_recall"] for row in rows} == {
        "US_SSN": 0.5,
        "EMAIL_ADDRESS": 0.99,
    }


def test_an_unknown_setting_is_refused_before_anything_is_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(ConfigError, match="unknown setting n_plants"):
        recall_models.pii_recall(*relations(con), "tests", POLICY, {"n_plants": 6})
