"""Claims about the models in models/outcomes: what is asked, where and how often; and by dbt."""

import csv
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import keys
from python_stages.errors import ConfigError, StageError
from python_stages.hooks import fingerprint_relation
from python_stages.jobs.ledger import Decision, Ledger
from python_stages.outcome_models import evaluations, predictions
from python_stages.vault import register_functions
from tests.e2e.conftest import CHECKOUT, Project
from tests.e2e.warm import WarmProject
from tests.python_stages.backends.chat_api import API_KEY, ChatApi, Refusal, serve_chat
from tests.python_stages.jobs.rows import record

WORDS = {"Gas": "Shell", "Retail": "Ikea", "Travel": "Delta"}
EVALUATION = {
    "_evaluation__models",
    "all_examples",
    "evaluation_settings",
    "predictions",
    "evaluations",
    "evaluation_classes",
    "confusion_matrix",
}
STOP = {"x-should-retry": "false"}  # the client would try again otherwise, with pauses
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("dataset", "example_id", "split", "label", "messages", "fingerprint")
    ]
)


def examples(n: int = 60) -> list[dict[str, str]]:
    """Return n examples, a third of them for validation, as rows of `all_examples`."""
    rows = []
    for number in range(n):
        label, word = list(WORDS.items())[number % 3]
        messages = [
            {"role": "system", "content": "Name the category."},
            {"role": "user", "content": f"{word} CANARY {number}"},
            {"role": "assistant", "content": label},
        ]
        rows.append(
            {
                "dataset": "tickets",
                "example_id": f"e{number:03}",
                "split": "validation" if number % 9 < 3 else "train",
                "label": label,
                "messages": json.dumps(messages),
                "fingerprint": f"f{number}",
            }
        )
    return rows


def fingerprint(rows: list[dict[str, str]], ring: keys.KeyRing) -> str:
    """Return the fingerprint of the dataset that these examples are."""
    with closing(duckdb.connect(":memory:")) as con:
        return fingerprint_relation(con.from_arrow(pa.Table.from_pylist(rows)), ring)


def succeeded(path: Path, **changes: Any) -> None:
    """Write a job that has made a model of these examples into a ledger."""
    made = {"key": "1" * 64, "job_id": "ftjob-1", "fine_tuned_model": "ft:small-1"}
    record(path, **{"dataset": "tickets", **made, **changes})


def right(body: dict[str, Any]) -> str:
    """Answer what is right, with a flourish."""
    word = body["messages"][-1]["content"].split()[0]
    return f" {next(label for label, known in WORDS.items() if known == word)}.\n".lower()


def models(body: dict[str, Any]) -> str | Refusal:
    """Let the tuned model be right, and the base model talkative."""
    return right(body) if body["model"].startswith("ft:") else "I think it is a category."


@dataclass
class World:
    """A dataset with a job that has succeeded, and the provider that ran it."""

    con: duckdb.DuckDBPyConnection
    ring: keys.KeyRing
    api: ChatApi
    ledger: Path
    job: dict[str, Any] = field(default_factory=dict)
    evaluate: dict[str, Any] = field(default_factory=dict)
    examples: list[dict[str, str]] = field(default_factory=examples)

    def succeed(self, **changes: Any) -> None:
        """Record a job over the present examples that has succeeded."""
        told = {
            "dataset_fingerprint": fingerprint(self.examples, self.ring),
            "base_url": self.api.base_url,
        }
        succeeded(self.ledger, **{**told, **changes})

    def build(self) -> list[dict[str, Any]]:
        """Build `predictions` as dbt does, incrementally, and return what it holds."""
        job = {"backend": "compatible", "base_url": self.api.base_url, "base_model": "b"} | self.job
        self.con.execute(
            "create or replace temp table wanted as "
            "select 'tickets' as dataset, ? as job, ? as evaluate",
            [json.dumps(job), json.dumps(self.evaluate)],
        )
        tables = self.con.execute("select table_name from duckdb_tables()").fetchall()
        is_new = ("predictions",) not in tables
        rows = predictions(  # noqa: F841 - DuckDB reads it below
            self.con,
            self.con.from_arrow(pa.Table.from_pylist(self.examples, SCHEMA)),
            self.con.table("wanted"),
            '"memory"."main"."predictions"',
            is_new=is_new,
        )
        if is_new:
            self.con.execute("create table predictions as from rows")
        else:
            self.con.execute("delete from predictions where job_key in (select job_key from rows)")
            self.con.execute("insert into predictions from rows")
        return self.rows("from predictions order by job_key, model_role, example_id")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return self.con.sql(sql).to_arrow_table().to_pylist()

    def n_asked(self) -> Counter[str]:
        """Return how many questions each model was asked since the last time."""
        asked = Counter(body["model"] for body in self.api.bodies)
        self.api.bodies.clear()
        return asked


