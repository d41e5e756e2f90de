"""Rows are scrubbed once: taken over where nothing changed, scrubbed again where anything did."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import dbt_models, keys
from python_stages.vault import register_functions

POLICY = {
    "user_text": {"entities": ["EMAIL_ADDRESS"], "deny_from": {"customer": "PERSON"}},
    "customer": {"operator": "drop"},
}
MARK = "taken over"


@dataclass(frozen=True, slots=True)
class Stage:
    """A `*_scrubbed` relation that is built again and again."""

    con: duckdb.DuckDBPyConnection

    def build(self, rows: list[tuple[str, str, str]], **changes: Any) -> dict[str, str]:
        """Build it of these rows as dbt does; return the text of each row by its id."""
        names = ("row_id", "user_text", "customer")
        given = [dict(zip(names, row, strict=True)) for row in rows]
        types: list[tuple[str, pa.DataType]] = [(name, pa.string()) for name in names]
        table = pa.Table.from_pylist(given, pa.schema(types))
        self.con.register("given", table)
        self.con.execute("create or replace table rendered as from given")
        told = {"config": POLICY, **changes}
        reader = dbt_models.scrubbed(
            self.con.query("select * from rendered"),
            "demo",
            session=self.con,
            this='"memory"."main"."demo_scrubbed"',
            **told,
        )
        # dbt, too, writes with a cursor of its own, and then replaces the relation
        with self.con.cursor() as writer:
            writer.register("made", reader)
            writer.execute("create or replace table made_tmp as from made")
        self.con.execute("create or replace table demo_scrubbed as from made_tmp")
        found = self.con.execute("select row_id, user_text from demo_scrubbed").fetchall()
        return dict(found)

    def mark(self) -> None:
        """Write into every row what only a row that is taken over can keep."""
        self.con.execute("update demo_scrubbed set user_text = ?", [MARK])


ROWS = [
    ("r1", "write to jo.doe@example.com", "Ann Lee"),
    ("r2", "Ann Lee called", "Ann Lee"),
    ("r3", "nothing here", "Bo Ek"),
]


@pytest.fixture
def stage(con: duckdb.DuckDBPyConnection, ring: keys.KeyRing) -> Stage:
    register_functions(con, ring)
    return Stage(con)


def test_a_row_that_is_as_it_was_is_taken_over_and_a_new_one_scrubbed(stage: Stage) -> None:
    first = stage.build(ROWS)
    assert first["r2"] == "[PERSON] called"
    stage.mark()
    second = stage.build([*ROWS, ("r4", "mail a.b@example.com", "Cy Fo")])
    assert second == {"r1": MARK, "r2": MARK, "r3": MARK, "r4": "mail [EMAIL_ADDRESS]"}


def test_what_is_taken_over_is_what_would_be_scrubbed(stage: Stage) -> None:
    stage.build(ROWS)
    more = [*ROWS[1:], ("r4", "mail a.b@example.com", "Cy Fo")]
    taken = stage.build(more)
    columns = stage.con.execute("select * from demo_scrubbed order by row_id").fetchall()
    stage.con.execute("drop table demo_scrubbed")
    assert stage.build(more) == taken
    assert stage.con.execute("select * from demo_scrubbed order by row_id").fetchall() == columns


def test_a_row_that_is_gone_is_gone(stage: Stage) -> None:
    stage.build(ROWS)
    assert set(stage.build(ROWS[:1])) == {"r1"}


@pytest.mark.parametrize(
    "row", [("r2", "Bo Ek called", "Ann Lee"), ("r2", "Ann Lee called", "Bo Ek")]
)
def test_a_row_of_which_anything_changed_is_scrubbed(
    stage: Stage, row: tuple[str, str, str]
) -> None:
    stage.build(ROWS)
    stage.mark()
    found = stage.build([ROWS[0], row, ROWS[2]])
    assert (found["r1"], found["r3"]) == (MARK, MARK)
    assert found["r2"] != MARK


def test_another_policy_or_engine_scrubs_every_row(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.build(ROWS)
    stage.mark()
    other = {**POLICY, "user_text": {"entities": ["EMAIL_ADDRESS", "US_SSN"]}}
    assert MARK not in stage.build(ROWS, config=other).values()
    stage.mark()
    assert MARK in stage.build(ROWS, config=other).values()
    monkeypatch.setattr(dbt_models, "engine_version", lambda: "another")
    assert MARK not in stage.build(ROWS, config=other).values()


def test_a_full_refresh_scrubs_every_row(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.build(ROWS)
    stage.mark()
    monkeypatch.setattr(dbt_models, "is_full_refresh", lambda: True)
    assert MARK not in stage.build(ROWS).values()


@pytest.mark.parametrize(
    "changes",
    [
        {
            "config": {
                **POLICY,
                "user_text": {"entities": ["EMAIL_ADDRESS"], "operator": "surrogate"},
            }
        },
        {
            "config": {
                **POLICY,
                "user_text": {"entities": ["EMAIL_ADDRESS"], "operator": "pseudonym"},
            },
            "reversal": True,
        },
    ],
)
def test_what_depends_on_other_rows_is_never_taken_over(
    stage: Stage, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    stage.build(ROWS, **changes)
    stage.mark()
    assert MARK not in stage.build(ROWS, **changes).values()


def test_a_relation_of_an_older_version_is_scrubbed_anew(stage: Stage) -> None:
    stage.build(ROWS)
    stage.mark()
    stage.con.execute("alter table demo_scrubbed drop input_hmac")
    assert MARK not in stage.build(ROWS).values()
