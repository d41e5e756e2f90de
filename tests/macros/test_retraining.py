"""Changed lines make a new job only past a threshold, measured from what was trained on last.

The submit hook with the macros' own SQL, on small tables, against a provider on this machine.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import hooks, keys
from python_stages.check import VERDICT_SCHEMA, hash_suites
from python_stages.errors import BackendError
from python_stages.example_sql import LINE_SQL
from python_stages.hooks import check_spec, fingerprint_relation
from python_stages.jobs.hooks import decisions_sql, ledger_path
from python_stages.jobs.ledger import Ledger, LedgerRow
from python_stages.trained_lines import held_back
from python_stages.vault import register_functions
from tests.python_stages.backends.loopback_api import API_KEY, LoopbackApi, serve

CHECK = {"labels": ["Gas"], "pii_entities": ["identifiers"], "max_tokens_per_example": 99}


@dataclass
class Dataset:
    """A dataset whose lines change, built again and again."""

    con: duckdb.DuckDBPyConnection
    ring: keys.KeyRing
    api: LoopbackApi
    sql: Mapping[str, Any]
    job: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def fill(self, n: int) -> None:
        """Write so many examples."""
        self.con.execute(
            """
            create or replace table examples as select
                lpad(i::varchar, 32, '0') as example_id,
                if(i % 5 = 0, 'validation', 'train') as split,
                if(i % 2 = 0, 'Gas', 'Travel') as label,
                json_array(
                    {'role': 'user', 'content': 'é ' || i},
                    {'role': 'assistant', 'content': if(i % 2 = 0, 'Gas', 'Travel')}
                )::varchar as messages,
                20 + i % 7 as n_tokens,
                sha256(i::varchar) as fingerprint
            from range(?) n(i)
            """,
            [n],
        )
        self.con.execute("create or replace table scrubbed as select 'p' as policy_hash")
        self.con.execute(
            "create or replace table feedback as select null::varchar as example_id, "
            "null::varchar as outcome where false"
        )

    def correct(self, numbers: range) -> None:
        """Correct some examples, whose answers are others then."""
        for i in numbers:
            name = f"{i:032}"
            self.con.execute("insert into feedback values (?, 'merged')", [name])
            self.con.execute(
                "update examples set messages = replace(messages, 'Travel', 'Gas '), "
                "fingerprint = sha256(fingerprint) where example_id = ?",
                [name],
            )

    def build(self) -> str:
        """Check, seal and submit the lines as they are; return what was told at the end."""
        relation = self.con.table("examples")
        numbered = "row_number() over (partition by split order by example_id) as line_number"
        relation.project(f"split, {numbered}, n_tokens, {LINE_SQL} as line").create_view("sealed")
        row = {
            "suite": "examples",
            "expectation": "is_fine",
            "is_success": True,
            "suite_hash": hash_suites(check_spec(CHECK)),
            "n_expectations": 1,
            "dataset_fingerprint": fingerprint_relation(relation, self.ring),
        }
        verdict = pa.Table.from_pylist([row], schema=VERDICT_SCHEMA)
        self.con.execute("create or replace table checked as from verdict")
        told = {
            "dataset": "demo",
            "sealed": "sealed",
            "checked": "checked",
            "check": CHECK,
            "job": {
                "backend": "compatible",
                "base_url": self.api.base_url,
                "base_model": "tiny",
                "price_per_million_tokens": None,
                **self.job,
            },
            "versions": self.sql,
        }
        hooks.run(self.con, {**told, "hook": "seal"}, self.said.append)
        end = hooks.run(self.con, {**told, "hook": "submit"}, self.said.append)
        del verdict
        return end

    def train(self) -> LedgerRow:
        """Build, let the newest job end, and build once more to hear of it."""
        self.build()
        self.api.finish(self.jobs()[-1].job_id or "", "succeeded")
        self.build()
        return self.jobs()[-1]

    def jobs(self) -> tuple[LedgerRow, ...]:
        """Return the jobs of the ledger, oldest first."""
        with Ledger(ledger_path()) as ledger:
            return ledger.jobs()

    def decisions(self) -> list[dict[str, Any]]:
        """Return what was decided, as the relation has it."""
        return self.con.sql(decisions_sql()).to_arrow_table().to_pylist()


@pytest.fixture
def dataset(
    macros: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dataset]:
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    monkeypatch.setenv("SEALTUNE_COMPATIBLE_API_KEY", API_KEY)
    (tmp_path / "vault").mkdir(mode=0o700)
    ring = keys.create(tmp_path / "keys")
    with duckdb.connect(":memory:") as con, serve() as api:
        register_functions(con, ring)
        api.holds_jobs = True
        found = Dataset(con, ring, api, macros["version_sql"])
        found.fill(100)
        yield found


def test_without_thresholds_every_change_is_a_job(dataset: Dataset) -> None:
    dataset.train()
    dataset.fill(101)
    assert "is running" in dataset.build()
    assert (len(dataset.jobs()), dataset.decisions()) == (2, [])


def test_small_changes_make_no_job_and_are_told(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"drift_psi": 0.2, "feedback": 5, "changed_share": 0.1}}
    first = dataset.train()
    dataset.fill(106)
    assert f"job {first.key[:12]} on compatible is succeeded" in dataset.build()
    told = "not retrained: drift 0.00 of 0.2, feedback 0 of 5, changed 6.0% of 10.0%; "
    assert f"demo: {told}measured from job {first.key[:12]}" in dataset.said
    (found,) = dataset.decisions()
    assert (found["is_retrained"], found["job_key"], found["n_feedback"]) == (False, first.key, 0)
    assert (found["changed_share"], len(dataset.jobs())) == (pytest.approx(0.06), 1)


def test_changes_add_up_from_what_was_trained_on_however_many_builds_lie_between(
    dataset: Dataset,
) -> None:
    dataset.job = {"retrain_when": {"changed_share": 0.1}}
    dataset.train()
    for n in (103, 106, 109):
        dataset.fill(n)
        dataset.build()
    assert len(dataset.jobs()) == 1
    dataset.fill(110)
    assert "is running" in dataset.build()
    assert [one["is_retrained"] for one in dataset.decisions()] == [False, False, False, True]
    # and from there on from the new one
    dataset.api.finish(dataset.jobs()[-1].job_id or "", "succeeded")
    dataset.build()
    dataset.fill(115)
    dataset.build()
    assert len(dataset.jobs()) == 2
    assert dataset.decisions()[-1]["job_key"] == dataset.jobs()[-1].key


def test_rows_that_went_count_as_those_that_came(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"changed_share": 0.1}}
    dataset.train()
    dataset.fill(90)
    dataset.build()
    assert len(dataset.jobs()) == 2


def test_corrections_count_until_a_job_was_trained_on_them(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"feedback": 6}}
    dataset.train()
    dataset.correct(range(1, 11, 2))
    dataset.build()
    assert (len(dataset.jobs()), dataset.decisions()[-1]["n_feedback"]) == (1, 5)
    dataset.correct(range(11, 13, 2))
    dataset.train()
    assert (len(dataset.jobs()), dataset.decisions()[-1]["n_feedback"]) == (2, 6)
    dataset.correct(range(13, 15, 2))
    dataset.build()
    assert (len(dataset.jobs()), dataset.decisions()[-1]["n_feedback"]) == (2, 1)


def test_drift_alone_is_reason_enough(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"drift_psi": 0.2}}
    dataset.train()
    dataset.con.execute("update examples set label = 'Gas', fingerprint = sha256(fingerprint)")
    dataset.con.execute("update examples set messages = replace(messages, 'Travel', 'Gas')")
    dataset.build()
    assert len(dataset.jobs()) == 2
    assert dataset.decisions()[-1]["drift_psi"] > 0.2


def test_a_failed_job_trained_nothing_so_changes_count_from_the_one_before(
    dataset: Dataset,
) -> None:
    dataset.job = {"retrain_when": {"changed_share": 0.1}}
    first = dataset.train()
    dataset.fill(110)
    dataset.build()
    dataset.api.finish(dataset.jobs()[-1].job_id or "", "failed", {"code": "x", "message": ""})
    dataset.build()
    dataset.fill(112)
    dataset.build()
    assert len(dataset.jobs()) == 3
    assert dataset.decisions()[-1]["job_key"] == first.key


def test_lines_that_nobody_wrote_down_are_trained_on(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"changed_share": 0.5}}
    dataset.train()
    dataset.con.execute("delete from trained_lines")
    dataset.fill(101)
    dataset.build()
    assert len(dataset.jobs()) == 2


def test_under_another_policy_the_smallest_change_is_a_job(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"feedback": 50}}
    dataset.train()
    dataset.fill(101)
    dataset.build()
    assert len(dataset.jobs()) == 1
    dataset.con.execute("update scrubbed set policy_hash = 'stricter'")
    dataset.build()
    assert len(dataset.jobs()) == 2
    # from there on it is a question again
    dataset.api.finish(dataset.jobs()[-1].job_id or "", "succeeded")
    dataset.build()
    dataset.fill(102)
    dataset.con.execute("update scrubbed set policy_hash = 'stricter'")
    dataset.build()
    assert len(dataset.jobs()) == 2


def test_other_hyperparameters_are_no_question_of_change(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"changed_share": 0.5}}
    dataset.train()
    dataset.job["n_epochs"] = 9
    dataset.build()
    assert (len(dataset.jobs()), dataset.decisions()) == (2, [])


def test_lines_that_a_job_has_are_no_question_though_it_is_not_the_last(dataset: Dataset) -> None:
    dataset.job = {"retrain_when": {"changed_share": 0.1}}
    dataset.train()
    dataset.fill(120)
    dataset.train()
    n_decisions = len(dataset.decisions())
    dataset.fill(100)
    assert "is succeeded" in dataset.build()
    assert (len(dataset.jobs()), len(dataset.decisions())) == (2, n_decisions)


# ── what it starts from ──


def test_a_job_starts_from_the_last_model_once_and_a_rebuild_finds_it(dataset: Dataset) -> None:
    dataset.job = {"start_from": "last"}
    first = dataset.train()
    dataset.fill(120)
    second = dataset.train()
    dataset.build()
    assert [one.base_model for one in dataset.jobs()] == ["tiny", first.fine_tuned_model]
    assert second.parent_key == first.key
    asked = [one.shown["model"] for one in dataset.api.jobs.values()]
    assert asked == ["tiny", first.fine_tuned_model]


def test_no_job_starts_from_a_model_of_another_policy(dataset: Dataset) -> None:
    dataset.job = {"start_from": "last"}
    dataset.train()
    dataset.fill(120)
    dataset.con.execute("update scrubbed set policy_hash = 'stricter'")
    second = dataset.train()
    assert (second.base_model, second.parent_key) == ("tiny", None)
    dataset.fill(140)
    dataset.con.execute("update scrubbed set policy_hash = 'stricter'")
    assert dataset.train().parent_key == second.key


def test_a_model_that_is_gone_at_the_provider_stops_the_job_before_anything_is_sent(
    dataset: Dataset,
) -> None:
    dataset.job = {"start_from": "last"}
    first = dataset.train()
    dataset.api.models.discard(str(first.fine_tuned_model))
    dataset.fill(120)
    dataset.api.requests.clear()
    with pytest.raises(BackendError, match="not at the provider any more, nothing was sent"):
        dataset.build()
    assert {one.method for one in dataset.api.requests} == {"GET"}


# ── what may be asked ──


def test_questions_of_a_training_are_not_held_back_whatever_the_split_is_now(
    dataset: Dataset,
) -> None:
    first = dataset.train()
    dataset.con.execute("update examples set split = 'validation'")
    examples = dataset.con.sql("select 'demo' as dataset, * from examples")
    found = held_back(dataset.con, examples, "memory.main", [first.dataset_fingerprint])
    assert found is not None
    kept = {json.loads(row[0])[0]["content"] for row in found.project("messages").fetchall()}
    assert kept == {f"é {i}" for i in range(0, 100, 5)}
    assert held_back(dataset.con, examples, "memory.main", ["0" * 64]) is None
