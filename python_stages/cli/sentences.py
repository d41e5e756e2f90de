"""How a command says what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from python_stages.errors import SealtuneError


@contextmanager
def sentences() -> Iterator[None]:
    """Turn sealtune's errors into one sentence and exit code 1."""
    try:
        yield
    except SealtuneError as error:
        typer.echo(f"sealtune: {error}", err=True)
        raise typer.Exit(1) from None
