"""Fictional source files, of any size, clean or with known dirt in them.

files.py          any table, a record at a time: tickets.py, legal.py, pii_texts.py,
                  canaries.py
people.py         who occurs in them, and exists nowhere
transactions.py   card payments by the hundred thousand a second; tables.py, accounts.py, dirt.py
draws.py          chance that is the same on every machine
limits.py, report.py   what is asked for, what was written

A transactions file is made of blocks of 10,000 rows. A block is a pure function of (seed, rows,
broken records, block number), so that any number of processes can make them in any order; the
parent writes them one after the other. The same call gives the same bytes everywhere.
"""

import csv
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from python_stages.generate import dirt, transactions
from python_stages.generate.accounts import accounts
from python_stages.generate.canaries import CANARIES
from python_stages.generate.draws import Draws, Stream
from python_stages.generate.files import Table, generate_table
from python_stages.generate.legal import LEGAL
from python_stages.generate.limits import check_folders, check_numbers
from python_stages.generate.pii_texts import PII_TEXTS
from python_stages.generate.report import GenerationReport
from python_stages.generate.tables import HEADER
from python_stages.generate.tickets import TICKETS

__all__ = ["TABLES", "GenerationReport", "Table", "generate_table", "generate_transactions"]

TABLES: Mapping[str, Table] = {table.name: table for table in (TICKETS, LEGAL, PII_TEXTS, CANARIES)}
"""What `generate_table` can write, by the name of the dataset."""

BLOCK_ROWS = 10_000
_BLOCKS_AHEAD = 2  # per worker: enough to keep it busy, few enough to bound the memory


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that a block depends on, next to its number."""

    seed: int
    n_rows: int
    n_broken: int

    def broken_before(self, row: int) -> int:
        """Return how many broken records stand before this good row: they are spread evenly."""
        return row * self.n_broken // self.n_rows


@dataclass(frozen=True, slots=True)
class _Block:
    """A block's bytes, its lines' number, and the index and reason of its broken ones."""

    text: bytes
    n_lines: int
    truth: list[tuple[int, str]]


def generate_transactions(
    path: Path,
    *,
    n_rows: int,
    seed: int,
    dirty_rate: float = 0.0,
    n_workers: int | None = None,
    truth_path: Path | None = None,
) -> GenerationReport:
    """Write a fictional transactions file, and the list of what is broken in it.

    Args:
        path: the CSV to write; replaced once it is complete.
        n_rows: good rows, 0 to 1,000,000,000.
        seed: 0 to 2**64 - 1.
        dirty_rate: broken records to add, as a share of n_rows, 0 to 1.
        n_workers: processes; by default one a core. The bytes do not depend on it.
        truth_path: CSV (line_number, reason) with one row for each broken record; line numbers
            are physical, 1 is the header. Not written where it is None.

    Raises:
        ConfigError: a number is out of range, or a folder to write to does not exist.
    """
    started = time.perf_counter()
    workers = os.cpu_count() or 1 if n_workers is None else n_workers
    check_numbers(n_rows, seed, dirty_rate, workers)
    check_folders(path, truth_path)
    plan = _Plan(seed, n_rows, round(dirty_rate * n_rows))
    n_broken: Counter[str] = Counter()
    partial = path.with_name(f"{path.name}.partial")
    with ExitStack() as stack:
        stack.callback(partial.unlink, missing_ok=True)
        out = stack.enter_context(partial.open("wb"))
        truth_file = (
            stack.enter_context(truth_path.open("w", encoding="utf-8", newline=""))
            if truth_path
            else None
        )
        truth = csv.writer(truth_file, lineterminator="\n") if truth_file else None
        if truth:
            truth.writerow(("line_number", "reason"))
        out.write(dirt.encoded([",".join(HEADER)]))
        next_line = 2
        for block in _blocks(plan, workers):
            out.write(block.text)
            n_broken.update(reason for _, reason in block.truth)
            if truth:
                truth.writerows((next_line + index, reason) for index, reason in block.truth)
            next_line += block.n_lines
        n_bytes = out.tell()
        out.close()
        partial.replace(path)
    return GenerationReport(n_rows, dict(n_broken), n_bytes, time.perf_counter() - started)


def _blocks(plan: _Plan, workers: int) -> Iterator[_Block]:
    """Yield the blocks in order, at most a few of them ahead of the reader."""
    numbers = iter(range(-(-plan.n_rows // BLOCK_ROWS)))
    workers = min(workers, -(-plan.n_rows // BLOCK_ROWS))
    if workers <= 1:
        yield from (_block(plan, number) for number in numbers)
        return
    # spawned, not forked: the parent may hold threads, and every platform can spawn
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        ahead: deque[Future[_Block]] = deque(
            pool.submit(_block, plan, number) for number in islice(numbers, _BLOCKS_AHEAD * workers)
        )
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(_block, plan, number) for number in islice(numbers, 1))


def _block(plan: _Plan, number: int) -> _Block:
    """Make one block of rows."""
    first = number * BLOCK_ROWS
    last = min(first + BLOCK_ROWS, plan.n_rows)
    people = accounts(plan.seed)
    draws = Draws(plan.seed, Stream.ROWS, number)
    at = transactions.moments(draws, first, last, plan.n_rows)
    good = transactions.text(draws, people, at)
    first_broken, last_broken = plan.broken_before(first), plan.broken_before(last)
    if first_broken == last_broken:
        return _Block(good, last - first, [])
    draws = Draws(plan.seed, Stream.DIRT, number)
    after = draws.below(last - first, last_broken - first_broken)
    order = np.argsort(after, kind="stable")
    fresh = transactions.text(
        Draws(plan.seed, Stream.BROKEN_ROWS, number), people, at[after[order]]
    )
    reasons = dirt.reason_order(plan.seed)
    broken = [
        dirt.Broken(row, reasons[(first_broken + turn) % len(reasons)], line)
        for row, turn, line in zip(
            after[order].tolist(), order.tolist(), dirt.decoded(fresh), strict=True
        )
    ]
    lines, truth = dirt.mix(dirt.decoded(good), broken, draws)
    return _Block(dirt.encoded(lines), len(lines), truth)
