"""The epsilon in the report is what was drawn, whatever is asked for now."""

from dataclasses import replace
from typing import Any

import duckdb
import pytest

from python_stages.drawn_noise import asked_counts
from python_stages.site import gather_changes, gather_models, gather_noise
from python_stages.site.artifacts import Manifest
from python_stages.site.facts.dataset import Stage
from python_stages.site.facts.model import Score
from python_stages.site.warehouse import Warehouse
from tests.python_stages.site.facts import CHANGE_LOG, MODEL

AMOUNT = {"epsilon": 1.0, "lower": 0, "upper": 10}


@pytest.fixture
def vault(con: duckdb.DuckDBPyConnection) -> Warehouse:
    """Return a vault in which one row's amount was drawn twice, and age once for another row."""
    con.execute("attach ':memory:' as vault")
    con.execute("use vault.main")
    con.execute(
        "create table demo_noise_draws as from (values ('amount', 'r1', 1.0, 1), "
        "('amount', 'r1', 0.5, 2), ('amount', 'r2', 1.0, 1), "
        "('age', 'r2', 0.75, 1)) as drawn (column_name, row_id, epsilon, drawn_at)"
    )
    con.execute("create table demo_sampled as from (values ('r1'), ('r2')) as rows (row_id)")
    return Warehouse(con)


def manifest(render: dict[str, Any], check: dict[str, Any]) -> Manifest:
    nodes = {
        name: {
            "resource_type": "model",
            "package_name": "demo",
            "name": name,
            "config": {"meta": meta},
        }
        for name, meta in {"demo_rendered": {"render": render}, "demo_checked": {"check": check}}
        .items()
    }  # fmt: skip
    return Manifest("demo", {"nodes": nodes, "sources": {}})


def test_the_total_is_that_of_the_row_with_the_most(vault: Warehouse) -> None:
    noise = gather_noise.of_dataset(vault, manifest({"noise": {"amount": AMOUNT}}, {}), "demo")
    assert noise is not None
    assert noise.epsilon_total == 1.75
    told = {one.column: (one.n_draws, one.most_draws, one.epsilon_spent) for one in noise.columns}
    assert told == {"amount": (3, 2, 1.5), "age": (1, 1, 0.75)}


def test_a_record_that_changed_may_have_been_each_row_that_is_gone(vault: Warehouse) -> None:
    vault.con.execute("delete from demo_sampled where row_id = 'r1'")
    noise = gather_noise.of_dataset(vault, manifest({"noise": {"amount": AMOUNT}}, {}), "demo")
    assert noise is not None
    assert noise.epsilon_total == 1.75 + 1.0 + 0.5
    assert {one.column: one.epsilon_spent for one in noise.columns} == {"amount": 2.5, "age": 0.75}


def test_without_a_sample_every_row_is_gone(vault: Warehouse) -> None:
    vault.con.execute("drop table demo_sampled")
    noise = gather_noise.of_dataset(vault, manifest({"noise": {"amount": AMOUNT}}, {}), "demo")
    assert noise is not None
    assert noise.epsilon_total == 1.0 + 0.5 + 0.75


def test_with_private_counts_no_number_is_told_that_exact_ones_make() -> None:
    log = gather_changes.without_labels(CHANGE_LOG)
    assert [one.reason for one in log.retrainings] == ["not retrained"]
    assert [(one.psi_labels, one.drift) for one in log.versions] == [
        (None, "not told"),
        (None, None),
    ]
    told = "not retrained: drift 0.12 of 0.2; measured from job abababababab"
    stages = [Stage(9, "checked", "3 of 3", 8), Stage(11, "job not submitted", told, 8)]
    assert [one.detail for one in gather_changes.stages_without_labels(stages)] == [
        "3 of 3",
        "not retrained",
    ]
    model = gather_models.without_classes(
        replace(
            MODEL,
            scores=tuple(
                Score(role, other, "accuracy", 0.5, 0.4, 0.6, 90)
                for role, other in (
                    ("tuned", None),
                    ("majority", None),
                    ("tuned", "majority"),
                    ("tuned", "base"),
                )
            ),
        )
    )
    assert [(one.role, one.compared_with) for one in model.scores] == [
        ("tuned", None),
        ("tuned", "base"),
    ]
    assert (model.classes, model.confusion) == ((), ())


def test_noise_that_is_switched_off_again_is_told_apart(vault: Warehouse) -> None:
    noise = gather_noise.of_dataset(vault, manifest({"noise": {"amount": AMOUNT}}, {}), "demo")
    assert noise is not None
    assert {one.column: one.is_current for one in noise.columns} == {"amount": True, "age": False}
    assert noise.not_covered[0].startswith("age: noise is not asked for any more")


def test_a_dataset_that_never_asked_has_no_noise(vault: Warehouse) -> None:
    assert gather_noise.of_dataset(vault, manifest({}, {}), "other") is None


def test_counts_are_those_of_the_lines_and_settings_of_now(vault: Warehouse) -> None:
    vault.con.execute(
        "create table demo_noise_counts (dataset_fingerprint varchar, split varchar, "
        "label varchar, n_noisy bigint, asked varchar, epsilon double)"
    )
    asked = asked_counts(["a"], 0.5)
    for fingerprint, n, settings in (("f1", 3, asked), ("f2", -4, asked), ("f2", 9, "older")):
        for label in ("a", "(other)"):
            row = [fingerprint, "train", label, n, settings, 0.5]
            vault.con.execute("insert into demo_noise_counts values (?, ?, ?, ?, ?, ?)", row)
    shown = gather_noise.noisy_classes(vault, "demo", frozenset("a"), 0.5, "f2")
    assert [(one.label, one.n) for one in shown] == [("a", 0), ("(other)", 0)]
    asks = manifest({}, {"private_counts": {"epsilon": 0.5}})
    noise = gather_noise.of_dataset(vault, asks, "demo")
    assert noise is not None
    assert noise.counts is not None
    assert (noise.counts.n_draws, noise.counts.epsilon_spent) == (3, 1.5)
    assert noise.epsilon_total == 1.75 + 1.5


def test_where_no_noisy_counts_were_drawn_none_are_shown(vault: Warehouse) -> None:
    assert gather_noise.noisy_classes(vault, "demo", frozenset("a"), 0.5, "f1") == ()
