"""What `dbt build` does, and what it refuses to do, as a user meets it.

Builds are costly, so most tests start from a copy of one finished build (`built`, `copied`).
"""

import csv
import gzip
import json
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import psutil
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from python_stages.generate import generate_transactions
from tests.e2e.conftest import CHECKOUT, OTHERS, Project
from tests.e2e.warm import WarmProject
from tests.python_stages.backends.loopback_api import API_KEY, LoopbackApi, serve

_LOOK_SECONDS = 0.1
SAMPLE = CHECKOUT / "sample_data" / "transactions.csv"


@dataclass(frozen=True, slots=True)
class Cold:
    """A project that was built once, by the very command that a user types.

    `arguments` are those of every process that could be seen meanwhile, as `ps` shows them.
    """

    project: WarmProject
    arguments: frozenset[str]


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Cold:
    root = tmp_path_factory.mktemp("built")
    project = Project(CHECKOUT, root)
    seen: set[str] = set()
    has_ended = Event()

    def watch() -> None:
        while not has_ended.wait(_LOOK_SECONDS):
            for process in psutil.process_iter(["cmdline"]):
                seen.update(process.info["cmdline"] or [])

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            project.dbt("build", env={"SEALTUNE_API_KEY": API_KEY})
        finally:
            has_ended.set()
        watching.result()
    built = WarmProject(CHECKOUT, root, outputs=project.outputs)
    return Cold(built, frozenset(seen))


@pytest.fixture(scope="module")
def built(cold: Cold) -> WarmProject:
    return cold.project


@pytest.fixture
def copied(built: WarmProject, tmp_path: Path) -> WarmProject:
    """Return a copy of the built project, to be changed."""
    shutil.copytree(built.root, tmp_path, dirs_exist_ok=True)
    return WarmProject(CHECKOUT, tmp_path)


@pytest.fixture
def fresh(built: WarmProject, tmp_path: Path) -> WarmProject:
    """Return a project with the same keys as the built one, and no vault."""
    shutil.copytree(built.keys, tmp_path / "keys")
    shutil.copytree(built.target, tmp_path / "target")  # holds what dbt has parsed already
    return WarmProject(CHECKOUT, tmp_path)


