"""The process of the local server: one for each vault, on a free port of 127.0.0.1.

    python -m python_stages.backends.local.server VAULT KEYS [--port N] [--idle-minutes N]
        [--tethered]

It ends by `sealtune serve --stop`, by a signal, or, where a command started it, after some minutes
without a job or a request. A tethered one ends with the build that started it, by the end of the
pipe on its standard input: jobs that nobody waited for to their end go on when the next server
starts. Nothing that it is asked or answers is logged.
"""

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn

from python_stages import keys
from python_stages.backends.local.app import build_app
from python_stages.backends.local.blobs import JobStorage, open_blobs
from python_stages.backends.local.decoder import Decoder
from python_stages.backends.local.job_queue import JobQueue
from python_stages.backends.local.places import (
    HOST,
    Address,
    Places,
    held,
    make_folders,
    read_token,
    write_address,
)
from python_stages.backends.local.rows import ModelRow
from python_stages.backends.local.service import Activity, Service
from python_stages.backends.local.store import open_store
from python_stages.backends.local.trainer import DEFAULT_MODULE, Trainer
from python_stages.errors import BackendError, LockedError, SealtuneError
from python_stages.training.asking import Model

LOCKED_EXIT: Final = 3

_IDLE_LOOK_SECONDS: Final = 1.0
_SHUTDOWN_SECONDS: Final = 5
_BACKLOG: Final = 128


def serve(
    places: Places,
    *,
    port: int = 0,
    idle_minutes: float | None = None,
    trainer: str = DEFAULT_MODULE,
    is_tethered: bool = False,
    on_ready: Callable[[Address], None] | None = None,
) -> None:
    """Serve a vault until told to stop.

    Args:
        places: where everything lies.
        port: the port of 127.0.0.1, 0 for any that is free.
        idle_minutes: end after so long without waiting jobs and requests, or never.
        trainer: module of the trainer.
        is_tethered: end with the process at the other end of standard input.
        on_ready: called when requests can be made.

    Raises:
        LockedError: another server serves this vault.
        BackendError: the port is taken.
        KeyFileError: the keys cannot be read.
    """
    # Libraries warn about what they cannot parse, and quote it.
    logging.disable(logging.CRITICAL)
    ring = keys.load(places.keys)
    make_folders(places)
    with held(places.lock):
        # Until it is written anew, no client may believe what an earlier server wrote.
        places.address.unlink(missing_ok=True)
        store, blobs = open_store(places.state, ring), open_blobs(places.blobs, ring)
        border = Trainer(trainer)

        def load(model_id: str) -> Model:
            row = store.get(ModelRow, model_id)
            if row is None:
                return border.load_base(model_id)
            return border.load(JobStorage(blobs, row.job_id), row.checkpoint)

        service = Service(
            store=store,
            blobs=blobs,
            jobs=JobQueue(places, store, blobs, trainer),
            decoder=Decoder(load),
            trainer=border,
            token=read_token(places),
            activity=Activity(),
        )
        with _listening(port) as listener, _working(service):
            address = Address(os.getpid(), listener.getsockname()[1])
            # Who connects before the application runs waits in the backlog.
            write_address(places, address)
            if is_tethered:
                threading.Thread(target=_end_with, args=(places,), daemon=True).start()
            try:
                if on_ready is not None:
                    on_ready(address)
                _run(service, listener, idle_minutes)
            finally:
                places.address.unlink(missing_ok=True)


@contextlib.contextmanager
def _working(service: Service) -> Iterator[None]:
    """Run the threads of a service; SIGTERM ends the block as an exception would."""
    # uvicorn raises the signals it has seen anew, under the handler that was there before it.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    service.jobs.start()
    service.decoder.start()
    try:
        yield
    finally:
        service.jobs.close()
        service.decoder.close()
        signal.signal(signal.SIGTERM, before)


def _end_with(places: Places) -> None:
    """End this server when standard input ends, unless it is told there to stay."""
    if os.read(sys.stdin.fileno(), 1):
        return
    # No client shall find what is about to end.
    places.address.unlink(missing_ok=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _run(service: Service, listener: socket.socket, idle_minutes: float | None) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(service),
            log_config=None,
            log_level="critical",  # what is logged below that quotes requests and errors
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    )

    def stop_when_idle() -> None:
        while not server.should_exit:
            time.sleep(_IDLE_LOOK_SECONDS)
            # A vault that was removed has nothing waiting: its server ends like any idle one.
            with contextlib.suppress(SealtuneError):
                if service.store.n_waiting():
                    service.activity.note()
            if idle_minutes is not None and service.activity.idle_seconds() > idle_minutes * 60:
                server.should_exit = True

    if idle_minutes is not None:
        threading.Thread(target=stop_when_idle, daemon=True).start()
    server.run(sockets=[listener])


def _listening(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise BackendError(
            f"cannot listen on port {port}: {error.strerror}; choose another"
        ) from None
    return listener


def main(arguments: list[str] | None = None) -> int:
    """Serve as a process of its own; return the exit code."""
    parser = argparse.ArgumentParser(prog="sealtune serve")
    parser.add_argument("vault", type=Path)
    parser.add_argument("keys", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--idle-minutes", type=float)
    parser.add_argument("--trainer", default=DEFAULT_MODULE)
    parser.add_argument("--tethered", action="store_true")
    told = parser.parse_args(arguments)
    try:
        serve(
            Places(told.vault, told.keys),
            port=told.port,
            idle_minutes=told.idle_minutes,
            trainer=told.trainer,
            is_tethered=told.tethered,
        )
    except LockedError:
        return LOCKED_EXIT
    except SealtuneError as error:
        sys.stderr.write(f"sealtune: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
