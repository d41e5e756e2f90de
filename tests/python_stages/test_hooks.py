"""The hooks: nothing is sealed or submitted that was not checked, and nothing twice."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import hooks, keys, seal, settings
from python_stages.check import VERDICT_SCHEMA, hash_suites
from python_stages.errors import BackendError, ConfigError, NotCheckedError
from python_stages.example_sql import LINE_SQL
from python_stages.hooks import check_spec, fingerprint_relation
from python_stages.jobs.access import provider_of
from python_stages.jobs.hooks import job_metrics, ledger_path, ledger_sql
from python_stages.jobs.ledger import Ledger, LedgerRow, State
from python_stages.jobs.refresh import refresh as refresh_backend
from python_stages.jobs.results import ResultVault
from python_stages.jobs.settings import JobSettings
from python_stages.shred import shred
from tests.python_stages.backends.loopback_api import API_KEY, Fault, LoopbackApi, serve
from tests.python_stages.jobs.crashes import Crash, Crasher, CrashingLedger

CHECK = {"labels": ["Gas", "Travel"], "pii_entities": ["identifiers"], "max_tokens_per_example": 99}
JOB = {"backend": "plan", "base_model": "tiny", "price_per_million_tokens": None}


@pytest.fixture(autouse=True)
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> keys.KeyRing:
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    (tmp_path / "vault").mkdir(mode=0o700)
    return keys.create(tmp_path / "keys")


@pytest.fixture
def con(ring: keys.KeyRing) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection with examples, a verdict that passes them, and the sealed view."""
    with closing(duckdb.connect(":memory:")) as connection:
        connection.execute("""
            create table examples as select
                lpad(i::varchar, 3, '0') as example_id,
                if(i % 5 = 0, 'validation', 'train') as split,
                [
                    {'role': 'user', 'content': 'é ' || i}, {'role': 'assistant', 'content': 'Gas'}
                ]::json::varchar as messages,
                7 as n_tokens
            from range(100) n(i)
        """)
        numbered = "row_number() over (partition by split order by example_id) as line_number"
        lines = connection.table("examples").project(
            f"split, {numbered}, n_tokens, {LINE_SQL} as line"
        )
        lines.create_view("sealed")
        put_verdict(connection, ring)
        yield connection


def put_verdict(con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, **changes: object) -> None:
    """Record a verdict of two expectations on the examples as they are now."""
    row: dict[str, object] = {
        "suite": "examples",
        "expectation": "is_fine",
        "column": None,
        "description": "all is fine",
        "is_success": True,
        "n_checked": 100,
        "n_failed": 0,
        "suite_hash": hash_suites(check_spec(CHECK)),
        "n_expectations": 2,
        "dataset_fingerprint": fingerprint_relation(con.table("examples"), ring),
    }
    rows = [{**row, "column": "first"}, {**row, "column": "second", **changes}]
    con.register("verdict", pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA))
    con.execute("create or replace table checked as from verdict")


def config(hook: str, **job: object) -> dict[str, Any]:
    return {
        "hook": hook,
        "dataset": "demo",
        "sealed": "sealed",
        "checked": "checked",
        "check": CHECK,
        "job": {**JOB, **job},
    }


def run(
    con: duckdb.DuckDBPyConnection, config: dict[str, Any], said: list[str] | None = None
) -> str:
    """Run a hook; what it says while it is at work goes into `said`."""
    return hooks.run(con, config, ([] if said is None else said).append)


def files(tmp_path: Path) -> Mapping[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "vault").rglob("*.sealed")}


# ── seal ──


def test_sealed_files_hold_the_lines_of_their_split_in_order(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, tmp_path: Path
) -> None:
    assert run(con, config("seal")) == "demo: sealed train 80 lines, validation 20 lines"
    for split, n_lines in (("train", 80), ("validation", 20)):
        (path,) = (tmp_path / "vault" / "sealed" / "demo").glob(f"{split}-*.sealed")
        with seal.open_sealed(path, keys=ring) as file:
            lines = b"".join(file.blocks()).decode().splitlines()
        numbers = [
            int(json.loads(line)["messages"][0]["content"].removeprefix("é ")) for line in lines
        ]
        assert len(numbers) == n_lines
        assert numbers == sorted(numbers)
        assert all((number % 5 == 0) == (split == "validation") for number in numbers)


def test_sealing_again_writes_nothing(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    run(con, config("seal"))
    before = files(tmp_path)
    assert run(con, config("seal")).startswith("demo: already sealed, nothing written")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        "update examples set messages = messages || ' ' where example_id = '042'",
        "delete from examples where example_id = '042'",
        "update examples set split = 'train' where example_id = '050'",
        "update examples set example_id = '999' where example_id = '042'",
        "insert into examples select '999', 'train', '[]', 7",
    ],
)
def test_lines_that_changed_after_their_check_are_not_sealed(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, change: str
) -> None:
    con.execute(change)
    with pytest.raises(NotCheckedError, match="the check was of other lines"):
        run(con, config("seal"))
    assert files(tmp_path) == {}


