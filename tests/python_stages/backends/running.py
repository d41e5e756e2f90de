"""An app on loopback, for as long as a block runs."""

import gc
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI


@contextmanager
def running(
    app: FastAPI, *, certificate: str | None = None, key: str | None = None
) -> Iterator[str]:
    """Serve an app from a thread on a free port until the block ends; return its address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="critical",
        ws="none",
        lifespan="off",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        # Azure's SDK keeps a connection until its answer is collected; it would be waited for.
        gc.collect()
        server.should_exit = True
        thread.join()
