"""Measure sealing on 512 MB: `python -m tests.benchmarks.sealing`, a few minutes.

Seals, verifies, opens and uploads (over loopback, with the unmodified openai client, to a server
that throws the bytes away), each in a fresh process whose peak memory is told, and beside it what
the same machine does in the same minute: `openssl speed -evp aes-256-gcm`, and each primitive that
a pass consists of. The last table adds these up to what sealing and opening cannot do without, and
so says why they are slower than one pass of AES. On a memory file system (--folder /dev/shm) the
disk is left out.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.measure import ROOT, Cost, run
from tests.benchmarks.sealing_parts import PARTS, PIECES

N_BYTES: Final = 512_000_000
MAX_PEAK_BYTES: Final = 300_000_000
MIN_SHARE: Final = 0.6
_BLOCK_BYTES: Final = 1 << 20
_OPENSSL: Final = ("openssl", "speed", "-evp", "aes-256-gcm", "-bytes", "16384", "-seconds", "3")


def main() -> int:
    """Measure, print, and return 1 where memory is above its bound."""
    options = _options()
    if options.part:
        _run_part(options.part, options.folder, options.bytes)
        return 0
    with tempfile.TemporaryDirectory(prefix="sealtune-bench-", dir=options.folder) as name:
        folder = Path(name)
        costs: dict[str, Cost] = {}
        openssl = _openssl_speed()
        with _server() as url:
            for part in PARTS:
                costs[part] = _measure(part, folder, options.bytes, url)
                _say(_describe(part, costs[part], openssl))
    _say("\nwhat one byte costs at least, in nanoseconds of a processor:")
    spent = {part: cost.cpu_seconds / (cost.units or 1) * 1e9 for part, cost in costs.items()}
    for part, pieces in PIECES.items():
        text = " + ".join(f"{n} {piece} {spent[piece]:.2f}" for piece, n in pieces.items())
        least = sum(n * spent[piece] for piece, n in pieces.items())
        _say(f"  {part}: {text} = {least:.2f} (measured {spent[part]:.2f}; {_aes(openssl)})")
    peak = max(costs[part].peak_bytes for part in ("seal", "verify", "unseal", "upload"))
    _say(f"\nhighest peak {peak / 1e6:,.0f} MB of {MAX_PEAK_BYTES / 1e6:,.0f} MB")
    return int(peak > MAX_PEAK_BYTES)


class _Sink(BaseHTTPRequestHandler):
    """Takes a file and throws it away."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the whole body, and answer with its length."""
        length = int(self.headers["Content-Length"])
        remaining = length
        while remaining:
            remaining -= len(self.rfile.read(min(_BLOCK_BYTES, remaining)))
        answer = {
            "id": "file-1",
            "object": "file",
            "bytes": length,
            "created_at": 0,
            "filename": "train.jsonl",
            "purpose": "fine-tune",
            "status": "processed",
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def _server() -> Iterator[str]:
    """Run the server in a process of its own, whose memory and time are not measured."""
    command = [sys.executable, "-m", "tests.benchmarks.sealing", "--part", "serve"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.kill()


def _serve() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sink) as server:
        _say(f"http://127.0.0.1:{server.server_port}/v1")
        server.serve_forever()


def _measure(part: str, folder: Path, n_bytes: int, url: str) -> Cost:
    command = [sys.executable, "-m", "tests.benchmarks.sealing", "--part", part]
    arguments = ["--folder", str(folder), "--bytes", str(n_bytes)]
    cost, printed = run([*command, *arguments], {"BENCH_URL": url})
    section: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return Cost(section["seconds"], section["cpu_seconds"], cost.peak_bytes, section["units"])


def _run_part(part: str, folder: Path, n_bytes: int) -> None:
    if part == "serve":
        _serve()
        return
    work = PARTS[part](folder, n_bytes)
    start, cpu_start = time.perf_counter(), time.process_time()
    units = work()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    _say(f"\n{json.dumps({'seconds': seconds, 'cpu_seconds': cpu_seconds, 'units': units})}")


def _openssl_speed() -> float:
    """Return what openssl says, in bytes a second; it counts processor time."""
    done = subprocess.run(_OPENSSL, capture_output=True, text=True, check=True)
    (rate,) = re.findall(r"^AES-256-GCM\s+([\d.]+)k\s*$", done.stdout, re.MULTILINE)
    _say(f"openssl   {float(rate) / 1e3:7,.0f} MB/s   {' '.join(_OPENSSL[1:])}")
    return float(rate) * 1e3


def _describe(part: str, cost: Cost, openssl: float) -> str:
    units = cost.units or 0
    rate, cpu_rate = units / cost.seconds, units / max(cost.cpu_seconds, 1e-9)
    share = f"{rate / openssl:4.0%} of openssl" if part in {"seal", "unseal"} else ""
    return (
        f"{part:11} {rate / 1e6:5,.0f} MB/s   {cpu_rate / 1e6:6,.0f} MB a processor second   "
        f"peak {cost.peak_bytes / 1e6:4,.0f} MB   {share}"
    ).rstrip()


def _aes(openssl: float) -> str:
    return f"{MIN_SHARE:.0%} of openssl would be {1e9 / (MIN_SHARE * openssl):.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sealing", description=__doc__)
    parser.add_argument("--bytes", type=int, default=N_BYTES, help="length of the plaintext")
    parser.add_argument("--folder", type=Path, help="where to write (default: temporary files)")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