@pytest.mark.parametrize("is_success", [False, None])
def test_a_failed_expectation_is_named_and_nothing_is_sealed(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, tmp_path: Path, *, is_success: bool | None
) -> None:
    put_verdict(con, ring, is_success=is_success)
    with pytest.raises(NotCheckedError, match=r"1 of 2 .* failed: examples.is_fine\(second\)"):
        run(con, config("seal"))
    assert files(tmp_path) == {}


def test_other_rules_than_those_of_the_check_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    other = {**config("seal"), "check": {**CHECK, "max_tokens_per_example": 100}}
    with pytest.raises(NotCheckedError, match="rules have changed since the check"):
        run(con, other)
    assert files(tmp_path) == {}


def test_an_empty_or_incomplete_check_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con.execute("delete from checked where \"column\" = 'first'")
    with pytest.raises(NotCheckedError, match="incomplete"):
        run(con, config("seal"))
    con.execute("delete from checked")
    with pytest.raises(NotCheckedError, match="no check was recorded"):
        run(con, config("seal"))
    assert files(tmp_path) == {}


def test_the_fingerprint_that_is_checked_is_the_one_that_is_sealed(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing
) -> None:
    lines = hooks.Lines.from_config(con, config("seal"))
    by_split = lines.fingerprints(ring)
    key = ring.hmac_key("fingerprint")
    relation = con.table("examples")
    assert seal.fingerprint_dataset(by_split, key) == fingerprint_relation(relation, ring)


# ── submit ──


def test_a_plan_is_recorded_once_and_seen_in_the_ledger_s_relation(
    con: duckdb.DuckDBPyConnection,
) -> None:
    run(con, config("seal"))
    said = run(con, config("submit", price_per_million_tokens=5.0))
    assert "on plan is PLANNED: tiny, 80 examples, 560 tokens an epoch" in said
    with Ledger(ledger_path()) as ledger:
        before = ledger.jobs()
    run(con, config("submit", price_per_million_tokens=5.0))
    with Ledger(ledger_path()) as ledger:
        assert ledger.jobs() == before
    found = con.sql(ledger_sql())
    (row,) = found.fetchall()
    named = dict(zip(found.columns, row, strict=True))
    assert (named["dataset"], named["state"], named["n_examples"]) == ("demo", "PLANNED", 80)
    assert named["estimated_cost"] == pytest.approx(560 * 3 * 5 / 1e6)
    assert named["job_id"] is None


def test_nothing_is_submitted_after_the_lines_changed(con: duckdb.DuckDBPyConnection) -> None:
    run(con, config("seal"))
    con.execute("delete from examples where example_id = '042'")
    with pytest.raises(NotCheckedError):
        run(con, config("submit"))
    assert not ledger_path().exists()


def test_without_a_ledger_its_relation_has_its_columns_and_no_row(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = con.sql(ledger_sql())
    assert found.columns[:3] == ["job_key", "dataset", "state"]
    assert found.fetchall() == []
    assert not ledger_path().exists()


# ── submit to a provider ──


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackApi]:
    monkeypatch.setenv("SEALTUNE_COMPATIBLE_API_KEY", API_KEY)
    with serve() as served:
        yield served


def at(api: LoopbackApi, **job: object) -> dict[str, Any]:
    """Return the settings of a job at a provider on this machine."""
    return {**JOB, "backend": "compatible", "base_url": api.base_url, **job}


