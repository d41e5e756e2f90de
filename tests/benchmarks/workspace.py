"""Keys, vault, target and logs of the benchmark's own: the user's are never touched."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Cost, run

_BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder for everything that is built while measuring.

    Attributes:
        folder: an empty folder.
        source: the CSV file to build from.
        var: the var that names it.
        more: other vars.
    """

    folder: Path
    source: Path
    var: str = "transactions_csv"
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to work in here."""
        return {
            "SEALTUNE_KEYS_DIR": str(self.folder / "keys"),
            "SEALTUNE_VAULT_DIR": str(self.folder / "vault"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }

    @property
    def compiled_sample(self) -> Path:
        """The SQL that dbt ran last for transactions_drawn."""
        models = self.folder / "target" / "compiled" / "sealtune" / "models"
        return models / "transactions" / "transactions_drawn.sql"

    def dbt(self, *words: str) -> Cost:
        """Run dbt on the source in a process of its own.

        Raises:
            BenchmarkError: dbt failed.
        """
        cost, _ = run(
            [
                _BIN / "dbt",
                *words,
                *("--vars", json.dumps({self.var: str(self.source), **self.more})),
                *("--target-path", self.folder / "target", "--log-path", self.folder / "logs"),
            ],
            self.environment,
        )
        return cost

    def node_seconds(self) -> dict[str, float]:
        """Return the seconds of every model and test of the last dbt run, the slowest first."""
        text = (self.folder / "target" / "run_results.json").read_text()
        results: list[dict[str, Any]] = json.loads(text)["results"]
        seconds = {
            ".".join(result["unique_id"].split(".")[2:3]): float(result["execution_time"])
            for result in results
        }
        return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def generate(path: Path, n_rows: int, environment: dict[str, str]) -> Cost:
    """Write `n_rows` transactions to `path` with the command line.

    Raises:
        BenchmarkError: the command failed.
    """
    arguments = ("generate", "transactions", "--rows", str(n_rows), "--out", path)
    cost, _ = run([_BIN / "sealtune", *arguments], environment)
    return cost
