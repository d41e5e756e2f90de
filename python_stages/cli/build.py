"""`sealtune build`: dbt build, and on a terminal how far it is."""

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

# who asks dbt for another output gets dbt's own
_DBT_OUTPUT = (
    *("-q", "--quiet", "-d", "--debug", "--log-level", "--log-format"),
    *("--use-colors", "--no-use-colors", "--print", "--no-print", "--help", "-h"),
)
_FAILED, _BROKEN, _INTERRUPTED = 1, 2, 130


def build(
    context: typer.Context,
    plain: Annotated[  # noqa: FBT002 - typer makes options of booleans
        bool, typer.Option("--plain", help="Print dbt's own lines on a terminal, too.")
    ] = False,
) -> None:
    """Run dbt build, and show on a terminal which stage is where: rows, rate, time left.

    Takes every option of dbt build. Without a terminal, or with --plain or an option about dbt's
    output, it prints what dbt prints.

    Exit codes are dbt's: 0 all good; 1 something failed; 2 usage, or nothing could be built.

    Example: sealtune build -s transactions+ --vars '{backend: plan}'
    """
    from rich.console import Console

    console = Console()
    asked = {argument.split("=")[0] for argument in context.args}
    if plain or console.is_dumb_terminal or not console.is_terminal or asked & set(_DBT_OUTPUT):
        _dbt(context.args)
    raise typer.Exit(_live(context.args, console))


def _dbt(args: list[str]) -> NoReturn:
    """End as dbt ends."""
    from dbt.cli.main import cli

    cli.main(["build", *args], prog_name="dbt")
    sys.exit(_BROKEN)  # not reached: click has ended the process


def _live(args: list[str], console: "Console") -> int:
    from dbt.cli.main import dbtRunner

    from python_stages import progress
    from python_stages.cli.build_view import BuildView

    with BuildView(console) as view, progress.heard_by(view.count):
        # dbt's own lines would run through the view, which prints those that matter
        done = dbtRunner(callbacks=[view.hear]).invoke(["build", "--log-level", "none", *args])
    if isinstance(done.exception, KeyboardInterrupt):
        return _INTERRUPTED
    if done.exception is not None:
        if not view.has_error:
            typer.echo(f"sealtune: {done.exception}", err=True)
        return _BROKEN
    return 0 if done.success else _FAILED
