"""The vault: encrypted, for one user and one process, with no way out over the network."""

import hmac
import os
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import duckdb_extension_httpfs
import pyarrow as pa
import pytest
from dbt_common.exceptions import DbtRuntimeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages import dbt_plugin, keys
from python_stages.errors import ConfigError, KeyFileError, VaultError
from python_stages.scrub import Finding, Rule
from python_stages.scrub.operators import Replacer
from python_stages.vault import WAREHOUSE, open_vault, register_functions

CANARY = "4111-canary-1111"
KEY = "ab" * 32


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(":memory:")) as connection:
        yield connection


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return the folder of a vault that holds the canary 10,000 times."""
    with closing(duckdb.connect(":memory:")) as connection:
        open_vault(connection, tmp_path / "vault", KEY)
        connection.execute(
            "create table vault.cards as select ? || i as card_number from range(10000) n(i)",
            [CANARY],
        )
    return tmp_path / "vault"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> keys.KeyRing:
    return keys.create(tmp_path_factory.mktemp("plugin") / "keys")


@pytest.fixture(scope="module")
def functions(ring: keys.KeyRing) -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(":memory:")) as connection:
        register_functions(connection, ring)
        yield connection


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ── at rest ──


def test_the_warehouse_shows_no_value_name_or_key(vault: Path) -> None:
    found = contents(vault)
    assert len(found) > 20_000
    for plain in (CANARY[:6], "card_number", "cards", KEY, bytes.fromhex(KEY).decode("latin-1")):
        assert plain.encode("latin-1") not in found


def test_the_warehouse_says_itself_that_it_is_encrypted(
    vault: Path, con: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(duckdb.CatalogException, match="Cannot open encrypted database"):
        con.execute(f"attach '{vault / WAREHOUSE}' as stolen")


def test_the_warehouse_opens_again_with_its_key(
    vault: Path, con: duckdb.DuckDBPyConnection
) -> None:
    open_vault(con, vault, KEY)
    assert con.execute("select count(*) from vault.cards").fetchall() == [(10_000,)]


def test_another_key_is_refused_with_what_to_do(
    vault: Path, con: duckdb.DuckDBPyConnection
) -> None:
    other = "cd" * 32
    with pytest.raises(
        VaultError, match=r"does not open with this key.*put back the keys"
    ) as error:
        open_vault(con, vault, other)
    assert other not in str(error.value)


def test_a_warehouse_without_encryption_is_refused(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    duckdb.connect(str(tmp_path / WAREHOUSE)).close()
    with pytest.raises(VaultError, match="does not open with this key"):
        open_vault(con, tmp_path, KEY)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_file_that_is_no_warehouse_is_refused_as_such(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, content: bytes
) -> None:
    (tmp_path / WAREHOUSE).write_bytes(content)
    with pytest.raises(VaultError, match="no readable warehouse"):
        open_vault(con, tmp_path, KEY)
    assert (tmp_path / WAREHOUSE).read_bytes() == content


def test_a_folder_that_others_can_look_into_is_refused_until_it_is_closed(
    vault: Path, con: duckdb.DuckDBPyConnection
) -> None:
    vault.chmod(0o750)
    (vault / WAREHOUSE).chmod(0o644)
    with pytest.raises(VaultError, match=r"others can look into .*run chmod 700"):
        open_vault(con, vault, KEY)
    assert mode(vault) == 0o750
    vault.chmod(0o700)
    open_vault(con, vault, KEY)
    assert mode(vault / WAREHOUSE) == 0o600


def test_a_new_warehouse_is_for_this_user_only_whatever_the_umask(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    before = os.umask(0)
    try:
        open_vault(con, tmp_path / "vault", KEY)
    finally:
        os.umask(before)
    assert mode(tmp_path / "vault") == 0o700
    assert mode(tmp_path / "vault" / WAREHOUSE) == 0o600


def spill(con: duckdb.DuckDBPyConnection) -> None:
    """Make DuckDB put a temporary table aside that does not fit into memory."""
    con.execute("set memory_limit = '30MB'; set threads = 1")
    con.execute(
        "create temp table spilled as select ? || i as text, hash(i)::varchar || hash(-i)::varchar "
        "as noise from range(1000000) n(i)",
        [CANARY],
    )


def test_what_does_not_fit_into_memory_is_encrypted_on_disk(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    open_vault(con, tmp_path / "vault", KEY)
    spill(con)
    found = contents(tmp_path / "vault" / "temp")
    assert len(found) > 1_000_000
    assert CANARY.encode() not in found


def test_without_the_vault_the_same_spill_is_readable(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    con.execute(f"set temp_directory = '{tmp_path}'")
    spill(con)
    assert CANARY.encode() in contents(tmp_path)


# ── one process ──

HOLD = """
import sys, duckdb
from pathlib import Path
from python_stages.vault import open_vault
con = duckdb.connect(":memory:")
open_vault(con, Path(sys.argv[1]), sys.argv[2])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_vault_held_by_another_process_is_named_as_such(
    vault: Path, con: duckdb.DuckDBPyConnection
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(vault), KEY],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(VaultError, match="held by another process; wait"):
            open_vault(con, vault, KEY)
        holder.communicate("")
    open_vault(con, vault, KEY)


