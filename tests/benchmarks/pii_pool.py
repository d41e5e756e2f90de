"""What a second core is worth to the scrub stage, and whether memory stays flat.

    python -m tests.benchmarks.pii_pool                 # both
    python -m tests.benchmarks.pii_pool --texts 20000   # quicker

Each run is a fresh process. Throughput is that of the stage at work: the clock starts when the
first batch is out, so that the seconds in which engines are loaded, once per worker, do not count.
"""

# ruff: noqa: PLC0415 - a run loads only what it needs: what it loads is in the memory it is held to

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.benchmarks.report import Claim

MOST_GROWTH: Final = 1.15
LEAST_SPEEDUP: Final = 1.7
_BATCH_ROWS: Final = 2_048
_WORDS: Final = (
    *("order", "invoice", "please", "the", "my", "account", "refund", "was", "not", "yet", "sent"),
    *("to", "delivery", "call", "number", "since", "Monday", "payment", "card", "item", "broken"),
    *("screen", "help", "thanks", "waiting", "answer", "week", "again", "still", "update"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took.

    Attributes:
        n_workers: 0 for this process alone.
        n_texts: distinct texts of 16 words.
        texts_per_second: after the first batch.
        start_seconds: until the first batch was out.
        early_bytes: the most memory of this process and of any worker after a tenth of the texts.
        late_bytes: the same, at the end.
    """

    n_workers: int
    n_texts: int
    texts_per_second: float
    start_seconds: float
    early_bytes: int
    late_bytes: int


def measure(n_texts: int, n_workers: int, entities: list[str]) -> Run:
    """Scrub texts in this process and its workers, and tell what it took."""
    from python_stages.scrub import Policy, scrub
    from python_stages.scrub.pool import Executor, Inline, Pool
    from python_stages.scrub.workers import ProcessWorker

    policy = Policy.from_config({"text": {"entities": entities}})
    executor: Executor = Pool(ProcessWorker, n_workers) if n_workers else Inline()
    start = time.perf_counter()
    first, n_first, n_done, early = 0.0, 0, 0, 0
    for batch in scrub(_batches(n_texts), policy, executor=executor):
        n_done += batch.num_rows
        if not n_first:
            first, n_first = time.perf_counter(), n_done
        if not early and n_done >= n_texts / 10:
            early = _memory()
    seconds = time.perf_counter() - first
    return Run(n_workers, n_done, (n_done - n_first) / seconds, first - start, early, _memory())


def _batches(n_texts: int) -> Iterator[Any]:
    """Yield batches of made-up texts, all different; every fourth holds an identifier."""
    import pyarrow as pa

    draw = random.Random(7)
    for start in range(0, n_texts, _BATCH_ROWS):
        numbers = range(start, min(start + _BATCH_ROWS, n_texts))
        texts = [f"{n} {' '.join(draw.choices(_WORDS, k=15))}" for n in numbers]
        texts[::4] = [f"{text} c{n}@example.com" for n, text in enumerate(texts[::4], start)]
        yield pa.RecordBatch.from_pydict({"text": texts})


def _memory() -> int:
    """Return the resident bytes of this process or of the largest worker, whichever is more."""
    import psutil

    me = psutil.Process()
    return max(one.memory_info().rss for one in (me, *me.children()))


def in_fresh_process(n_texts: int, n_workers: int, entities: list[str]) -> Run:
    """Return what `measure` tells in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--texts", str(n_texts)]
    command += ["--entities", *entities, "--one", str(n_workers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def speedup(n_texts: int, entities: list[str]) -> tuple[Run, Run, float]:
    """Return the run of one worker, that of two, and how many times faster the latter was."""
    one, two = (in_fresh_process(n_texts, n, entities) for n in (1, 2))
    return one, two, two.texts_per_second / one.texts_per_second


def growth(run: Run) -> float:
    """Return memory at the end / memory after a tenth of the texts."""
    return run.late_bytes / run.early_bytes


def main() -> int:
    """Measure, print the claims last, and return 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pii_pool")
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--entities", nargs="+", default=["identifiers"])
    parser.add_argument("--one", type=int, help="measure here, with so many workers")
    options = parser.parse_args()
    if options.one is not None:
        run = measure(options.texts, options.one, options.entities)
        sys.stdout.write(f"{json.dumps(asdict(run))}\n")
        return 0
    one, two, times = speedup(options.texts, options.entities)
    for run in (one, two):
        sys.stdout.write(
            f"{run.n_workers} workers: {run.texts_per_second:,.0f} texts/s after "
            f"{run.start_seconds:.1f} s, {run.early_bytes / 1e6:.0f} MB after a tenth, "
            f"{run.late_bytes / 1e6:.0f} MB at the end (x {growth(run):.2f})\n"
        )
    claims = (
        Claim("two workers, times one", times, LEAST_SPEEDUP, is_at_least=True),
        Claim("memory at the end / after a tenth", growth(two), MOST_GROWTH),
    )
    sys.stdout.write(json.dumps([asdict(claim) for claim in claims]) + "\n")
    return int(not all(claim.is_met for claim in claims))


if __name__ == "__main__":
    sys.exit(main())
