"""The `sealtune jobs` commands and `sealtune watch`: look at jobs, follow, end and settle them."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_stages import settings
from python_stages.cli.as_json import AsJson, print_json, report
from python_stages.cli.sentences import sentences
from python_stages.errors import LedgerError, SealtuneError

if TYPE_CHECKING:
    from python_stages.backends.base import Backend
    from python_stages.jobs.ledger import Ledger, LedgerRow

jobs_app = typer.Typer(no_args_is_help=True, help="Look at jobs, end them, settle parked ones.")

JobKey = Annotated[str, typer.Argument(metavar="KEY", help="Key of a job, or the beginning of it.")]
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


@jobs_app.command("list")
def jobs_list(*, as_json: AsJson = False) -> None:
    """List the jobs of the ledger, oldest first; asks no provider.

    Example: sealtune jobs list
    """
    with sentences(), _opened_ledger() as ledger:
        rows = ledger.jobs()
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        cells = [
            (row.key[:12], row.dataset, row.backend, row.base_model, _state(row)) for row in rows
        ]
        for line in _aligned(cells):
            typer.echo(line)
        for row in rows:
            if row.parked_reason:
                typer.echo(f"\n{row.key[:12]} waits: {row.parked_reason}")


@jobs_app.command("show")
def jobs_show(key: JobKey, *, as_json: AsJson = False) -> None:
    """Show all that the ledger knows of a job: ids, cost, files, and what happened to it.

    Example: sealtune jobs show 3f9a12
    """
    with sentences(), _opened_ledger() as ledger:
        row = ledger.find(key)
        events, results = ledger.events(row.key), ledger.results(row.key)
        if as_json:
            shown = {
                "job": asdict(row),
                "events": [asdict(event) for event in events],
                "result_files": [asdict(one) for one in results],
            }
            print_json(shown)
            return
        facts = [(name, value) for name, value in asdict(row).items() if value not in {None, ""}]
        facts += [("result_file", f"{one.file_id} in the vault, {one.path}") for one in results]
        for line in _aligned([(name, f"{value}") for name, value in facts]):
            typer.echo(line)
        typer.echo("")
        for line in _aligned([(event.at, event.event, event.to_state) for event in events]):
            typer.echo(line)


@jobs_app.command("cancel")
def jobs_cancel(key: JobKey, *, as_json: AsJson = False) -> None:
    """End a job at the provider and delete its files; it is not submitted again.

    Example: sealtune jobs cancel 3f9a12
    """
    from python_stages.jobs import settle
    from python_stages.jobs.access import provider_of

    with sentences(), _opened_ledger() as ledger:
        row = ledger.find(key)
        with provider_of(row) as backend:
            ended = settle.cancel(row.key, backend, ledger)
        if ended.job_id and ended.outcome == "running":
            line = (
                f"{_name(ended)}: the provider takes its time to cancel; the next build, or "
                f"`sealtune watch {ended.key[:12]}`, notes the end and deletes the files"
            )
        else:
            line = f"{_name(ended)}: {ended.outcome}, its files are deleted"
        report({"job": asdict(ended)}, line, as_json=as_json)


@jobs_app.command("cleanup")
def jobs_cleanup(
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="One job; without it, all that do not run."),
    ] = None,
    *,
    delete_model: Annotated[
        bool, typer.Option("--delete-model", help="Delete the tuned model of that job, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what jobs that do not run have at the provider, check it, and say what stays there.

    Example: sealtune jobs cleanup 3f9a12 --delete-model
    """
    from python_stages.jobs import settle
    from python_stages.jobs.access import provider_of

    with sentences(), _opened_ledger() as ledger:
        if delete_model and key is None:
            raise LedgerError("--delete-model is for one job: name it by its key")
        rows = _with_remains(ledger.jobs()) if key is None else (ledger.find(key),)
        if not rows:
            report({"cleaned": [], "what_stays": None}, "nothing to clean up", as_json=as_json)
            return
        with provider_of(rows[0]) as backend:
            for row in rows:
                settle.clean(row.key, backend, ledger, delete_model=delete_model)
                model = ", its tuned model, too" if delete_model and row.fine_tuned_model else ""
                # said at once: the next one may fail
                typer.echo(
                    f"{_name(row)}: its files are gone from {row.backend}{model}", err=as_json
                )
            stays = backend.what_stays()
        done = {"cleaned": [asdict(ledger.find(row.key)) for row in rows], "what_stays": stays}
        report(done, f"what stays: {stays}", as_json=as_json)


