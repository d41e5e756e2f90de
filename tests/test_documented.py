"""Every var, command and make target is documented, and every column says how private it is."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from typer.main import get_command

from python_stages.cli.main import app

CHECKOUT = Path(__file__).parents[1]
PRIVACY = {"direct", "quasi", "sensitive", "free_text", "none"}


def texts() -> str:
    """Return README and all pages of docs/, decisions apart."""
    pages = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *CHECKOUT.glob("docs/*.md")]
    pages += CHECKOUT.glob("docs/how-to/*.md")
    return "\n".join(one.read_text("utf-8") for one in pages)


def commands() -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """Yield every command of `sealtune`, by what a user types."""

    def below(name: str, command: object) -> Iterator[tuple[str, typer.core.TyperCommand]]:
        if isinstance(command, typer.core.TyperGroup):
            for word, one in command.commands.items():
                yield from below(f"{name} {word}".strip(), one)
        elif isinstance(command, typer.core.TyperCommand):
            yield name, command

    yield from below("", get_command(app))


COMMANDS = dict(commands())


def targets() -> dict[str, str]:
    """Return what the Makefile says of each target, by name; empty where it says nothing."""
    text = (CHECKOUT / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    said = dict(re.findall(r"^([a-z-]+):.*?## (.+)$", text, re.MULTILINE))
    return {one: said.get(one, "") for one in phony.split()}


def test_there_are_commands_and_targets() -> None:
    assert {"site", "scan", "keys init", "jobs list"} <= COMMANDS.keys()
    assert {"build", "test", "site"} <= targets().keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    first = name.split(maxsplit=1)[0]
    assert f"sealtune {first}" in (COMMANDS[name].help or ""), f"{name} --help has no example"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_says_what_it_is(name: str) -> None:
    options = [one for one in COMMANDS[name].params if isinstance(one, typer.core.TyperOption)]
    assert [one.name for one in options if not one.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_documentation(name: str) -> None:
    first, *rest = name.split()
    known = texts()
    assert re.search(rf"sealtune {first}\b", known), f"sealtune {name}"
    for word in rest:
        assert re.search(rf"sealtune {first}\b[^\n]*\b{word}\b", known), f"sealtune {name}"


def test_the_reference_of_the_commands_is_that_of_the_code() -> None:
    command = [sys.executable, "-m", "typer", "python_stages.cli.main", "utils", "docs"]
    done = subprocess.run(
        [*command, "--name", "sealtune"], cwd=CHECKOUT, capture_output=True, check=True
    )
    assert (CHECKOUT / "docs/commands.md").read_bytes() == done.stdout, "run make reference"


@pytest.mark.parametrize("name", [one for one in targets() if not one.startswith("lint-")])
def test_every_target_says_what_it_does(name: str) -> None:
    assert targets()[name], f"make {name} has no ## text"


def test_every_var_has_a_comment_above_it_or_above_its_group() -> None:
    text = (CHECKOUT / "dbt_project.yml").read_text("utf-8")
    lines = text.splitlines()
    for name in yaml.safe_load(text)["vars"]:
        (place,) = [i for i, line in enumerate(lines) if line.startswith(f"  {name}:")]
        while re.match(r"  \w+:", lines[place]):
            place -= 1
        assert re.fullmatch(r"  # [\w*].*", lines[place]), name


def test_every_column_of_every_source_says_how_private_it_is() -> None:
    files = list(CHECKOUT.glob("models/*/*__sources.yml"))
    assert files
    for path in files:
        for source in yaml.safe_load(path.read_text("utf-8"))["sources"]:
            for table in source["tables"]:
                for column in table["columns"]:
                    privacy = column.get("config", {}).get("meta", {}).get("privacy")
                    assert privacy in PRIVACY, f"{path.name}: {column['name']}"
