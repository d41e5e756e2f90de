"""Run a command in a fresh process and tell what it cost.

The peak is the child's `ru_maxrss`. A child starts with the peak of the process that it was forked
from, so whoever measures must stay small: this package imports DuckDB, pandas and the stages only
in the processes that are measured.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage(2)


class BenchmarkError(Exception):
    """A measured command failed; the message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took.

    Attributes:
        seconds: wall-clock time of the timed section; of the whole process if it names none.
        cpu_seconds: processor time over all threads and ended children, of the same section.
        peak_bytes: the most memory that the process, or one child that it waited for, ever held.
        units: how much was done (rows, bytes), where the part says so.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    units: int | None = None


def run(
    arguments: Sequence[str | Path], environment: Mapping[str, str], *, cwd: Path = ROOT
) -> tuple[Cost, str]:
    """Run a command to its end; return what it cost and what it printed.

    Raises:
        BenchmarkError: it ended with another exit code than 0.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(one) for one in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
    )
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise BenchmarkError(f"{Path(arguments[0]).name} failed:\n{printed[-4000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT), printed


def run_part(name: str, environment: Mapping[str, str], *arguments: str | Path) -> Cost:
    """Run one function of `parts` in a fresh interpreter; times are those of its timed section."""
    command = [sys.executable, "-m", "tests.benchmarks.parts", name, *arguments]
    cost, printed = run(command, environment)
    section: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return Cost(section["seconds"], section["cpu_seconds"], cost.peak_bytes, section["units"])


@dataclass(frozen=True, slots=True)
class Costs:
    """The runs of one part."""

    name: str
    runs: tuple[Cost, ...]

    @property
    def seconds(self) -> float:
        """Median wall-clock seconds."""
        return median(run.seconds for run in self.runs)

    @property
    def min_seconds(self) -> float:
        """Seconds of the fastest run."""
        return min(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """Median processor seconds."""
        return median(run.cpu_seconds for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        """The highest peak of all runs."""
        return max(run.peak_bytes for run in self.runs)

    @property
    def per_second(self) -> float | None:
        """Median units per second, where the part counts units."""
        rates = [run.units / run.seconds for run in self.runs if run.units]
        return median(rates) if rates else None
