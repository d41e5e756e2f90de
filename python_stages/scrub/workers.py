"""Those who do the work in other processes, and how they are talked to.

    Worker          what a pool asks of one: a message there, an answer back
    Desk            the other end: starts the work once, and answers
    ProcessWorker   a process of this machine, on two pipes

Messages are pickles. Nothing is written to disk, what a process prints goes nowhere, and an error
comes back as one of sealtune's own, without a value.
"""

import json
import os
import pickle
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from python_stages.errors import SealtuneError, value_free

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH: Final = struct.Struct(">Q")
# Whatever the parent's main module is, a worker does not import it: it may have no guard, and dbt's
# takes seconds. One core for each worker: their number is what spreads the work.
_PROGRAM: Final = """
import json, os, sys
os.environ["OMP_NUM_THREADS"] = "1"
sys.path[:] = json.loads(sys.argv.pop())
from python_stages.scrub.workers import serve
serve()
"""


class Worker(Protocol):
    """Somebody who holds a `Desk`, in another process."""

    def do(self, message: bytes) -> bytes:
        """Return what the desk answers.

        Raises:
            WorkerLostError: the worker is not there any more.
        """

    def close(self) -> None:
        """End the worker, whatever it does; may be repeated."""


class WorkerLostError(Exception):
    """A worker ended in the middle of an item; the message says how, and holds no value."""


class Desk:
    """Where a worker answers: starts the work at the first item, and lets no value into an error.

    Args:
        work: the pickled work.
    """

    def __init__(self, work: bytes) -> None:
        self._work: Final = work
        self._do: Callable[[Any], Any] | None = None

    def answer(self, message: bytes) -> bytes:
        """Do a pickled item; return the pickled result and error, one of which is None."""
        try:
            with value_free("scrub"):
                if self._do is None:
                    self._do = pickle.loads(self._work).start()  # noqa: S301  # our parent's
                item = pickle.loads(message)  # noqa: S301  # our parent's
                return pickle.dumps((self._do(item), None))
        except SealtuneError as error:
            return pickle.dumps((None, error))


class ProcessWorker:
    """A process of its own, started from scratch: a fork would copy threads in any state.

    Args:
        work: the pickled work.
    """

    def __init__(self, work: bytes) -> None:
        self._process: Final = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-c", _PROGRAM, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._work: bytes | None = work

    def do(self, message: bytes) -> bytes:
        """Return what the desk in the process answers."""
        sink, source = self._process.stdin, self._process.stdout
        answer = None
        with suppress(OSError, ValueError):  # broken, or closed by `close`
            if sink and source:
                if self._work is not None:
                    _send(sink, self._work)
                    self._work = None
                _send(sink, message)
                answer = _receive(source)
        if answer is None:
            self.close()
            raise WorkerLostError(f"exit code {self._process.returncode}")
        return answer

    def close(self) -> None:
        """Kill the process: it has nothing to tidy up."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()


def serve() -> None:
    """Answer what comes in on stdin until it ends: the main function of a process worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    silence()
    work = _receive(source)
    if work is not None:
        desk = Desk(work)
        while (message := _receive(source)) is not None:
            _send(sink, desk.answer(message))


def silence() -> None:
    """Let nothing that this process prints get anywhere: a library may quote a text."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message, or None where the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    message = pipe.read(size)
    return message if len(message) == size else None
