"""The keyed fingerprint of lines: equal for equal lines, and no help in guessing them.

A plain hash of a small dataset could be confirmed by whoever guesses its rows; HMAC-SHA256
(RFC 2104) under a key that stays with the owner cannot.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import numpy as np

from python_stages.errors import SealError

# Handling lines one by one would cost more than encrypting them.
LINES_PER_BATCH = 256
BLOCK_BYTES = 1 << 20
_NEWLINE = ord("\n")


def fingerprint_lines(lines: Iterable[bytes], key: bytes) -> str:
    """Return the hex HMAC-SHA256 of the plaintext: every line and a newline after it.

    Args:
        lines: the lines in order, each without its newline.
        key: 32 bytes, `KeyRing.hmac_key("fingerprint")`.

    Raises:
        SealError: a line holds a line break.
    """
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for _, block in join_lines(lines):
        mac.update(block)
    return mac.hexdigest()


def fingerprint_dataset(by_split: Mapping[str, str], key: bytes) -> str:
    r"""Return the hex HMAC-SHA256 over "split:fingerprint\n" of all splits in sorted order."""
    listed = "".join(f"{split}:{by_split[split]}\n" for split in sorted(by_split))
    return hmac.new(key, listed.encode(), hashlib.sha256).hexdigest()


def join_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the plaintext in blocks of some 1 MiB, each with its number of lines.

    Raises:
        SealError: a line holds a line break, which would make two lines of it.
    """
    waiting: list[bytes] = []
    n_lines = n_bytes = 0
    for n_batch, batch in _batches(lines):
        waiting.append(batch)
        n_lines, n_bytes = n_lines + n_batch, n_bytes + len(batch)
        if n_bytes >= BLOCK_BYTES:
            yield n_lines, b"".join(waiting)
            waiting.clear()
            n_lines = n_bytes = 0
    if waiting:
        yield n_lines, b"".join(waiting)


def count_newlines(block: bytes) -> int:
    """Return how many newlines a block holds; several times as fast as bytes.count."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == _NEWLINE))


def _batches(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    remaining = iter(lines)
    n_before = 0
    while batch := list(islice(remaining, LINES_PER_BATCH)):
        joined = b"\n".join(batch) + b"\n"
        if count_newlines(joined) != len(batch) or b"\r" in joined:
            broken = next(i for i, line in enumerate(batch, 1) if b"\n" in line or b"\r" in line)
            raise SealError(
                f"line {n_before + broken} holds a line break: write each example as JSON on one "
                "line"
            )
        n_before += len(batch)
        yield len(batch), joined
