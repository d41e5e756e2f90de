"""Measure sealtune on a full-size file: `make bench`, or `python -m tests.benchmarks --help`.

`--only pii` and `--only incremental` need no file: texts are made up for what finds personal data,
and tickets for a build with new rows (`python -m tests.benchmarks.incremental --rows 200000`).

Every timed run is a fresh process; a part and its baseline take turns, on a warm page cache.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks import report
from tests.benchmarks.measure import ROOT, BenchmarkError, Cost, Costs, run_part
from tests.benchmarks.workspace import Workspace, generate

FULL_ROWS: Final = 7_483_766
PII: Final = "pii"
INCREMENTAL: Final = "incremental"
# groups that make their own texts, and the modules that measure them
OWN_TEXTS: Final = {PII: ("pii", "pii_pool"), INCREMENTAL: ("incremental",)}
GROUPS: Final = ("sample", "tutorial", "build", "seal", "scrub", *OWN_TEXTS)
_READ_BYTES: Final = 1 << 20

Measured = dict[str, Costs]


def main() -> int:
    """Measure what the arguments ask for; return the exit code."""
    options = _options()
    own = [claim for group in OWN_TEXTS if group in options.only for claim in _own(group)]
    if set(options.only) <= OWN_TEXTS.keys():
        return _finish(options, {}, own, {}, 0)
    with tempfile.TemporaryDirectory(prefix="sealtune-bench-") as name:
        folder = Path(name)
        costs: Measured = {}
        source = options.file
        if source is None:
            source = folder / "transactions.csv"
            _say(f"generating {options.rows:,} transactions")
            cost = generate(source, options.rows, Workspace(folder, source).environment)
            cost = Cost(cost.seconds, cost.cpu_seconds, cost.peak_bytes, options.rows)
            costs["generate"] = Costs("generate", (cost,))
        _warm(source)
        nodes = _measure(options.only, costs, folder, source.absolute(), options.repeat)
        size = source.stat().st_size
    _say(f"\n{size:,} bytes of CSV; {os.cpu_count()} processors; medians of {options.repeat} runs")
    _say("(tutorial, dbt build and generate: one run; peak: the largest single process)\n")
    _say(report.cost_table(costs))
    if nodes:
        _say(f"\n{report.node_table(nodes)}")
    return _finish(options, costs, [*report.claims(costs), *own], nodes, size)


def _finish(
    options: argparse.Namespace,
    costs: Measured,
    found: Sequence[report.Claim],
    nodes: Mapping[str, float],
    size: int,
) -> int:
    """Show the claims, write the numbers where they are asked for, and return the exit code."""
    if found:
        _say(f"\n{report.claim_table(found)}")
    if options.json:
        text = json.dumps(report.as_json({"n_bytes": size}, costs, found, nodes), indent=2)
        options.json.write_text(text + "\n")
    return int(options.strict and not all(claim.is_met for claim in found))


def _own(group: str) -> list[report.Claim]:
    """Measure what needs no file of transactions, and return the claims about it."""
    found: list[report.Claim] = []
    for module in OWN_TEXTS[group]:
        command = [sys.executable, "-m", f"tests.benchmarks.{module}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)
        *lines, last = done.stdout.splitlines() or [""]
        if not last.startswith("["):
            raise BenchmarkError(f"{module} failed:\n{done.stdout[-4000:]}")
        _say("\n".join(lines))
        found += [report.Claim(**claim) for claim in json.loads(last)]
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--file", type=Path, help="a transactions CSV to use, not a generated one")
    parser.add_argument("--rows", type=int, default=FULL_ROWS, help="rows to generate")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each quick part")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a claim is missed")
    return parser.parse_args()


def _measure(
    only: Sequence[str], costs: Measured, folder: Path, source: Path, repeat: int
) -> Mapping[str, float]:
    """Add the costs of every part of the groups; return the node seconds of the build."""
    nodes: Mapping[str, float] = {}
    space = Workspace(folder / "parts", source)
    space.folder.mkdir()
    _say("preparing: dbt run --select +transactions_drawn")
    space.dbt("run", "--select", "+transactions_drawn")
    manifest = space.folder / "target" / "manifest.json"
    sealed = space.folder / "sealed"
    part = _runner(space)
    if "sample" in only:
        parts = {"projection": (source,), "sampled": (space.compiled_sample,)}
        _interleave(costs, {name: part(name, *args) for name, args in parts.items()}, repeat)
    if "tutorial" in only:
        names = ("pandas_objects", "pandas_str")
        _interleave(costs, {name: part(name, source) for name in names}, 1)
    if "build" in only:
        # the job is planned: what training takes has a benchmark of its own (training.py)
        fresh, parsed = (
            Workspace(folder / name, source, more={"backend": "plan"})
            for name in ("build", "parsed")
        )
        fresh.folder.mkdir()
        parsed.folder.mkdir()
        parsed.dbt("parse")  # as any build but the first finds it: dbt reads its own macros once
        command = ("build", "--select", "+transactions_sealed")
        works = {
            "dbt build": lambda: fresh.dbt(*command),
            "dbt build, parsed before": lambda: parsed.dbt(*command),
        }
        _interleave(costs, works, 1)
        nodes = fresh.node_seconds()
    if "seal" in only:
        works = {
            "aes_encrypt": part("aes_encrypt"),
            "seal": part("seal", sealed),
            "aes_decrypt": part("aes_decrypt"),
            "unseal": part("unseal", sealed),
        }
        _interleave(costs, works, repeat)
    if "scrub" in only:
        works = {name: part(name, manifest) for name in ("presidio", "scrub")}
        _interleave(costs, works, repeat)
    return nodes


def _runner(space: Workspace) -> Callable[..., Callable[[], Cost]]:
    """Return what binds a part to its arguments, to be run later, and often."""

    def bind(name: str, *arguments: Path) -> Callable[[], Cost]:
        return lambda: run_part(name, space.environment, *arguments)

    return bind


def _interleave(costs: Measured, works: Mapping[str, Callable[[], Cost]], repeat: int) -> None:
    """Run A B A B ..., so that a noisy minute on the machine does not fall on one of them."""
    runs: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            cost = work()
            _say(f"{name}: {cost.seconds:.2f} s, {cost.cpu_seconds:.2f} cpu s")
            runs[name].append(cost)
    costs.update({name: Costs(name, tuple(taken)) for name, taken in runs.items()})


def _warm(source: Path) -> None:
    """Read the file once, so that no part pays for the disk."""
    with source.open("rb", buffering=0) as file:
        while file.read(_READ_BYTES):
            pass


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
