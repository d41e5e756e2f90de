"""Corrections through the scrub stage: what they become beside the rows that they correct."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import dbt_models, keys
from python_stages.errors import ConfigError, SourceError
from python_stages.example_sql import example_id_sql
from python_stages.feedback_models import feedback
from python_stages.vault import register_functions

NAMES = ("row_id", "label", "system_text", "user_text", "assistant_text", "customer")
ROWS = [
    ("r1", "Refund", None, "Ann Lee wrote from ann.lee@acme.com: it broke", "Broken.", "Ann Lee"),
    ("r2", "Refund", None, "Bo Ek wrote from bo.ek@acme.com: it is late", "Late.", "Bo Ek"),
    ("r3", "Other", None, "Cy Fo wrote: thanks, Robin was kind", "Thanks.", "Cy Fo"),
]
FIT = {"max_tokens": 80}


def policy(operator: str) -> dict[str, Any]:
    rule = {
        "entities": ["EMAIL_ADDRESS"],
        "deny_from": {"customer": "PERSON"},
        "operator": operator,
    }
    return {
        "user_text": rule,
        "assistant_text": rule,
        "system_text": {"operator": "keep"},
        "customer": {"operator": "drop"},
    }


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rendered rows, what they were scrubbed to, and a folder of corrections."""

    con: duckdb.DuckDBPyConnection
    folder: Path

    def scrub(self, operator: str = "placeholder") -> None:
        """Scrub the rows."""
        given = pa.Table.from_pylist(
            [dict(zip(NAMES, row, strict=True)) for row in ROWS],
            pa.schema([(name, pa.string()) for name in NAMES]),
        )
        self.con.register("given", given)
        self.con.execute("create or replace table rendered as from given")
        made = dbt_models.scrubbed(
            self.con.query("select * from rendered"), "demo", policy(operator), fit=FIT
        ).read_all()
        self.con.register("made", made)
        self.con.execute("create or replace table scrubbed as from made")

    def ids(self) -> dict[str, str]:
        """Return the id of the example that each row became."""
        names = f"select row_id, {example_id_sql('demo')} from scrubbed"  # noqa: S608 - a plain name
        return dict(self.con.execute(names).fetchall())

    def questions(self) -> dict[str, str]:
        """Return the scrubbed question of each row."""
        return dict(self.con.execute("select row_id, user_text from scrubbed").fetchall())

    def correct(
        self, *said: tuple[str, str, str], operator: str = "placeholder", **config: Any
    ) -> dict[str, dict[str, Any]]:
        """Give rows a label and an answer; return what became of each."""
        ids = self.ids()
        (self.folder / "demo").mkdir(parents=True, exist_ok=True)
        with (self.folder / "demo" / "a.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("example_id", "label", "answer", "who", "when"))
            for row_id, label, answer in said:
                writer.writerow((ids.get(row_id, row_id), label, answer, "Ann", "2026-01-01"))
        found = feedback(
            self.con,
            self.con.query("select * from rendered"),
            self.con.query("select * from scrubbed"),
            "demo",
            {"folder": str(self.folder), "labels": "any", "max_reject_share": 1, **config},
            policy=policy(operator),
            fit=FIT,
        )
        rows = {example_id: row_id for row_id, example_id in ids.items()}
        return {rows.get(one["example_id"], one["example_id"]): one for one in found.to_pylist()}


@pytest.fixture
def dataset(con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, tmp_path: Path) -> Dataset:
    register_functions(con, ring)
    found = Dataset(con, tmp_path / "feedback")
    found.scrub()
    return found


def outcome(found: dict[str, Any]) -> tuple[str, str | None]:
    return found["outcome"], found["reason"]


def test_an_answer_is_scrubbed_with_the_row_s_own_names(dataset: Dataset) -> None:
    found = dataset.correct(("r1", "", "Ann Lee gets a refund at x.y@acme.com"))["r1"]
    assert outcome(found) == ("merged", None)
    assert found["assistant_text"] == "[PERSON] gets a refund at [EMAIL_ADDRESS]"


@pytest.mark.parametrize(
    "answer",
    [
        "It was sent back.",
        "Ann Lee gets a refund.",
        "Bo Ek gets a refund.",
        "New address: zoe.quill@acme.com",
    ],
)
def test_with_surrogates_a_correction_leaves_the_question_as_it_was(
    dataset: Dataset, answer: str
) -> None:
    dataset.scrub("surrogate")
    found = dataset.correct(("r1", "", answer), operator="surrogate")["r1"]
    assert outcome(found) == ("merged", None)


def test_an_answer_may_speak_of_those_that_the_surrogates_name(dataset: Dataset) -> None:
    dataset.scrub("surrogate")
    question = dataset.questions()["r1"]
    person, address = question.split(" wrote")[0], question.split("from ")[1].split(":")[0]
    assert "@" in address
    answer = f"{person} gets a refund, told to {address}."
    found = dataset.correct(("r1", "", answer), operator="surrogate")["r1"]
    assert outcome(found) == ("merged", None)
    assert found["assistant_text"] == answer


def test_what_is_nobody_s_stand_in_is_scrubbed_beside_one(dataset: Dataset) -> None:
    dataset.scrub("surrogate")
    person = dataset.questions()["r1"].split(" wrote")[0]
    answer = f"{person}, once Ann Lee, is at zoe.quill@acme.com now"
    text = dataset.correct(("r1", "", answer), operator="surrogate")["r1"]["assistant_text"]
    assert text.startswith(person)
    assert "Ann Lee" not in text
    assert "zoe.quill" not in text


def test_an_answer_for_which_the_question_would_be_cut_is_over_the_budget(
    dataset: Dataset,
) -> None:
    long, short = "word " * 80, "Later."
    found = dataset.correct(("r1", "", long), ("r2", "", "word " * 60), ("r3", "", short))
    assert outcome(found["r1"]) == ("rejected", "over_token_budget")
    assert outcome(found["r2"]) == ("rejected", "over_token_budget")
    assert outcome(found["r3"]) == ("merged", None)


def test_a_label_without_its_answer_is_refused_however_it_comes_about(dataset: Dataset) -> None:
    found = dataset.correct(("r1", "Other", ""), ("r2", "Other", "Late."), ("r3", "", "Thanks."))
    assert outcome(found["r1"]) == ("rejected", "label_without_answer")
    assert outcome(found["r2"]) == ("rejected", "label_without_answer")
    assert outcome(found["r3"]) == ("confirmed", None)


def test_too_many_that_cannot_be_used_stop_the_dataset_and_name_what_most_lack(
    dataset: Dataset,
) -> None:
    said = [("r1", "", "x"), ("f" * 32, "", "secret words"), ("r2", "Nonsense", "y")]
    with pytest.raises(SourceError, match="demo: 2 of 3 corrections cannot be used") as caught:
        dataset.correct(*said, max_reject_share=0.5)
    assert "secret" not in str(caught.value)
    assert len(dataset.correct(*said, max_reject_share=0.7)) == 3


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"max_reject_shar": 1}, "did you mean max_reject_share"),
        ({"max_reject_share": 2}, "a number from 0 to 1"),
        ({"max_reject_share": True}, "a number from 0 to 1"),
        ({"labels": "some"}, "labels must be a list, or any"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    dataset: Dataset, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        dataset.correct(("r1", "", "x"), **config)
