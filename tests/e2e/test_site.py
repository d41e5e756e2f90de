"""The site of a build: true, without a value of a row, and whole without a network."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from python_stages.site import gather, lineage, report_json
from python_stages.site.artifacts import Manifest
from python_stages.site.facts.dataset import Dataset, Passage
from python_stages.site.facts.report import Report
from python_stages.site.facts.verdict import Level
from tests.e2e.canaries import search, write_source
from tests.e2e.conftest import CHECKOUT, OTHERS, Project
from tests.e2e.warm import WarmProject

N_DIRECT = 5
_MODULES = ("playwright-core", "axe-core")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> WarmProject:
    """Return a project that was built from a source full of canaries, and its site."""
    source = tmp_path_factory.mktemp("source") / "transactions.csv"
    write_source(source)
    built = WarmProject(CHECKOUT, tmp_path_factory.mktemp("built"))
    variables = {
        "transactions_csv": str(source),
        "sample_per_class": None,
        "max_reject_share": 0.2,
        "backend": "plan",
    }
    built.dbt("build", vars=variables)
    built.sealtune("site", "--out", str(site(built)), "--vars", json.dumps(variables))
    return built


def site(project: Project) -> Path:
    return project.root / "site"


@pytest.fixture(scope="module")
def report(project: WarmProject) -> Report:
    return report_json.load((site(project) / report_json.REPORT).read_text("utf-8"))


def transactions(report: Report) -> Dataset:
    """Return what the report says of the dataset that was built; the others are said to be not."""
    (found,) = (one for one in report.datasets if one.name == "transactions")
    assert {one.verdict.level for one in report.datasets if one is not found} <= {Level.OPEN}
    return found


def count(project: Project, sql: str) -> int:
    return int(project.query(sql)[0][0])


def test_the_site_holds_no_value_of_a_row(project: WarmProject) -> None:
    assert (site(project) / "index.html").exists()
    assert search(project) == []


def test_the_report_says_what_the_warehouse_holds(project: WarmProject, report: Report) -> None:
    dataset = transactions(report)
    stages: Counter[str] = Counter()
    for one in dataset.stages:
        stages[one.state] += one.n_rows
    n_sealed = count(project, "select count(*) from vault.main.transactions_sealed")
    assert stages["sealed"] == n_sealed == sum(one.n_rows or 0 for one in dataset.sealed)
    assert stages["read"] == stages["kept"] + stages["rejected"]
    assert stages["rejected"] == sum(one.n_rows for one in dataset.rejects) > 0
    assert dataset.masked
    assert dataset.masked.n_replaced == count(
        project, "select sum(n_masked) from vault.main.transactions_scrubbed"
    )
    assert dataset.tokens
    assert dataset.tokens.n == n_sealed


def test_the_files_of_this_build_are_verified_and_current(report: Report) -> None:
    dataset = transactions(report)
    assert {one.split for one in dataset.sealed} == {"train", "validation"}
    assert all(one.is_verified and one.is_current for one in dataset.sealed)
    assert dataset.verdict.level is Level.GOOD


def test_direct_identifiers_stop_before_the_sample(report: Report) -> None:
    dataset = transactions(report)
    direct = [one for one in dataset.flows if one.privacy == "direct"]
    assert len(direct) == N_DIRECT
    for flow in direct:
        assert [one.passage for one in flow.stops[:2]] == [Passage.RAW] * 2
        assert {one.passage for one in flow.stops[2:]} == {Passage.ABSENT}


def test_the_first_build_is_remembered(report: Report) -> None:
    assert len({one.built_at for one in report.history}) == 1
    assert report.changes == ()


def test_a_file_that_was_tampered_with_makes_the_verdict_bad(
    project: WarmProject, tmp_path: Path
) -> None:
    for name in ("vault", "keys"):
        shutil.copytree(project.root / name, tmp_path / name)
    copy = WarmProject(CHECKOUT, tmp_path)
    path = copy.sealed_files()[0]
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    with mock.patch.dict(os.environ, copy.environment()), chdir(CHECKOUT):
        found = gather.gather(lineage.read(Manifest.read(copy.vault / "docs/manifest.json")))
    dataset = transactions(found)
    assert found.verdict.sentence.startswith("Do not use transactions")
    assert {one.is_verified for one in dataset.sealed} == {True, False}
    assert not any(one.is_current for one in dataset.sealed)


def test_a_folder_with_something_else_in_it_is_left_alone(
    project: WarmProject, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = project.sealtune("site", "--out", str(tmp_path), check=False)
    assert done.returncode == 1
    assert "holds something else" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


# ── in a browser ──


@pytest.fixture(scope="module")
def seen(
    project: WarmProject, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what browse.js saw, by page and scheme."""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if node is None or chromium is None:
        pytest.skip("needs node and chromium")
    modules = node_modules(tmp_path_factory.mktemp("npm"))
    done = subprocess.run(
        [node, str(Path(__file__).with_name("browse.js")), modules, chromium, site(project), "-"],
        capture_output=True,
        check=True,
        timeout=240,
    )
    return {(one["page"], one["scheme"]): one for one in json.loads(done.stdout)}


def node_modules(folder: Path) -> str:
    """Return where playwright-core and axe-core are: SEALTUNE_NODE_MODULES, or from npm."""
    given = os.environ.get("SEALTUNE_NODE_MODULES")
    if given:
        return given
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, or playwright-core and axe-core in SEALTUNE_NODE_MODULES")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--prefix", str(folder), *_MODULES]
    patience = ("--fetch-retries=1", "--fetch-timeout=30000")
    if subprocess.run([*command, *patience], capture_output=True, check=False).returncode:
        pytest.skip("npm cannot get playwright-core and axe-core here")
    return str(folder / "node_modules")


def test_every_page_is_opened_and_none_asks_for_anything_else(
    project: WarmProject, seen: dict[tuple[str, str], dict[str, Any]]
) -> None:
    files = {str(one.relative_to(site(project))) for one in site(project).rglob("*.html")}
    assert {page for page, _ in seen} == files
    for one in seen.values():
        assert (one["foreign"], one["errors"]) == ([], []), one["page"]
        assert one["text"] > 0


def test_every_link_leads_somewhere(seen: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert [one["dead"] for one in seen.values() if one["dead"]] == []


def test_charts_are_to_be_seen_and_no_page_is_wider_than_its_window(
    seen: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for scheme in ("light", "dark"):
        assert seen["dataset-transactions.html", scheme]["charts"] >= 4
        assert seen["privacy.html", scheme]["charts"] == len(OTHERS) + 1
    assert [one["page"] for one in seen.values() if one["flat"] or one["over"]] == []


def test_axe_objects_to_nothing_on_any_page(
    seen: dict[tuple[str, str], dict[str, Any]],
) -> None:
    assert min(one["passes"] for one in seen.values()) > 0
    assert {"dbt/index.html", "data-docs/transactions.html"} <= {page for page, _ in seen}
    assert [(one["page"], one["axe"]) for one in seen.values() if one["axe"]] == []


def test_the_links_into_dbt_s_page_name_what_is_there(project: WarmProject) -> None:
    docs = (site(project) / "dbt/index.html").read_text("utf-8")
    for page in site(project).glob("*.html"):
        for kind, name in re.findall(
            r'href="dbt/index\.html#!/(\w+)/([^"]+)"', page.read_text("utf-8")
        ):
            assert kind in {"model", "test", "source"}
            assert f'"{name}"' in docs or f'\\"{name}\\"' in docs, name