@pytest.fixture
def world(
    con: duckdb.DuckDBPyConnection,
    ring: keys.KeyRing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    monkeypatch.setenv("SEALTUNE_API_KEY", API_KEY)
    register_functions(con, ring)
    with serve_chat(ChatApi(rule=models)) as api:
        yield World(con, ring, api, tmp_path / "vault" / "ledger.sqlite")


def count(rows: list[dict[str, Any]], *columns: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[column] for column in columns) for row in rows)


# ── what is asked ──


def test_every_model_answers_every_validation_example(world: World) -> None:
    world.succeed()
    rows = world.build()
    assert count(rows, "model_role", "model", "is_valid") == {
        ("tuned", "ft:small-1", True): 21,
        ("base", "small-1", False): 21,
        ("majority", None, True): 21,
        ("tfidf", None, True): 21,
    }
    assert count(rows, "task", "dataset") == {("classification", "tickets"): 84}
    assert world.n_asked() == {"ft:small-1": 21, "small-1": 21}
    right_ones = [row for row in rows if row["predicted"] == row["label"]]
    assert count(right_ones, "model_role") == {("tuned",): 21, ("majority",): 7, ("tfidf",): 21}


def test_a_question_is_the_prompt_without_its_answer_and_has_room_for_the_longest(
    world: World,
) -> None:
    world.succeed()
    world.build()
    for body in world.api.bodies:
        assert [one["role"] for one in body["messages"]] == ["system", "user"]
        assert (body["temperature"], body["seed"], body["max_tokens"]) == (0, 7, 16)


def test_equal_prompts_are_asked_once(world: World) -> None:
    world.examples += [{**one, "example_id": f"x{one['example_id']}"} for one in examples()]
    world.succeed()
    rows = world.build()
    assert count(rows, "model_role")[("tuned",)] == 42
    assert world.n_asked()["ft:small-1"] == 21


def test_the_sample_is_the_first_by_id_whatever_the_order_of_the_rows(world: World) -> None:
    world.evaluate = {"max_examples": 5, "base": False}
    world.examples.reverse()
    world.succeed()
    ids = {row["example_id"] for row in world.build()}
    assert ids == {"e000", "e001", "e002", "e009", "e010"}
    assert world.n_asked() == {"ft:small-1": 5}


def test_the_newest_job_is_evaluated_and_those_before_it_keep_their_rows(world: World) -> None:
    world.succeed()
    world.build()
    world.n_asked()
    world.succeed(key="2" * 64, job_id="ftjob-2", fine_tuned_model="ft:small-1-again")
    rows = world.build()
    assert count(rows, "job_key") == {("1" * 64,): 84, ("2" * 64,): 84}
    # the base model is the same one, and is not asked again
    assert world.n_asked() == {"ft:small-1-again": 21}


def test_texts_are_predicted_without_baselines(world: World) -> None:
    for one in world.examples:
        *prompt, answer = json.loads(one["messages"])
        answer["content"] += one["example_id"]
        one["messages"] = json.dumps([*prompt, answer])
    world.succeed()
    rows = world.build()
    assert count(rows, "model_role", "task", "is_valid") == {
        ("tuned", "text", True): 21,
        ("base", "text", True): 21,
    }
    assert {row["reference"] for row in rows} >= {"Gase000", "Retaile001"}


# ── two models, the same questions ──


def trained_on(world: World, rows: list[dict[str, str]]) -> str:
    """Write down what a job was trained on, as the submit hook does; return its fingerprint."""
    found = fingerprint(rows, world.ring)
    world.con.register("trained_rows", pa.Table.from_pylist(rows, SCHEMA))
    world.con.execute(
        "create table if not exists trained_lines (dataset_fingerprint varchar, split varchar, "
        "prompt_hmac varchar)"
    )
    world.con.execute(
        "insert into trained_lines select ?, split, keyed_hmac('tickets.prompt', "
        "from_json(messages, '[\"JSON\"]')[:-2]::varchar) from trained_rows",
        [found],
    )
    return found


