"""`sealtune serve`: the local server in the foreground, and how to stop one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_stages import keys, settings

if TYPE_CHECKING:
    from python_stages.backends.local.places import Address, Places


def serve(
    *,
    port: Annotated[
        int, typer.Option(help="Port of 127.0.0.1; 0 takes any that is free.", min=0, max=65_535)
    ] = 0,
    idle_minutes: Annotated[
        float | None,
        typer.Option(help="End after so many minutes without jobs and requests.", min=0.1),
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the server of this vault.")] = False,
) -> None:
    """Serve the OpenAI API for files, fine-tuning and chat on this machine.

    Speaks to any OpenAI client: set its base URL, and the token as its key.
    One server runs for each vault; a build with the backend local starts one by itself.
    Jobs that are not done when it ends go on when the next one starts.

    Example: sealtune serve --port 8321
    """
    from python_stages.backends.local import places

    where = places.Places(settings.vault_folder(), settings.keys_folder())
    if stop:
        _stop(where)
        return
    keys.load(where.keys, project=Path.cwd())
    # The web framework takes a second to import.
    from python_stages.backends.local import server

    def tell(address: "Address") -> None:
        typer.echo(f"base URL  {address.base_url}")
        typer.echo(f"docs      http://127.0.0.1:{address.port}/docs")
        typer.echo(f"token     in {where.token}")
        typer.echo("press ctrl-c to stop; jobs go on when a server is started again")

    try:
        server.serve(where, port=port, idle_minutes=idle_minutes, on_ready=tell)
    except KeyboardInterrupt:
        typer.echo("stopped")


def _stop(where: "Places") -> None:
    from python_stages.backends.local import launch

    was_running = launch.stop_server(where)
    typer.echo("stopped" if was_running else "no server runs for this vault")
