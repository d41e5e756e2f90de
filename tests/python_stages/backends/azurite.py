"""Azurite, the emulator of Azure's Blob storage: installed once, started by the tests.

It lies in the virtual environment, under its version. `npm install` leaves no lockfile and runs no
package's scripts; telemetry is off; what it stores is in memory and gone when it ends.
"""

import fcntl
import os
import re
import secrets
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

VERSION = "3.35.0"  # the last that runs on Node 20

_FOLDER = Path(sys.prefix) / f"azurite-{VERSION}"
_READY = re.compile(r"listens? (?:on|at) https?://127\.0\.0\.1:(\d+)")
# no network, or a certificate that this machine's npm was not told to trust
_UNREACHABLE = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|\w*_CERT_\w*|\w*_ISSUER_CERT\w*)\b"
)


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account of the emulator.

    Args:
        url: address of the account.
        name: its name.
        key: its key, base64.
    """

    url: str
    name: str
    key: str


@contextmanager
def azurite(*, certificate: Path | None = None, key: Path | None = None) -> Iterator[Account]:
    """Run the emulator with an account of a fresh key until the block ends."""
    program = _installed()
    name, account_key = "sealtunetests", b64encode(secrets.token_bytes(64)).decode()
    secure = (
        [] if key is None else ["--cert", str(certificate), "--key", str(key), "--oauth", "basic"]
    )
    with TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [
                *(str(program), "--blobPort", "0", "--inMemoryPersistence"),
                *("--disableTelemetry", "--skipApiVersionCheck", *secure),
            ],
            cwd=folder,
            env=os.environ | {"AZURITE_ACCOUNTS": f"{name}:{account_key}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with server:
            try:
                port = _port(server)
                scheme = "http" if key is None else "https"
                yield Account(f"{scheme}://127.0.0.1:{port}/{name}", name, account_key)
            finally:
                server.terminate()


def _port(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if found := _READY.search(line):
            return found[1]
    pytest.fail("azurite ended before it listened")


def _installed() -> Path:
    """Return the emulator's program; install it where this environment has none yet."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("azurite comes from npm, and there is no npm on this machine")
    program = _FOLDER / "node_modules" / ".bin" / "azurite-blob"
    with (Path(sys.prefix) / "azurite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return program
        _FOLDER.mkdir(exist_ok=True)
        ran = subprocess.run(
            [
                *(npm, "install", f"azurite@{VERSION}", "--prefix", str(_FOLDER), "--no-save"),
                *("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"),
            ],
            cwd=_FOLDER,
            capture_output=True,
            check=False,
            text=True,
        )
        if ran.returncode and _UNREACHABLE.search(ran.stderr):
            pytest.skip("azurite comes from npm, whose registry cannot be reached from here")
        assert ran.returncode == 0, ran.stderr
    return program