@jobs_app.command("deploy")
def jobs_deploy(
    key: JobKey,
    *,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the deployment, which ends its bill.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy the tuned model of an Azure job, and wait until it really answers.

    The name, the tier and the resource stand under `azure` in the job's settings. Azure bills a
    deployment by the hour, until `--delete`.

    Example: sealtune jobs deploy 3f9a12
    """
    from python_stages.backends.azure import (
        AzureBackend,
        deploy_tuned,
    )
    from python_stages.jobs.access import Access, provider_of

    with sentences(), _opened_ledger() as ledger:
        row = ledger.find(key)
        wanted = Access.of_row(row).azure
        with provider_of(row) as backend:
            if not isinstance(backend, AzureBackend):
                raise LedgerError("only models at azure are deployed: this one answers as it is")
            if delete:
                if wanted.deployment is None:
                    raise LedgerError("this job names no deployment: set azure: {deployment: …}")
                backend.delete_deployment(wanted.deployment)
                gone = {"key": row.key, "deployment": wanted.deployment, "answers": False}
                line = f"{_name(row)}: the deployment {wanted.deployment} is gone"
                report(gone, line, as_json=as_json)
                return
            if row.fine_tuned_model is None:
                raise LedgerError(f"there is no tuned model yet: the job is {_state(row)}")
            name = deploy_tuned(backend, wanted, row.fine_tuned_model)
            report(
                {"key": row.key, "deployment": name, "answers": True},
                f"{_name(row)}: {name} answers; sealtune jobs deploy --delete ends its bill",
                as_json=as_json,
            )


@jobs_app.command("settle")
def jobs_settle(
    key: JobKey,
    *,
    job: Annotated[
        str | None,
        typer.Option("--job", help="The provider's id of the right job; others are cancelled."),
    ] = None,
    none: Annotated[
        bool,
        typer.Option("--none", help="None is right: cancel all, delete the files, start over."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Settle a parked job: say which of the provider's jobs it is, or that none is.

    Example: sealtune jobs settle 3f9a12 --job ftjob-abc123
    """
    from python_stages.jobs import settle
    from python_stages.jobs.access import provider_of

    if (job is None) is not none:
        raise typer.BadParameter("give either --job ID or --none")
    with sentences(), _opened_ledger() as ledger:
        row = ledger.find(key)
        with provider_of(row) as backend:
            settled = settle.settle(row.key, job, backend, ledger)
        what = f"the job is {settled.job_id}" if settled.job_id else "the next build starts over"
        report({"job": asdict(settled)}, f"{_name(settled)}: {what}", as_json=as_json)


def watch(
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="Key of a job; without it, the newest."),
    ] = None,
    *,
    every: Annotated[
        float, typer.Option(help="Seconds between two questions to the provider.", min=0.01)
    ] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Follow a job until it has ended: live on a terminal, elsewhere a line for every change.

    With --json it is quiet until then, and prints how the job ended.

    Exits with 0 when the job succeeded and with 1 when it failed or was cancelled. Ctrl-C leaves
    the job alone; another watch tells the whole story again.

    Example: sealtune watch 3f9a12
    """
    from rich.console import Console

    from python_stages.jobs.access import provider_of
    from python_stages.jobs.watch import Pace, follow
    from python_stages.jobs.watch_view import show

    with sentences(), _opened_ledger() as ledger:
        row = ledger.find(key) if key else _newest(ledger.jobs())
        if row.job_id is None:
            raise LedgerError(f"there is no job at the provider yet: it is {_state(row)}")
        with provider_of(row) as backend:
            try:
                progresses = follow(row, backend, Pace(every))
                if as_json:
                    last = next(iter(deque(progresses, maxlen=1)), None)
                else:
                    last = show(progresses, Console(), f"{_name(row)}: job {row.job_id}")
            except KeyboardInterrupt:
                line = f"the job goes on; follow it with `sealtune watch {row.key[:12]}`"
                typer.echo(line, err=as_json)
                raise typer.Exit(_INTERRUPTED) from None
            _note(row, backend, ledger)
        if as_json:
            ended = asdict(ledger.find(row.key))
            print_json({"job": ended, "progress": asdict(last) if last else None})
        if last is None or last.state != "succeeded":
            raise typer.Exit(1)


def _note(row: "LedgerRow", backend: "Backend", ledger: "Ledger") -> None:
    """Write a job's end down, fetch its results and delete its files, as the next build would.

    What goes wrong is said and no more: how the job ended is what a watch is asked for.
    """
    from python_stages import keys
    from python_stages.jobs.refresh import refresh
    from python_stages.jobs.results import ResultVault

    try:
        ring = keys.load(settings.keys_folder(), project=Path.cwd())
        vault = ResultVault(settings.vault_folder(), ring)
        failures = refresh(backend, ledger, results=vault, only=row.key).failures
    except SealtuneError as error:
        failures = {row.key: error}
    for failure in failures.values():
        typer.echo(f"sealtune: {failure}", err=True)


@contextmanager
def _opened_ledger() -> Iterator["Ledger"]:
    from python_stages.jobs.ledger import Ledger
    from python_stages.jobs.ledger_file import LEDGER

    path = settings.vault_folder() / LEDGER
    if not path.exists():
        raise LedgerError("there is no ledger yet: dbt build writes it")
    with Ledger(path) as ledger:
        yield ledger


def _with_remains(rows: Sequence["LedgerRow"]) -> tuple["LedgerRow", ...]:
    """Return the jobs that do not run and may have files at the provider.

    Raises:
        LedgerError: they are at several providers.
    """
    from python_stages.jobs.ledger import ENDED, UNFINISHED

    found = tuple(
        row for row in rows if row.state in ENDED | UNFINISHED and row.parked_reason is None
    )
    if len({(row.backend, row.base_url) for row in found}) > 1:
        # SEALTUNE_API_KEY may be for one of them, and must not reach the others
        raise LedgerError("the jobs are at several providers: name one, see sealtune jobs list")
    return found


def _newest(rows: Sequence["LedgerRow"]) -> "LedgerRow":
    """Return the job to watch: the newest that runs, else the newest there is at a provider."""
    at_provider = [row for row in rows if row.job_id is not None]
    running = [row for row in at_provider if row.outcome == "running"]
    if not at_provider:
        raise LedgerError("no job is at a provider: see sealtune jobs list")
    return (running or at_provider)[-1]


def _state(row: "LedgerRow") -> str:
    return "parked" if row.parked_reason else row.outcome or row.state.lower()


def _name(row: "LedgerRow") -> str:
    return f"{row.dataset} {row.key[:12]}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
