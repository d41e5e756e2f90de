"""What a build costs when 1 % of the rows are new: `python -m tests.benchmarks.incremental`.

The whole way to `tickets_scrubbed` is timed, dbt's start included: files are read, accounted for
and rendered as a whole by both builds, and the second scrubs the new rows alone.
"""

import argparse
import json
import re
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.measure import BenchmarkError, Cost, run
from tests.benchmarks.report import Claim
from tests.benchmarks.workspace import Workspace

_NEW_SHARE: Final = 0.01
MOST_SHARE: Final = 0.05  # of the first build
_SELECT: Final = ("run", "--select", "+tickets_scrubbed")
_BIN: Final = Path(sys.executable).parent


def generate(
    path: Path, n_rows: int, seed: int, first_id: int, environment: dict[str, str]
) -> None:
    """Write tickets whose numbers begin at `first_id`; further files continue it."""
    arguments = ("--rows", str(n_rows), "--seed", str(seed), "--out", path)
    run([_BIN / "sealtune", "generate", "tickets", *arguments], environment)
    if first_id:
        # a record begins with its number, which the generator counts from 1
        text = path.read_text("utf-8")
        path.write_text(
            re.sub(r"(?m)^(\d+),", lambda found: f"{int(found[1]) + first_id},", text), "utf-8"
        )


def measure(folder: Path, n_rows: int) -> tuple[Cost, Cost, float, float]:
    """Return the first build, the second, and the seconds of tickets_scrubbed in each.

    Args:
        folder: an empty folder.
        n_rows: tickets of the first build.
    """
    files = folder / "files"
    files.mkdir()
    space = Workspace(folder, files / "*.csv", "tickets_csv", {"sample_per_class": None})
    generate(files / "a.csv", n_rows, 1, 0, space.environment)
    space.dbt("parse")  # as any build but the first finds it
    first = space.dbt(*_SELECT)
    first_node = space.node_seconds()["tickets_scrubbed"]
    generate(files / "b.csv", int(n_rows * _NEW_SHARE), 2, n_rows, space.environment)
    second = space.dbt(*_SELECT)
    return first, second, first_node, space.node_seconds()["tickets_scrubbed"]


def main() -> int:
    """Measure, print the claims last, and return 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.incremental")
    parser.add_argument("--rows", type=int, default=20_000, help="tickets of the first build")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealtune-bench-") as name:
        first, second, first_node, second_node = measure(Path(name), options.rows)
    if not first_node:
        raise BenchmarkError("the first build scrubbed nothing")
    for what, cost, node in (("first", first, first_node), ("second", second, second_node)):
        sys.stdout.write(
            f"{what} build of {options.rows:,} tickets: {cost.seconds:.1f} s, "
            f"{cost.cpu_seconds:.1f} cpu s, of which tickets_scrubbed {node:.1f} s\n"
        )
    claims = (
        Claim("second build / first, 1 % new rows", second.seconds / first.seconds, MOST_SHARE),
        # what the machine is otherwise doing counts less here
        Claim("the same in cpu seconds", second.cpu_seconds / first.cpu_seconds, MOST_SHARE),
        Claim("the same of tickets_scrubbed alone", second_node / first_node, MOST_SHARE),
    )
    sys.stdout.write(json.dumps([asdict(claim) for claim in claims]) + "\n")
    return int(not all(claim.is_met for claim in claims))


if __name__ == "__main__":
    sys.exit(main())
