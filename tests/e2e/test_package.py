"""The wheel is enough: `sealtune init` lays out a project that builds where no checkout is."""

import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from python_stages.errors import ConfigError
from python_stages.scaffold import lay_out, project
from tests.e2e.conftest import CHECKOUT, Completed, Project


def test_the_wheel_carries_every_part_of_a_project() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {part: f"python_stages/_project/{part}" for part in project.PARTS}


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        lay_out(tmp_path, "mine")
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["9lives", "with space", "dbt_utils", "../up"])
def test_a_name_that_dbt_would_refuse_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--name"):
        lay_out(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_checkout_lays_out_its_own_files_and_nothing_that_a_build_wrote(tmp_path: Path) -> None:
    assert lay_out(tmp_path / "My-Project") == "my_project"
    laid = tmp_path / "My-Project"
    asked = ["git", "ls-files", *project.PARTS]
    tracked = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("needs git")
    files = {str(one.relative_to(laid)) for one in laid.rglob("*") if one.is_file()}
    assert files == {*tracked.stdout.split(), "README.md"}
    for file in files - {"README.md", "dbt_project.yml"}:
        assert (laid / file).read_bytes() == (CHECKOUT / file).read_bytes(), file
    assert "sealtune:" not in (laid / "dbt_project.yml").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Installed:
    """A project that was made by an installed wheel, and the environment that it is run in."""

    folder: Path
    python: Path
    environment: Mapping[str, str]

    def run(self, *command: str) -> Completed:
        """Run a command in the project; fail where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def sealtune(self, *args: str) -> Completed:
        """Run the command that the wheel installed."""
        return self.run(str(self.python.with_name("sealtune")), *args)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel, install it beside the libraries of this environment, and run init."""
    root = tmp_path_factory.mktemp("package")
    inherited = Project(CHECKOUT, root).environment({"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "SEALTUNE_VAULT_DIR"}
    environment = {name: value for name, value in inherited.items() if name not in hidden}
    at_root = Installed(root, root / "venv/bin/python", environment)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(root)]
    subprocess.run(build, cwd=CHECKOUT, env=environment, capture_output=True, check=True)
    (wheel,) = root.glob("*.whl")
    at_root.run(sys.executable, "-m", "venv", "--without-pip", str(root / "venv"))
    folder = sysconfig.get_path("purelib", vars={"base": str(root / "venv")})
    # a line of a .pth file adds a folder, whose own .pth files (the editable checkout) do not count
    Path(folder, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--no-deps"]
    at_root.run(*uv, "--python", str(at_root.python), str(wheel))
    at_root.sealtune("init", "claims")
    return Installed(root / "claims", at_root.python, environment)


def test_the_package_is_the_wheel_s(installed: Installed) -> None:
    found = installed.run(str(installed.python), "-c", "import python_stages as one; print(one)")
    assert str(installed.folder.parent / "venv") in found.stdout
    assert str(CHECKOUT) not in found.stdout


@pytest.mark.slow
def test_a_new_project_builds_and_so_does_a_dataset_of_one_s_own(installed: Installed) -> None:
    variables = ("--vars", "{backend: plan, sample_per_class: 25}")
    built = installed.sealtune("build", *variables)
    assert "on plan is PLANNED" in built.stdout
    assert "Completed successfully" in built.stdout
    assert list(installed.folder.glob("vault/sealed/transactions/train-*.sealed"))
    source = installed.folder / "sample_data/tickets.csv"
    installed.sealtune("new", "letters", "--from", str(source))
    letters = installed.sealtune("build", "-s", "letters+", *variables)
    assert "Completed successfully" in letters.stdout
    assert list(installed.folder.glob("vault/sealed/letters/train-*.sealed"))
    installed.sealtune("site", *variables)
    assert (installed.folder / "site/dataset-letters.html").exists()
    assert not (installed.folder / "python_stages").exists()
