"""`sealtune site`: the report, the lineage and the documentation, as pages that need no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_stages import running, settings

if TYPE_CHECKING:
    from python_stages.site.facts.report import Report

WAREHOUSE = "warehouse.duckdb"


def site(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("site"),
    serve: Annotated[  # noqa: FBT002 - typer makes options of booleans
        bool, typer.Option("--serve", help="Then show it on loopback, and how builds come along.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port for --serve; 0 takes a free one.", min=0)] = 8484,
    variables: Annotated[
        str | None, typer.Option("--vars", help="What the build was given as --vars.")
    ] = None,
    as_json: Annotated[  # noqa: FBT002 - the same
        bool, typer.Option("--json", help="Print report.json, and nothing else.")
    ] = False,
) -> None:
    """Write the report and everything beside it as static pages.

    Reads the vault, the ledger and the sealed files; changes none of them. While a build runs, the
    served pages show what runs, how far it is and what has failed; when it ends, they are written
    anew and reload by themselves.

    Example: sealtune site && xdg-open site/index.html
    """
    from python_stages.site import report_json
    from python_stages.site.write import write_site

    def say(line: str) -> None:
        if not as_json:
            typer.echo(f"sealtune: {line}", err=True)

    def write() -> "Report":
        return write_site(out, say, variables=variables)

    is_busy = serve and running.read(settings.vault_folder()) is not None
    if is_busy:
        say("a build is running; the site is written when it has ended")
    else:
        report = write()
        if as_json:
            typer.echo(report_json.dump(report), nl=False)
        else:
            typer.echo(report.verdict.sentence)
            typer.echo(f"open {out / 'index.html'}")
    if serve:
        from python_stages.site import serve as server

        server.serve(
            out,
            port,
            say,
            running=lambda: running.read(settings.vault_folder()),
            changed=_last_build,
            write=write,
            is_written=not is_busy,
        )


def _last_build() -> float | None:
    """Return when the warehouse was last written to; None while somebody writes.

    It is not opened for that: a look in the wrong moment would keep a build from it.
    """
    warehouse = settings.vault_folder() / WAREHOUSE
    if warehouse.with_name(f"{WAREHOUSE}.wal").exists():
        return None
    return warehouse.stat().st_mtime if warehouse.exists() else 0.0
