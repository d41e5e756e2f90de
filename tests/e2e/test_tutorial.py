"""The tutorial does what it says: every command is run, every line under it is looked for."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import CHECKOUT, Project

TUTORIAL = CHECKOUT / "docs" / "tutorial.md"
pytestmark = pytest.mark.slow


def steps() -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of each block, and the lines that they print."""
    text = TUTORIAL.read_text("utf-8")
    for commands, _, printed in re.findall(
        r"^```sh\n(.*?)^```\n(\s*^```text\n(.*?)^```)?", text, re.DOTALL | re.MULTILINE
    ):
        yield commands, printed.splitlines()


def pattern(line: str) -> str:
    return ".*".join(map(re.escape, re.split(r" *… *", line)))


def test_every_step_prints_what_stands_under_it(tmp_path: Path) -> None:
    project = Project(CHECKOUT, tmp_path).edited({"dbt_project.yml": lambda text: text + "\n"})
    (project.folder / ".venv").symlink_to(sys.prefix)
    environment = project.environment({"PYTHONPATH": str(project.folder)})
    del environment["SEALTUNE_VAULT_DIR"]
    bash = shutil.which("bash")
    assert bash
    n_steps = 0
    for commands, printed in steps():
        script = commands.replace("/tmp/", f"{tmp_path}/")  # noqa: S108 - as a reader types it
        if n_steps:
            script = f"source .venv/bin/activate\n{script}"
        done = subprocess.run(
            [bash, "-eu", "-c", script],
            cwd=project.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{commands}\n{output}"
        missing = [line for line in printed if not re.search(pattern(line), output)]
        assert missing == [], f"{commands}\n{output}"
        n_steps += 1
    assert n_steps > 5
