"""`sealtune audit`: what attacks on tuned models show of what they memorised."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from python_stages import keys, settings
from python_stages.cli.as_json import AsJson, print_json
from python_stages.cli.sentences import sentences
from python_stages.errors import LedgerError, VaultError

if TYPE_CHECKING:
    import duckdb

    from python_stages.jobs.ledger import LedgerRow

audit_app = typer.Typer(
    no_args_is_help=True, help="Look at what tuned models memorised, or attack one now."
)

JobKey = Annotated[str, typer.Argument(metavar="KEY", help="Key of a job, or the beginning of it.")]
_VERDICTS = (
    "select dataset, job_key, model_role, model, verdict, value as epsilon_shown, "
    "most as epsilon_at_most, claimed_epsilon, claimed_delta, privacy_unit, reasons, audited_at "
    "from vault.main.memorization_audit where measure = 'verdict' "
)
_MEASURES = (
    "select model_role, step, measure, kind, n_repeats, value, low, high, chance, most, n "
    "from vault.main.memorization_audit where measure <> 'verdict' and job_key = ? "
    "order by model_role, step, measure, kind, n_repeats"
)


@audit_app.command("list")
def audit_list(*, as_json: AsJson = False) -> None:
    """List the verdicts on the tuned models of all jobs, oldest first.

    Example: sealtune audit list
    """
    with sentences(), _opened_vault() as con:
        query = f"{_VERDICTS} and model_role = 'tuned' order by audited_at, job_key"
        rows = _rows(con, query)
        if as_json:
            print_json(rows)
            return
        for row in rows:
            claim = row["claimed_epsilon"]
            claimed = "no claim" if claim is None else f"epsilon {claim:.2f} claimed"
            shown, most = row["epsilon_shown"], row["epsilon_at_most"]
            typer.echo(
                f"{row['dataset']} {row['job_key'][:12]}  {row['verdict']:<4}  {claimed}, "
                f"{shown:.2f} shown of {most:.2f} at most"
            )


@audit_app.command("show")
def audit_show(key: JobKey, *, as_json: AsJson = False) -> None:
    """Show the verdict on every model of a job, its reasons, and every measure.

    Example: sealtune audit show 3f9a12
    """
    with sentences(), _opened_vault() as con:
        job = _job(key)
        verdicts = _rows(con, f"{_VERDICTS} and job_key = ? order by audited_at", job.key)
        measures = _rows(con, _MEASURES, job.key)
        if not verdicts:
            raise LedgerError(
                f"this job is not audited: run `sealtune audit run {job.key[:12]}`, or dbt build"
            )
        if as_json:
            print_json({"verdicts": verdicts, "measures": measures})
            return
        for row in verdicts:
            typer.echo(f"{row['model_role']}: {row['verdict']}: {row['reasons']}")
        typer.echo("")
        for row in measures:
            typer.echo(_line(row))


@audit_app.command("run")
def audit_run(key: JobKey, *, as_json: AsJson = False) -> None:
    """Attack a job's models now, whether or not its dataset is audited by the build.

    Trains a shadow of it where the canaries are not in the job itself. Exits with 0 whatever comes
    out: --json prints the verdicts.

    Example: sealtune audit run 3f9a12
    """
    from python_stages import audit_models

    with sentences(), _opened_vault() as con:
        job = _job(key)
        asked = "select job, audit from vault.main.audit_settings where dataset = ?"
        found = con.execute(asked, [job.dataset]).fetchall()
        if not found:
            raise LedgerError(
                f"{job.dataset} is no dataset that was built here: run dbt build first"
            )
        examples = con.sql("from vault.main.all_examples")
        table = audit_models.audit_now(
            examples,
            job,
            json.loads(found[0][0]),
            json.loads(found[0][1]),
            partial(typer.echo, err=as_json),
        )
        con.execute("begin")
        con.execute("delete from vault.main.memorization_audit where job_key = ?", [job.key])
        con.register("audited", table)
        con.execute("insert into vault.main.memorization_audit by name select * from audited")
        con.execute("commit")
        if as_json:
            print_json(_rows(con, f"{_VERDICTS} and job_key = ? order by audited_at", job.key))


def _line(row: dict[str, Any]) -> str:
    """Return a measure as a line for people."""
    planted = "" if row["n_repeats"] is None else f" x{row['n_repeats']}"
    interval = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    chance = "" if row["chance"] is None else f", chance {row['chance']:.3f}"
    most = "" if row["most"] is None else f", at most {row['most']:.2f}"
    where = f"{row['model_role']} {row['kind']}{planted}"
    return (
        f"{where:<24} {row['measure']:<32} {row['value']:.3f}{interval}{chance}{most}, n {row['n']}"
    )


def _job(key: str) -> "LedgerRow":
    from python_stages.jobs.hooks import ledger_path
    from python_stages.jobs.ledger import Ledger

    if not ledger_path().exists():
        raise LedgerError("there is no ledger yet: dbt build writes it")
    with Ledger(ledger_path()) as ledger:
        return ledger.find(key)


def _rows(con: "duckdb.DuckDBPyConnection", query: str, *values: str) -> list[dict[str, Any]]:
    return con.execute(query, list(values)).to_arrow_table().to_pylist()


@contextmanager
def _opened_vault() -> Iterator["duckdb.DuckDBPyConnection"]:
    """Open the vault as a build does, so that no build can run meanwhile.

    Raises:
        VaultError: there is none, or nothing was audited.
    """
    import duckdb

    from python_stages.vault import WAREHOUSE, open_vault, register_functions

    folder = settings.vault_folder()
    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    if not (folder / WAREHOUSE).exists():
        raise VaultError("there is no vault yet: dbt build makes it")
    with closing(duckdb.connect(":memory:")) as con:
        open_vault(con, folder, ring.vault_key())
        register_functions(con, ring)
        known = (
            "select 1 from duckdb_tables() "
            "where database_name = 'vault' and table_name = 'memorization_audit'"
        )
        if not con.execute(known).fetchall():
            raise VaultError("nothing was audited yet: dbt build does, where `audit` is on")
        yield con
