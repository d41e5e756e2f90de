"""The way of columns through SQL: found however names are written, and never lost in silence."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from python_stages.errors import ConfigError
from python_stages.site import flows, lineage
from python_stages.site.artifacts import Manifest
from python_stages.site.facts.dataset import Flow, Passage
from python_stages.site.lineage import Made


def manifest(staging: str, *source_columns: str) -> Manifest:
    """Return a project of one source, a staging view and the sealed lines made of it."""

    def node(kind: str, name: str, reads: list[str], **rest: Any) -> dict[str, Any]:
        return {
            "resource_type": kind,
            "package_name": "p",
            "name": name,
            "fqn": ["p", "demo", name],
            "config": {"meta": {}},
            "columns": {},
            "language": "sql",
            "depends_on": {"nodes": reads},
            **rest,
        }

    declared = {name: {"config": {"meta": {"privacy": "free_text"}}} for name in source_columns}
    raw = {
        "sources": {"source.p.demo": node("source", "demo", [], columns=declared)},
        "nodes": {
            "model.p.stg_demo": node(
                "model", "stg_demo", ["source.p.demo"], compiled_code=staging, columns={"note": {}}
            ),
            "model.p.demo_sealed": node(
                "model",
                "demo_sealed",
                ["model.p.stg_demo"],
                compiled_code='select note as line from "vault"."main"."stg_demo"',
                columns={"line": {}},
            ),
        },
    }
    return Manifest("p", raw)


def flow(found: Manifest) -> Flow:
    (one,) = flows.of_dataset(lineage.read(found), "demo")
    return one


@pytest.mark.parametrize("column", ["note", "Note", "Ticket Description", "Größe in cm"])
def test_a_column_is_followed_however_its_name_is_written(column: str) -> None:
    scanned = "with s as (select * from query(kept_sql('x')))"
    sql = f'{scanned} select "{column}" as note from s'  # noqa: S608 - a name of the test's
    found = flow(manifest(sql, column))
    assert found.column == column
    assert found.stops[-1].passage is Passage.RAW
    assert flows.reached_raw([found]) == [column]


def test_a_name_that_sql_writes_in_another_case_is_the_same_column() -> None:
    sql = "select RESOLUTION as note from query(kept_sql('x'))"
    assert flows.reached_raw([flow(manifest(sql, "Resolution"))]) == ["Resolution"]


def test_a_column_that_nobody_declared_is_no_end_of_a_way() -> None:
    sql = "select other as note from query(kept_sql('x'))"
    with pytest.raises(ConfigError, match="stg_demo"):
        lineage.read(manifest(sql, "note"))


def test_a_model_that_looks_at_its_own_rows_is_followed_past_them() -> None:
    earlier = 'select note from "vault"."main"."stg_demo"'
    scanned = "with s as (select * from query('x'))"
    found = flow(manifest(f"{scanned} select note from s union {earlier}", "note"))  # noqa: S608 - the test's own
    assert found.stops[-1].passage is Passage.RAW


RENDER: dict[str, Any] = {
    "label_column": "kind",
    "instructions": ["{description}"],
    "templates": ["paid {amount} at {shop}"],
}


@pytest.mark.parametrize(
    ("noise", "privacy", "passages", "reached"),
    [
        ((), "quasi", [Passage.RAW, Passage.RAW, Passage.RAW], []),
        (("amount",), "quasi", [Passage.RAW, Passage.NOISED, Passage.NOISED], []),
        # an epsilon may be any, so noise makes nobody's number harmless
        (("amount",), "direct", [Passage.RAW, Passage.NOISED, Passage.NOISED], ["amount"]),
        (("shop",), "quasi", [Passage.RAW, Passage.RAW, Passage.RAW], []),
    ],
)
def test_a_column_is_noised_from_where_it_is_worded_on(
    noise: tuple[str, ...], privacy: str, passages: list[Passage], reached: list[str]
) -> None:
    found = manifest("select amount as note from query(kept_sql('x'))", "amount")
    (column,) = found.raw["sources"]["source.p.demo"]["columns"].values()
    column["config"]["meta"]["privacy"] = privacy
    nodes = found.raw["nodes"]
    bounds = {"epsilon": 1, "lower": 0, "upper": 9}
    asked = dict.fromkeys(noise, bounds)
    nodes["model.p.demo_sampled"] = nodes["model.p.stg_demo"] | {
        "name": "demo_sampled",
        "depends_on": {"nodes": ["model.p.stg_demo"]},
        "compiled_code": 'select note as amount from "vault"."main"."stg_demo"',
        "columns": {"amount": {}},
    }
    nodes["model.p.demo_rendered"] = nodes["model.p.stg_demo"] | {
        "name": "demo_rendered",
        "language": "python",
        "depends_on": {"nodes": ["model.p.demo_sampled"]},
        "config": {"meta": {"render": RENDER | {"noise": asked}}},
        "columns": {"user_text": {}},
    }
    nodes["model.p.demo_sealed"] |= {
        "depends_on": {"nodes": ["model.p.demo_rendered"]},
        "compiled_code": 'select user_text as line from "vault"."main"."demo_rendered"',
    }
    one = flow(found)
    assert [stop.passage for stop in one.stops[2:]] == passages
    assert flows.reached_raw([one]) == reached


def test_a_column_that_is_not_selected_stops() -> None:
    found = flow(manifest("select 'x' as note from query(kept_sql('x'))", "note"))
    assert {one.passage for one in found.stops[1:]} == {Passage.ABSENT}


def test_a_model_that_names_another_without_a_reference_reads_it() -> None:
    found = manifest("select note from query(kept_sql('x'))", "note")
    sealed = found.raw["nodes"].pop("model.p.demo_sealed")
    sealed["depends_on"] = {"nodes": []}
    nodes = {"model.p.demo_sealed": sealed, **found.raw["nodes"]}
    assert flows.reached_raw([flow(replace(found, raw={**found.raw, "nodes": nodes}))]) == ["note"]


def test_a_lineage_is_read_again_when_the_manifest_is_another(tmp_path: Path) -> None:
    path, kept = tmp_path / "manifest.json", tmp_path / "lineage.json"

    def read(found: Manifest) -> Mapping[str, Made]:
        path.write_text(json.dumps({"metadata": {"project_name": "p"}, **found.raw}), "utf-8")
        return lineage.read_once(path, kept).made

    first = manifest("select note as note from query('x')", "note")
    second = manifest("select 'same' as note from query('x')", "note")
    assert read(first) == lineage.read(first).made
    written = kept.stat().st_mtime_ns
    assert read(first) == lineage.read(first).made
    assert kept.stat().st_mtime_ns == written
    assert read(second) == lineage.read(second).made != lineage.read(first).made


@pytest.mark.parametrize("half", ["", "{", "[]", '{"of": 1}', '{"of": "x", "made": []}'])
def test_half_a_file_of_a_lineage_is_none(tmp_path: Path, half: str) -> None:
    path, kept = tmp_path / "manifest.json", tmp_path / "lineage.json"
    found = manifest("select note as note from query('x')", "note")
    path.write_text(json.dumps({"metadata": {"project_name": "p"}, **found.raw}), "utf-8")
    kept.write_text(half, "utf-8")
    assert lineage.read_once(path, kept).made == lineage.read(found).made
