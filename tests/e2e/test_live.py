"""The served site tells of the build that runs, and reloads when it has ended."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import CHECKOUT, Project
from tests.e2e.test_site import node_modules

pytestmark = pytest.mark.slow
_ROWS = 9000
_PATIENCE_SECONDS = 240.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project that was built from a few rows, with more to build."""
    found = Project(CHECKOUT, tmp_path_factory.mktemp("live"))
    rows = ("--rows", str(_ROWS), "--out", str(found.root / "mine.csv"))
    found.sealtune("generate", "transactions", *rows)
    found.dbt("build", "-s", "+transactions_sampled")
    return found


@contextmanager
def served(project: Project) -> Iterator[str]:
    """Serve the site of a project; give its address."""
    command = [project.command("build")[0].replace("/dbt", "/sealtune"), "site", "--serve"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--out", str(project.root / "site")],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        lines = iter(process.stderr.readline, "")
        yield next(found[0] for one in lines if (found := re.findall(r"http://\S+", one)))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=_PATIENCE_SECONDS)


def test_a_page_shows_the_build_that_runs_and_reloads_when_it_has_ended(
    project: Project, tmp_path: Path
) -> None:
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if node is None or chromium is None:
        pytest.skip("needs node and chromium")
    script = str(Path(__file__).with_name("look_on.js"))
    with served(project) as url:
        browser = subprocess.Popen(
            [node, script, node_modules(tmp_path), chromium, url, "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert browser.stderr
        assert browser.stderr.readline() == "ready\n"
        variables = {"transactions_csv": str(project.root / "mine.csv"), "sample_per_class": None}
        project.dbt("build", "-s", "+transactions_scrubbed", vars=variables)
        try:
            out, said = browser.communicate(timeout=_PATIENCE_SECONDS)
        finally:
            browser.kill()
    assert browser.returncode == 0, said
    seen = json.loads(out)
    assert (seen["errors"], seen["foreign"], seen["axe"], seen["over"]) == ([], [], [], 0)
    assert seen["reloads"] == 1
    shown = "\n".join(seen["live"])
    assert "A build is running" in shown
    assert re.search(r"\d+ of \d+ models and tests are done, 0 failed", shown)
    assert re.search(r"transactions_scrubbed [\d,]+ of 9,000 rows · [\d,]+/s · about", shown)
    assert "Writing these pages anew" in shown