def test_the_model_that_it_would_replace_is_asked_the_same_examples(world: World) -> None:
    trained_on(world, world.examples)
    world.succeed()
    world.build()
    world.examples = examples(72)
    trained_on(world, world.examples)
    world.succeed(key="2" * 64, job_id="ftjob-2", fine_tuned_model="ft:small-1-again")
    world.n_asked()
    rows = [one for one in world.build() if one["job_key"] == "2" * 64]
    n = count(rows, "model_role")[("tuned",)]
    assert n == sum(one["split"] == "validation" for one in world.examples)
    assert count(rows, "model_role", "model")[("previous", "ft:small-1")] == n
    # what the earlier model was asked already was paid for
    assert world.n_asked() == {"ft:small-1-again": n, "ft:small-1": n - 21, "small-1": n - 21}


def test_what_either_was_trained_on_is_not_asked_though_the_split_is_another(world: World) -> None:
    trained_on(world, world.examples)
    world.succeed()
    for one in world.examples[:40]:
        one["split"] = "validation"
    trained_on(world, world.examples)
    world.succeed(key="2" * 64, job_id="ftjob-2", fine_tuned_model="ft:small-1-again")
    rows = [one for one in world.build() if one["job_key"] == "2" * 64]
    held_back = {one["example_id"] for one in examples() if one["split"] == "validation"}
    assert {one["example_id"] for one in rows} == held_back


def test_a_model_whose_training_nobody_wrote_down_is_not_compared_with(world: World) -> None:
    world.succeed()
    world.succeed(key="2" * 64, job_id="ftjob-2", fine_tuned_model="ft:small-1-again")
    roles = {one["model_role"] for one in world.build() if one["job_key"] == "2" * 64}
    assert roles == {"tuned", "base", "majority", "tfidf"}


def test_a_base_that_is_the_model_before_is_asked_once(world: World) -> None:
    trained_on(world, world.examples)
    world.succeed()
    world.succeed(
        key="2" * 64,
        job_id="ftjob-2",
        fine_tuned_model="ft:small-1-again",
        base_model="ft:small-1",
        parent_key="1" * 64,
    )
    roles = {one["model_role"] for one in world.build() if one["job_key"] == "2" * 64}
    assert roles == {"tuned", "previous", "majority", "tfidf"}


def stand_for(world: World, rows: list[dict[str, str]]) -> None:
    """Decide that lines are not worth another job than the first."""
    decision = Decision(
        dataset="tickets",
        dataset_fingerprint=fingerprint(rows, world.ring),
        key="1" * 64,
        is_retrained=False,
        reason="not retrained",
        drift_psi=0.0,
        n_feedback=0,
        changed_share=0.01,
    )
    with Ledger(world.ledger) as ledger, ledger.submitter():
        ledger.decide(decision)


def test_lines_that_were_not_worth_a_job_are_asked_of_the_model_that_stays(world: World) -> None:
    trained_on(world, world.examples)
    world.succeed()
    world.build()
    world.n_asked()
    world.examples = examples(72)
    assert len(world.build()) == 84  # nobody said that these lines passed their check
    stand_for(world, world.examples)
    rows = world.build()
    n = sum(one["split"] == "validation" for one in world.examples)
    assert count(rows, "job_key", "model_role")[("1" * 64, "tuned")] == n
    assert world.n_asked() == {"ft:small-1": n - 21, "small-1": n - 21}
    assert world.build() == rows
    assert world.n_asked() == {}


# ── paid once ──


def test_nothing_is_asked_twice_not_even_after_a_full_refresh(world: World) -> None:
    world.succeed()
    first = world.build()
    world.n_asked()
    assert world.build() == first
    world.con.execute("drop table predictions")
    assert world.build() == first
    assert world.n_asked() == {}


def test_a_provider_that_fails_on_the_way_is_asked_for_the_rest_only(world: World) -> None:
    world.succeed()
    world.evaluate = {"n_at_once": 1}
    n_good = 8

    def failing(body: dict[str, Any]) -> str | Refusal:
        is_spent = len(world.api.bodies) > n_good
        return Refusal(429, "insufficient_quota", STOP) if is_spent else models(body)

    world.api.rule = failing
    rows = world.build()
    assert count(rows, "model_role", "error_code", "is_valid")[("tuned", None, True)] == n_good
    assert count(rows, "model_role", "error_code", "is_valid")[
        ("tuned", "insufficient_quota", None)
    ] == (21 - n_good)
    world.n_asked()
    world.api.rule = models
    rows = world.build()
    assert world.n_asked() == {"ft:small-1": 21 - n_good, "small-1": 21}
    assert count(rows, "error_code") == {(None,): 84}


