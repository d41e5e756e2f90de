"""Noise is drawn once: the same again is answered with the same, all else is drawn and counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from python_stages import dbt_models, drawn_noise, keys
from python_stages.drawn_noise import OTHER, DrawnNoise
from python_stages.errors import ConfigError
from python_stages.vault import register_functions

AMOUNT = {"epsilon": 1.0, "lower": 0, "upper": 1000}
RENDER: dict[str, Any] = {
    "label_column": "kind",
    "currency_column": "currency",
    "instructions": ["{description}"],
    "templates": ["paid {amount:number} at {shop}"],
    "answers": ["{kind}"],
}
TYPES = (
    "row_id varchar, kind varchar, shop varchar, currency varchar, amount {amount}, cents bigint"
)
Rows = Sequence[tuple[str, float | None]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A `*_rendered` relation that is built again and again."""

    con: duckdb.DuckDBPyConnection

    def build(
        self, rows: Rows, noise: dict[str, Any], *, kind: str = "double", **changes: Any
    ) -> dict[str, str]:
        """Build it as dbt does; return the text of each row by its id."""
        self.con.execute(f"create or replace table sampled ({TYPES.format(amount=kind)})")
        for row_id, amount in rows:
            cents = None if amount is None else round(100 * amount)
            given = [row_id, "Gas", f"shop {row_id}", "EUR", amount, cents]
            self.con.execute("insert into sampled values (?, ?, ?, ?, ?, ?)", given)
        reader = dbt_models.rendered(
            self.con.query("select * from sampled"),
            "demo",
            {**RENDER, "noise": noise, **changes},
            session=self.con,
            this='"memory"."main"."demo_rendered"',
        )
        with self.con.cursor() as writer:  # as dbt writes
            writer.register("made", reader)
            writer.execute("create or replace table demo_rendered as from made")
        return dict(self.con.execute("select row_id, user_text from demo_rendered").fetchall())

    def draws(self) -> dict[str, tuple[int, float]]:
        """Return how many draws each row had, and what they spent."""
        found = self.con.execute(
            "select row_id, count(*), sum(epsilon) from demo_noise_draws group by all"
        ).fetchall()
        return {row_id: (n, spent) for row_id, n, spent in found}


@pytest.fixture
def stage(con: duckdb.DuckDBPyConnection, ring: keys.KeyRing) -> Stage:
    """Return a stage whose connection has sealtune's functions."""
    register_functions(con, ring)
    return Stage(con)


ROWS: Rows = [("r1", 12.5), ("r2", 12.5), ("r3", 700.0)]
WITHOUT_AMOUNT = ["paid at {shop}"]
BARE: dict[str, Any] = {"templates": ["paid {amount:number} at {shop}", *WITHOUT_AMOUNT]}


def test_amounts_are_worded_with_noise(stage: Stage) -> None:
    texts = stage.build([(f"r{i}", 500.25) for i in range(200)], {"amount": AMOUNT})
    assert sum("500.25" in text for text in texts.values()) < 20
    assert len({text.split(" at ")[0] for text in texts.values()}) > 50


def test_a_rebuild_draws_nothing(stage: Stage) -> None:
    first = stage.build(ROWS, {"amount": AMOUNT})
    assert stage.build(ROWS, {"amount": AMOUNT}) == first
    stage.con.execute("drop table demo_rendered")  # as after --full-refresh
    assert stage.build(ROWS, {"amount": AMOUNT}) == first
    assert {n for n, _ in stage.draws().values()} == {1}


def test_all_that_a_build_draws_for_a_column_has_one_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn_noise, "_BATCH_ROWS", 1)
    stage.build(ROWS, {"amount": AMOUNT})
    stage.build([("r9", 13.5), *ROWS], {"amount": AMOUNT})
    times = "select count(*) from demo_noise_draws group by drawn_at order by drawn_at"
    assert stage.con.execute(times).fetchall() == [(3,), (1,)]


def test_a_row_that_comes_back_has_what_it_had(stage: Stage) -> None:
    first = stage.build(ROWS, {"amount": AMOUNT})
    stage.build(ROWS[1:], {"amount": AMOUNT})
    assert stage.build(ROWS, {"amount": AMOUNT}) == first


def test_a_value_that_changed_is_drawn_again_and_counts(stage: Stage) -> None:
    stage.build(ROWS, {"amount": AMOUNT})
    stage.build([("r1", 13.5), *ROWS[1:]], {"amount": AMOUNT})
    assert stage.draws() == {"r1": (2, 2.0), "r2": (1, 1.0), "r3": (1, 1.0)}


def test_settings_that_changed_draw_every_row_again(stage: Stage) -> None:
    stage.build(ROWS, {"amount": AMOUNT})
    stage.build(ROWS, {"amount": {**AMOUNT, "epsilon": 0.5}})
    assert set(stage.draws().values()) == {(2, 1.5)}


