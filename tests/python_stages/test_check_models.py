"""A verdict of an earlier build is good for exactly what it was given on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from python_stages import check_models, keys, settings
from python_stages.check_models import checked
from python_stages.hooks import fingerprint_relation

pytestmark = pytest.mark.usefixtures("ring")

CHECK: dict[str, Any] = {
    "labels": ["Gas", "Retail"],
    "pii_entities": ["EMAIL_ADDRESS"],
    "max_tokens_per_example": 100,
    "max_reject_share": 0.5,
}
Verdict = list[dict[str, Any]]


@pytest.fixture
def upstream(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Make what a check reads."""
    con.execute("create table ingested (outcome varchar, n_rows bigint)")
    con.execute("insert into ingested values ('read', 16), ('kept', 16), ('rejected', 0)")
    con.execute("create table scrubbed as select 'p' as policy_hash")
    con.execute(
        "create table examples (example_id varchar, split varchar, label varchar, "
        "messages varchar, n_tokens bigint)"
    )
    for number in range(16):
        label = CHECK["labels"][number % 2]
        messages = [
            {"role": "user", "content": f"which class is purchase {number}?"},
            {"role": "assistant", "content": label},
        ]
        split = "train" if number < 12 else "validation"
        con.execute(
            "insert into examples values (?, ?, ?, ?, 30)",
            [f"id-{number}", split, label, json.dumps(messages)],
        )
    return con


def judge(con: duckdb.DuckDBPyConnection, n_masked: int = 60, **changes: Any) -> Verdict:
    """Build the check; its relation is `verdict`."""
    ring = keys.load(settings.keys_folder())
    examples = con.table("examples")
    fingerprint = fingerprint_relation(examples, ring)
    con.execute(
        "create or replace table recall as select 'EMAIL_ADDRESS' as entity, 60 as n_planted, "
        f"{n_masked} as n_masked, 0.99 as min_recall, 'p' as policy_hash, "
        f"'{fingerprint}' as dataset_fingerprint"
    )
    found = checked(
        examples,
        con.table("ingested"),
        con.table("recall"),
        con.table("scrubbed"),
        CHECK | changes,
        session=con,
        this="verdict",
    )
    con.register("found", found)
    con.execute("create or replace table verdict as from found")
    con.unregister("found")
    return found.to_pylist()


def mark(con: duckdb.DuckDBPyConnection) -> None:
    """Mark what is recorded, so that it is seen whether it was taken over."""
    con.execute("update verdict set description = 'of before'")


def is_taken_over(rows: Verdict) -> bool:
    return {row["description"] for row in rows} == {"of before"}


def test_a_full_pass_is_taken_over_where_nothing_changed(
    upstream: duckdb.DuckDBPyConnection,
) -> None:
    first = judge(upstream)
    assert all(row["is_success"] for row in first)
    again = judge(upstream)
    assert again == first
    mark(upstream)
    rows = judge(upstream)
    assert is_taken_over(rows)
    keep = ("expectation", "is_success", "suite_hash", "dataset_fingerprint", "judged_hmac")
    assert [[row[name] for name in keep] for row in rows] == [
        [row[name] for name in keep] for row in first
    ]


@pytest.mark.parametrize(
    "change",
    [
        "update examples set n_tokens = 31 where example_id = 'id-3'",
        "update examples set label = 'Gas' where example_id = 'id-3'",
        "update examples set split = 'train' where example_id = 'id-13'",
        "update examples set messages = replace(messages, '3?', '33?') where example_id = 'id-3'",
        "delete from examples where example_id = 'id-3'",
        "update ingested set n_rows = 1 where outcome = 'rejected'",
        "update verdict set is_success = false where suite = 'recall'",
        "update verdict set judged_hmac = 'another' where suite = 'recall'",
        "delete from verdict where suite = 'recall'",
        "delete from verdict",
        "alter table verdict drop column judged_hmac",
        "drop table verdict",
    ],
)
def test_whatever_else_there_is_is_judged_anew(
    upstream: duckdb.DuckDBPyConnection, change: str
) -> None:
    judge(upstream)
    mark(upstream)
    upstream.execute(change)
    assert not is_taken_over(judge(upstream))


def test_with_another_checkpoint_it_is_judged_anew(
    upstream: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "expectations"
    shutil.copytree("expectations", folder)
    monkeypatch.chdir(tmp_path)
    judge(upstream)
    mark(upstream)
    checkpoint = folder / "checkpoints/recall.json"
    checkpoint.write_text(checkpoint.read_text("utf-8") + "\n", "utf-8")
    assert not is_taken_over(judge(upstream))


def test_a_failure_is_judged_anew(upstream: duckdb.DuckDBPyConnection) -> None:
    assert not all(row["is_success"] for row in judge(upstream, n_masked=10))
    mark(upstream)
    assert not is_taken_over(judge(upstream, n_masked=10))


@pytest.mark.parametrize(
    "changed",
    [
        lambda con, _: judge(con, n_masked=59),
        lambda con, _: judge(con, max_tokens_per_example=99),
        lambda con, _: judge(con, pii_entities=["EMAIL_ADDRESS", "US_SSN"]),
        lambda con, patch: _judge_with(con, patch, "engine_version"),
        lambda con, patch: _judge_with(con, patch, "_check_version"),
        lambda con, patch: _judge_with(con, patch, "is_full_refresh", is_there=True),
    ],
)
def test_with_another_bound_recall_or_code_it_is_judged_anew(
    upstream: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    changed: Callable[[duckdb.DuckDBPyConnection, pytest.MonkeyPatch], Verdict],
) -> None:
    judge(upstream)
    mark(upstream)
    assert not is_taken_over(changed(upstream, monkeypatch))


def _judge_with(
    con: duckdb.DuckDBPyConnection, patch: pytest.MonkeyPatch, name: str, *, is_there: bool = False
) -> Verdict:
    patch.setattr(check_models, name, lambda: is_there or "another")
    return judge(con)
