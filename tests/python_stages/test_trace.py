"""Whose rows went where: found for every build that was sealed, and told to nobody else."""

import json
import random
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from python_stages import keys, seal, trace
from python_stages.cli.main import app
from python_stages.errors import StageError, VaultError
from python_stages.keys import KeyRing
from python_stages.trace import Build
from python_stages.vault import register_functions

PEOPLE = [f"CUST_{number:05d}" for number in range(40)]
RELATION = '"memory"."main"."demo_sealed"'


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source, and where it went."""

    person: str | None
    merchant: str
    split: str
    is_sampled: bool = True
    is_readable: bool = True


def rows_of(seed: int, n_rows: int = 300) -> list[Row]:
    chance = random.Random(seed)
    return [
        Row(
            chance.choice(PEOPLE),
            f"merchant {number}",
            chance.choice(["train", "train", "validation"]),
            is_sampled=chance.random() < 0.4,
            is_readable=chance.random() < 0.9,
        )
        for number in range(n_rows)
    ]


def messages(row: Row) -> str:
    return json.dumps(
        [{"role": "user", "content": row.merchant}, {"role": "assistant", "content": "Grocery"}]
    )


def load(con: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    """Make the relations of a dataset as the models make them."""
    sampled = [(n, row) for n, row in enumerate(rows) if row.is_sampled]
    con.execute("create or replace table demo_drawn (row_id varchar, subject_hmac varchar)")
    con.execute(
        "create or replace table demo_scrubbed (row_id varchar, system_text varchar, "
        "user_text varchar, assistant_text varchar)"
    )
    con.execute("create or replace table demo_examples (split varchar, messages varchar)")
    fill(con, "demo_drawn", [(f"row{n}", row.person) for n, row in sampled])
    con.execute("update demo_drawn set subject_hmac = keyed_hmac('demo.subject', subject_hmac)")
    fill(con, "demo_scrubbed", [(f"row{n}", None, row.merchant, "Grocery") for n, row in sampled])
    told = {(row.split, messages(row)) for _, row in sampled if row.is_readable}
    fill(con, "demo_examples", sorted(told))


def fill(con: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[object, ...]]) -> None:
    if rows:
        places = ", ".join("?" for _ in rows[0])
        con.executemany(f"insert into {table} values ({places})", rows)  # noqa: S608 - a test's name


def expected(rows: list[Row], person: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        if row.person == person and row.is_sampled and row.is_readable:
            counts[row.split] = counts.get(row.split, 0) + 1
    return counts


def build(number: int, files: Mapping[str, str] | None = None) -> Build:
    fingerprint = f"{number:064x}"
    return Build("demo", fingerprint, files or {"train": fingerprint, "validation": "f" * 64})


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def warehouse(con: duckdb.DuckDBPyConnection, ring: KeyRing) -> duckdb.DuckDBPyConnection:
    register_functions(con, ring)
    return con


def test_every_person_is_found_where_their_rows_are_and_nowhere_else(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    builds = {number: rows_of(number) for number in (1, 2)}
    for number, rows in builds.items():
        load(warehouse, rows)
        n_people = trace.record(warehouse, RELATION, build(number), "subject_hmac", vault=vault)
        assert n_people == sum(bool(expected(rows, person)) for person in PEOPLE)
    n_found = 0
    for person in [*PEOPLE, "CUST_99999", "CUST_0000", "cust_00001"]:
        found = {
            int(one.dataset_fingerprint, 16): dict(one.rows)
            for one in trace.find(person, ring, vault=vault)
        }
        truth = {number: expected(rows, person) for number, rows in builds.items()}
        assert found == {number: counts for number, counts in truth.items() if counts}
        n_found += len(found)
    assert n_found > 60


def test_an_older_build_is_still_traced_when_its_rows_are_gone(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    load(warehouse, [Row("CUST_00001", "a", "train")])
    trace.record(warehouse, RELATION, build(1), "subject_hmac", vault=vault)
    load(warehouse, [Row("CUST_00002", "b", "train")])
    trace.record(warehouse, RELATION, build(2), "subject_hmac", vault=vault)
    (one,) = trace.find("CUST_00001", ring, vault=vault)
    assert one.dataset_fingerprint == build(1).fingerprint


def test_a_build_that_is_known_is_not_searched_again(
    warehouse: duckdb.DuckDBPyConnection, vault: Path
) -> None:
    load(warehouse, rows_of(1))
    assert trace.record(warehouse, RELATION, build(1), "subject_hmac", vault=vault)
    before = (vault / trace.INDEX).read_bytes()
    warehouse.execute("drop table demo_drawn")
    assert trace.record(warehouse, RELATION, build(1), "subject_hmac", vault=vault) == 0
    assert (vault / trace.INDEX).read_bytes() == before


def test_files_are_named_only_for_the_splits_that_hold_the_person(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    load(warehouse, [Row("CUST_00001", "a", "train"), Row("CUST_00002", "b", "validation")])
    files = {"train": "1" * 64, "validation": "2" * 64}
    trace.record(warehouse, RELATION, build(1, files), "subject_hmac", vault=vault)
    (one,) = trace.find("CUST_00001", ring, vault=vault)
    (two,) = trace.find("CUST_00002", ring, vault=vault)
    assert one.files == (f"demo/train-{'1' * 64}.sealed",)
    assert two.files == (f"demo/validation-{'2' * 64}.sealed",)


def test_a_row_of_nobody_is_no_error(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    load(warehouse, [Row(None, "a", "train"), Row("CUST_00001", "b", "train")])
    assert trace.record(warehouse, RELATION, build(1), "subject_hmac", vault=vault) == 1
    assert trace.find("CUST_00001", ring, vault=vault)


def test_people_whose_rows_read_alike_are_both_found(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    load(warehouse, [Row("CUST_00001", "a", "train"), Row("CUST_00002", "a", "train")])
    trace.record(warehouse, RELATION, build(1), "subject_hmac", vault=vault)
    assert trace.find("CUST_00001", ring, vault=vault)
    assert trace.find("CUST_00002", ring, vault=vault)


def test_an_example_that_comes_from_no_drawn_row_stops_the_seal(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    load(warehouse, [Row("CUST_00001", "a", "train")])
    warehouse.execute("delete from demo_drawn")
    with pytest.raises(StageError, match=r"1 example\(s\) of demo come from no drawn row"):
        trace.record(warehouse, RELATION, build(1), "subject_hmac", vault=vault)
    assert trace.find("CUST_00001", ring, vault=vault) == ()
    assert trace.known(vault=vault).datasets == frozenset()


@pytest.mark.parametrize("column", ["", 'customer_id" or true --', "customer id", "1=1"])
def test_a_subject_that_is_no_column_name_is_refused(
    column: str, warehouse: duckdb.DuckDBPyConnection, vault: Path
) -> None:
    with pytest.raises(StageError, match="must be the name of a column"):
        trace.record(warehouse, RELATION, build(1), column, vault=vault)


# ── what the index tells ──


def test_the_index_holds_no_value_and_no_hash_that_two_builds_share(
    warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path
) -> None:
    load(warehouse, rows_of(1))
    for number in (1, 2):
        trace.record(warehouse, RELATION, build(number), "subject_hmac", vault=vault)
    content = (vault / trace.INDEX).read_bytes()
    key = ring.hmac_key(trace.purpose("demo"))
    for person in PEOPLE:
        assert person.encode() not in content
        assert seal.fingerprint_lines([person.encode()], key).encode() not in content
    with sqlite3.connect(vault / trace.INDEX) as index:
        query = "select distinct tag, dataset_fingerprint from subjects"
        tags = [tag for tag, _ in index.execute(query)]
    index.close()
    assert len(tags) == len(set(tags)) > len(PEOPLE)
    assert (vault / trace.INDEX).stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def two_rings(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeyRing, KeyRing]:
    root = tmp_path_factory.mktemp("rings")
    return keys.create(root / "mine"), keys.create(root / "other")


@settings(max_examples=10)
@given(value=st.text(min_size=1, max_size=20))
def test_another_key_finds_nobody(value: str, two_rings: tuple[KeyRing, KeyRing]) -> None:
    mine, other = two_rings
    with TemporaryDirectory() as folder, duckdb.connect(":memory:") as con:
        vault = Path(folder)
        register_functions(con, mine)
        load(con, [Row(value, "a", "train")])
        trace.record(con, RELATION, build(1), "subject_hmac", vault=vault)
        assert trace.find(value, mine, vault=vault)
        assert trace.find(value, other, vault=vault) == ()


def test_an_index_that_is_none_is_refused(ring: KeyRing, vault: Path) -> None:
    vault.mkdir()
    (vault / trace.INDEX).write_bytes(b"no database at all" * 100)
    with pytest.raises(VaultError, match="cannot be used"):
        trace.find("CUST_00001", ring, vault=vault)


# ── the command line ──


def run(ring: KeyRing, vault: Path, *args: str, text: str | None = None) -> Result:
    env = {"SEALTUNE_KEYS_DIR": str(ring.folder), "SEALTUNE_VAULT_DIR": str(vault)}
    return CliRunner(env=env).invoke(app, ["trace", *args], input=text)


@pytest.fixture
def sealed(warehouse: duckdb.DuckDBPyConnection, ring: KeyRing, vault: Path) -> seal.SealedFile:
    """A sealed file whose people are recorded."""
    made = do_seal(vault, ring, "recorded")
    load(warehouse, [Row("CUST_00001", "a", "train"), Row("CUST_00001", "b", "train")])
    files = {"train": made.manifest.fingerprint}
    trace.record(warehouse, RELATION, build(1, files), "subject_hmac", vault=vault)
    return made


def do_seal(vault: Path, ring: KeyRing, text: str) -> seal.SealedFile:
    return seal.seal(
        [text.encode()],
        dataset="demo",
        split="train",
        suite_hash="0" * 64,
        folder=vault / "sealed",
        keys=ring,
        expected_fingerprint=None,
    )


def test_trace_tells_datasets_and_files_and_not_the_value(
    sealed: seal.SealedFile, ring: KeyRing, vault: Path
) -> None:
    told = run(ring, vault, "--subject", "-", text="CUST_00001\n")
    assert told.exit_code == 0
    assert told.stdout.startswith("demo  sealed 20")
    assert "2 row(s) in train" in told.stdout
    assert f"sealed file  demo/{sealed.path.name}\n" in told.stdout
    assert told.stderr == ""
    assert "CUST_00001" not in told.output
    sealed.path.unlink()
    assert "(no longer here)" in run(ring, vault, "--subject", "-", text="CUST_00001").stdout


def test_trace_says_of_which_files_it_cannot_tell(
    sealed: seal.SealedFile, ring: KeyRing, vault: Path
) -> None:
    unrecorded = do_seal(vault, ring, "unrecorded").path
    told = run(ring, vault, "--subject", "-", text="CUST_00002\n")
    assert told.stdout == "no recorded dataset holds rows of this person\n"
    assert told.stderr.startswith(f"cannot say for demo/{unrecorded.name}: ")
    assert sealed.path.name not in told.stderr


def test_a_value_among_the_arguments_is_refused_and_not_repeated(
    ring: KeyRing, vault: Path
) -> None:
    refused = run(ring, vault, "--subject", "CUST_00001")
    assert refused.exit_code == 1
    assert "write --subject -" in refused.stderr
    assert "CUST_00001" not in refused.output


def test_no_value_at_all_is_refused(ring: KeyRing, vault: Path) -> None:
    refused = run(ring, vault, "--subject", "-", text="\n")
    assert refused.exit_code == 1
    assert "no value on stdin" in refused.stderr
