"""A tuned model takes the place of the last only where it is no worse on the same examples."""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from python_stages import keys
from python_stages.cli.main import app
from python_stages.jobs.ledger import Ledger
from python_stages.jobs.promotion import promoted
from python_stages.vault import open_vault
from tests.python_stages.jobs.rows import record

FIRST, SECOND = "1" * 64, "2" * 64


@dataclass(frozen=True, slots=True)
class World:
    """A vault and a ledger with two tuned models."""

    vault: Path
    ring: keys.KeyRing

    @property
    def ledger(self) -> Path:
        """File of the ledger."""
        return self.vault / "ledger.sqlite"

    def evaluate(
        self, key: str, right: str, *, start: int = 0, previous: str | None = None
    ) -> None:
        """Note what a model answered: `+` is right, `-` wrong, `?` not answered yet.

        `previous` names the model that was asked beside that of the job, where it was not that.
        """
        with closing(duckdb.connect(":memory:")) as con:
            open_vault(con, self.vault, self.ring.vault_key())
            con.execute(
                "create table if not exists vault.main.predictions (job_key text, model_role text, "
                "model text, task text, example_fingerprint text, label text, reference text, "
                "predicted text, answer text, is_valid boolean)"
            )
            for number, one in enumerate(right, start):
                predicted = "Gas" if one == "+" else "Travel"
                role = "previous" if previous else "tuned"
                values = [
                    role,
                    previous or "ft:own",
                    "classification",
                    f"f{number}",
                    "Gas",
                    "Gas",
                    predicted,
                ]
                con.execute(
                    "insert into vault.main.predictions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [key, *values, predicted, None if one == "?" else one == "+"],
                )

    def promote(self, *words: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(app, ["promote", "--dataset", "transactions", *words])

    def in_use(self) -> str | None:
        """Return the key of the job whose model is in use."""
        with Ledger(self.ledger) as ledger:
            row = promoted(ledger, "transactions")
            return None if row is None else row.key


@pytest.fixture
def world(tmp_path: Path, ring: keys.KeyRing, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    found = World(tmp_path / "vault", ring)
    for key, model in ((FIRST, "ft:1"), (SECOND, "ft:2")):
        record(found.ledger, key=key, dataset="transactions", fine_tuned_model=model)
    found.vault.chmod(0o700)
    assert found.promote("--job", FIRST[:6]).exit_code == 0
    return found


def test_the_first_has_no_rival_and_is_in_use_already_when_asked_again(world: World) -> None:
    assert world.in_use() == FIRST
    again = world.promote("--job", FIRST[:6])
    assert (again.exit_code, "in use already" in again.stdout) == (0, True)


def test_a_worse_one_is_refused_with_what_was_compared(world: World) -> None:
    world.evaluate(FIRST, "+" * 40)
    world.evaluate(SECOND, "+" * 25 + "-" * 15)
    done = world.promote()
    assert done.exit_code == 1
    assert "on 40 validation examples" in done.stdout
    assert "difference -0.375" in done.stdout
    assert "better on 0, worse on 15" in done.stdout
    assert "it is worse" in done.stderr
    assert world.in_use() == FIRST


def test_one_that_is_as_good_takes_the_place(world: World) -> None:
    world.evaluate(FIRST, "+" * 30 + "-" * 10)
    world.evaluate(SECOND, "+" * 38 + "-" * 2)
    assert world.promote().exit_code == 0
    assert world.in_use() == SECOND


def test_scripts_are_told_what_was_compared_and_what_is_in_use(world: World) -> None:
    world.evaluate(FIRST, "+" * 30 + "-" * 10)
    world.evaluate(SECOND, "+" * 38 + "-" * 2)
    told = json.loads(world.promote("--json").stdout)
    assert (told["job"], told["model"], told["rival"]) == (SECOND, "ft:2", FIRST)
    assert told["is_new"] is True
    assert (told["compared"]["n"], told["compared"]["n_better"]) == (40, 8)
    again = json.loads(world.promote("--json").stdout)
    assert (again["job"], again["is_new"], again["compared"]) == (SECOND, False, None)


def test_scripts_get_nothing_but_json_where_a_worse_one_is_refused(world: World) -> None:
    world.evaluate(FIRST, "+" * 40)
    world.evaluate(SECOND, "+" * 25 + "-" * 15)
    done = world.promote("--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "difference -0.375" in done.stderr


def test_only_examples_that_both_were_asked_count_and_too_few_are_refused(world: World) -> None:
    world.evaluate(FIRST, "+" * 40)
    world.evaluate(SECOND, "+" * 40, start=20)
    done = world.promote()
    assert (done.exit_code, "20 of the same examples" in done.stderr) == (1, True)
    assert world.in_use() == FIRST
    done = world.promote("--least", "20")  # 20 alike say little: up to 14 % worse is possible
    assert (done.exit_code, "may be worse" in done.stderr) == (1, True)
    assert world.promote("--least", "20", "--margin", "0.2").exit_code == 0


def test_where_the_one_in_use_was_asked_the_same_examples_these_are_compared(
    world: World,
) -> None:
    world.evaluate(FIRST, "+" * 40)
    world.evaluate(SECOND, "+" * 40, start=100)
    world.evaluate(SECOND, "-" * 20 + "+" * 20, start=100, previous="ft:1")
    done = world.promote()
    assert (done.exit_code, "difference +0.500" in done.stdout) == (0, True)


def test_another_model_that_was_asked_is_no_rival(world: World) -> None:
    world.evaluate(FIRST, "+" * 40)
    world.evaluate(SECOND, "+" * 25 + "-" * 15)
    world.evaluate(SECOND, "-" * 40, previous="ft:other")
    done = world.promote()
    assert (done.exit_code, "difference -0.375" in done.stdout) == (1, True)


def test_a_model_that_has_not_answered_everything_is_not_judged(world: World) -> None:
    world.evaluate(FIRST, "+" * 40)
    world.evaluate(SECOND, "+" * 39 + "?")
    done = world.promote()
    assert (done.exit_code, "not answered everything" in done.stderr) == (1, True)
    assert world.in_use() == FIRST


def test_nobody_is_promoted_where_nothing_was_evaluated(world: World) -> None:
    with closing(duckdb.connect(":memory:")) as con:
        open_vault(con, world.vault, world.ring.vault_key())
    done = world.promote()
    assert (done.exit_code, "nothing was evaluated" in done.stderr) == (1, True)
