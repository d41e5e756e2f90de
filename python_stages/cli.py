"""The `sealtune` command: what dbt cannot do for you. Thin; one function per command.

Exit codes: 0 done, 1 refused or failed (one sentence on stderr says why and what to do), 2 usage.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from python_stages import cli_pii, keys, settings
from python_stages.errors import LedgerError, SealtuneError

app = typer.Typer(
    name="sealtune",
    help="Fine-tune on sensitive tables: keys, sealed files and synthetic data around `dbt build`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a pretty traceback shows local variables, which are secrets
)
jobs_app = typer.Typer(no_args_is_help=True, help="Look at jobs, and settle parked ones.")
keys_app = typer.Typer(no_args_is_help=True, help="Make, show and exchange keys.")
generate_app = typer.Typer(no_args_is_help=True, help="Write synthetic source files.")
app.add_typer(keys_app, name="keys")
app.add_typer(generate_app, name="generate")
app.add_typer(jobs_app, name="jobs")


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn sealtune's errors into one sentence and exit code 1."""
    try:
        yield
    except SealtuneError as error:
        typer.echo(f"sealtune: {error}", err=True)
        raise typer.Exit(1) from None


app.command("scan")(_sentences()(cli_pii.scan))
app.command("scrub")(_sentences()(cli_pii.scrub))
app.command("pii-eval")(_sentences()(cli_pii.pii_eval))


@keys_app.command("init")
def keys_init() -> None:
    """Make the keys, outside the project; does nothing where they exist.

    Example: sealtune keys init
    """
    with _sentences():
        folder = settings.keys_folder()
        existed = folder.exists()
        keys.create(folder, project=Path.cwd())
        typer.echo(f"{'the keys are in' if existed else 'made keys in'} {folder}")
        typer.echo("keep a copy: without them neither the vault nor a sealed file opens")


@keys_app.command("show")
def keys_show() -> None:
    """Print the public keys: yours, and those of recipients and signers.

    Example: sealtune keys show
    """
    with _sentences():
        ring = keys.load(settings.keys_folder(), project=Path.cwd())
        typer.echo(f"keys folder  {ring.folder}")
        for recipient in ring.recipients():
            typer.echo(f"sealed for   {recipient.key_id}  {recipient.name}")
        for signer in ring.signers():
            typer.echo(f"believed     {signer.key_id}  {signer.name}")
        typer.echo("\nhand this to those who shall seal for you:")
        typer.echo(ring.public_recipient())
        typer.echo("\nhand this to those who shall believe your signature:")
        typer.echo(ring.public_signer())


@keys_app.command("add-recipient")
def keys_add_recipient(
    name: Annotated[str, typer.Argument(help="What to call the recipient: a lower-case word.")],
    key: Annotated[
        typer.FileText, typer.Argument(help="File with the recipient's line, or - for stdin.")
    ],
) -> None:
    """Seal for one more recipient, from the next sealing on.

    Example: sealtune keys add-recipient auditor auditor.pub
    """
    with _sentences():
        added = keys.add_recipient(settings.keys_folder(), name, key.read())
        typer.echo(f"files are now sealed for {added.name} ({added.key_id}) too")


@keys_app.command("add-signer")
def keys_add_signer(
    name: Annotated[str, typer.Argument(help="What to call the signer: a lower-case word.")],
    key: Annotated[
        typer.FileText, typer.Argument(help="File with the signer's line, or - for stdin.")
    ],
) -> None:
    """Believe one more signer's sealed files.

    Example: sealtune keys add-signer build-machine build-machine.pub
    """
    with _sentences():
        added = keys.add_signer(settings.keys_folder(), name, key.read())
        typer.echo(f"files signed by {added.name} ({added.key_id}) are now believed")


SealedPath = Annotated[Path, typer.Argument(help="A .sealed file.", exists=True, dir_okay=False)]


@app.command()
def verify(path: SealedPath) -> None:
    """Check that a sealed file is, to the byte, what a trusted signer sealed; opens nothing.

    Example: sealtune verify vault/sealed/transactions/train-*.sealed
    """
    from python_stages import seal  # noqa: PLC0415 - help and completion need not load it

    with _sentences():
        manifest = seal.verify(path.absolute(), keys=keys.load(settings.keys_folder()))
        typer.echo(
            f"ok: {manifest.dataset}/{manifest.split}, {manifest.n_rows:,} lines, "
            f"{manifest.n_bytes:,} bytes, sealed for {len(manifest.recipients)} recipient(s)"
        )


@app.command()
def unseal(
    path: SealedPath,
    out: Annotated[
        Path, typer.Option(help="New file for the plaintext, or - for stdout.", show_default=False)
    ],
) -> None:
    """Open a sealed file, once all of it is verified.

    Example: sealtune unseal vault/sealed/transactions/train-*.sealed --out - | head -1
    """
    from python_stages import seal  # noqa: PLC0415 - help and completion need not load it

    with _sentences():
        ring = keys.load(settings.keys_folder())
        target = sys.stdout.buffer if str(out) == "-" else out.absolute()
        manifest = seal.unseal(path.absolute(), target, keys=ring)
        typer.echo(f"released {manifest.n_rows:,} lines", err=True)


@jobs_app.command("list")
def jobs_list() -> None:
    """List the jobs of the ledger.

    Example: sealtune jobs list
    """
    from python_stages import hooks, ledger  # noqa: PLC0415 - help need not load it

    with _sentences(), ledger.Ledger(hooks.ledger_path()) as opened:
        for row in opened.jobs():
            state = row.parked_reason or row.outcome or row.state
            typer.echo(f"{row.key}  {row.dataset}  {row.backend}  {row.base_model}  {state}")


JobKey = Annotated[str, typer.Argument(help="Key of a parked job, from `sealtune jobs list`.")]


@jobs_app.command("adopt")
def jobs_adopt(
    key: JobKey,
    job_id: Annotated[str, typer.Argument(help="The provider's id of the job that is the one.")],
) -> None:
    """Settle a parked job: say which of the provider's jobs it is.

    Example: sealtune jobs adopt 3f9a… ftjob-abc123
    """
    from python_stages import backends, hooks, ledger, submit  # noqa: PLC0415 - help is quick
    from python_stages.backends import plan  # noqa: PLC0415 - the same

    with _sentences(), ledger.Ledger(hooks.ledger_path()) as opened:
        row = opened.get(key)
        if row is None:
            raise LedgerError("the ledger has no job of this key; see sealtune jobs list")
        with backends.open_backend(
            row.backend, base_url=row.base_url, api_key=settings.api_key()
        ) as backend:
            if isinstance(backend, plan.PlanBackend):
                raise LedgerError("a planned job waits for nothing")
            settled = submit.adopt(key, job_id, backend, opened)
        typer.echo(f"{settled.dataset}: the job is {settled.job_id}")


@jobs_app.command("unpark")
def jobs_unpark(key: JobKey) -> None:
    """Settle a parked job: go on, once what was too much at the provider is removed.

    Example: sealtune jobs unpark 3f9a…
    """
    from python_stages import hooks, ledger, submit  # noqa: PLC0415 - help need not load it

    with _sentences(), ledger.Ledger(hooks.ledger_path()) as opened:
        settled = submit.unpark(key, opened)
        typer.echo(f"{settled.dataset}: the next build goes on with this job")


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
    from python_stages import generate  # noqa: PLC0415 - help and completion need not load it

    if dirty and truth is None:
        truth = out.with_suffix(".truth.csv")
    with _sentences():
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
