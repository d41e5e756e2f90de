"""Random numbers that depend on seed, stream and block only, on every machine.

Each block of rows owns a Philox counter range, so blocks can be made in any order by any number of
workers. Only the generator's raw 64-bit stream is used, which numpy keeps stable between versions
(NEP 19), and everything drawn from it is integer arithmetic: float functions such as exp and log
may differ in their last bit from one processor to the next.
"""

import math
from collections.abc import Iterable, Sequence
from enum import IntEnum
from statistics import NormalDist

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]

MILLION = 1_000_000
_KNOTS = 4096
_STEPS = 1 << 16


class Stream(IntEnum):
    """What the numbers are for; streams of one seed are independent of each other."""

    ACCOUNTS = 0
    ROWS = 1
    BROKEN_ROWS = 2
    DIRT = 3
    REASONS = 4


class Draws:
    """The numbers of one block in one stream, in the order they are asked for.

    Args:
        seed: 0 to 2**64 - 1; the first half of Philox's key.
        stream: the second half of the key.
        block: the highest word of the counter; a block would need 2**192 numbers to reach the next.
    """

    def __init__(self, seed: int, stream: Stream, block: int = 0) -> None:
        self._bits = np.random.Philox(
            key=np.array([seed, stream], dtype=np.uint64),
            counter=np.array([0, 0, 0, block], dtype=np.uint64),
        )

    def below(self, bound: int, size: int) -> Ints:
        """Return `size` integers from 0 to bound - 1; the modulo's bias is bound / 2**64."""
        return (self._bits.random_raw(size) % np.uint64(bound)).astype(np.int64)

    def among(self, table: Ints, size: int) -> Ints:
        """Return `size` entries of `table`, each slot equally likely."""
        return table[self.below(len(table), size)]

    def from_quantiles(self, quantiles: Ints, size: int) -> Ints:
        """Return `size` values of the distribution with these evenly spaced quantiles."""
        place = self.below((len(quantiles) - 1) * _STEPS, size)
        low, step = place // _STEPS, place % _STEPS
        return quantiles[low] + (quantiles[low + 1] - quantiles[low]) * step // _STEPS

    def hexadecimal(self, n_digits: int, size: int) -> pa.StringArray:
        """Return `size` texts of n_digits hexadecimal digits, a multiple of 16."""
        words = self._bits.random_raw(size * n_digits // 16)
        digits = words.astype("<u8").tobytes().hex().encode("ascii")
        offsets = np.arange(size + 1, dtype=np.int32) * n_digits
        return pa.StringArray.from_buffers(
            size, pa.py_buffer(offsets.tobytes()), pa.py_buffer(digits)
        )


def texts(values: Iterable[str]) -> pa.StringArray:
    """Return a table of texts to take from."""
    return pa.array(list(values), pa.string())


def slots(weights: Sequence[int]) -> Ints:
    """Return a table in which index i stands weights[i] times, for `Draws.among`."""
    return np.repeat(np.arange(len(weights), dtype=np.int64), weights)


def lognormal_quantiles(sigma: float) -> Ints:
    """Return the quantiles of a lognormal with median 1, in millionths.

    The rounding absorbs what math libraries differ by.
    """
    normal = NormalDist()
    values = (math.exp(sigma * normal.inv_cdf((i + 0.5) / _KNOTS)) for i in range(_KNOTS))
    return np.array([round(value * MILLION) for value in values], dtype=np.int64)


def exponential_quantiles(mean: int) -> Ints:
    """Return the quantiles of an exponential distribution, in whole units."""
    values = (-mean * math.log((i + 0.5) / _KNOTS) for i in reversed(range(_KNOTS)))
    return np.array([round(value) for value in values], dtype=np.int64)
