"""The `sealtune` command: what dbt cannot do for you. Thin; one function per command.

Exit codes: 0 done, 1 refused or failed (one sentence on stderr says why and what to do), 2 usage.
"""

from pathlib import Path
from typing import Annotated

import typer

from python_stages.cli import jobs as cli_jobs
from python_stages.cli import keys as cli_keys
from python_stages.cli import pii as cli_pii
from python_stages.cli import predict as cli_predict
from python_stages.cli import serve as cli_serve
from python_stages.cli import site as cli_site
from python_stages.cli import trace as cli_trace
from python_stages.cli.sentences import sentences

app = typer.Typer(
    name="sealtune",
    help="Fine-tune on sensitive tables: keys, sealed files and synthetic data around `dbt build`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a pretty traceback shows local variables, which are secrets
)
generate_app = typer.Typer(no_args_is_help=True, help="Write synthetic source files.")
app.add_typer(cli_keys.keys_app, name="keys")
app.add_typer(generate_app, name="generate")
app.add_typer(cli_jobs.jobs_app, name="jobs")
app.command("watch")(cli_jobs.watch)


for command in (cli_keys.verify, cli_keys.unseal, cli_keys.reseal, cli_keys.shred):
    app.command()(command)
app.command("trace")(sentences()(cli_trace.trace))
app.command("predict")(sentences()(cli_predict.predict))
app.command("serve")(sentences()(cli_serve.serve))
app.command("site")(sentences()(cli_site.site))
app.command("scan")(sentences()(cli_pii.scan))
app.command("scrub")(sentences()(cli_pii.scrub))
app.command("pii-eval")(sentences()(cli_pii.pii_eval))


@generate_app.command("transactions")
def generate_transactions(  # noqa: PLR0917 - typer passes options by position
    rows: Annotated[int, typer.Option(help="Good records to write.", min=0)],
    out: Annotated[Path, typer.Option(help="CSV file to write.")] = Path("transactions.csv"),
    seed: Annotated[int, typer.Option(help="Another seed gives other rows.")] = 1,
    dirty: Annotated[
        float, typer.Option(help="Broken records to add, as a share of the rows.", min=0, max=1)
    ] = 0.0,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="CSV file for line number and reason of each broken record "
            "[default: beside the file, when there are any]"
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; the file is the same at any number.", min=1)
    ] = None,
) -> None:
    """Write card transactions of fictional people, in the schema of the real file.

    Example: sealtune generate transactions --rows 100000 --dirty 0.001 --out transactions.csv
    """
    from python_stages import generate

    if dirty and truth is None:
        truth = out.with_suffix(".truth.csv")
    with sentences():
        report = generate.generate_transactions(
            out, n_rows=rows, seed=seed, dirty_rate=dirty, truth_path=truth, n_workers=workers
        )
        n_broken = sum(report.n_broken.values())
        typer.echo(
            f"wrote {report.n_rows:,} good and {n_broken:,} broken records, "
            f"{report.n_bytes:,} bytes, to {out} in {report.seconds:.1f} s"
        )
        if truth:
            typer.echo(f"the broken records are listed in {truth}")


if __name__ == "__main__":
    app()
