"""The claims that the measurements are held against, and how both are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.benchmarks.measure import Costs

_MB = 1e6


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that has to hold: `measured` is at most, or at least, `limit`."""

    text: str
    measured: float
    limit: float
    is_at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it holds."""
        return self.measured >= self.limit if self.is_at_least else self.measured <= self.limit


BASELINES: Final[Mapping[str, str]] = {
    "sampled": "projection",
    "pandas_objects": "sampled",
    "pandas_str": "sampled",
    "dbt build": "projection",
    "seal": "aes_encrypt",
    "unseal": "aes_decrypt",
    "scrub": "presidio",
}


def claims(costs: Mapping[str, Costs]) -> list[Claim]:
    """Return the claims about those parts that were measured."""
    found: list[Claim] = []
    scan, sample = costs.get("projection"), costs.get("sampled")
    # with the strings that pandas had when the tutorial was written; the table has today's as well
    tutorial, build = costs.get("pandas_objects"), costs.get("dbt build")
    if scan and sample:
        found += [
            Claim("sampled / projection, seconds", sample.seconds / scan.seconds, 1.15),
            Claim("sampled, peak MB", sample.peak_bytes / _MB, 300),
        ]
    if sample and tutorial:
        slower, larger = tutorial.seconds / sample.seconds, tutorial.peak_bytes / sample.peak_bytes
        found += [
            Claim("pandas / sampled, seconds", slower, 12, is_at_least=True),
            Claim("pandas / sampled, peak memory", larger, 20, is_at_least=True),
        ]
    if scan and build:
        limit = 3 * scan.seconds + 25
        found.append(Claim("dbt build, seconds (3 projections + 25)", build.seconds, limit))
    return found


def cost_table(costs: Mapping[str, Costs]) -> str:
    """Return the costs as text; the last columns say how many times what its baseline took."""
    head = ("part", "s", "min s", "cpu s", "peak MB", "per s", "x s", "x cpu", "x MB", "beside")
    rows: list[Sequence[str]] = [head]
    rows += [_row(one, costs.get(BASELINES.get(name, ""))) for name, one in costs.items()]
    return _table(rows)


def claim_table(found: Sequence[Claim]) -> str:
    """Return the claims as text."""
    rows = [("claim", "measured", "limit", "")]
    for claim in found:
        sign = ">=" if claim.is_at_least else "<="
        verdict = "met" if claim.is_met else "missed"
        rows.append((claim.text, f"{claim.measured:.2f}", f"{sign} {claim.limit:.2f}", verdict))
    return _table(rows)


def node_table(seconds: Mapping[str, float]) -> str:
    """Return the seconds of dbt's nodes as text, without the many that took next to none."""
    rows = [("node of the build", "s")]
    rows += [(name, f"{took:.2f}") for name, took in seconds.items() if took >= 0.1]
    return _table(rows)


def as_json(
    file: Mapping[str, Any],
    costs: Mapping[str, Costs],
    found: Sequence[Claim],
    nodes: Mapping[str, float],
) -> dict[str, Any]:
    """Return everything that was measured, for a machine to read."""
    return {
        "file": dict(file),
        "runs": {name: [asdict(run) for run in one.runs] for name, one in costs.items()},
        "claims": [{**asdict(claim), "is_met": claim.is_met} for claim in found],
        "node_seconds": dict(nodes),
    }


def _row(costs: Costs, baseline: Costs | None) -> tuple[str, ...]:
    rate = costs.per_second
    return (
        costs.name,
        f"{costs.seconds:.2f}",
        f"{costs.min_seconds:.2f}",
        f"{costs.cpu_seconds:.2f}",
        f"{costs.peak_bytes / _MB:.0f}",
        f"{rate:,.0f}" if rate else "",
        *(
            (
                f"{costs.seconds / baseline.seconds:.2f}",
                f"{costs.cpu_seconds / baseline.cpu_seconds:.2f}",
                f"{costs.peak_bytes / baseline.peak_bytes:.2f}",
                baseline.name,
            )
            if baseline
            else ("", "", "", "")
        ),
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned text: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
