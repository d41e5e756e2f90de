"""`--json`, where scripts want it: one option and one way to print, for all commands that report.

What is printed holds no value of a row, as lines for people do not, unless --show asks for some.
"""

import json
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def report(value: Any, *lines: str, as_json: bool) -> None:
    """Print what a command did: as JSON for scripts, else as lines for people."""
    if as_json:
        print_json(value)
        return
    for line in lines:
        typer.echo(line)


def print_json(value: Any) -> None:
    """Print a value as JSON; times and paths as text."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
