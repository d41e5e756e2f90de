"""The hooks: nothing is sealed or submitted that was not checked, and nothing twice."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import hooks, keys, seal
from python_stages.check import VERDICT_SCHEMA, hash_suites
from python_stages.errors import ConfigError, NotCheckedError
from python_stages.hooks import JobSettings, check_spec, fingerprint_relation, ledger_sql
from python_stages.ledger import Ledger

CHECK = {"labels": ["Gas", "Travel"], "pii_entities": ["identifiers"], "max_tokens_per_example": 99}
JOB = {"backend": "plan", "base_model": "tiny", "price_per_million_tokens": None}


@pytest.fixture(autouse=True)
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> keys.KeyRing:
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    (tmp_path / "vault").mkdir(mode=0o700)
    return keys.create(tmp_path / "keys")


@pytest.fixture
def con(ring: keys.KeyRing) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection with examples, a verdict that passes them, and the sealed view."""
    with closing(duckdb.connect(":memory:")) as connection:
        connection.execute("""
            create table examples as select
                lpad(i::varchar, 3, '0') as example_id,
                if(i % 5 = 0, 'validation', 'train') as split,
                [{'role': 'user', 'content': 'é ' || i}]::json::varchar as messages,
                7 as n_tokens
            from range(100) n(i)
        """)
        numbered = "row_number() over (partition by split order by example_id) as line_number"
        lines = connection.table("examples").project(
            f"split, {numbered}, n_tokens, {hooks.LINE_SQL} as line"
        )
        lines.create_view("sealed")
        put_verdict(connection, ring)
        yield connection


def put_verdict(con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, **changes: object) -> None:
    """Record a verdict of two expectations on the examples as they are now."""
    row: dict[str, object] = {
        "suite": "examples",
        "expectation": "is_fine",
        "column": None,
        "description": "all is fine",
        "is_success": True,
        "n_checked": 100,
        "n_failed": 0,
        "suite_hash": hash_suites(check_spec(CHECK)),
        "n_expectations": 2,
        "dataset_fingerprint": fingerprint_relation(con.table("examples"), ring),
    }
    rows = [{**row, "column": "first"}, {**row, "column": "second", **changes}]
    con.register("verdict", pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA))
    con.execute("create or replace table checked as from verdict")


def config(hook: str, **job: object) -> dict[str, Any]:
    return {
        "hook": hook,
        "dataset": "demo",
        "sealed": "sealed",
        "checked": "checked",
        "check": CHECK,
        "job": {**JOB, **job},
    }


def files(tmp_path: Path) -> Mapping[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "vault").rglob("*.sealed")}


# ── seal ──


def test_sealed_files_hold_the_lines_of_their_split_in_order(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, tmp_path: Path
) -> None:
    assert hooks.run(con, config("seal")) == "demo: sealed train 80 lines, validation 20 lines"
    for split, n_lines in (("train", 80), ("validation", 20)):
        (path,) = (tmp_path / "vault" / "sealed" / "demo").glob(f"{split}-*.sealed")
        with seal.open_sealed(path, keys=ring) as file:
            lines = b"".join(file.blocks()).decode().splitlines()
        numbers = [
            int(json.loads(line)["messages"][0]["content"].removeprefix("é ")) for line in lines
        ]
        assert len(numbers) == n_lines
        assert numbers == sorted(numbers)
        assert all((number % 5 == 0) == (split == "validation") for number in numbers)


def test_sealing_again_writes_nothing(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    hooks.run(con, config("seal"))
    before = files(tmp_path)
    assert hooks.run(con, config("seal")).startswith("demo: already sealed, nothing written")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        "update examples set messages = messages || ' ' where example_id = '042'",
        "delete from examples where example_id = '042'",
        "update examples set split = 'train' where example_id = '050'",
        "update examples set example_id = '999' where example_id = '042'",
        "insert into examples select '999', 'train', '[]', 7",
    ],
)
def test_lines_that_changed_after_their_check_are_not_sealed(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, change: str
) -> None:
    con.execute(change)
    with pytest.raises(NotCheckedError, match="the check was of other lines"):
        hooks.run(con, config("seal"))
    assert files(tmp_path) == {}