def sealed_con(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    run(con, config("seal"))
    return con


def the_row() -> LedgerRow:
    with Ledger(ledger_path()) as ledger:
        (row,) = ledger.jobs()
    return row


def test_a_job_is_submitted_once_and_a_later_build_notes_its_end_and_deletes_its_files(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    submit = config("submit", **at(api))
    assert "on compatible is running" in run(sealed_con(con), submit)
    api.finish(the_row().job_id or "", "succeeded")
    assert "on compatible is succeeded" in run(con, submit)
    assert (the_row().state, len(api.jobs), len(api.files)) == (State.FILES_DELETED, 1, 0)


def test_a_build_that_waits_says_how_far_the_job_is_and_returns_when_it_has_ended(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    said: list[str] = []
    submit = config("submit", **at(api, wait_for_jobs=True, wait_timeout_seconds=60))
    assert "is succeeded" in run(sealed_con(con), submit, said)
    assert [line.split("Z  ")[1].split(",")[0] for line in said if "Z  " in line] == [
        "queued",
        "running",
        "succeeded",
    ]
    assert all(line.startswith("demo: ") for line in said)
    assert the_row().state is State.FILES_DELETED


def test_a_build_that_waits_fails_where_the_job_fails(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    api.holds_jobs = True
    run(sealed_con(con), config("submit", **at(api)))
    api.finish(the_row().job_id or "", "failed", {"code": "quota_used_up", "message": "Gas"})
    with pytest.raises(BackendError, match=r"failed \(quota_used_up\).*another seed") as caught:
        run(con, config("submit", **at(api, wait_for_jobs=True)))
    assert "Gas" not in str(caught.value)
    assert the_row().state is State.FILES_DELETED


def test_a_build_stops_waiting_in_the_end_and_says_how_to_follow_the_job_that_goes_on(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    api.holds_jobs = True
    submit = config("submit", **at(api, wait_for_jobs=True, wait_timeout_seconds=0.2))
    with pytest.raises(BackendError, match="goes on") as caught:
        run(sealed_con(con), submit)
    assert f"`sealtune watch {the_row().key[:12]}`" in str(caught.value)
    assert the_row().state is State.JOB_CREATED


def test_another_dataset_s_job_in_trouble_does_not_fail_a_submission(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    run(sealed_con(con), config("submit", **at(api, seed=1)))
    del api.jobs[the_row().job_id or ""]
    assert "is running" in run(con, config("submit", **at(api, seed=2)))


def test_one_s_own_job_in_trouble_fails_a_submission(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    run(sealed_con(con), config("submit", **at(api)))
    del api.jobs[the_row().job_id or ""]
    with pytest.raises(BackendError, match="404"):
        run(con, config("submit", **at(api)))


# ── the jobs of the ledger ──


def refresh(con: duckdb.DuckDBPyConnection, *jobs: dict[str, Any]) -> tuple[str, list[str]]:
    """Run the hook of `fine_tune_jobs`; return its message and what it said."""
    said: list[str] = []
    return run(con, {"hook": "refresh", "jobs": list(jobs)}, said), said


def test_before_the_jobs_are_shown_every_configured_backend_is_asked(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    run(sealed_con(con), config("submit", **at(api)))
    api.finish(the_row().job_id or "", "succeeded")
    assert refresh(con, JOB, at(api)) == ("asked after 1 job(s)", [])
    found = con.sql(ledger_sql())
    shown = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert (shown["outcome"], shown["fine_tuned_model"]) == ("succeeded", "ft:tiny:loopback")


def test_a_provider_that_does_not_answer_leaves_the_jobs_as_they_are_with_a_warning(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    run(sealed_con(con), config("submit", **at(api)))
    before = the_row()
    api.inject(Fault("GET", "/v1/fine_tuning", "refuse", status=401, times=99))
    message, (warning,) = refresh(con, at(api))
    assert message == "asked after 1 job(s)"
    assert warning.startswith(f"warning: job {before.key[:12]} is shown as far as it is known")
    assert the_row() == before


def test_a_backend_that_is_not_configured_any_more_is_not_asked_and_not_shown_a_key(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    run(sealed_con(con), config("submit", **at(api)))
    with serve() as other:
        api.requests.clear()
        _, (remark,) = refresh(con, JOB, at(other))
        assert f"`sealtune watch {the_row().key[:12]}` asks" in remark
    assert api.requests == []
    assert other.requests == []


def test_a_plan_asks_nobody(con: duckdb.DuckDBPyConnection) -> None:
    assert refresh(con, JOB) == ("there are no jobs yet", [])
    run(sealed_con(con), config("submit"))
    assert refresh(con, JOB) == ("asked after 0 job(s)", [])


# ── results ──

METRICS = b"step,train_loss,train_accuracy,valid_loss,note\n1,2.5,0.1,,%s\n2,1.5,0.4,1.75,\n"
CANARY = "PLAINTEXT-CANARY"


@pytest.mark.parametrize("encode", [bytes, b64encode])
def test_metrics_are_fetched_when_a_job_has_ended_sealed_and_shown_by_step(
    con: duckdb.DuckDBPyConnection,
    api: LoopbackApi,
    ring: keys.KeyRing,
    tmp_path: Path,
    encode: Callable[[bytes], bytes],
) -> None:
    api.results = encode(METRICS % CANARY.encode())
    run(sealed_con(con), config("submit", **at(api)))
    api.finish(the_row().job_id or "", "succeeded")
    refresh(con, at(api))
    key = the_row().key
    assert job_metrics().to_pylist() == [
        {"job_key": key, "dataset": "demo", "step": step, "metric": metric, "value": value}
        for step, metric, value in [
            (1, "train_loss", 2.5),
            (1, "train_accuracy", 0.1),
            (2, "train_loss", 1.5),
            (2, "train_accuracy", 0.4),
            (2, "valid_loss", 1.75),
        ]
    ]
    with Ledger(ledger_path()) as ledger:
        (file,) = ledger.results(key)
    with seal.open_sealed(tmp_path / "vault" / file.path, keys=ring) as opened:
        assert b"".join(opened.blocks()) == METRICS % CANARY.encode()
    for path in (tmp_path / "vault").rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", []),
        (b"\x00\xff\r\n\x00,", []),
        (b"step,train_loss", []),
        (b'"step","train_loss"\r\n"1","2.5"\r\n', [(1, "train_loss", 2.5)]),
        (b"step,train_loss\n1,nan\n1.5,1\n,1\n2,x\n3,1,1\n4,1e-3\n", [(4, "train_loss", 0.001)]),
        (b"step,jane_doe,train_loss,valid_Loss\n1,2,3,4\n", [(1, "train_loss", 3.0)]),
    ],
)
def test_of_a_result_file_only_numbers_with_names_of_metrics_are_shown(
    con: duckdb.DuckDBPyConnection,
    api: LoopbackApi,
    content: bytes,
    found: list[tuple[int, str, float]],
) -> None:
    api.results = content
    run(sealed_con(con), config("submit", **at(api)))
    api.finish(the_row().job_id or "", "succeeded")
    assert refresh(con, at(api)) == ("asked after 1 job(s)", [])
    shown = [tuple(row.values())[2:] for row in job_metrics().to_pylist()]
    assert shown == found


def test_a_process_that_dies_between_sealing_results_and_noting_them_leaves_one_file(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi, ring: keys.KeyRing
) -> None:
    api.results = METRICS % b""
    run(sealed_con(con), config("submit", **at(api)))
    api.finish(the_row().job_id or "", "succeeded")
    vault = ResultVault(settings.vault_folder(), ring)
    crasher = Crasher(dies_at="save results_stored")
    with (
        provider_of(the_row()) as backend,
        CrashingLedger(ledger_path(), crasher) as ledger,
        pytest.raises(Crash),
    ):
        refresh_backend(backend, ledger, results=vault)
    refresh(con, at(api))
    assert job_metrics().num_rows == 5
    assert len(list(settings.vault_folder().rglob("metrics_*.sealed"))) == 1


def test_results_that_cannot_be_had_are_asked_for_a_few_times_and_keep_nothing_else_waiting(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi
) -> None:
    run(sealed_con(con), config("submit", **at(api)))
    api.finish(the_row().job_id or "", "succeeded")
    for _ in range(5):
        assert refresh(con, at(api)) == ("asked after 1 job(s)", [])
        assert the_row().state is State.FILES_DELETED
    api.requests.clear()
    assert refresh(con, at(api)) == ("asked after 0 job(s)", [])
    assert api.requests == []
    assert job_metrics().num_rows == 0


def test_results_of_a_shredded_dataset_are_neither_fetched_nor_shown(
    con: duckdb.DuckDBPyConnection, api: LoopbackApi, ring: keys.KeyRing
) -> None:
    api.results = METRICS % b""
    run(sealed_con(con), config("submit", **at(api)))
    shred(settings.vault_folder() / "sealed", "demo", keys=ring)
    api.finish(the_row().job_id or "", "succeeded")
    refresh(con, at(api))
    assert the_row().are_results_stored
    assert job_metrics().num_rows == 0
    assert not list(settings.vault_folder().rglob("*.sealed"))


# ── settings ──


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"base_model": "m"}, "setting backend is missing"),
        ({"backend": "plan"}, "setting base_model is missing"),
        ({**JOB, "epochs": 3}, r"unknown setting epochs; did you mean n_epochs\?"),
        ({**JOB, "backend": "openai"}, "say so with allow_upload: true"),
        (
            {**JOB, "backend": "compatible", "base_url": "https://api.example.com/v1"},
            "allow_upload",
        ),
        ({**JOB, "backend": "openai", "allow_upload": "true"}, "allow_upload"),
        (
            {**JOB, "backend": "compatible", "base_url": "http://127.0.0.1.example.com/v1"},
            "allow_upload",
        ),
    ],
)
def test_job_settings_that_are_wrong_or_lack_consent_are_refused(
    job: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        JobSettings.from_config(job)


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        {**JOB, "backend": "compatible", "base_url": "http://127.0.0.1:8000/v1"},
        {**JOB, "backend": "openai", "allow_upload": True},
    ],
)
def test_job_settings_that_send_nothing_away_or_have_consent_are_taken(
    job: dict[str, object],
) -> None:
    assert JobSettings.from_config(job).backend == job["backend"]
