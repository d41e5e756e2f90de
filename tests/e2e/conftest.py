"""A sealtune project of its own for every test that runs the commands a user runs.

`project` is the checkout with everything that a command writes (vault, keys, target, logs, home,
temporary files) in folders under `tmp_path`: tests meet neither each other nor a user's vault.

    def test_build_seals(project: Project) -> None:
        project.dbt("build", vars={"transactions_csv": str(project.root / "mine.csv")})
        assert len(project.sealed_files()) == 2
        assert project.query("select count(*) from vault.main.transactions_sealed") == [(193,)]

`project.edited(...)` is the same with some files of the checkout changed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from python_stages import keys
from python_stages.vault import open_vault, register_functions

CHECKOUT = Path(__file__).parents[2]
_PARTS = ("models", "macros", "tests/generic", "expectations", "sample_data", "python_stages")
# What most tests leave out, as each of them takes its seconds; test_datasets.py builds them all.
OTHERS = ("tickets", "legal", "pii_texts")
_BUILDING = ("build", "run", "test")
_TIMEOUT_SECONDS = 240.0
_STEP_SECONDS = 0.002
# what a user gets who sends nothing anywhere; whoever tests another backend names it
_VARIABLES: Mapping[str, Any] = {"backend": "plan", "sample_per_class": 25}

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Project:
    """A dbt project and the folders that its commands write to.

    Args:
        folder: the dbt project, which is where commands run: the checkout, or an edited copy.
        root: what everything that is written lies under.
        extra_env: environment variables on top of the usual ones.
        outputs: what every command printed, stdout and stderr, in order.
    """

    folder: Path
    root: Path
    extra_env: Mapping[str, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    @property
    def vault(self) -> Path:
        """Folder of warehouse, sealed files and ledger."""
        return self.root / "vault"

    @property
    def keys(self) -> Path:
        """Folder of the keys."""
        return self.root / "keys"

    @property
    def target(self) -> Path:
        """Folder of dbt's artifacts."""
        return self.root / "target"

    @property
    def logs(self) -> Path:
        """Folder of dbt's log."""
        return self.root / "logs"

    @property
    def output(self) -> Path:
        """File that a killed command printed to."""
        return self.root / "output"

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a command: nothing in it leads out of `root`."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SEALTUNE_", "DBT_", "XDG_", "PYTEST_"))
        }
        homes = {
            "HOME": self.root / "home",
            "TMPDIR": self.root / "tmp",
            "XDG_CACHE_HOME": self.root / "xdg" / "cache",
            "XDG_CONFIG_HOME": self.root / "xdg" / "config",
            "XDG_DATA_HOME": self.root / "xdg" / "data",
            "XDG_STATE_HOME": self.root / "xdg" / "state",
            "XDG_RUNTIME_DIR": self.root / "xdg" / "runtime",
            "SEALTUNE_VAULT_DIR": self.vault,
            "SEALTUNE_KEYS_DIR": self.keys,
        }
        for name, folder in homes.items():
            if not name.startswith("SEALTUNE_"):
                folder.mkdir(parents=True, exist_ok=True)
        found = {name: str(folder) for name, folder in homes.items()}
        return {**inherited, **found, "DBT_USE_COLORS": "false", **self.extra_env, **(env or {})}

    def command(self, *args: str, vars: Mapping[str, Any] | None = None) -> list[str]:  # noqa: A002 - as dbt calls it
        """Return the dbt command line, to start it otherwise than `dbt` does.

        Where nothing is selected, the datasets in OTHERS are left out.
        """
        flags = ["--target-path", str(self.target), "--log-path", str(self.logs)]
        if "--log-level-file" not in args:
            flags += ["--log-level-file", "debug"]  # off by default; on, it must be clean as well
        if args[0] in _BUILDING and not {"-s", "--select", "--exclude"} & set(args):
            args = (*args, "--exclude", *OTHERS)
        given = ["--vars", json.dumps({**_VARIABLES, **(vars or {})})]
        return [_script("dbt"), *args, *flags, *given]

    def dbt(
        self,
        *args: str,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - as dbt calls it
        check: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run dbt and return how it ended.

        Args:
            args: the command and its options, such as `"build", "--select", "stg_transactions+"`.
            vars: what goes into `--vars`; where they do not say, the backend is
                `plan`, and the sample small.
            check: fail the test where dbt fails.
            env: environment variables for this command.
        """
        return self._run(self.command(*args, vars=vars), check=check, env=env)

    def dbt_killed(
        self,
        *args: str,
        when: Callable[[], bool],
        seconds: float = 0.0,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - as dbt calls it
    ) -> bool:
        """Run dbt and kill it with SIGKILL, its children too; return whether it was still alive.

        What it printed is in the file `output` under `root`.

        Args:
            args: the command and its options.
            when: whether the moment has come; asked until it has, or dbt has ended.
            seconds: how long to wait then.
            vars: what goes into `--vars`.
        """
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                self.command(*args, vars=vars),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                end = time.monotonic() + _TIMEOUT_SECONDS
                # it is not reaped before it is killed, so that its group is still its own
                while not when() and not _has_ended(process.pid):
                    if time.monotonic() > end:
                        pytest.fail("dbt neither came to the moment nor ended")
                    time.sleep(_STEP_SECONDS)
                time.sleep(seconds)
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return process.returncode == -signal.SIGKILL

    def sealtune(
        self, *args: str, check: bool = True, env: Mapping[str, str] | None = None
    ) -> Completed:
        """Run the `sealtune` command and return how it ended."""
        return self._run([_script("sealtune"), *args], check=check, env=env)

    def sealed_files(self) -> list[Path]:
        """Return the sealed files of all datasets, sorted."""
        return sorted((self.vault / "sealed").glob("*/*.sealed"))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the vault, whose relations are `vault.main.<model>`.

        The vault is opened as a build opens it, and closed again, so no command may run.
        """
        ring = keys.load(self.keys)
        with (
            mock.patch.dict(os.environ, self.environment()),
            chdir(self.folder),
            closing(duckdb.connect(":memory:")) as con,
        ):
            open_vault(con, self.vault, ring.vault_key())
            register_functions(con, ring)
            return con.execute(sql, parameters).fetchall()

    def edited(self, changes: Mapping[str, Callable[[str], str]]) -> "Project":
        """Return this project with a copy of the checkout in which some files are changed.

        Vault, keys and the other folders stay the same ones.

        Args:
            changes: what becomes of a file's text, by the file's path in the checkout.
        """
        copy = self.root / f"project-{len(list(self.root.glob('project-*')))}"
        copy.mkdir(parents=True)
        for part in _PARTS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(CHECKOUT / part, copy / part, ignore=ignored)
        for name in ("dbt_project.yml", "profiles.yml"):
            shutil.copy2(CHECKOUT / name, copy / name)
        for name, change in changes.items():
            before = (copy / name).read_text("utf-8")
            after = change(before)
            if after == before:
                pytest.fail(f"{name} did not change: the edit no longer fits the file")
            (copy / name).write_text(after, "utf-8")
        return replace(self, folder=copy)

    def _run(
        self, command: Sequence[str], *, check: bool, env: Mapping[str, str] | None
    ) -> Completed:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        self.outputs.extend((done.stdout, done.stderr))
        if check and done.returncode != 0:
            pytest.fail(
                f"{Path(command[0]).name} {command[1]} ended with {done.returncode}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done


def _has_ended(pid: int) -> bool:
    """Say whether a child has ended, without reaping it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _script(name: str) -> str:
    """Return the path of a console script of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return the checkout, writing under `tmp_path`."""
    return Project(CHECKOUT, tmp_path)