def test_an_example_without_an_answer_stops_the_build_before_anything_is_asked(
    world: World,
) -> None:
    world.examples[0]["messages"] = json.dumps([{"role": "user", "content": "CANARY"}])
    world.succeed()
    with pytest.raises(StageError, match="does not end with a text") as error:
        world.build()
    assert "CANARY" not in "".join(traceback.format_exception(error.value))
    assert world.n_asked() == {}


def test_what_a_provider_refuses_for_good_is_an_answer_and_not_asked_again(world: World) -> None:
    world.api.rule = lambda body: (
        Refusal(400, "content_filter") if body["messages"][-1]["content"].endswith(" 0") else "Gas"
    )
    world.evaluate = {"base": False}
    world.succeed()
    rows = [row for row in world.build() if row["error_code"]]
    assert count(rows, "model_role", "example_id", "error_code", "is_valid") == {
        ("tuned", "e000", "content_filter", False): 1
    }
    world.n_asked()
    world.con.execute("drop table predictions")
    world.build()
    assert world.n_asked() == {}


def test_a_base_model_that_is_not_served_costs_the_evaluation_nothing_else(world: World) -> None:
    world.api.rule = lambda body: (
        Refusal(404, "model_not_found") if body["model"] == "small-1" else right(body)
    )
    world.succeed()
    rows = world.build()
    assert count(rows, "model_role", "error_code")[("base", "model_not_found")] == 21
    assert world.n_asked()["small-1"] <= 4
    scores = evaluations(world.con.table("predictions"), {"n_resamples": 50}).to_pylist()
    found = {(one["model_role"], one["metric"], one["compared_with"]): one for one in scores}
    assert found["tuned", "accuracy", None]["value"] == 1
    assert found["base", "answered_share", None]["value"] == 0
    assert ("base", "accuracy", None) not in found
    assert found["tuned", "accuracy", "majority"]["value"] == pytest.approx(2 / 3)


# ── where nothing is asked ──


def change_a_line(world: World) -> None:
    world.examples[1]["messages"] = world.examples[1]["messages"].replace("Ikea", "Aldi")


@pytest.mark.parametrize(
    "change",
    [
        change_a_line,
        lambda world: world.job.update(backend="plan", base_url=None),
        lambda world: world.job.update(base_url="http://127.0.0.1:9/v1"),
        lambda world: world.evaluate.update(max_examples=0),
        lambda world: world.examples.clear(),
    ],
    ids=["other_lines", "plan", "other_address", "no_examples_wanted", "no_examples"],
)
def test_nothing_is_asked_where_things_are_not_as_the_job_had_them(
    world: World, change: Callable[[World], None]
) -> None:
    world.succeed()
    change(world)
    assert world.build() == []
    assert world.n_asked() == {}


def test_nothing_is_asked_of_another_machine_without_consent(world: World) -> None:
    world.succeed(base_url="https://host.invalid/v1")
    world.job = {"base_url": "https://host.invalid/v1"}
    with pytest.raises(ConfigError, match="allow_upload"):
        world.build()


@pytest.mark.parametrize("outcome", [{"fine_tuned_model": None}, {"dataset": "others"}])
def test_nothing_is_asked_without_a_tuned_model(world: World, outcome: dict[str, Any]) -> None:
    world.succeed(**outcome)
    assert world.build() == []
    assert world.n_asked() == {}


def test_a_wrong_setting_is_named(world: World) -> None:
    world.succeed()
    world.evaluate = {"examples": 5}
    with pytest.raises(ConfigError, match="unknown setting examples; did you mean max_examples"):
        world.build()


