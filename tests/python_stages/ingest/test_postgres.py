"""Claims about a PostgreSQL table as a source, against a real server."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pyarrow as pa
import pyarrow.csv as pc
import pytest
import yaml

from python_stages.errors import SourceError, VaultError
from python_stages.ingest import accounting as ingest
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.postgres import read_table
from python_stages.ingest.scans import identifier
from python_stages.ingest.sources import open_source
from python_stages.vault import open_vault
from tests.postgres import PASSWORD, Postgres, serving

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "sample_data" / "transactions.csv"
CANARY = "canary4242"
N_ROWS = 2000  # of the sample
MASKED_FILES = MaskedFileSystem()
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with serving() as running:
        texts = pc.read_csv(SAMPLE).schema.names
        options = pc.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
        running.write("transactions", pc.read_csv(SAMPLE, convert_options=options))
        yield running


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(tmp_path / "vault") as con:
        yield con


@contextmanager
def opened(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(config={"threads": 2})) as con:
        open_vault(con, folder, "ab" * 32)
        con.register_filesystem(MASKED_FILES)
        yield con


def account(
    con: duckdb.DuckDBPyConnection, location: str, columns: dict[str, Any]
) -> tuple[list[dict[str, Any]], Rows]:
    """Return what became of the records, and the kept ones."""
    config = {"location": location, "columns": columns}
    spec = ingest.IngestSpec.from_config("test", config)
    table = ingest.account(con, spec, bytes(32), MASKED_FILES).read_all()
    con.register("ingested", table)
    sql = ingest.kept_sql(con, "test", location, "ingested", spec.config_hash, MASKED_FILES)
    names = ", ".join(map(identifier, columns))
    kept = con.execute(f"select {names} from ({sql}) order by all").fetchall()  # noqa: S608 - ours
    return table.to_pylist(), kept


def outcomes(rows: list[dict[str, Any]]) -> list[tuple[str, str | None, int]]:
    return [(row["outcome"], row["reason"], row["line_number"] or row["n_rows"]) for row in rows]


def test_the_rows_of_a_table_are_those_of_the_same_file(
    server: Postgres, vault: duckdb.DuckDBPyConnection
) -> None:
    models = yaml.safe_load((ROOT / "models/transactions/_transactions__models.yml").read_text())
    rules = models["models"][0]["config"]["meta"]["ingest"]["columns"]
    assert len(rules) == 24
    of_table, from_table = account(vault, server.location("transactions"), rules)
    of_file, from_file = account(vault, str(SAMPLE), rules)
    assert from_table == from_file
    assert outcomes(of_table) == outcomes(of_file)
    assert of_table[0]["file_path"].endswith("/postgres/public.transactions")


def test_cells_of_every_type_are_judged_by_the_same_rules(
    server: Postgres, vault: duckdb.DuckDBPyConnection
) -> None:
    server.execute(
        """
        create table typed (
            id int primary key, amount numeric(10, 2), ratio double precision, is_new boolean,
            at timestamptz, tags text[], doc jsonb, pad char(5), "Über Name" text
        )
        """,
        """
        insert into typed values
            (3, 1.50, 0.1, true, '2024-10-09 23:06:08+02', '{a,b}', '{"k": [1]}', 'x', 'ü'),
            (1, 'NaN', 'inf', null, 'infinity', null, 'null', '', ''),
            (2, -1, 1e300, false, '2024-01-01 00:00:00.5Z', '{}', '7', 'yy', E'a\\nb')
        """,
    )
    columns = {
        "id": {"type": "bigint"},
        "amount": {"type": "double", "min": 0},
        "ratio": {"type": "double"},
        "is_new": {"type": "boolean"},
        "at": {"type": "timestamptz"},
        "tags": {},
        "doc": {},
        "pad": {},
        "Über Name": {},
    }
    rows, kept = account(vault, server.location("typed"), columns)
    assert outcomes(rows) == [
        ("read", None, 3),
        ("kept", None, 1),
        ("rejected", "amount_invalid", 1),  # by the order of the primary key
        ("rejected", "amount_below_min", 2),
    ]
    cells = ("3", "1.50", "0.1", "true", "2024-10-09 21:06:08+00", '["a","b"]')
    assert kept == [(*cells, '{"k": [1]}', "x", "ü")]


def test_a_null_is_a_missing_cell(server: Postgres, vault: duckdb.DuckDBPyConnection) -> None:
    server.execute(
        "create table holes (id int, note text)",
        "insert into holes values (1, null), (2, ''), (3, 'x'), (null, 'y')",
    )
    required = {"id": {}, "note": {"is_required": False}}
    rows, kept = account(vault, server.location("holes"), required)
    assert outcomes(rows)[2:] == [("rejected", "id_missing", 4)]
    assert kept == [("1", None), ("2", ""), ("3", "x")]


def test_rows_are_counted_and_read_in_one_moment_and_nothing_is_written(server: Postgres) -> None:
    server.execute(
        "create table busy as select n as id from generate_series(1, 50000) as s (n)",
        "create view mood as select current_setting('transaction_isolation') as isolation, "
        "current_setting('transaction_read_only') as is_read_only",
    )
    with read_table(server.location("busy")) as rows:
        server.execute("delete from busy where id % 2 = 0", "insert into busy values (0)")
        assert rows.reader.read_all().num_rows == rows.n_rows == 50_000
    with read_table(server.location("mood")) as rows:
        assert rows.reader.read_all().to_pylist() == [
            {"isolation": "repeatable read", "is_read_only": "on"}
        ]


def test_a_process_sees_one_state_and_the_next_one_whether_it_is_still_that(
    server: Postgres, tmp_path: Path
) -> None:
    server.execute("create table moving (id int)", "insert into moving values (1), (2), (3)")
    location = server.location("moving")
    with opened(tmp_path / "vault") as con:
        before, kept = account(con, location, {"id": {}})
        server.execute("insert into moving values (4)")
        assert account(con, location, {"id": {}}) == (before, kept)
    spec = ingest.IngestSpec.from_config("test", {"location": location, "columns": {"id": {}}})
    with opened(tmp_path / "vault") as con:
        con.register("ingested", pa.Table.from_pylist(before, ingest.INGESTED_SCHEMA))
        with pytest.raises(SourceError, match="changed since the records were judged"):
            ingest.kept_sql(con, "test", location, "ingested", spec.config_hash, MASKED_FILES)
        server.execute("delete from moving where id = 4")
    with opened(tmp_path / "vault") as con:
        assert account(con, location, {"id": {}}) == (before, kept)


def test_where_rows_lie_in_the_table_does_not_matter(server: Postgres, tmp_path: Path) -> None:
    server.execute(
        "create table keyed (id int primary key, note text)",
        "insert into keyed values (3, 'c'), (1, ''), (2, 'b'), (4, 'b'), (5, '')",
    )
    columns: dict[str, Any] = {"id": {}, "note": {}}
    with opened(tmp_path / "vault") as con:
        before = account(con, server.location("keyed"), columns)
    server.execute("update keyed set note = note where id < 3")  # which moves them to the end
    with opened(tmp_path / "vault") as con:
        assert account(con, server.location("keyed"), columns) == before


def test_the_copy_is_for_nobody_to_read_and_ends_with_the_process(
    server: Postgres, tmp_path: Path
) -> None:
    server.execute(
        "create table private (note text)",
        "insert into private select 'canary4242' || n from generate_series(1, 20000) as s (n)",
    )
    program = (
        "import sys, duckdb\n"
        "from pathlib import Path\n"
        "from python_stages.vault import open_vault\n"
        "from python_stages.ingest.sources import open_source\n"
        "con = duckdb.connect()\n"
        "folder = Path(sys.argv[1])\n"
        "open_vault(con, folder, 'ab' * 32)\n"
        "assert open_source(con, sys.argv[2])[0].n_rows == 20000\n"
        "con.execute('checkpoint sealtune_tables')\n"
        "kept = [path for path in (folder / 'temp').iterdir() if path.stat().st_size > 1000]\n"
        "assert kept and all(path.stat().st_mode & 0o077 == 0 for path in kept)\n"
        f"assert not any(b'{CANARY}' in path.read_bytes() for path in kept)\n"
    )
    location = server.location("private")
    command = [sys.executable, "-c", program, str(tmp_path / "vault"), location]
    subprocess.run(command, check=True, cwd=ROOT)
    assert not list((tmp_path / "vault" / "temp").glob("*"))


def test_no_copy_is_made_outside_of_a_vault(server: Postgres) -> None:
    with duckdb.connect() as con, pytest.raises(VaultError, match="only where temporary files"):
        open_source(con, server.location("transactions"))


def test_columns_that_the_user_may_not_read_are_not_there(
    server: Postgres, vault: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.execute(
        "create table half (id int, secret text)",
        "create role reader login password 'other'",
        "grant select (id) on half to reader",
        "create table closed (id int)",
    )
    monkeypatch.setenv("PGPASSWORD", "other")
    (file,) = open_source(vault, server.location("half", user="reader"))
    assert file.columns == ("id",)
    with pytest.raises(SourceError, match="no column that this user may read"):
        open_source(vault, server.location("closed", user="reader"))


def test_the_password_comes_from_the_environment_or_pgpass_and_from_nowhere_else(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = server.location("transactions")
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(SourceError, match="asks for a password; set PGPASSWORD"):
        read(location)
    monkeypatch.setenv("PGPASSWORD", CANARY)
    with pytest.raises(SourceError, match="did not accept user or password") as error:
        read(location)
    assert CANARY not in str(error.value)
    monkeypatch.delenv("PGPASSWORD")
    pgpass = tmp_path / ".pgpass"
    pgpass.write_text(f"127.0.0.1:{server.port}:*:postgres:{PASSWORD}\n", "utf-8")
    pgpass.chmod(0o600)
    assert read(location) == N_ROWS
    for with_password in (
        location.replace("postgres@", f"postgres:{CANARY}@"),
        f"{location}&password={CANARY}",
        f"{location}&sslpassword={CANARY}",
    ):
        with pytest.raises(SourceError, match="a location holds no password") as error:
            read(with_password)
        assert CANARY not in str(error.value)


def read(location: str) -> int:
    with read_table(location) as rows:
        return rows.n_rows


@pytest.mark.parametrize("sign", "/?#")
@pytest.mark.parametrize("host", ["db.example", "db.example:5432"])
def test_a_password_that_tears_the_location_is_not_told_in_part(sign: str, host: str) -> None:
    for begin in (CANARY, "4711"):
        location = f"postgresql://reader:{begin}{sign}rest@{host}/shop?table=t"
        with pytest.raises(SourceError, match="without a password") as error:
            read(location)
        assert begin not in str(error.value)


def test_another_machine_is_talked_to_through_tls_or_on_request_only(server: Postgres) -> None:
    with pytest.raises(SourceError, match="it offers no TLS; sslmode=disable"):
        read(server.location("transactions", host="127.0.0.2"))
    assert read(server.location("transactions", host="127.0.0.2", sslmode="disable")) == N_ROWS
    with pytest.raises(SourceError, match="it offers no TLS"):
        read(server.location("transactions", sslmode="verify-full"))
    with pytest.raises(SourceError, match="it offers no TLS"):
        read(server.location("transactions", host="127.0.0.1,127.0.0.2"))


def test_a_socket_is_a_place_too(server: Postgres) -> None:
    said = f"host={server.sockets}&port={server.port}&user=postgres&table=transactions"
    assert read(f"postgres:///postgres?{said}") == N_ROWS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": "no_such"}, "there is no table no_such at 127.0.0.1, spelt"),
        ({"table": "a.b.c.d"}, "did not hand out"),
        ({"table": '"Transactions"'}, "there is no table"),
        ({"table": ""}, "the location of a table is postgresql://USER@HOST"),
        ({"table": "transactions", "nonsense": "1"}, "the location is not postgresql://USER@HOST"),
        ({"table": "transactions", "user": "no_such"}, "did not accept user or password"),
        ({"table": "transactions", "host": "no-such.invalid"}, "there is no such host"),
        ({"table": "transactions", "port": "1"}, "is it there"),
    ],
)
def test_what_is_wrong_with_a_location_is_said(
    server: Postgres, change: dict[str, str], message: str
) -> None:
    said = {"host": "127.0.0.1", "user": "postgres", "port": str(server.port), **change}
    with pytest.raises(SourceError, match=message):
        read(f"postgresql:///postgres?{urlencode(said)}")


def test_a_table_of_unknown_encoding_is_refused(server: Postgres) -> None:
    server.execute("create database legacy encoding 'SQL_ASCII' locale 'C' template template0")
    with pytest.raises(SourceError, match="encoding SQL_ASCII"):
        read(server.location("pg_catalog.pg_class").replace("/postgres?", "/legacy?"))


def test_without_the_extra_the_error_names_it() -> None:
    program = (
        "import sys\n"
        "sys.modules['adbc_driver_postgresql'] = None\n"
        "from python_stages.ingest.postgres import read_table\n"
        "with read_table('postgresql://localhost/d?table=t'): pass\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "SourceError: reading from PostgreSQL needs the extra `postgres`" in run.stderr
