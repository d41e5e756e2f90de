"""Find the server of a vault, start one, or stop it.

A server that a command starts outlives it, and so do its jobs. A build wants its server to end with
it, however it ends: after `tether`, each server that this process starts holds the reading end of a
pipe whose other end only this process has. The kernel closes that with the process, killed or not,
and the server ends; at an orderly end it is stopped and waited for.
"""

import atexit
import contextlib
import http.client
import os
import signal
import sys
import time
from typing import Any, Final

from python_stages.backends.local.places import (
    HOST,
    Address,
    Places,
    find_server,
    is_held,
    make_folders,
)
from python_stages.backends.local.surroundings import child_environment
from python_stages.errors import BackendError

IDLE_MINUTES: Final = 15.0

_MODULE: Final = "python_stages.backends.local.server"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_ANSWER_SECONDS: Final = 10.0
_STAY: Final = b"stay"


class _Tether:
    """What ties servers to this process: the pipes of those that it started, while it is on."""

    def __init__(self) -> None:
        self.is_on = False
        self.places: list[Places] = []
        self.pipes: list[int] = []

    def stop_all(self) -> None:
        """Stop the servers that this process started; what does not stop loses its pipe anyway."""
        for places in self.places:
            with contextlib.suppress(BackendError):
                stop_server(places)
        self.places.clear()


_tether = _Tether()


def tether() -> None:
    """From now on, let the servers that this process starts end with it."""
    if not _tether.is_on:
        _tether.is_on = True
        atexit.register(_tether.stop_all)


def untether() -> None:
    """Let the servers that this process started, or will start, outlive it: a job goes on there."""
    _tether.is_on = False
    _tether.places.clear()
    while _tether.pipes:
        pipe = _tether.pipes.pop()
        with contextlib.suppress(OSError):  # it has ended already
            os.write(pipe, _STAY)
        os.close(pipe)


def ensure_server(
    places: Places, *, idle_minutes: float = IDLE_MINUTES, trainer: str | None = None
) -> Address:
    """Return the running server of a vault, started where there is none.

    It is a process of its own session: it and its jobs outlive this one, unless `tether` was
    called.

    Raises:
        BackendError: it does not start.
    """
    make_folders(places)
    deadline = time.monotonic() + _START_SECONDS
    child: int | None = None
    while (address := find_server(places)) is None or not _answers(address):
        if child is None and not is_held(places.lock):
            child = _spawn(places, idle_minutes, trainer)
        elif child is not None and _has_ended(child):
            # Perhaps another build started one at the same time: its lock is then held.
            child = None
            if not is_held(places.lock):
                raise BackendError(
                    "the local server ended while it started: run `sealtune serve` to see why"
                )
        if time.monotonic() > deadline:
            raise BackendError("the local server does not answer: run `sealtune serve --stop`")
        time.sleep(_POLL_SECONDS)
    return address


def stop_server(places: Places) -> bool:
    """Stop the server of a vault and wait until it is gone; return whether there was one.

    Raises:
        BackendError: it does not stop.
    """
    told: set[int] = set()
    deadline = time.monotonic() + _STOP_SECONDS
    while is_held(places.lock):
        address = find_server(places)
        # One that was started at the same time may take the place of the first.
        if address is not None and address.pid not in told:
            told.add(address.pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(address.pid, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise BackendError("the local server does not stop: end its process yourself")
        time.sleep(_POLL_SECONDS)
    return bool(told)


def _answers(address: Address) -> bool:
    """Ask whether a server is up, which also begins its time without requests anew."""
    connection = http.client.HTTPConnection(HOST, address.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _spawn(places: Places, idle_minutes: float, trainer: str | None) -> int:
    """Start the server in a session of its own; return its process id."""
    command = [sys.executable, "-m", _MODULE, str(places.vault), str(places.keys)]
    command += ["--idle-minutes", str(idle_minutes)]
    command += [] if trainer is None else ["--trainer", trainer]
    actions = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    if not _tether.is_on:
        return _spawned(command, actions)
    reading, writing = os.pipe()  # neither is inherited by what else this process starts
    try:
        tied = [(os.POSIX_SPAWN_DUP2, reading, 0), *actions[1:]]
        child = _spawned([*command, "--tethered"], tied)
    finally:
        os.close(reading)
    _tether.pipes.append(writing)
    _tether.places.append(places)
    return child


def _spawned(command: list[str], actions: list[Any]) -> int:
    return os.posix_spawn(
        sys.executable, command, child_environment(), file_actions=actions, setsid=True
    )


def _has_ended(pid: int) -> bool:
    """Say whether a child has ended, and let it go if it has."""
    try:
        found, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return found == pid
