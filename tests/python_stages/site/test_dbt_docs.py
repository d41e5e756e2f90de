"""dbt's page is made anew where it would say something else, and only there."""

import json
from pathlib import Path
from typing import Any

import pytest

from python_stages.site import dbt_docs


def test_what_keeps_dbt_s_page_from_being_accessible_is_mended() -> None:
    page = dbt_docs.page(
        '<head><meta content="width=device-width,minimum-scale=1,maximum-scale=1,initial-scale=1">'
        '</head><div class="detail-body" style="color:#8B969E"><a style="color:#0bb">#0bbe11</a>'
    )
    assert 'content="width=device-width,initial-scale=1"' in page
    assert '<div tabindex="0" class="detail-body" style="color:#5b656c">' in page
    assert '<a style="color:#007272">#0bbe11</a>' in page


def manifest(**node: Any) -> dict[str, Any]:
    """Return what dbt writes of a project with one model."""
    common = {"raw_code": "select 1", "depends_on": {"macros": [], "nodes": []}, "created_at": 1.5}
    return {
        "metadata": {"dbt_version": "1.11.16", "invocation_id": "a", "generated_at": "today"},
        "nodes": {"model.p.m": common | node},
        "macros": {"macro.p.a": {"macro_sql": "x"}},
    }


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function: what the last build was of, as a hash."""
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def of(found: dict[str, Any], *shown: Any) -> str | None:
        (tmp_path / "manifest.json").write_text(json.dumps(found))
        return dbt_docs.build_hash(*(shown or (None,)))

    return of


def test_another_run_of_the_same_project_is_the_same(key: Any) -> None:
    again = manifest(
        created_at=2.5, compiled_code="select 1", depends_on={"macros": ["m"], "nodes": []}
    )
    again["metadata"]["invocation_id"] = "b"
    assert key(manifest()) == key(again)


@pytest.mark.parametrize(
    "change", [{"raw_code": "select 2"}, {"depends_on": {"macros": [], "nodes": ["model.p.n"]}}]
)
def test_a_changed_node_is_another_build(key: Any, change: dict[str, Any]) -> None:
    assert key(manifest()) != key(manifest(**change))


def test_other_macros_variables_and_versions_are_another_build(key: Any) -> None:
    macros, version = manifest(), manifest()
    macros["macros"]["macro.p.a"]["macro_sql"] = "y"
    version["metadata"]["dbt_version"] = "1.12.0"
    column = [("stg_notes", "note", "VARCHAR")]
    shown = [key(macros), key(version), key(manifest(), "{a: 1}"), key(manifest(), None, column)]
    assert len({key(manifest()), *shown}) == 5


def test_another_default_of_a_var_is_another_build(key: Any, tmp_path: Path) -> None:
    project = tmp_path / "dbt_project.yml"
    project.write_text("vars: {sample_per_class: 25}")
    before = key(manifest())
    project.write_text("vars: {sample_per_class: 50}")
    assert key(manifest()) != before


def test_a_column_may_be_called_as_what_is_left_out(key: Any) -> None:
    described = {"created_at": {"description": "When."}}
    assert key(manifest(columns=described)) != key(manifest(columns={}))


def test_without_a_build_nothing_is_known(key: Any, tmp_path: Path) -> None:
    key(manifest())
    (tmp_path / "manifest.json").unlink()
    assert dbt_docs.build_hash(None) is None
