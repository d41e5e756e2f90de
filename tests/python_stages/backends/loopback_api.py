"""A small provider on 127.0.0.1 that behaves like the OpenAI API for files and fine-tuning jobs.

It keeps everything in memory, answers with the API's error bodies, logs every request and fails on
demand (`Fault`, `listing_lag`, `ignores_cursor`, `repeats_items`), so that the real client meets
real sockets. A job goes one state on whenever it is asked after, until `finish` or its own end.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.python_stages.backends.loopback_state import API_KEY, LoopbackApi
from tests.python_stages.backends.loopback_values import ApiError, Fault, Request, StoredJob

__all__ = ["API_KEY", "ApiError", "Fault", "LoopbackApi", "Request", "StoredJob", "serve"]

_PIECE_BYTES = 64 * 1024


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a LoopbackApi."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: LoopbackApi

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: requests are recorded instead."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        url = urlsplit(self.path)
        with self.api.lock:
            fault = self.api.take_fault(self.command, url.path)
        body = self._read_body()
        if body is None:
            self._drop()
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        parsed = _parse(headers.get("content-type", ""), body)
        request = Request(self.command, url.path, url.query, headers, len(body), parsed)
        with self.api.lock:
            self.api.requests.append(request)
        if fault and fault.kind == "reset_before":
            self._drop()
            return
        try:
            answer = self._answer(request, fault)
        except ApiError as error:
            described = {"message": error.message, "type": "api_error", "code": error.code}
            answer = json.dumps({"error": described}).encode()
            self._send(error.status, answer, location=error.location)
            return
        if fault and fault.kind in {"reset_after", "hang_after"}:
            time.sleep(fault.hang_seconds if fault.kind == "hang_after" else 0)
            self._drop()
        elif fault and fault.kind == "nonsense_after":
            self._send(200, b"<html>hello</html>", "text/html")
        elif isinstance(answer, bytes):
            self._send(200, answer, "application/octet-stream")
        else:
            self._send(200, json.dumps(answer).encode())

    def _answer(self, request: Request, fault: Fault | None) -> dict[str, Any] | bytes:
        """Do what is asked, more or less of it where a fault says so."""
        if fault and fault.kind == "refuse":
            raise ApiError(fault.status, fault.code, fault.message, fault.location)
        with self.api.lock:
            answer = self.api.answer(request)
            if fault and fault.kind == "twice":
                self.api.answer(request)
        if fault and fault.kind == "fail_after":
            raise ApiError(fault.status, fault.code, fault.message)
        return answer

    def _read_body(self) -> bytes | None:
        """Read the body piece by piece; None where the client went away before its end."""
        missing = int(self.headers.get("content-length", 0))
        pieces = []
        while missing:
            piece = self.rfile.read(min(missing, _PIECE_BYTES))
            if not piece:
                return None
            self.api.n_bytes_received += len(piece)
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _send(
        self,
        status: int,
        body: bytes,
        media_type: str = "application/json",
        location: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("retry-after-ms", "1")
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        """Reset the connection without an answer."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True


def _parse(media_type: str, body: bytes) -> Any:
    """Return JSON as its value, and a multipart form as {name: (file name, content)}."""
    if media_type.startswith("multipart/form-data"):
        boundary = b"--" + media_type.partition("boundary=")[2].encode()
        parts = {}
        for part in body.split(boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            disposition = head.decode()
            name = disposition.partition('name="')[2].partition('"')[0]
            file_name = disposition.partition('filename="')[2].partition('"')[0]
            parts[name] = (file_name, content.removesuffix(b"\r\n"))
        return parts
    return json.loads(body) if body else None


@contextmanager
def serve(api: LoopbackApi | None = None) -> Iterator[LoopbackApi]:
    """Serve an API from a thread on a free port of 127.0.0.1 until the block ends."""
    api = api or LoopbackApi()
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    api.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
