"""What was written by a generator."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """What was written.

    Args:
        n_rows: good rows, without header and broken records.
        n_broken: broken records by reason.
        n_bytes: size of the file.
        seconds: time it took.
    """

    n_rows: int
    n_broken: Mapping[str, int]
    n_bytes: int
    seconds: float
