"""Measure sealing on 512 MB: `python -m tests.benchmarks.sealing`, a few minutes.

Seals, verifies, opens and uploads (over loopback, with the unmodified openai client, to a server
that throws the bytes away), each in a fresh process whose peak memory is told, and beside it what
the same machine does in the same minute: `openssl speed -evp aes-256-gcm`, and each primitive that
a pass consists of. The last table adds these up to what sealing and opening cannot do without, and
so says why they are slower than one pass of AES. On a memory file system (--folder /dev/shm) the
disk is left out.
"""

# ruff: noqa: PLC0415 - a part loads only what it needs: what it loads is in the memory it is held to

import argparse
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any, Final, cast

from tests.benchmarks.measure import ROOT, Cost, run

N_BYTES: Final = 512_000_000
MAX_PEAK_BYTES: Final = 300_000_000
MIN_SHARE: Final = 0.6
_BLOCK_BYTES: Final = 1 << 20
_OPENSSL: Final = ("openssl", "speed", "-evp", "aes-256-gcm", "-bytes", "16384", "-seconds", "3")
Work = Callable[[], int]


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
    for part, pieces in _PIECES.items():
        text = " + ".join(f"{n} {piece} {spent[piece]:.2f}" for piece, n in pieces.items())
        least = sum(n * spent[piece] for piece, n in pieces.items())
        _say(f"  {part}: {text} = {least:.2f} (measured {spent[part]:.2f}; {_aes(openssl)})")
    peak = max(costs[part].peak_bytes for part in ("seal", "verify", "unseal", "upload"))
    _say(f"\nhighest peak {peak / 1e6:,.0f} MB of {MAX_PEAK_BYTES / 1e6:,.0f} MB")
    return int(peak > MAX_PEAK_BYTES)


def seal(folder: Path, n_bytes: int) -> Work:
    """Seal lines for one recipient: encrypt, sync, read back and publish."""
    from python_stages import keys, seal

    ring = keys.create(folder / "keys")

    def work() -> int:
        return seal.seal(
            _lines(n_bytes),
            dataset="bench",
            split="train",
            suite_hash="0" * 64,
            folder=folder / "sealed",
            keys=ring,
            expected_fingerprint=None,
        ).manifest.n_bytes

    return work


def verify(folder: Path, n_bytes: int) -> Work:
    """Check the signature and the hash of a sealed file."""
    from python_stages import keys, seal

    del n_bytes
    ring, path = keys.load(folder / "keys"), _sealed(folder)
    return lambda: seal.verify(path, keys=ring).n_bytes


def unseal(folder: Path, n_bytes: int) -> Work:
    """Verify and open what was sealed; the plaintext goes nowhere."""
    from python_stages import keys, seal

    del n_bytes
    ring, path = keys.load(folder / "keys"), _sealed(folder)

    def work() -> int:
        with Path(os.devnull).open("wb") as nowhere:
            return seal.unseal(path, nowhere, keys=ring).n_bytes

    return work


def upload(folder: Path, n_bytes: int) -> Work:
    """Open what was sealed, and stream it to the server through the openai client."""
    from openai import OpenAI

    from python_stages import keys, seal
    from python_stages.backends.upload import UploadStream

    del n_bytes
    ring, path = keys.load(folder / "keys"), _sealed(folder)

    def work() -> int:
        with (
            OpenAI(base_url=os.environ["BENCH_URL"], api_key="bench", max_retries=0) as client,
            seal.open_sealed(path, keys=ring) as opened,
        ):
            stream = UploadStream(opened.blocks(), opened.manifest.n_bytes)
            sent = ("train.jsonl", cast("IO[bytes]", stream), "application/jsonl")
            received = client.files.create(file=sent, purpose="fine-tune").bytes
        if received < opened.manifest.n_bytes:
            raise OSError("the server received less than was sent")
        return opened.manifest.n_bytes

    return work