def test_equal_values_of_two_rows_are_drawn_apart(stage: Stage) -> None:
    texts = stage.build([(f"r{i}", 500.0) for i in range(50)], {"amount": {**AMOUNT, "epsilon": 9}})
    assert len({text.split(" at ")[0] for text in texts.values()}) > 25


def test_a_null_stays_one_and_spends_nothing(stage: Stage) -> None:
    texts = stage.build([("r1", None), ("r2", 3.0)], {"amount": AMOUNT}, **BARE)
    assert texts["r1"] == "paid at shop r1"
    assert list(stage.draws()) == ["r2"]


@pytest.mark.parametrize("kind", ["double", "float", "decimal(10, 2)", "integer", "usmallint"])
def test_every_numeric_type_can_have_noise(stage: Stage, kind: str) -> None:
    noise = {"amount": {**AMOUNT, "epsilon": 0.1}}
    texts = stage.build([(f"r{i}", 500) for i in range(9)], noise, kind=kind)
    assert len(set(texts.values())) == 9


@pytest.mark.parametrize(
    ("noise", "kind", "message"),
    [
        ({"amount": AMOUNT}, "varchar", "amount is not numeric; numeric columns: cents"),
        ({"amount": {**AMOUNT, "lower": -1}}, "usmallint", "does not fit its type"),
    ],
)
def test_a_column_that_cannot_hold_noise_is_refused(
    stage: Stage, noise: dict[str, Any], kind: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        stage.build(ROWS, noise, kind=kind)


def test_a_column_that_is_not_there_is_refused(stage: Stage) -> None:
    changes: dict[str, Any] = {"templates": ["paid {amounts:number} at {shop}"]}
    with pytest.raises(ConfigError, match="amounts is unknown; did you mean amount"):
        stage.build(ROWS, {"amounts": AMOUNT}, **changes)


def test_a_column_that_tells_the_same_number_is_refused(stage: Stage) -> None:
    rows = [(f"r{i}", float(i)) for i in range(9)]  # the shop is called after the number
    with pytest.raises(ConfigError, match="shop tells what amount is in most rows"):
        stage.build(rows, {"amount": AMOUNT})


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (
            "demo_rendered",
            {"render": {**RENDER, "noise": {"amuont": AMOUNT}}},
            "no template shows amuont; did you mean amount",
        ),
        (
            "demo_checked",
            {
                "check": {
                    "labels": "any",
                    "pii_entities": ["PERSON"],
                    "max_tokens_per_example": 9,
                    "private_counts": {"epsilon": 1},
                }
            },
            "labels by name",
        ),
    ],
)
def test_noise_that_cannot_be_had_is_refused_before_anything_is_built(
    stage: Stage, model: str, settings: dict[str, Any], message: str
) -> None:
    told = {
        name: {"noise": None, "private_counts": None, **section, "settings": section}
        for name, section in settings.items()
    }
    with pytest.raises(duckdb.InvalidInputException, match=f"ConfigError: .*{message}"):
        stage.con.execute("select check_settings(?)", [json.dumps({model: told})])


def test_noise_needs_the_session_of_the_build(stage: Stage) -> None:
    stage.build(ROWS, {"amount": AMOUNT})
    relation = stage.con.query("select * from sampled")
    with pytest.raises(ConfigError, match="noise needs session and this"):
        dbt_models.rendered(relation, "demo", {**RENDER, "noise": {"amount": AMOUNT}})


def test_a_build_without_noise_leaves_no_relation(stage: Stage) -> None:
    assert "12.50" in stage.build(ROWS, {})["r1"]
    assert stage.con.execute("select count(*) from duckdb_tables() where table_name like '%noise%'"
                             ).fetchone() == (0,)  # fmt: skip


def test_counts_of_a_version_are_drawn_once(stage: Stage) -> None:
    con = stage.con
    con.execute("create table examples as select 'train' as split, 'Gas' as label from range(500)")
    con.execute("insert into examples values ('validation', 'a value of a row')")
    drawn = DrawnNoise(con, '"memory"."main"."demo_checked"', "demo")

    def count(fingerprint: str, epsilon: float, *labels: str) -> list[tuple[Any, ...]]:
        drawn.counted(con.query("from examples"), labels, epsilon, fingerprint)
        return con.execute("from demo_noise_counts order by all").fetchall()

    first = count("f1", 20.0, "Gas", "Retail")
    assert {(split, label) for _, split, label, *_ in first} == {
        (split, label) for split in ("train", "validation") for label in ("Gas", "Retail", OTHER)
    }
    assert {n for _, split, label, n, *_ in first if (split, label) == ("train", "Gas")} <= {
        *range(495, 506)
    }
    assert count("f1", 20.0, "Retail", "Gas") == first
    assert len(count("f2", 20.0, "Gas", "Retail")) == 2 * len(first)
    assert len(count("f2", 10.0, "Gas", "Retail")) == 3 * len(first)