# ── no network ──


@pytest.fixture
def requests_at() -> Iterator[tuple[int, list[str]]]:
    """Serve a CSV file for every path; yield the port and what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else b"a\n1\n")

        do_GET = do_HEAD = do_PUT = do_POST = _answer  # noqa: N815 - the names that it looks for

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


REMOTE = [
    "from read_csv('http://127.0.0.1:{port}/x.csv')",
    "from read_csv('s3://bucket/x.csv')",
    "from read_csv('r2://bucket/x.csv')",
    "copy (select 1) to 's3://bucket/x.csv'",
    "attach 'http://127.0.0.1:{port}/x.duckdb' as remote",
]


def point_s3_at(con: duckdb.DuckDBPyConnection, port: int) -> None:
    con.execute(f"set s3_endpoint = '127.0.0.1:{port}'; set s3_url_style = 'path'")
    con.execute("set s3_use_ssl = false; set http_retries = 0")


@pytest.mark.parametrize("sql", REMOTE)
def test_sql_reaches_no_server(
    tmp_path: Path,
    con: duckdb.DuckDBPyConnection,
    requests_at: tuple[int, list[str]],
    sql: str,
) -> None:
    port, asked = requests_at
    open_vault(con, tmp_path, KEY)
    point_s3_at(con, port)
    with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
        con.execute(sql.format(port=port))
    assert asked == []


@pytest.mark.parametrize("sql", REMOTE)
def test_the_same_sql_would_reach_a_server_without_the_vault(
    con: duckdb.DuckDBPyConnection, requests_at: tuple[int, list[str]], sql: str
) -> None:
    port, asked = requests_at
    (extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    con.execute(f"load '{extension}'")
    point_s3_at(con, port)
    with suppress(duckdb.Error):  # the server is none of S3's; what counts is that it was asked
        con.execute(sql.format(port=port))
    assert asked != []


def test_no_remote_file_system_is_left_and_none_can_be_switched_on_again(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    open_vault(con, tmp_path, KEY)
    found = set(con.list_filesystems())
    assert found == {"HTTPFileSystem", "S3FileSystem", "HuggingFaceFileSystem"}
    for url in ("http://127.0.0.1:9/x", "s3://a/b", "hf://datasets/a/b/c"):
        with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
            con.execute("from read_csv(?)", [url])
    with pytest.raises(duckdb.InvalidInputException, match="cannot be re-enabled"):
        con.execute("set disabled_filesystems = ''")


# ── keys ──


@pytest.fixture
def keys_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_first_use_makes_keys_for_this_user_only(keys_dir: Path, tmp_path: Path) -> None:
    ring = dbt_plugin.open_keys(tmp_path / "vault" / WAREHOUSE)
    assert ring.folder == keys_dir
    assert mode(keys_dir) == 0o700
    files = [path for path in keys_dir.rglob("*") if path.is_file()]
    assert len(files) == 6
    assert {mode(path) for path in files} == {0o600}


def test_second_use_finds_the_same_keys(keys_dir: Path, tmp_path: Path) -> None:
    first, second = (dbt_plugin.open_keys(tmp_path / WAREHOUSE).vault_key() for _ in range(2))
    assert first == second
    assert keys_dir.is_dir()


def test_missing_keys_are_not_made_anew_where_there_is_a_warehouse(
    keys_dir: Path, vault: Path
) -> None:
    with pytest.raises(
        KeyFileError, match=r"no keys in .* but .* was made with some; put them back"
    ):
        dbt_plugin.open_keys(vault / WAREHOUSE)
    assert not keys_dir.exists()


@pytest.mark.parametrize("name", ["", "vault.key", "signing.key", "recipients"])
def test_keys_open_to_the_group_are_refused(keys_dir: Path, vault: Path, name: str) -> None:
    keys.create(keys_dir)
    (keys_dir / name).chmod(mode(keys_dir / name) | stat.S_IRGRP)
    with pytest.raises(KeyFileError, match="open to other users: run `chmod"):
        dbt_plugin.open_keys(vault / WAREHOUSE)


def test_keys_inside_the_project_are_neither_made_nor_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", "conf/keys")
    with pytest.raises(KeyFileError, match="inside the project"):
        dbt_plugin.open_keys(tmp_path / WAREHOUSE)
    assert not (tmp_path / "conf").exists()
    keys.create(tmp_path / "conf" / "keys")
    with pytest.raises(KeyFileError, match="inside the project"):
        dbt_plugin.open_keys(tmp_path / WAREHOUSE)


# ── keyed_hmac ──


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.sampled_from(["a.example", "b.split", ""]),
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_keyed_hmac_is_hmac_sha256_under_the_key_of_the_purpose(
    functions: duckdb.DuckDBPyConnection,
    ring: keys.KeyRing,
    rows: list[tuple[str | None, str | None]],
) -> None:
    purposes, texts = zip(*rows, strict=True)
    table = pa.table({"p": pa.array(purposes, pa.string()), "t": pa.array(texts, pa.string())})
    found = functions.from_arrow(table).project("keyed_hmac(p, t)").fetchall()
    assert found == [
        (
            None
            if purpose is None or text is None
            else hmac.new(ring.hmac_key(purpose), text.encode(), "sha256").hexdigest(),
        )
        for purpose, text in rows
    ]


def test_keyed_hmac_of_one_text_differs_by_purpose_and_by_key(
    functions: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    sql = "select keyed_hmac('a', 'x'), keyed_hmac('b', 'x')"
    with closing(duckdb.connect(":memory:")) as other:
        register_functions(other, keys.create(tmp_path / "keys"))
        rows = [*functions.execute(sql).fetchall(), *other.execute(sql).fetchall()]
    assert len({digest for row in rows for digest in row}) == 4


def test_keyed_hmac_is_the_same_over_many_rows_and_threads(
    functions: duckdb.DuckDBPyConnection,
) -> None:
    found = functions.execute("""
        select count(*), count(distinct digest), count(*) filter (length(digest) = 64)
        from (select keyed_hmac('a', (i % 5000)::varchar) as digest from range(200000) n(i))
    """).fetchall()
    assert found == [(200_000, 5_000, 200_000)]


# ── pseudonymise ──


def test_pseudonymise_gives_the_tags_of_the_scrub_stage(
    functions: duckdb.DuckDBPyConnection, ring: keys.KeyRing
) -> None:
    key = ring.hmac_key("orders.pseudonym")
    replaced, _ = Replacer(key, "orders").replace(
        "Alice Smith", [Finding("PERSON", 0, 11, 1.0)], Rule({"PERSON": "pseudonym"})
    )
    assert functions.execute("""
        select pseudonymise('orders', 'PERSON', name)
        from (values ('ALICE  smith'), (null)) as people(name)
    """).fetchall() == [(replaced,), (None,)]


@pytest.mark.parametrize("n_rows", [1, 2_000_000])
@pytest.mark.parametrize("text", ["CANARY-4711", "ConfigError: CANARY-4711"])
def test_a_failing_cast_quotes_no_cell_wherever_it_fails(n_rows: int, text: str) -> None:
    sql = "select case when i = ? - 1 then ? else '1' end::integer from range(?) as rows(i)"
    with duckdb.connect() as con:
        cursor = dbt_plugin.ValueFreeCursor(con)  # type: ignore[no-untyped-call]  # dbt-duckdb
        with pytest.raises(DbtRuntimeError, match="message may hold data") as caught:
            cursor.execute(sql, [n_rows, text, n_rows]).fetchall()
    assert "CANARY" not in str(caught.value)


# ── Python models ──


def test_a_stage_that_fails_in_its_stream_is_told_as_well_as_one_that_fails_before(
    con: duckdb.DuckDBPyConnection,
) -> None:
    code = """