def sha256(folder: Path, n_bytes: int) -> Work:
    """Hash as many bytes."""
    del folder
    running = hashlib.sha256()
    return lambda: _each_block(running.update, n_bytes)


def hmac_sha256(folder: Path, n_bytes: int) -> Work:
    """Take the keyed fingerprint of as many bytes."""
    del folder
    running = hmac.new(bytes(32), digestmod=hashlib.sha256)
    return lambda: _each_block(running.update, n_bytes)


def encrypt(folder: Path, n_bytes: int) -> Work:
    """Encrypt as many bytes with Cobblestone-256, and nothing else."""
    from cryptography.cobblestone import Cobblestone256Encryptor

    del folder
    encryptor = Cobblestone256Encryptor(Cobblestone256Encryptor.generate_key(), b"bench")
    return lambda: _each_block(encryptor.update, n_bytes)


def decrypt(folder: Path, n_bytes: int) -> Work:
    """Decrypt as many bytes with Cobblestone-256, and nothing else."""
    from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor

    del folder
    n_bytes //= 8  # the ciphertext is held
    key = Cobblestone256Encryptor.generate_key()
    encryptor, decryptor = (
        one(key, b"bench") for one in (Cobblestone256Encryptor, Cobblestone256Decryptor)
    )
    block = os.urandom(_BLOCK_BYTES)
    blocks = [encryptor.update(block) for _ in range(n_bytes // _BLOCK_BYTES)]

    def work() -> int:
        for one in blocks:
            decryptor.update(one)
        return len(blocks) * _BLOCK_BYTES

    return work


def mark(folder: Path, n_bytes: int) -> Work:
    """Mark as many bytes, as a reader does between its passes."""
    from python_stages.seal.blocks import BlockMarks

    del folder
    return lambda: _each_block(BlockMarks().add, n_bytes)


def write(folder: Path, n_bytes: int) -> Work:
    """Write and sync as many plain bytes to the same disk."""
    path = folder / "plain"

    def work() -> int:
        with path.open("wb") as file:
            written = _each_block(file.write, n_bytes)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return written

    return work


def read(folder: Path, n_bytes: int) -> Work:
    """Read them back, from the disk where there is one."""
    del n_bytes

    def work() -> int:
        n_read = 0
        with (folder / "plain").open("rb", buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                n_read += len(block)
        return n_read

    return work


PARTS: Final[Mapping[str, Callable[[Path, int], Work]]] = {
    one.__name__: one
    for one in (
        *(seal, verify, unseal, upload),
        *(write, read, sha256, hmac_sha256, encrypt, decrypt, mark),
    )
}
# What a part does to every byte at least, whatever the program around it.
_PIECES: Final = {
    "seal": {
        "hmac_sha256": 2,  # the fingerprint, of what is written and of what was read back
        "encrypt": 1,
        "sha256": 2,  # the signed hash, of the same two
        "write": 1,
        "read": 1,
        "decrypt": 1,
    },
    "unseal": {"read": 2, "sha256": 1, "decrypt": 2, "mark": 2},
}


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


def _lines(n_bytes: int) -> Iterator[bytes]:
    """Yield chat lines of about as many bytes; distinct ones are few, and held."""
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"Which category is payment {n:08d}?" + " x" * 120},
                    {"role": "assistant", "content": "Grocery"},
                ]
            }
        ).encode()
        for n in range(10_000)
    ]
    return islice(cycle(lines), n_bytes // (len(lines[0]) + 1))


def _each_block(do: Callable[[bytes], object], n_bytes: int) -> int:
    block = os.urandom(_BLOCK_BYTES)
    n_blocks = n_bytes // _BLOCK_BYTES
    for _ in range(n_blocks):
        do(block)
    return n_blocks * _BLOCK_BYTES


def _sealed(folder: Path) -> Path:
    (path,) = folder.glob("sealed/*/*.sealed")
    return path


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
