"""A CSV file of made-up records, written as they are made, clean or with known dirt in it.

A record is a pure function of seed and number; so is which ones are broken, and how. The same call
gives the same bytes everywhere.
"""

import csv
import io
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from python_stages.generate.limits import check_folders, check_numbers
from python_stages.generate.report import GenerationReport

Row = tuple[str, ...]
_NEVER_QUOTED: Final = '"'


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds.

    Args:
        name: of the dataset; part of what its draws depend on.
        header: names of the columns.
        row: makes the record of a number, from 0, out of chance.
    """

    name: str
    header: Row
    row: Callable[[Random, int], Row]


def generate_table(
    table: Table,
    path: Path,
    *,
    n_rows: int,
    seed: int,
    dirty_rate: float = 0.0,
    truth_path: Path | None = None,
) -> GenerationReport:
    """Write a file, and the list of what is broken in it.

    Args:
        table: what it holds.
        path: the CSV to write; replaced once it is complete.
        n_rows: good records.
        seed: another one gives other records.
        dirty_rate: broken records to add, as a share of n_rows, 0 to 1.
        truth_path: CSV (line_number, reason) with a row for each broken record, by the physical
            line that it begins in; line 1 is the header. Not written where it is None.

    Raises:
        ConfigError: a number is out of range, or a folder to write to does not exist.
    """
    started = time.perf_counter()
    check_numbers(n_rows, seed, dirty_rate, 1)
    check_folders(path, truth_path)
    n_broken: Counter[str] = Counter()
    partial = path.with_name(f"{path.name}.partial")
    with ExitStack() as stack:
        stack.callback(partial.unlink, missing_ok=True)
        out = stack.enter_context(partial.open("wb"))
        truth = None
        if truth_path:
            file = stack.enter_context(truth_path.open("w", encoding="utf-8", newline=""))
            truth = csv.writer(file, lineterminator="\n")
            truth.writerow(("line_number", "reason"))
        out.write(_encoded(table.header))
        line = 2
        for record, reason in _records(table, n_rows, seed, dirty_rate):
            out.write(record)
            if reason:
                n_broken[reason] += 1
                if truth:
                    truth.writerow((line, reason))
            line += record.count(b"\n")
        n_bytes = out.tell()
        out.close()
        partial.replace(path)
    return GenerationReport(n_rows, dict(n_broken), n_bytes, time.perf_counter() - started)


def _records(
    table: Table, n_rows: int, seed: int, dirty_rate: float
) -> Iterator[tuple[bytes, str | None]]:
    n_broken = 0
    for number in range(n_rows):
        draw = Random(f"{table.name}/{seed}/{number}")  # noqa: S311 - made-up rows, no secrets
        yield _encoded(table.row(draw, number)), None
        while n_broken < round(dirty_rate * (number + 1)):
            draw = Random(f"{table.name}/{seed}/broken/{n_broken}")  # noqa: S311 - the same
            reason = tuple(_BREAKS)[n_broken % len(_BREAKS)]
            row = table.row(draw, n_rows + n_broken)
            n_broken += 1
            yield _BREAKS[reason](row, draw), reason


def _encoded(row: Sequence[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerow(row)
    return out.getvalue().encode()


def _unterminated_quote(row: Row, draw: Random) -> bytes:
    """Open quotes in front of a field, behind which only the line ends."""
    place = draw.randrange(1, len(row))
    return b",".join(_bare(field) for field in row[:place]) + b',"' + _bare(row[place]) + b"\n"


def _missing_columns(row: Row, draw: Random) -> bytes:
    return _encoded(row[: draw.randrange(1, len(row))])


def _too_many_columns(row: Row, draw: Random) -> bytes:
    return _encoded((*row, *["left over"] * draw.randrange(1, 4)))


def _invalid_encoding(row: Row, _draw: Random) -> bytes:
    return _encoded(row).replace(row[0].encode(), row[0].encode() + b"\xe9", 1)


def _nul_byte(row: Row, _draw: Random) -> bytes:
    return _encoded(row).replace(row[0].encode(), row[0].encode() + b"\0", 1)


def _bare(field: str) -> bytes:
    """Write a field without anything that needs quotes."""
    return " ".join(field.replace(_NEVER_QUOTED, "'").replace(",", ";").split()).encode()


_BREAKS: Final[dict[str, Callable[[Row, Random], bytes]]] = {
    "unterminated_quote": _unterminated_quote,
    "missing_columns": _missing_columns,
    "too_many_columns": _too_many_columns,
    "invalid_encoding": _invalid_encoding,
    "nul_byte": _nul_byte,
}
