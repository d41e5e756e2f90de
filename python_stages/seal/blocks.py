"""Two helpers for going through a large file block by block: hash beside, and recognise again."""

import hmac
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from python_stages.errors import TamperedError

# At 1 MiB, a block takes about a millisecond to hash, against which handing it over costs nothing.
BLOCK_BYTES: Final = 1 << 20
_MAX_WAITING: Final = 4


class Beside:
    """A thread that hashes blocks in order while this one encrypts or decrypts the next.

    hashlib and hmac let go of the interpreter while they work (for more than 2 KiB); Cobblestone
    does not. At most a few blocks wait, so memory stays bounded. Leaving the context waits for all
    of them, and the hashes are then complete.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=error is not None)
        if error is None:
            for one in self._waiting:
                one.result()

    def run(self, update: Callable[[bytes], None], block: bytes) -> None:
        """Call `update(block)` in the other thread, after all that were asked for before."""
        while len(self._waiting) >= _MAX_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(update, block))


class BlockMarks:
    """Remembers blocks by position, to notice one that is not the same when it is read again.

    A mark is AES-256-GMAC (NIST SP 800-38D) under a random key that never leaves this object, with
    the position as nonce: as safe as a hash against somebody who can write to the file but not see
    marks, and several times as fast.
    """

    def __init__(self) -> None:
        self._gmac = AESGCM(AESGCM.generate_key(256))
        self._marks: list[bytes] = []

    def add(self, block: bytes) -> None:
        """Remember the next block."""
        self._marks.append(self._mark(len(self._marks), block))

    def check(self, position: int, block: bytes) -> None:
        """Raise TamperedError unless this is the block that was added at this position."""
        if not hmac.compare_digest(self._mark(position, block), self._marks[position]):
            raise TamperedError("the file was changed while it was read: restore it")

    def _mark(self, position: int, block: bytes) -> bytes:
        return self._gmac.encrypt(position.to_bytes(12, "big"), b"", block)
