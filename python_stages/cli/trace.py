"""`sealtune trace`: which datasets, sealed files, jobs and models hold rows of a person."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from python_stages import keys, settings
from python_stages.cli.as_json import AsJson, print_json
from python_stages.errors import ConfigError

if TYPE_CHECKING:
    from python_stages.jobs.ledger import LedgerRow
    from python_stages.trace import Trace


def trace(
    subject: Annotated[
        str,
        typer.Option(help="Only - is taken: the value is read from stdin, as the source has it."),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Tell which datasets, sealed files, jobs and models hold rows of a person.

    Example: sealtune trace --subject - < customer-id.txt
    """
    from python_stages import trace as tracing

    if subject != "-":
        raise ConfigError(
            "a value among the arguments stands in the list of processes and in the shell's "
            "history: write --subject - and give it on stdin"
        )
    ring = keys.load(settings.keys_folder())
    vault = settings.vault_folder()
    found = tracing.find(_read_value(), ring, vault=vault)
    jobs = _jobs()
    sealed = vault / "sealed"
    here = [f"{one.parent.name}/{one.name}" for one in sorted(sealed.glob("*/*.sealed"))]
    unknown = tracing.untraced(here, (one.dataset_fingerprint for one in jobs), vault=vault)
    if as_json:
        print_json({"found": [_as_dict(one, jobs) for one in found], "cannot_say": list(unknown)})
        return
    for one in found:
        for line in _describe(one, jobs, set(here)):
            typer.echo(line)
    if not found:
        typer.echo("no recorded dataset holds rows of this person")
    for name in unknown:
        typer.echo(f"cannot say for {name}: it was sealed without a record of subjects", err=True)


def _read_value() -> str:
    value = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not value:
        raise ConfigError("there is no value on stdin: give it there, on one line")
    return value


def _jobs() -> "tuple[LedgerRow, ...]":
    from python_stages.jobs.ledger import Ledger
    from python_stages.jobs.ledger_file import LEDGER

    path = settings.vault_folder() / LEDGER
    if not path.exists():
        return ()
    with Ledger(path) as ledger:
        return ledger.jobs()


def _as_dict(trace: "Trace", jobs: "tuple[LedgerRow, ...]") -> dict[str, Any]:
    fields = ("key", "backend", "job_id", "state", "outcome", "fine_tuned_model")
    of_this = [one for one in jobs if one.dataset_fingerprint == trace.dataset_fingerprint]
    return {
        **asdict(trace),
        "jobs": [{name: getattr(one, name) for name in fields} for one in of_this],
    }


def _describe(trace: "Trace", jobs: "tuple[LedgerRow, ...]", here: set[str]) -> Iterator[str]:
    counts = ", ".join(f"{n:,} row(s) in {split}" for split, n in sorted(trace.rows.items()))
    yield f"{trace.dataset}  sealed {trace.sealed_at}  {counts}"
    for path in trace.files:
        yield f"  sealed file  {path}{'' if path in here else '  (no longer here)'}"
    for job in jobs:
        if job.dataset_fingerprint == trace.dataset_fingerprint:
            where = f"{job.backend} {job.job_id or ''}".rstrip()
            yield f"  job          {job.key[:12]}  {where}  {job.outcome or job.state}"
            if job.fine_tuned_model:
                yield f"  model        {job.fine_tuned_model}"
