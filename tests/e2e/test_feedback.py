"""Corrections of people: in the next version by rule, scrubbed, counted, and nothing lost."""

import csv
import json
import stat
from collections.abc import Iterable
from pathlib import Path

import pytest

from python_stages.example_sql import example_id_sql
from tests.e2e.conftest import CHECKOUT
from tests.e2e.warm import WarmProject
from tests.python_stages.backends.chat_api import API_KEY, ChatApi, serve_chat
from tests.python_stages.jobs.rows import record

BUILD = (
    "build",
    "--select",
    *(f"path:models/{one}" for one in ("tickets", "transactions", "outcomes")),
)
COLUMNS = ("example_id", "label", "answer", "who", "when")
REVIEWER = "Hedwig Marlowe-Finch"
ADDRESS = "quentin.abernathy@example.com"

pytestmark = pytest.mark.slow


class Loop(WarmProject):
    """A project whose feedback lies in a folder beside it."""

    @property
    def feedback(self) -> Path:
        """Folder of the corrections."""
        return self.root / "feedback"

    def write(self, dataset: str, rows: Iterable[tuple[str, ...]], name: str = "a.csv") -> None:
        """Write a file of corrections."""
        folder = self.feedback / dataset
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])

    def build(self) -> str:
        """Build with the corrections that are there; return what was printed."""
        self.feedback.mkdir(exist_ok=True)
        return self.dbt(*BUILD, vars={"feedback": str(self.feedback)}).stdout

    def examples(self, dataset: str) -> dict[str, tuple[str, str, str, str]]:
        """Return split, label, question and answer of each example by id."""
        found = self.query(
            f"from vault.main.{dataset}_examples select example_id, split, label, messages"
        )
        return {
            one: (split, label, *(m["content"] for m in json.loads(text)[-2:]))
            for one, split, label, text in found
        }

    def outcomes(self, dataset: str) -> list[tuple[str, str | None, int]]:
        """Return outcome and reason of its corrections, with how many there are."""
        return self.query(
            "select outcome, reason, count(*) from vault.main.feedback_merged where dataset = ? "
            "group by all order by all",
            [dataset],
        )

    def customer(self, example_id: str) -> str:
        """Return the name of the customer whose ticket an example was made of."""
        ((name,),) = self.query(
            f"from (from vault.main.tickets_scrubbed select row_id, {example_id_sql('tickets')} as "
            "example_id) join vault.main.tickets_rendered using (row_id) "
            "select customer_name where example_id = ?",
            [example_id],
        )
        return str(name)


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Return a project that was built, then corrected, then built again."""
    project = Loop(CHECKOUT, tmp_path_factory.mktemp("feedback"))
    project.build()
    return project


def test_corrections_are_in_the_next_version_and_every_record_is_counted(loop: Loop) -> None:
    before, tickets = loop.examples("transactions"), loop.examples("tickets")
    files = set(loop.sealed_files())
    ids, ticket_ids = sorted(before), sorted(tickets)
    other = "Travel" if before[ids[0]][1] != "Travel" else "Gas"
    loop.write(
        "transactions",
        [
            (ids[0], "Gas" if other == "Travel" else "Travel", "", REVIEWER, "2026-01-01"),
            (ids[0], other, "", REVIEWER, "2026-02-01"),
            (ids[1], "Nonsense", "", REVIEWER, "2026-02-01"),
            (ids[2], before[ids[2]][1], "", REVIEWER, "2026-02-01"),
            ("f" * 32, "Gas", "", REVIEWER, "2026-02-01"),
            (ids[3], "", "", "", ""),
        ],
    )
    customer = loop.customer(ticket_ids[0])
    answer = f"Refunded; {customer} wrote from {ADDRESS}."
    loop.write("tickets", [(one, "", answer, REVIEWER, "2026-02-01") for one in ticket_ids[:1]])
    printed = loop.build()

    after = loop.examples("transactions")
    split, _, question, _ = before[ids[0]]
    assert after == {**before, ids[0]: (split, other, question, other)}
    assert sorted(loop.outcomes("transactions")) == sorted(
        [
            ("blank", None, 1),
            ("confirmed", None, 1),
            ("merged", None, 1),
            ("rejected", "undeclared_label", 1),
            ("rejected", "unknown_example", 1),
            ("superseded", "conflict", 1),
        ]
    )
    assert "feedback merged" in printed
    assert "undeclared_label" in printed

    now = loop.examples("tickets")[ticket_ids[0]]
    assert now[3].startswith("Refunded; ")
    assert "[EMAIL_ADDRESS]" in now[3]
    assert customer not in now[3]
    assert ADDRESS not in str(loop.examples("tickets"))
    assert len(set(loop.sealed_files()) - files) >= 2

    # nothing of who and what was written lies anywhere but in the files of the user
    for path in loop.root.rglob("*"):
        if path.is_file() and loop.feedback not in path.parents:
            content = path.read_bytes()
            assert REVIEWER.encode() not in content, path
            assert ADDRESS.encode() not in content, path

    # an unchanged build seals nothing anew; whose rows are in the corrected version is known
    files = set(loop.sealed_files())
    again = loop.build()
    assert set(loop.sealed_files()) == files
    assert "tickets: already sealed, nothing written" in again
    assert "transactions: already sealed, nothing written" in again


def test_a_later_correction_means_the_example_by_the_id_that_it_had(loop: Loop) -> None:
    if not (loop.feedback / "transactions" / "a.csv").exists():
        pytest.skip("alone: the first test of this file makes the first correction")
    corrected = loop.query(
        "select example_id, label from vault.main.transactions_feedback where outcome = 'merged'"
    )
    ((example_id, label),) = corrected
    third = next(one for one in ("Grocery", "Retail") if one != label)
    loop.write("transactions", [(example_id, third, "", REVIEWER, "2026-03-01")], "b.csv")
    loop.build()
    assert loop.examples("transactions")[example_id][1] == third


def test_a_folder_that_is_not_there_stops_the_build_of_the_dataset(loop: Loop) -> None:
    done = loop.dbt(
        *("run", "--select", "transactions_feedback"),
        vars={"feedback": str(loop.root / "nowhere")},
        check=False,
    )
    assert done.returncode
    assert "there is no folder" in done.stdout


def test_a_build_that_no_longer_names_the_folder_stops_before_corrections_are_lost(
    loop: Loop,
) -> None:
    done = loop.dbt("run", "-s", "tickets_feedback", check=False)
    assert done.returncode != 0
    assert "of the last build would be lost" in done.stdout


def test_rows_to_correct_are_scrubbed_only_the_user_s_and_read_as_feedback(loop: Loop) -> None:
    with serve_chat(ChatApi(rule=lambda _: "Gas")) as api:
        told = {"dataset": "transactions", "base_url": api.base_url, "fine_tuned_model": "ft:1"}
        record(loop.vault / "ledger.sqlite", key="1" * 64, **told)
        out = loop.root / "review.csv"
        asked = ("predict", "--dataset", "transactions", "--review", "--rows", "5")
        key = {"SEALTUNE_API_KEY": API_KEY}
        done = loop.sealtune(*asked, "--out", str(out), env=key)
        again = loop.sealtune(*asked, "--out", str(out), env=key, check=False)
        nowhere = loop.sealtune(*asked, env=key, check=False)
    assert "tells no log-probabilities" in done.stderr
    assert (again.returncode, nowhere.returncode) == (1, 2)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    examples = loop.examples("transactions")
    assert len(rows) == 5
    assert {one["uncertainty"] for one in rows} == {"disagrees"}
    for row in rows:
        _, _, question, answer = examples[row["example_id"]]
        assert (row["question"].removeprefix("'"), row["current_answer"]) == (question, answer)
        assert answer != "Gas"
    # who reviewed it once is not asked again
    reviewed = loop.query(
        "from vault.main.transactions_feedback select example_id where outcome = 'merged'"
    )
    assert not {row["example_id"] for row in rows} & {one for (one,) in reviewed}
