"""`sealtune init`: a new project."""

from pathlib import Path
from typing import Annotated

import typer

from python_stages.cli.as_json import AsJson, report


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make, or an empty one.")],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the dbt project. (default: that of the folder)"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Lay out a new project that builds as it is: models, macros, checks and sample data.

    Nothing that is there is overwritten.

    Exit codes: 0 written; 1 refused, nothing was written; 2 usage.

    Example: sealtune init my-project && cd my-project && dbt build
    """
    from python_stages.scaffold import lay_out

    named = lay_out(folder, name)
    report(
        {"project": named, "folder": folder},
        f"made the project {named} in {folder}",
        f"next: cd {folder} && sealtune build",
        as_json=as_json,
    )
