"""`sealtune new`: a folder for a dataset of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from python_stages.cli.as_json import AsJson, print_json
from python_stages.errors import value_free


def new(
    name: Annotated[str, typer.Argument(help="Name of the dataset, as its folder in models/.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="CSV, JSON, JSON lines or Parquet file, a glob of them, or postgresql://... "
            "of a table (docs/how-to/own-data.md).",
        ),
    ],
    label: Annotated[
        str, typer.Option(help="Column of labels to learn. (default: found by name and values)")
    ] = "",
    answer: Annotated[
        str, typer.Option(help="Column of texts to learn. (default: found by its name)")
    ] = "",
    models: Annotated[Path, typer.Option(help="Folder of the datasets.")] = Path("models"),
    *,
    as_json: AsJson = False,
) -> None:
    """Write the folder of a dataset from its rows: what its columns are, and what to learn.

    A sample of the rows is searched for personal data; what was found is written
    beside each column as counts. Read the folder before you build it: the
    classes are a proposal, and you know the data.
    Messages of a chat are a dataset as they are.

    Exit codes: 0 written; 1 refused or failed; 2 usage.

    Example: sealtune new employees --from employees.csv
    """
    from python_stages.ingest.postgres import is_table
    from python_stages.scaffold import new_folder, propose, write_folder
    from python_stages.scaffold.profile import profile

    with value_free("new"):
        new_folder(name, models)  # before a large file is read
        seen = profile(source)
        proposal = propose(seen, label=label, answer=answer)
        # a name in quotes would end the text that the location stands in
        location = source.replace('"', "%22") if is_table(source) else source
        written = write_folder(proposal, name, location, models)
    learnt = proposal.chat or proposal.answer or proposal.label
    if as_json:
        columns = [
            {"name": one.name, "privacy": one.privacy, "evidence": dict(one.evidence)}
            for one in proposal.columns
        ]
        sizes = {"n_rows": seen.n_rows, "n_sampled": seen.n_sampled}
        print_json({**sizes, "columns": columns, "to_learn": learnt, "written": written})
        return
    typer.echo(f"looked at {seen.n_sampled:,} of {seen.n_rows:,} rows")
    for one in proposal.columns:
        counts = ", ".join(f"{what} {n:,}" for what, n in one.evidence.items())
        typer.echo(f"  {one.name:<28} {one.privacy:<10} {counts}")
    typer.echo(f"to learn: {learnt}")
    typer.echo(
        f"wrote {len(written)} files to {models / name}; read them, add {name} to the var datasets "
        f"in dbt_project.yml, then: sealtune build -s {name}+"
    )