@pytest.mark.parametrize("is_success", [False, None])
def test_a_failed_expectation_is_named_and_nothing_is_sealed(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, tmp_path: Path, *, is_success: bool | None
) -> None:
    put_verdict(con, ring, is_success=is_success)
    with pytest.raises(NotCheckedError, match=r"1 of 2 .* failed: examples.is_fine\(second\)"):
        hooks.run(con, config("seal"))
    assert files(tmp_path) == {}


def test_other_rules_than_those_of_the_check_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    other = {**config("seal"), "check": {**CHECK, "max_tokens_per_example": 100}}
    with pytest.raises(NotCheckedError, match="rules have changed since the check"):
        hooks.run(con, other)
    assert files(tmp_path) == {}


def test_an_empty_or_incomplete_check_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con.execute("delete from checked where \"column\" = 'first'")
    with pytest.raises(NotCheckedError, match="incomplete"):
        hooks.run(con, config("seal"))
    con.execute("delete from checked")
    with pytest.raises(NotCheckedError, match="no check was recorded"):
        hooks.run(con, config("seal"))
    assert files(tmp_path) == {}


def test_the_fingerprint_that_is_checked_is_the_one_that_is_sealed(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing
) -> None:
    lines = hooks.Lines.from_config(con, config("seal"))
    by_split = lines.fingerprints(ring)
    key = ring.hmac_key("fingerprint")
    relation = con.table("examples")
    assert seal.fingerprint_dataset(by_split, key) == fingerprint_relation(relation, ring)


# ── submit ──


def test_a_plan_is_recorded_once_and_seen_in_the_ledger_s_relation(
    con: duckdb.DuckDBPyConnection,
) -> None:
    hooks.run(con, config("seal"))
    said = hooks.run(con, config("submit", price_per_million_tokens=5.0))
    assert "on plan is PLANNED: tiny, 80 examples, 560 tokens an epoch" in said
    with Ledger(hooks.ledger_path()) as ledger:
        before = ledger.jobs()
    hooks.run(con, config("submit", price_per_million_tokens=5.0))
    with Ledger(hooks.ledger_path()) as ledger:
        assert ledger.jobs() == before
    found = con.sql(ledger_sql())
    (row,) = found.fetchall()
    named = dict(zip(found.columns, row, strict=True))
    assert (named["dataset"], named["state"], named["n_examples"]) == ("demo", "PLANNED", 80)
    assert named["estimated_cost"] == pytest.approx(560 * 3 * 5 / 1e6)
    assert named["job_id"] is None


def test_nothing_is_submitted_after_the_lines_changed(con: duckdb.DuckDBPyConnection) -> None:
    hooks.run(con, config("seal"))
    con.execute("delete from examples where example_id = '042'")
    with pytest.raises(NotCheckedError):
        hooks.run(con, config("submit"))
    assert not hooks.ledger_path().exists()


def test_without_a_ledger_its_relation_has_its_columns_and_no_row(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = con.sql(ledger_sql())
    assert found.columns[:3] == ["job_key", "dataset", "state"]
    assert found.fetchall() == []
    assert not hooks.ledger_path().exists()


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"base_model": "m"}, "setting backend is missing"),
        ({"backend": "plan"}, "setting base_model is missing"),
        ({**JOB, "epochs": 3}, "unknown setting epochs; known are"),
        ({**JOB, "backend": "openai"}, "say so with allow_upload: true"),
        (
            {**JOB, "backend": "compatible", "base_url": "https://api.example.com/v1"},
            "allow_upload",
        ),
        ({**JOB, "backend": "openai", "allow_upload": "true"}, "allow_upload"),
        (
            {**JOB, "backend": "compatible", "base_url": "http://127.0.0.1.example.com/v1"},
            "allow_upload",
        ),
    ],
)
def test_job_settings_that_are_wrong_or_lack_consent_are_refused(
    job: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        JobSettings.from_config(job)


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        {**JOB, "backend": "compatible", "base_url": "http://127.0.0.1:8000/v1"},
        {**JOB, "backend": "openai", "allow_upload": True},
    ],
)
def test_job_settings_that_send_nothing_away_or_have_consent_are_taken(
    job: dict[str, object],
) -> None:
    assert JobSettings.from_config(job).backend == job["backend"]