def sealed_state(project: Project) -> Mapping[str, tuple[int, int, int]]:
    """Return inode, size and time of change of every sealed file, by its name."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_size, path.stat().st_mtime_ns)
        for path in project.sealed_files()
    }


def ledger_rows(project: Project) -> list[str]:
    """Return every row of every table of the ledger, as SQL."""
    path = project.vault / "ledger.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
        return list(ledger.iterdump())


def header() -> str:
    return SAMPLE.read_text("utf-8").partition("\n")[0]


# ── a build ──


def test_a_fresh_build_seals_both_splits_and_plans_the_job(built: WarmProject) -> None:
    (n_train, n_validation) = (
        built.query("select count(*) from vault.main.transactions_sealed where split = ?", [split])
        for split in ("train", "validation")
    )
    assert n_train[0][0] + n_validation[0][0] == 200
    assert [path.name.split("-")[0] for path in built.sealed_files()] == ["train", "validation"]
    jobs = built.query("select state, backend, n_examples from vault.main.fine_tune_jobs")
    assert jobs == [("PLANNED", "plan", n_train[0][0])]


def test_a_fresh_build_makes_keys_and_says_where(built: WarmProject) -> None:
    assert f"made new keys in {built.keys}; keep a copy" in "".join(built.outputs)
    assert stat.S_IMODE(built.keys.stat().st_mode) == 0o700
    assert stat.S_IMODE(built.vault.stat().st_mode) == 0o700


def test_no_process_of_a_build_shows_a_key_among_its_arguments(cold: Cold) -> None:
    secrets = {API_KEY}
    for path in cold.project.keys.rglob("*.key"):
        text = path.read_text("ascii").strip()
        secrets |= {text, text.rpartition(":")[2]}
    assert len(secrets) > 2 * len(("vault", "hmac", "signing", "identity"))
    shown = "\n".join(cold.arguments)
    assert "build" in cold.arguments
    assert not [secret for secret in secrets if secret in shown]


def test_a_build_ends_with_the_count_of_rows_in_every_state(built: WarmProject) -> None:
    printed = built.outputs[0]
    rows = built.query("select state, n_rows from vault.main.build_summary")
    assert {"read", "kept", "sampled", "rendered", "scrubbed", "checked", "sealed"} <= {
        state for state, _ in rows
    }
    for state, n_rows in rows:
        assert any(
            line.split()[1:2] == ["transactions"]
            and state in line
            and f" {n_rows:,} " in f"{line} "
            for line in printed.splitlines()
        ), state


def test_what_was_sealed_is_what_the_sealed_relation_holds(built: WarmProject) -> None:
    for path in built.sealed_files():
        split = path.name.split("-")[0]
        lines = built.query(
            "select line from vault.main.transactions_sealed where split = ? order by line_number",
            [split],
        )
        plain = built.sealtune("unseal", str(path), "--out", "-").stdout
        assert plain == "".join(f"{line}\n" for (line,) in lines)


def test_dbt_test_passes_by_itself(built: WarmProject) -> None:
    assert "ERROR=0" in built.dbt("test").stdout


def test_dbt_show_shows_a_model_when_its_log_is_off(built: WarmProject) -> None:
    done = built.dbt("--log-level-file", "none", "show", "-s", "ingest_audit", "--output", "json")
    assert '"outcome": "kept"' in done.stdout


def test_docs_describe_every_column_that_a_relation_has(built: WarmProject) -> None:
    built.dbt("docs", "generate")
    catalog = json.loads((built.target / "catalog.json").read_text())["nodes"]
    manifest = json.loads((built.target / "manifest.json").read_text())["nodes"]
    models = {
        name
        for name, node in manifest.items()
        if node["resource_type"] == "model" and node["fqn"][1] not in OTHERS
    }
    assert models == set(catalog)
    for name in models:
        assert set(catalog[name]["columns"]) == set(manifest[name]["columns"]), name


# ── once more ──


def test_a_second_build_seals_nothing_and_submits_nothing(copied: WarmProject) -> None:
    before, ledger = sealed_state(copied), ledger_rows(copied)
    done = copied.dbt("build")
    assert "already sealed, nothing written" in done.stdout
    assert sealed_state(copied) == before
    assert ledger_rows(copied) == ledger


def test_where_the_warehouse_is_lost_an_empty_build_makes_every_relation_and_seals_nothing(
    copied: WarmProject, tmp_path: Path
) -> None:
    before, ledger = sealed_state(copied), ledger_rows(copied)
    (copied.vault / "warehouse.duckdb").unlink()
    copied.dbt("build", "--empty")
    files = [*(CHECKOUT / "models").rglob("*.sql"), *(CHECKOUT / "models").rglob("*.py")]
    # the experiment is no part of a build that does not name it
    models = {path.stem for path in files if path.parent.name not in {"canaries", *OTHERS}}
    found = copied.query("select table_name from duckdb_tables() where database_name = 'vault'")
    found += copied.query(
        "select view_name from duckdb_views() where database_name = 'vault' and not internal"
    )
    assert {name for (name,) in found} >= models
    assert copied.query("select count(*) from vault.main.transactions_examples") == [(0,)]
    assert sealed_state(copied) == before
    assert ledger_rows(copied) == ledger

    gz = tmp_path / "same.csv.gz"
    gz.write_bytes(gzip.compress(SAMPLE.read_bytes()))
    variables = {"transactions_csv": str(gz)}
    copied.dbt("build", "--full-refresh", "-s", "+transactions_sealed", vars=variables)
    assert copied.query("select count(*) from vault.main.transactions_sealed") == [(200,)]
    assert sealed_state(copied) == before
    assert ledger_rows(copied) == ledger


def test_another_vault_another_format_and_one_thread_give_the_same_fingerprints(
    built: WarmProject, fresh: WarmProject, tmp_path: Path
) -> None:
    texts = pacsv.ConvertOptions(column_types=dict.fromkeys(header().split(","), pa.string()))
    pq.write_table(pacsv.read_csv(SAMPLE, convert_options=texts), tmp_path / "same.parquet")
    single = "threads: 1\n      settings: {threads: 1}"
    one_thread = fresh.edited({"profiles.yml": lambda text: text.replace("threads: 4", single)})
    variables = {"transactions_csv": str(tmp_path / "same.parquet")}
    one_thread.dbt("run", "-s", "+transactions_sealed", vars=variables)
    assert set(sealed_state(fresh)) == set(sealed_state(built))
    lines = "select split, line_number, n_tokens, line from vault.main.transactions_sealed"
    assert sorted(fresh.query(lines)) == sorted(built.query(lines))


# ── a job at a provider ──


def test_a_build_that_waits_ends_with_a_tuned_model_its_metrics_and_no_file_at_the_provider(
    copied: WarmProject,
) -> None:
    with serve(LoopbackApi(results=b"step,train_loss\n1,2.5\n2,1.5\n")) as api:
        variables = {"backend": "compatible", "base_url": api.base_url, "wait_for_jobs": True}
        what = ("run", "-s", "transactions_sealed", "fine_tune_jobs", "job_metrics")
        secret = {"SEALTUNE_COMPATIBLE_API_KEY": API_KEY}
        done = copied.dbt(*what, vars=variables, env=secret)
        assert "running" in done.stdout
        assert "ok  consent" in done.stdout
        assert "is succeeded" in done.stdout
        uploaded = [file for file in api.files.values() if file.purpose == "fine-tune"]
        assert (len(api.jobs), uploaded) == (1, [])

        before = ledger_rows(copied)
        copied.dbt(*what, vars=variables, env=secret)
        assert (len(api.jobs), ledger_rows(copied)) == (1, before)
    jobs = copied.query(
        "select outcome, fine_tuned_model, n_trained_tokens from vault.main.fine_tune_jobs "
        "where backend = 'compatible'"
    )
    assert jobs == [("succeeded", "ft:gpt-4.1-mini-2025-04-14:loopback", 1234)]
    metrics = copied.query("select step, metric, value from vault.main.job_metrics order by step")
    assert metrics == [(1, "train_loss", 2.5), (2, "train_loss", 1.5)]
    assert API_KEY not in "".join(copied.outputs)


# ── changes between builds ──


def test_a_changed_file_is_not_read_until_it_is_counted_and_then_sealed_for_every_recipient(
    copied: WarmProject, tmp_path: Path
) -> None:
    before = sealed_state(copied)
    auditor = replace(copied, root=tmp_path / "auditor")
    auditor.sealtune("keys", "init")
    shown = auditor.sealtune("keys", "show").stdout.splitlines()
    (key,) = [line for line in shown if line.startswith("sealtune-recipient-")]
    (signer,) = [
        line
        for line in copied.sealtune("keys", "show").stdout.splitlines()
        if line.startswith("sealtune-signer-")
    ]
    (tmp_path / "auditor.pub").write_text(key)
    (tmp_path / "builder.pub").write_text(signer)
    copied.sealtune("keys", "add-recipient", "auditor", str(tmp_path / "auditor.pub"))
    auditor.sealtune("keys", "add-signer", "builder", str(tmp_path / "builder.pub"))

    grown = tmp_path / "grown.csv"
    shutil.copy(SAMPLE, grown)
    variables = {"transactions_csv": str(grown)}
    copied.dbt("run", "-s", "transactions_ingested", "stg_transactions", vars=variables)
    generate_transactions(tmp_path / "more.csv", n_rows=500, seed=99, n_workers=1)
    with grown.open("ab") as file:
        file.write((tmp_path / "more.csv").read_bytes().partition(b"\n")[2])
    done = copied.dbt("run", "-s", "transactions_drawn", vars=variables, check=False)
    assert done.returncode == 1
    assert "the source files, or the rules for them, changed since the records were" in done.stdout
    assert "run dbt build -s transactions_ingested+" in done.stdout

    copied.dbt("run", "-s", "+transactions_sealed", vars=variables)
    after = sealed_state(copied)
    assert before.items() < after.items()
    assert len(after) == 4
    grant = tmp_path / "transactions.grant"
    grant.write_text(copied.sealtune("keys", "hand-over", "transactions", "auditor").stdout)
    for name in after.keys() - before.keys():
        (path,) = (copied.vault / "sealed").glob(f"*/{name}")
        assert "sealed for 2 recipient(s)" in copied.sealtune("verify", str(path)).stdout
        not_yet = auditor.sealtune("unseal", str(path), "--out", "-", check=False)
        assert (not_yet.returncode, not_yet.stdout) == (1, "")
    auditor.sealtune("keys", "receive", str(grant))
    for name in after.keys() - before.keys():
        (path,) = (copied.vault / "sealed").glob(f"*/{name}")
        mine, theirs = (
            one.sealtune("unseal", str(path), "--out", "-").stdout for one in (copied, auditor)
        )
        assert mine == theirs
        assert mine.startswith('{"messages": [')
    for name in before:
        (path,) = (copied.vault / "sealed").glob(f"*/{name}")
        refused = auditor.sealtune("unseal", str(path), "--out", "-", check=False)
        assert (refused.returncode, refused.stdout) == (1, "")


# ── a failed check ──


def test_a_failed_check_stops_the_build_and_sealing_by_itself_is_refused_too(
    copied: WarmProject,
) -> None:
    before, ledger = sealed_state(copied), ledger_rows(copied)
    what = ("build", "-s", "transactions_drawn+")
    done = copied.dbt(*what, vars={"sample_per_class": 1}, check=False)
    assert done.returncode == 1
    assert "SKIP relation main.transactions_sealed" in done.stdout
    assert copied.query("select count(*) from vault.main.transactions_sampled") == [(8,)]
    failed = copied.query(
        'select expectation, "column" from vault.main.transactions_checked where not is_success'
    )
    assert ("expect_column_values_to_be_between", "n_train") in failed

    done = copied.dbt("run", "-s", "transactions_sealed", check=False)
    assert done.returncode == 1
    for expectation, column in failed:
        assert f"{expectation}({column})" in done.stdout
    assert "Traceback" not in done.stdout
    assert sealed_state(copied) == before
    assert ledger_rows(copied) == ledger


# ── dirty files ──


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a file in which every twentieth record is broken, and the list of those."""
    folder = tmp_path_factory.mktemp("dirty")
    file, truth = folder / "dirty.csv", folder / "truth.csv"
    generate_transactions(
        file, n_rows=3_000, seed=5, dirty_rate=0.05, truth_path=truth, n_workers=1
    )
    return file, truth