import pyarrow as pa
from python_stages.dbt_models import _stream
from python_stages.errors import ConfigError
class dbtObj:
    def __init__(self, error): self.error = error
def model(dbt, session):
    def batches():
        yield pa.record_batch({"a": ["x"]})
        raise dbt.error
    stream = _stream(pa.schema([("a", pa.string())]), batches(), "demo")
    session.execute("create table streamed as from stream")
"""
    for error, said in (
        (ConfigError("no column departement; name it"), "no column departement; name it"),
        (ValueError(CANARY), "the demo stage failed with ValueError; its message may hold data"),
    ):
        with pytest.raises(DbtRuntimeError, match=said) as caught:
            dbt_plugin.run_python_job(con, error, "demo", code, None)
        assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("from python_stages.errors import SourceError; raise SourceError('no file')", "no file"),
        ("dbt.con.sql('select absent from range(1)')", 'BinderException: .*"absent" not found'),
        ("absent", "NameError: name 'absent' is not defined"),
        (f"dbt.con.sql(\"select '{CANARY}'::int\").fetchall()", "DuckDB stopped with Conversion"),
        (f"raise ValueError('{CANARY}')", "the model stopped with ValueError"),
    ],
)
def test_a_python_model_that_fails_says_so_in_a_sentence_without_a_value(
    con: duckdb.DuckDBPyConnection, body: str, said: str
) -> None:
    code = (
        "class dbtObj:\n    def __init__(self, con): self.con = con\n"
        f"def model(dbt, session): {body}\n"
    )
    with pytest.raises(DbtRuntimeError, match=said) as caught:
        dbt_plugin.run_python_job(con, con, "demo", code, None)
    assert "Traceback" not in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
