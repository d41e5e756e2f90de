"""An audit end to end: a shadow job at a real server, attacked through its API, once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import audit_models, keys
from python_stages.audit import AuditSettings
from python_stages.backends.local.launch import ensure_server, stop_server
from python_stages.backends.local.places import Places
from python_stages.errors import BackendError
from python_stages.hooks import fingerprint_splits, sealed_contents, sealed_folder
from python_stages.jobs.hooks import ledger_path, submit_job
from python_stages.jobs.ledger import Ledger
from python_stages.jobs.planting import Planted
from python_stages.jobs.settings import JobSettings
from python_stages.jobs.subject import ChatSubject
from python_stages.seal import fingerprint_dataset, seal
from tests.python_stages.local.serving import BIGRAM

JOB = {"backend": "local", "base_model": None, "n_epochs": 6, "validation": False}
AUDIT = {"n_once": 12, "repeats": [4], "n_per_group": 1, "n_others": 3, "n_ranked": 3}
THIS = "memorization_audit"


@dataclass
class World:
    """A vault with a sealed dataset and a server."""

    places: Places
    ring: keys.KeyRing
    con: duckdb.DuckDBPyConnection
    said: list[str] = field(default_factory=list)

    @property
    def examples(self) -> duckdb.DuckDBPyRelation:
        """The dataset's examples."""
        return self.con.table("examples")

    def submit(self, **job: Any) -> str:
        """Submit the dataset's job as the hook does; return its key."""
        by_split = fingerprint_splits(self.examples, self.ring)
        now = JobSettings.from_config({**JOB, **job})
        spec = now.spec(
            dataset="chats",
            training=sealed_contents("chats", by_split, self.ring)["train"],
            validation=None,
            dataset_fingerprint=fingerprint_dataset(by_split, self.ring.hmac_key("fingerprint")),
            n_examples=20,
            n_training_tokens=200,
        )
        return submit_job(spec, now, self.said.append).key

    def audit(self, *, is_new: bool = False, **audit: Any) -> list[dict[str, Any]]:
        """Build the relation once more; return its new rows."""
        settings = self.con.values(["chats", json.dumps(JOB), json.dumps({**AUDIT, **audit})])
        wanted = settings.project("col0 as dataset, col1 as job, col2 as audit")
        table = audit_models.memorization_audit(
            self.con, self.examples, wanted, THIS, self.said.append, is_new=is_new
        )
        self.con.register("found", table)
        self.con.execute("insert into memorization_audit select * from found")
        return table.to_pylist()

    def jobs(self) -> list[str]:
        """Return the dataset of every job of the ledger."""
        with Ledger(ledger_path()) as ledger:
            return [row.dataset for row in ledger.jobs()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    places = Places(tmp_path / "vault", tmp_path / "keys")
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(places.vault))
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(places.keys))
    ring = keys.create(places.keys)
    con = duckdb.connect(":memory:")
    rows = [
        {
            "dataset": "chats",
            "example_id": f"{number:04}",
            "split": "train",
            "messages": json.dumps(
                [
                    {"role": "user", "content": f"where is the {number}th museum?"},
                    {"role": "assistant", "content": "here"},
                ]
            ),
        }
        for number in range(20)
    ]
    con.register("rows", pa.Table.from_pylist(rows))
    con.execute("create table examples as from rows")
    con.register("nothing", audit_models.AUDIT_SCHEMA.empty_table())
    con.execute(f"create table {THIS} as from nothing")
    lines = [f'{{"messages": {row["messages"]}}}'.encode() for row in rows]
    seal(
        lines,
        dataset="chats",
        split="train",
        suite_hash="0" * 64,
        folder=sealed_folder(),
        keys=ring,
        expected_fingerprint=None,
    )
    ensure_server(places, trainer=BIGRAM)
    yield World(places, ring, con)
    stop_server(places)


def test_a_job_is_audited_by_a_shadow_once(world: World) -> None:
    key = world.submit()
    rows = world.audit()
    assert {row["job_key"] for row in rows} == {key}
    assert {row["attacked_job_key"] for row in rows}.isdisjoint({key})
    verdicts = {row["model_role"]: row["verdict"] for row in rows if row["measure"] == "verdict"}
    assert list(verdicts) == ["base", "checkpoint", "tuned"]
    assert set(verdicts.values()) <= {"PASS", "WARN", "FAIL"}
    assert world.jobs() == ["chats", "chats_shadow"]
    assert world.audit() == []
    assert world.jobs() == ["chats", "chats_shadow"]


def test_an_interrupted_audit_goes_on_with_the_shadow_that_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> list[str]:
        raise BackendError("the machine went to sleep")

    world.submit()
    with monkeypatch.context() as patch:
        patch.setattr(ChatSubject, "answers", interrupted)
        with pytest.raises(BackendError, match="sleep"):
            world.audit()
    assert world.jobs() == ["chats", "chats_shadow"]
    assert world.audit()
    assert world.jobs() == ["chats", "chats_shadow"]


def test_canaries_in_the_job_itself_need_no_shadow(world: World) -> None:
    by_split = fingerprint_splits(world.examples, world.ring)
    wanted = AuditSettings.from_config({**AUDIT, "plant_in": "job"})
    now = JobSettings.from_config(JOB)
    spec = now.spec(
        dataset="chats",
        training=sealed_contents("chats", by_split, world.ring)["train"],
        validation=None,
        dataset_fingerprint=fingerprint_dataset(by_split, world.ring.hmac_key("fingerprint")),
        n_examples=20,
        n_training_tokens=200,
    )
    planted = Planted.of("chats", wanted, world.ring).into(spec)
    key = submit_job(planted, now, world.said.append).key
    rows = world.audit(plant_in="job")
    assert {(row["job_key"], row["attacked_job_key"]) for row in rows} == {(key, key)}
    assert world.jobs() == ["chats"]


def test_no_row_and_no_line_of_the_log_holds_a_secret(world: World) -> None:
    world.submit()
    written = repr(world.audit()) + repr(world.said)
    wanted = AuditSettings.from_config(AUDIT)
    canaries = Planted.of("chats", wanted, world.ring).canaries
    assert not [one for one in canaries if one.secret in written]


def test_a_dataset_that_says_nothing_is_not_audited(world: World) -> None:
    world.submit()
    assert world.audit(enabled=False) == []
    assert world.jobs() == ["chats"]