def broken_records(truth: Path) -> list[tuple[int, str]]:
    with truth.open(newline="") as file:
        return sorted((int(row["line_number"]), row["reason"]) for row in csv.DictReader(file))


def test_too_many_broken_records_stop_the_build_before_anything_is_made_of_them(
    copied: WarmProject, dirty: tuple[Path, Path]
) -> None:
    before, ledger = sealed_state(copied), ledger_rows(copied)
    file, truth = dirty
    broken = Counter(reason for _, reason in broken_records(truth))
    variables = {"transactions_csv": str(file)}
    done = copied.dbt("build", vars=variables, check=False)
    assert done.returncode == 1
    n_broken, n_read = broken.total(), 3_000 + broken.total()
    assert f"{n_broken} of {n_read} records were rejected" in done.stdout
    assert "more than max_reject_share (0.001) allows; most often " in done.stdout
    named = done.stdout.partition("most often ")[2].split()[0]
    assert broken[named] == max(broken.values())
    assert "See ingest_audit" in done.stdout
    assert "SKIP relation main.stg_transactions" in done.stdout
    audit = copied.query("select outcome, sum(n_rows) from vault.main.ingest_audit group by all")
    assert dict(audit) == {"read": n_read, "kept": 3_000, "rejected": n_broken}

    done = copied.dbt("run", "-s", "stg_transactions+", vars=variables, check=False)
    assert done.returncode == 1
    assert "expectations failed" in done.stdout
    assert "reject_share" in done.stdout
    assert sealed_state(copied) == before
    assert ledger_rows(copied) == ledger


