"""A small provider on 127.0.0.1 that answers chats by a rule, and fails on demand.

It keeps every request, so that a test can say what was sent and how often.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

API_KEY = "sk-loopback-THE-KEY-9876543210"
PROSE = "PROSE-CANARY: your prompt was wrong, and your key is " + API_KEY


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success; a status of 0 stays silent until the client has gone."""

    status: int
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ChatApi:
    """The provider; `rule` makes the answer to a request's body: a text, raw bytes or a refusal.

    Args:
        rule: what a model answers.
        faults: what the coming requests get instead, first come first served.
        seconds: how long an answer takes.
    """

    rule: Callable[[dict[str, Any]], str | bytes | Refusal] = lambda _: "yes"
    faults: list[Refusal | bytes] = field(default_factory=list)
    seconds: float = 0.0
    base_url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    n_at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def prompts(self, model: str | None = None) -> list[str]:
        """Return the last message of every request, in order of arrival."""
        return [
            body["messages"][-1]["content"]
            for body in self.bodies
            if model in {None, body["model"]}
        ]

    def answer(self, body: dict[str, Any], headers: dict[str, str]) -> str | bytes | Refusal:
        """Take a request and return what becomes of it."""
        with self.lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self.arrivals.append(time.monotonic())
            self.n_at_once += 1
            self.most_at_once = max(self.most_at_once, self.n_at_once)
            fault = self.faults.pop(0) if self.faults else None
        time.sleep(self.seconds)
        try:
            if fault is not None:
                return fault
            if headers.get("authorization") != f"Bearer {API_KEY}":
                return Refusal(401, "invalid_api_key")
            return self.rule(body)
        finally:
            with self.lock:
                self.n_at_once -= 1


@contextmanager
def serve_chat(api: ChatApi) -> Iterator[ChatApi]:
    """Serve chats on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = api.answer(body, headers)
            if isinstance(answer, Refusal) and answer.status == 0:
                api.closing.wait(30)
                self.close_connection = True
                return
            self._send(answer, body)

        def _send(self, answer: str | bytes | Refusal, body: dict[str, Any]) -> None:
            extra: Mapping[str, str] = {}
            status = 200
            if isinstance(answer, Refusal):
                status, extra = answer.status, answer.headers
                error = {"code": answer.code, "message": PROSE, "type": "error", "param": None}
                content = json.dumps({"error": error}).encode()
            elif isinstance(answer, bytes):
                content = answer
            else:
                content = json.dumps(completion(answer, body["model"])).encode()
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                for name, value in extra.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        api.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def completion(text: str | None, model: str) -> dict[str, Any]:
    """Return a chat completion as the API shows it."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    }