def test_without_a_tuned_model_neither_client_nor_learner_is_loaded() -> None:
    code = (
        "import sys, duckdb\n"
        "from python_stages.outcome_models import predictions, evaluations, evaluation_classes\n"
        "con = duckdb.connect()\n"
        "rows = predictions(con, None, None, 'a.b.c', is_new=True)\n"
        "relation = con.from_arrow(rows)\n"
        "evaluations(relation), evaluation_classes(relation)\n"
        "print([name for name in ('openai', 'sklearn', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SEALTUNE_VAULT_DIR": "/nonexistent/vault"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


# ── by dbt ──


@pytest.fixture
def api() -> Iterator[ChatApi]:
    with serve_chat(ChatApi(rule=models, seconds=0.1)) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, api: ChatApi) -> Project:
    """Return a project with one small dataset and the models that evaluate it."""
    folder = tmp_path / "project"
    (folder / "seeds").mkdir(parents=True)
    shutil.copytree(CHECKOUT / "models" / "outcomes", folder / "models" / "outcomes")
    shutil.copy2(CHECKOUT / "models" / "shared_docs.md", folder / "models")
    shutil.copytree(CHECKOUT / "macros", folder / "macros")
    shutil.copy2(CHECKOUT / "profiles.yml", folder)
    for path in (folder / "models" / "outcomes").iterdir():
        if path.stem not in EVALUATION:
            path.unlink()
    (folder / "models" / "tickets_sealed.sql").write_text(
        "{{ config(meta={'job': {'backend': 'compatible', 'base_model': 'small-1', "
        f"'base_url': '{api.base_url}'"
        "}}) }}\n"
        "select fingerprint as line from {{ ref('tickets_examples') }}\n"
    )
    with (folder / "seeds" / "tickets_examples.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*SCHEMA.names[1:], "n_tokens"], 20, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(examples())
    (folder / "dbt_project.yml").write_text(
        "name: tickets\nprofile: sealtune\nflags: {send_anonymous_usage_stats: false}\n"
        "vars: {datasets: [tickets], backend: plan, sample_per_class: 25}\n"
        "models: {tickets: {outcomes: {+materialized: view}}}\n"
    )
    env = {"PYTHONPATH": str(CHECKOUT), "SEALTUNE_API_KEY": API_KEY}
    return WarmProject(folder, tmp_path, extra_env=env)


@pytest.mark.slow
def test_a_killed_build_is_finished_by_the_next_and_a_later_job_adds_to_it(
    api: ChatApi, project: Project
) -> None:
    ring = keys.create(project.keys)
    job = {"dataset_fingerprint": fingerprint(examples(), ring), "base_url": api.base_url}
    succeeded(project.vault / "ledger.sqlite", **job)
    build = ("build", "-s", "fqn:*")
    assert project.dbt_killed(*build, when=lambda: len(api.bodies) > 12)
    project.dbt(*build)
    # what was under way when the build was killed was asked again, and nothing else
    assert len(api.bodies) <= 21 + 21 + 4
    answers = project.query(
        "select model_role, count(*), count(*) filter (predicted = label) "
        "from vault.main.predictions group by all order by all"
    )
    assert answers == [("base", 21, 0), ("majority", 21, 7), ("tfidf", 21, 21), ("tuned", 21, 21)]

    api.bodies.clear()
    later = {"key": "2" * 64, "job_id": "ftjob-2", "fine_tuned_model": "ft:small-1-again"}
    succeeded(project.vault / "ledger.sqlite", **job, **later)
    assert "WARN=0 ERROR=0" in project.dbt(*build).stdout
    assert Counter(body["model"] for body in api.bodies) == {"ft:small-1-again": 21}

    scores = project.query(
        "select job_key[1], coalesce(compared_with, '-'), value from vault.main.evaluations "
        "where metric = 'accuracy' and model_role = 'tuned' order by all"
    )
    assert scores == [
        (job_key, other, pytest.approx(value))
        for job_key in "12"
        for other, value in (("-", 1), ("base", 1), ("majority", 2 / 3), ("tfidf", 0))
    ]
    assert project.query(
        "select label, predicted, n_examples from vault.main.confusion_matrix "
        "where model_role = 'base' and job_key[1] = '1' order by all"
    ) == [("Gas", None, 7), ("Retail", None, 7), ("Travel", None, 7)]
    assert project.query(
        "select count(*), min(value), min(wilson_low) > 0.6 from vault.main.evaluation_classes "
        "where model_role = 'tuned' and metric = 'recall'"
    ) == [(6, 1.0, True)]
    files = [path for path in project.vault.rglob("*") if path.is_file()]
    assert files
    assert not any(b"CANARY" in path.read_bytes() for path in files)
    printed = "".join(project.outputs)
    assert not any(secret in printed for secret in ("CANARY", API_KEY, "PROSE"))