def test_a_dirty_file_is_accounted_to_the_record_when_a_greater_share_is_allowed(
    copied: WarmProject, dirty: tuple[Path, Path]
) -> None:
    file, truth = dirty
    broken = broken_records(truth)
    variables = {
        "transactions_csv": str(file),
        "max_reject_share": 0.06,
        "sample_per_class": None,
    }
    copied.dbt("build", "-s", "+transactions_sampled", "ingest_audit", vars=variables)

    found = copied.query("""
        select line_number, reason from vault.main.transactions_ingested
        where outcome = 'rejected' order by all
    """)
    assert found == broken
    audit = copied.query("""
        select reason, n_rows from vault.main.ingest_audit where outcome = 'rejected'
    """)
    assert dict(audit) == Counter(reason for _, reason in broken)

    numbers = {number for number, _ in broken}
    lines = file.read_bytes().split(b"\n")
    good = [
        next(csv.reader([line.decode()]))
        for number, line in enumerate(lines, 1)
        if line.strip() and number > 1 and number not in numbers
    ]
    expected = Counter((row[0], row[2], row[6], float(row[7]), row[16]) for row in good)
    assert expected.total() == 3_000
    kept = copied.query("""
        select transaction_id, card_number, merchant, amount, device_fingerprint
        from vault.main.stg_transactions
    """)
    assert Counter(kept) == expected
    assert copied.query("select count(*) from vault.main.transactions_sampled") == [(3_000,)]


