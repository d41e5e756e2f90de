"""Claims about the server of a build: it ends with the build, however that ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from python_stages import keys
from python_stages.backends.local.launch import stop_server
from python_stages.backends.local.places import Places, find_server, is_held
from tests.python_stages.local.serving import BIGRAM, ROOT, until

BUILD = """
import sys
from pathlib import Path
from python_stages.backends.local import launch
from python_stages.backends.local.places import Places

launch.tether()
launch.ensure_server(Places(Path(sys.argv[1]), Path(sys.argv[2])), trainer=sys.argv[3])
{then}
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    keys.create(tmp_path / "keys")
    found = Places(tmp_path / "vault", tmp_path / "keys")
    yield found
    stop_server(found)


@contextmanager
def build(places: Places, then: str = "") -> Iterator[subprocess.Popen[str]]:
    """Start a process that starts a server as a build does, and waits for its input to end."""
    arguments = [str(places.vault), str(places.keys), BIGRAM]
    command = [sys.executable, "-c", BUILD.format(then=then), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def server_of(places: Places) -> int:
    address = find_server(places)
    assert address is not None
    return address.pid


def test_a_server_of_a_killed_build_ends(places: Places) -> None:
    with build(places) as process:
        server = server_of(places)
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not is_running(server))
    assert not places.address.exists()


def test_a_build_that_ends_has_stopped_its_server(places: Places) -> None:
    with build(places) as process:
        server = server_of(places)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert not is_held(places.lock)
    until(lambda: not is_running(server))


def test_a_server_that_was_told_to_stay_outlives_the_build(places: Places) -> None:
    with build(places, then="launch.untether()") as process:
        server = server_of(places)
        os.kill(process.pid, signal.SIGKILL)
    assert is_running(server)
    assert find_server(places) is not None


def test_a_build_does_not_stop_the_server_of_another(places: Places) -> None:
    with build(places) as first, build(places) as second:
        server = server_of(places)
        assert second.stdin is not None
        second.stdin.close()
        second.wait()
        assert server_of(places) == server
        os.kill(first.pid, signal.SIGKILL)
    until(lambda: not is_running(server))
