"""The change log of a dataset: what is new, gone and relabelled, and how far it moved."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CHECKOUT
from tests.e2e.warm import WarmProject

SAMPLE = CHECKOUT / "sample_data" / "transactions.csv"
VERSIONS = (
    "all_examples",
    "current_versions",
    "version_lines",
    "version_words",
    "dataset_versions",
)

pytestmark = pytest.mark.slow


class Versions(WarmProject):
    """A project with a source of its own."""

    @property
    def source(self) -> Path:
        """The file of transactions."""
        return self.root / "mine.csv"

    def build(self, rows: list[dict[str, str]]) -> None:
        """Build the versions of these rows."""
        with self.source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        self.dbt(
            *("run", "--select", "path:models/transactions", *VERSIONS),
            *(
                "--exclude",
                "transactions_sealed",
                "transactions_checked",
                "transactions_pii_recall",
            ),
            vars={
                "transactions_csv": str(self.source),
                "sample_per_class": None,
                "feedback": str(self.root),
                "max_feedback_reject_share": 1,  # rows go, and corrections with them
            },
        )

    def correct(self, n: int) -> None:
        """Give so many examples another label."""
        found = self.query(
            "from vault.main.transactions_examples select example_id, label order by 1 limit ?", [n]
        )
        (self.root / "transactions").mkdir()
        with (self.root / "transactions" / "a.csv").open("w", encoding="utf-8") as file:
            file.write("example_id,label,answer,who,when\n")
            for one, label in found:
                file.write(f"{one},{'Gas' if label != 'Gas' else 'Travel'},,Ann,2026-01-01\n")

    def log(self) -> list[dict[str, Any]]:
        """Return the rows of the change log."""
        names = "version, n_examples, n_added, n_removed, n_relabelled, psi_labels, psi_lengths, "
        names += "psi_words, drift"
        found = self.query(f"from vault.main.dataset_versions select {names} order by version")
        return [dict(zip(names.split(", "), row, strict=True)) for row in found]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    return Versions(CHECKOUT, tmp_path_factory.mktemp("versions"))


def test_the_log_says_what_each_version_changed(project: Versions) -> None:
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first, others = rows[:600], rows[600:]
    project.build(first)
    n_first = project.log()[0]["n_examples"]
    assert project.log() == [
        {
            **dict.fromkeys(("n_added", "n_removed", "n_relabelled"), None),
            **dict.fromkeys(("psi_labels", "psi_lengths", "psi_words", "drift"), None),
            "version": 1,
            "n_examples": n_first,
        }
    ]

    project.build(first)  # an unchanged build brings no version
    assert len(project.log()) == 1

    project.build([*first[20:], *others[:100]])
    second = project.log()[1]
    assert second["n_added"] - second["n_removed"] == second["n_examples"] - n_first
    assert 90 <= second["n_added"] <= 100
    assert 18 <= second["n_removed"] <= 20
    assert second["n_relabelled"] == 0
    assert second["drift"] == "none"

    now = [*first[20:], *others[:100]]
    project.correct(10)
    project.build(now)
    third = project.log()[2]
    assert third["n_relabelled"] == 10
    assert (third["n_added"], third["n_removed"]) == (0, 0)
    assert third["n_examples"] == second["n_examples"]

    project.build(now[2:])
    hidden = project.log()[3]
    assert (hidden["n_added"], hidden["n_removed"]) == (None, None)

    # one class alone is another population
    project.build([row for row in now[2:] if row["merchant_category"] in {"Travel", "Gas"}])
    fourth = project.log()[4]
    assert fourth["drift"] == "major"
    assert fourth["psi_labels"] > 0.25
    assert fourth["n_added"] == 0

    # a version that comes again is a version, of which the lines are known
    project.build(now)
    assert project.log()[5]["version"] == 6
    assert project.log()[5]["n_examples"] == third["n_examples"]
    stored = project.query("select count(distinct lines_hash) from vault.main.version_lines")
    assert stored == [(5,)]