# ── files that hold nothing to build from ──


def test_a_file_with_a_header_only_fails_at_the_check_and_says_what_is_missing(
    copied: WarmProject, tmp_path: Path
) -> None:
    before, ledger = sealed_state(copied), ledger_rows(copied)
    (tmp_path / "header.csv").write_text(header() + "\n")
    variables = {"transactions_csv": str(tmp_path / "header.csv")}
    done = copied.dbt("build", vars=variables, check=False)
    assert done.returncode == 1
    assert "Failure in test accepted_values_transactions_checked_is_success" in done.stdout
    assert "Traceback" not in done.stdout
    done = copied.dbt("run", "-s", "transactions_sealed", vars=variables, check=False)
    assert done.returncode == 1
    assert "expectations failed: dataset.expect_column_values_to_be_between(n_train)" in done.stdout
    assert sealed_state(copied) == before
    assert ledger_rows(copied) == ledger


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty (0 bytes); expected a header line and records"),
        (
            header().replace("merchant,", "shop,", 1) + "\n",
            "1 of 24 columns are missing from the header: merchant;",
        ),
    ],
    ids=["empty", "without merchant"],
)
def test_a_file_that_is_no_such_table_is_refused_with_its_fault_named(
    copied: WarmProject, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "bad.csv").write_text(content)
    variables = {"transactions_csv": str(tmp_path / "bad.csv")}
    done = copied.dbt("run", "-s", "transactions_ingested", vars=variables, check=False)
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert "shop" not in done.stdout


# ── the vault ──


def test_missing_keys_stop_dbt_with_one_sentence(copied: WarmProject, tmp_path: Path) -> None:
    copied.keys.rename(tmp_path / "moved")
    done = copied.dbt("run", "-s", "ingest_audit", check=False)
    assert done.returncode == 2
    assert f"there are no keys in {copied.keys}" in done.stdout
    assert "Traceback" not in done.stdout
    assert not copied.keys.exists()


def test_keys_inside_the_project_stop_dbt_with_one_sentence(fresh: WarmProject) -> None:
    inside = {"SEALTUNE_KEYS_DIR": str(CHECKOUT / "conf")}
    done = fresh.dbt("run", "-s", "ingest_audit", env=inside, check=False)
    assert done.returncode == 2
    assert "lies inside the project" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (CHECKOUT / "conf").exists()
