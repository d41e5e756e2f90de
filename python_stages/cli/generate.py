"""`sealtune generate`: synthetic source files of people who do not exist."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_stages.cli.as_json import AsJson, report
from python_stages.cli.sentences import sentences

if TYPE_CHECKING:
    from python_stages.generate import GenerationReport

generate_app = typer.Typer(no_args_is_help=True, help="Write synthetic source files.")

RowsOption = Annotated[int, typer.Option(help="Good records to write.", min=0)]
SeedOption = Annotated[int, typer.Option(help="Another seed gives other rows.")]
DirtyOption = Annotated[
    float, typer.Option(help="Broken records to add, as a share of the rows.", min=0, max=1)
]
TruthOption = Annotated[
    Path | None,
    typer.Option(
        help="CSV file for line number and reason of each broken record "
        "[default: beside the file, when there are any]"
    ),
]


@generate_app.command("transactions")
def transactions(  # noqa: PLR0917 - typer passes options by position
    rows: RowsOption,
    out: Annotated[Path, typer.Option(help="CSV file to write.")] = Path("transactions.csv"),
    seed: SeedOption = 1,
    dirty: DirtyOption = 0.0,
    truth: TruthOption = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; the file is the same at any number.", min=1)
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write card transactions of fictional people, in the schema of the real file.

    Example: sealtune generate transactions --rows 100000 --dirty 0.001 --out transactions.csv
    """
    from python_stages import generate

    truth = truth or (out.with_suffix(".truth.csv") if dirty else None)
    with sentences():
        done = generate.generate_transactions(
            out, n_rows=rows, seed=seed, dirty_rate=dirty, truth_path=truth, n_workers=workers
        )
        _say(done, out, truth, as_json=as_json)


def _table_command(name: str, what: str) -> None:
    """Add the command that writes one of the tables of `generate.TABLES`."""

    def write(
        rows: RowsOption,
        out: Annotated[
            Path | None, typer.Option(help=f"CSV file to write. (default: {name}.csv)")
        ] = None,
        seed: SeedOption = 1,
        dirty: DirtyOption = 0.0,
        truth: TruthOption = None,
        *,
        as_json: AsJson = False,
    ) -> None:
        from python_stages import generate

        path = out or Path(f"{name}.csv")
        truth = truth or (path.with_suffix(".truth.csv") if dirty else None)
        with sentences():
            done = generate.generate_table(
                generate.TABLES[name],
                path,
                n_rows=rows,
                seed=seed,
                dirty_rate=dirty,
                truth_path=truth,
            )
            _say(done, path, truth, as_json=as_json)

    write.__doc__ = f"Write {what}.\n\nExample: sealtune generate {name} --rows 1000"
    generate_app.command(name)(write)


_table_command("tickets", "support tickets of fictional people, in the schema of the real file")
_table_command(
    "legal", "fictional court cases and how they treat others, as the real file has them"
)
_table_command("canaries", "small talk with an assistant, which the audit plants secrets among")
_table_command("pii_texts", "sentences with personal data of nobody in them, and without")


def _say(done: "GenerationReport", out: Path, truth: Path | None, *, as_json: bool) -> None:
    n_broken = sum(done.n_broken.values())
    wrote = (
        f"wrote {done.n_rows:,} good and {n_broken:,} broken records, "
        f"{done.n_bytes:,} bytes, to {out} in {done.seconds:.1f} s"
    )
    listed = [f"the broken records are listed in {truth}"] if truth else []
    report({"path": out, "truth": truth, **asdict(done)}, wrote, *listed, as_json=as_json)
