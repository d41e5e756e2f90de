"""What the sealing benchmark measures: sealing and opening, and the primitives they consist of."""

# ruff: noqa: PLC0415 - a part loads only what it needs: what it loads is in the memory it is held to

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Final, cast

_BLOCK_BYTES: Final = 1 << 20
Work = Callable[[], int]


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
PIECES: Final = {
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
