"""Which rows make up which step: a function of its number alone, interrupted or not.

A step's rows are cut into parts of one layout and a fixed size, which bounds the memory whatever
the number of rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy as np

from python_stages.training.dataset import Dataset, Layout, Rows
from python_stages.training.privacy import Mechanism, sampled_rows

_PART_TOKENS: Final = 8_192
PART_ROWS: Final = 32  # a third less processor time a row than 64: it stays in the cache


class Schedule(Protocol):
    """The rows of each step."""

    @property
    def n_steps(self) -> int:
        """Return how many steps there are."""

    @property
    def epoch_steps(self) -> int:
        """Return after how many steps an epoch ends; the last step always ends one."""

    @property
    def part_sizes(self) -> tuple[int, ...]:
        """Return how many rows are computed together, by layout."""

    def rows(self, step: int) -> Rows:
        """Return the rows of a step, counted from 0."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are computed together.

    Args:
        rows: at most `size` of them.
        layout: what they fit.
        size: rows of the compiled batch.
    """

    rows: Rows
    layout: Layout
    size: int


def parts(dataset: Dataset, rows: Rows, sizes: Sequence[int] = ()) -> list[Part]:
    """Return rows as parts.

    Args:
        dataset: the rows' layouts.
        rows: which ones.
        sizes: at most so many rows in a part, by layout; PART_ROWS where nothing is said.
    """
    found = []
    for number, layout in enumerate(dataset.layouts):
        mine = rows[dataset.layout_of[rows] == number]
        most = sizes[number] if sizes else PART_ROWS
        size = max(1, min(most, _PART_TOKENS // layout.width))
        found += [
            Part(mine[start : start + size], layout, size) for start in range(0, len(mine), size)
        ]
    return found


class Epochs:
    """Every row once an epoch, in a random order; a batch holds rows of one layout.

    Args:
        dataset: the rows.
        n_epochs: passes over them.
        batch_size: rows of a step; the last step of a layout may have fewer.
        seed: decides the order.
    """

    def __init__(self, dataset: Dataset, n_epochs: int, batch_size: int, seed: int) -> None:
        self._dataset = dataset
        self._batch_size = batch_size
        self._seed = seed
        n_of_layout = np.bincount(dataset.layout_of, minlength=len(dataset.layouts))
        self.epoch_steps = int(np.sum(-(-n_of_layout // batch_size)))
        self.n_steps = n_epochs * self.epoch_steps
        self.part_sizes = (min(batch_size, PART_ROWS),) * len(dataset.layouts)
        self._epoch = lru_cache(maxsize=1)(self._shuffled)

    def rows(self, step: int) -> Rows:
        """Return the rows of a step."""
        epoch, place = divmod(step, self.epoch_steps)
        return self._epoch(epoch)[place]

    def _shuffled(self, epoch: int) -> list[Rows]:
        random = np.random.default_rng([self._seed, epoch])
        order = random.permutation(self._dataset.n_rows)
        batches = []
        for number in range(len(self._dataset.layouts)):
            mine = order[self._dataset.layout_of[order] == number]
            batches += [
                mine[start : start + self._batch_size]
                for start in range(0, len(mine), self._batch_size)
            ]
        return [batches[i] for i in random.permutation(len(batches))]


class PoissonSample:
    """Every row with the same probability in every step.

    Args:
        dataset: the rows.
        mechanism: probability and number of steps.
        secret: decides who takes part; nobody may know.
    """

    def __init__(self, dataset: Dataset, mechanism: Mechanism, secret: bytes) -> None:
        self._mechanism = mechanism
        self._secret = secret
        self.n_steps = mechanism.n_steps
        self.epoch_steps = max(1, round(1 / mechanism.sampling_probability))
        # a step has few rows of a rare layout, and a part costs what its size does, full or not
        n_of_layout = np.bincount(dataset.layout_of, minlength=len(dataset.layouts))
        self.part_sizes = tuple(
            min(PART_ROWS, _power_of_two(mechanism.sampling_probability * int(n)))
            for n in n_of_layout
        )

    def rows(self, step: int) -> Rows:
        """Return the rows of a step; their number is random, and may be 0."""
        return sampled_rows(self._secret, step, self._mechanism)


def _power_of_two(least: float) -> int:
    """Return the smallest power of two that is not below a number."""
    return 1 << max(0, math.ceil(math.log2(max(1.0, least))))
