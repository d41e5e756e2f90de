"""dbt as a process of its own, without the seconds that it takes to import.

A fork server imports dbt, Great Expectations and Presidio once (preload.py); every command is a
fork of it: the same code in a fresh process, with its own environment, folder and output.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import Completed, Project
from tests.processes import CONTEXT

_TIMEOUT_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class WarmProject(Project):
    """A project whose dbt commands start warm; only for the checkout, whose modules are loaded."""

    def _run(
        self, command: Sequence[str], *, check: bool, env: Mapping[str, str] | None
    ) -> Completed:
        with tempfile.TemporaryDirectory() as folder:  # not under root, where leaks are looked for
            out, err = Path(folder) / "stdout", Path(folder) / "stderr"
            process = CONTEXT.Process(
                target=_command, args=(command, self.folder, self.environment(env), out, err)
            )
            process.start()
            process.join(_TIMEOUT_SECONDS)
            if process.exitcode is None:
                process.kill()
                pytest.fail(f"{command[1]} did not end within {_TIMEOUT_SECONDS} seconds")
            texts = [path.read_text("utf-8", "surrogateescape") for path in (out, err)]
        self.outputs.extend(texts)
        if check and process.exitcode != 0:
            pytest.fail(f"{command[1]} ended with {process.exitcode}:\n{''.join(texts)}")
        return Completed(command, process.exitcode, *texts)


def _command(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], out: Path, err: Path
) -> None:
    """Run a console script in this fork."""
    for path, descriptor in ((out, 1), (err, 2)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # was found out in another environment
    sys.argv = list(command)
    if Path(command[0]).name == "sealtune":
        from python_stages.cli.main import app  # noqa: PLC0415 - loaded in the fork server

        app()
    else:
        from dbt.cli.main import cli  # noqa: PLC0415 - loaded in the fork server

        cli()
