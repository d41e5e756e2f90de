"""Claims about the account of a source: read = kept + rejected, and nothing else is kept."""

import csv
import datetime as dt
import gzip
import hmac
import itertools
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.check.contract import inspect
from python_stages.errors import ConfigError, SourceError
from python_stages.generate import generate_transactions
from python_stages.ingest import accounting as ingest
from python_stages.ingest.column_rules import ColumnRule
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.sources import open_location

KEY = bytes(32)
ROOT = Path(__file__).parents[3]
COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"is_clean": True},
    "category": {"accepted_values": ["Gas", "Retail"]},
    "amount": {"type": "double", "min": 0.01, "max": 1000},
    "at": {"type": "timestamptz", "min": "2000-01-01", "max": "2100-01-01"},
    "note": {"is_required": False, "type": "bigint"},
}
HEADER = ",".join(COLUMNS)
GOOD = "x{},Gas,12.5,2024-10-09 23:06:08+00:00,7"
BAD_CELLS = {
    ",Gas,12.5,2024-10-09,7": "id_missing",
    '"",Gas,12.5,2024-10-09,7': "id_missing",
    "y\x1b,Gas,12.5,2024-10-09,7": "id_damaged",
    "y\ufffd,,12.5,2024-10-09,7": "id_damaged",
    "y,,12.5,2024-10-09,7": "category_missing",
    "y,Casino,12.5,2024-10-09,7": "category_unknown",
    "y,Casino,nope,2024-10-09,7": "category_unknown",
    "y,Gas,,2024-10-09,7": "amount_missing",
    "y,Gas,12.5x,2024-10-09,7": "amount_invalid",
    "y,Gas,nan,2024-10-09,7": "amount_invalid",
    "y,Gas,-inf,2024-10-09,7": "amount_invalid",
    "y,Gas,-5,2024-10-09,7": "amount_below_min",
    "y,Gas,1e9,2024-10-09,7": "amount_above_max",
    "y,Gas,12.5,,7": "at_missing",
    "y,Gas,12.5,2024-13-45,7": "at_invalid",
    "y,Gas,12.5,infinity,7": "at_invalid",
    "y,Gas,12.5,1970-01-01,7": "at_below_min",
    "y,Gas,12.5,2999-01-01,7": "at_above_max",
    "y,Gas,12.5,2024-10-09,seven": "note_invalid",
    "y,Gas,nope,,seven": "amount_invalid",
}
BROKEN_LINES = {
    b'y,Gas,"12.5,2024-10-09,7': "unterminated_quote",
    b'y,"Gas"s,12.5,2024-10-09,7': "unterminated_quote",
    b"y,Gas,12.5,2024-10-09": "missing_columns",
    b"   ": "missing_columns",
    b"y,Gas,12.5,2024-10-09,7,8": "too_many_columns",
    b"y\xff,Gas,12.5,2024-10-09,7": "invalid_encoding",
    b"y\0,Gas,12.5,2024-10-09,7": "nul_byte",
    b"y\r,Gas,12.5,2024-10-09,7": "stray_carriage_return",
    b'"y\r",Gas,12.5,2024-10-09,7': "stray_carriage_return",
}
BAD_LINES = {**{line.encode(): why for line, why in BAD_CELLS.items()}, **BROKEN_LINES}


class Account:
    """What became of the records of a location, and the kept ones as DuckDB scans them."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        masked_files: MaskedFileSystem,
        spec: ingest.IngestSpec,
    ) -> None:
        self._con, self._masked_files, self._spec = con, masked_files, spec
        self.table = ingest.account(con, spec, KEY, masked_files).read_all()
        self.rows = self.table.to_pylist()

    def n_rows(self, outcome: str) -> int:
        """Return how many records have the outcome."""
        return sum(row["n_rows"] for row in self.rows if row["outcome"] == outcome)

    @property
    def rejected(self) -> list[tuple[int, str]]:
        """Line number and reason of each rejected record."""
        rows = [row for row in self.rows if row["outcome"] == "rejected"]
        return [(row["line_number"], row["reason"]) for row in rows]

    @property
    def kept_by_reason(self) -> dict[str | None, int]:
        """Number of kept records by reason."""
        return {row["reason"]: row["n_rows"] for row in self.rows if row["outcome"] == "kept"}

    def kept(self, columns: str = "*") -> list[tuple[Any, ...]]:
        """Scan the kept records."""
        self._con.register("ingested", self.table)
        sql = ingest.kept_sql(
            self._con,
            self._spec.dataset,
            self._spec.location,
            "ingested",
            self._spec.config_hash,
            self._masked_files,
        )
        return self._con.execute(f"select {columns} from ({sql})").fetchall()  # noqa: S608 - ours


@contextmanager
def accounted(
    location: Path | str, columns: Mapping[str, Any] = COLUMNS, n_threads: int = 2, **config: Any
) -> Iterator[Account]:
    config = {"record_id": next(iter(columns)), **config}
    spec = ingest.IngestSpec.from_config(
        "test", {"location": str(location), "columns": columns, **config}
    )
    with duckdb.connect(config={"threads": n_threads}) as con:
        masked_files = MaskedFileSystem()
        con.register_filesystem(masked_files)
        account = Account(con, masked_files, spec)
        n_read = sum(file.count().n_records for file in open_location(str(location)))
        assert account.n_rows("read") == n_read
        assert account.n_rows("kept") + account.n_rows("rejected") == n_read
        assert len(account.kept("1")) == account.n_rows("kept")
        yield account


def write(path: Path, lines: Sequence[str | bytes], end: bytes = b"\n") -> Path:
    data = end.join(line.encode() if isinstance(line, str) else line for line in lines) + end
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def cells(line: bytes) -> tuple[str | None, ...]:
    (row,) = csv.reader([line.decode()])
    return tuple(cell or None for cell in row)


good_lines = st.integers(0, 10**6).map(lambda n: GOOD.format(n).encode())
empty_notes = st.integers(0, 10**6).map(lambda n: f'"z, ""{n}""",Retail,1,2024-10-09,'.encode())
blank = st.just(b"")
any_lines = st.lists(
    st.one_of(good_lines, empty_notes, blank, st.sampled_from(sorted(BAD_LINES))), max_size=30
)


@settings(max_examples=60)
@given(
    lines=any_lines,
    end=st.sampled_from([b"\n", b"\r\n"]),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    n_last_ends=st.sampled_from([0, 1, 2]),
    suffix=st.sampled_from([".csv", ".csv.gz"]),
)
def test_exactly_the_planted_lines_are_rejected_and_all_others_are_kept(
    lines: list[bytes], end: bytes, bom: bytes, n_last_ends: int, suffix: str
) -> None:
    expected, kept, seen = [], [], set()
    for number, line in enumerate(lines, 2):
        reason = BAD_LINES.get(line)
        if reason is None and line in seen:
            reason = "repeated_row"
        if reason:
            expected.append((number, reason))
        elif line:
            kept.append(cells(line))
            seen.add(line)
    data = bom + end.join([HEADER.encode(), *lines]) + end * n_last_ends
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(gzip.compress(data) if suffix == ".csv.gz" else data)
        with accounted(path) as account:
            assert account.rejected == expected
            assert account.kept() == kept


@pytest.mark.parametrize("line", sorted(BAD_LINES))
def test_a_fault_is_found_where_it_is_the_only_one_of_the_file(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path / "a.csv", [HEADER, GOOD.format(1), line, GOOD.format(2)])
    with accounted(path) as account:
        assert account.rejected == [(3, BAD_LINES[line])]


def test_a_rejected_record_is_named_by_place_and_keyed_hash_and_by_no_value(tmp_path: Path) -> None:
    line = b"canary4242,Gas,nope,2024-10-09,7"
    path = write(tmp_path / "a.csv", [HEADER, line], b"\r\n")
    with accounted(path) as account:
        (row,) = [row for row in account.rows if row["outcome"] == "rejected"]
        assert "canary4242" not in str(account.rows)
    assert row["record_hmac"] == hmac.digest(KEY, line, "sha256").hex()
    assert path.read_bytes()[row["byte_start"] : row["byte_end"]] == line + b"\r\n"
    assert row["file_path"] == str(path)


def test_lines_over_two_megabytes_are_rejected(tmp_path: Path) -> None:
    long = "y" * 2_000_001 + ",Gas,12.5,2024-10-09,7"
    path = write(tmp_path / "a.csv", [HEADER, GOOD.format(1), long, GOOD.format(2)])
    with accounted(path) as account:
        assert account.rejected == [(3, "line_too_long")]


@pytest.mark.parametrize(("end", "other"), [(b"\n", b"\r\n"), (b"\r\n", b"\n")])
def test_lines_that_end_otherwise_than_the_header_are_rejected(
    tmp_path: Path, end: bytes, other: bytes
) -> None:
    lines = [line.encode() for line in (HEADER, GOOD.format(1), GOOD.format(2), GOOD.format(3))]
    path = tmp_path / "a.csv"
    path.write_bytes(lines[0] + end + lines[1] + other + lines[2] + end + other + lines[3] + end)
    with accounted(path) as account:
        assert account.rejected == [(2, "wrong_line_end"), (4, "wrong_line_end")]
        assert account.kept("id") == [("x2",), ("x3",)]


@pytest.mark.parametrize("header", [HEADER, HEADER + "\n", HEADER + "\r\n\r\n", "\ufeff" + HEADER])
def test_a_file_with_a_header_only_holds_no_record(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(header.encode())
    with accounted(path) as account:
        assert [(row["outcome"], row["n_rows"]) for row in account.rows] == [
            ("read", 0),
            ("kept", 0),
        ]


def test_columns_may_be_reordered_and_quoted_and_others_are_ignored(tmp_path: Path) -> None:
    header = '"note",extra,"at",amount,category,"id"'
    path = write(tmp_path / "a.csv", [header, b"7,\xff,2024-10-09,1,Gas,x", "7,,2024-10-09,1,Gas"])
    with accounted(path) as account:
        assert account.rejected == [(3, "missing_columns")]
        assert account.kept("id, note") == [("x", "7")]


def test_repeated_ids_are_counted_and_kept_but_equal_records_are_not(tmp_path: Path) -> None:
    same_id = GOOD.format(1).replace("12.5", "13.5")
    lines = [HEADER, GOOD.format(1), same_id, GOOD.format(2), GOOD.format(1), GOOD.format(1)]
    for key in (["id"], ["id", "at"], None):
        with accounted(write(tmp_path / "a.csv", lines), record_key=key) as account:
            assert account.rejected == [(5, "repeated_row"), (6, "repeated_row")]
            assert account.kept_by_reason == {None: 2, "repeated_id": 1}


def test_the_first_of_equal_records_stays_also_when_it_lies_in_another_file(tmp_path: Path) -> None:
    write(tmp_path / "1.csv", [HEADER, GOOD.format(1), GOOD.format(2)])
    write(tmp_path / "2.csv", ["note,at,amount,category,id,extra", "7,2024-10-09,1,Gas,x3,e"])
    write(tmp_path / "3.csv", [HEADER, GOOD.format(4), '"bad', GOOD.format(2)], b"\r\n")
    with accounted(tmp_path / "*.csv") as account:
        assert account.rejected == [(3, "unterminated_quote"), (4, "repeated_row")]
        rejected = [row for row in account.rows if row["outcome"] == "rejected"]
        assert {row["file_path"] for row in rejected} == {str(tmp_path / "3.csv")}
        assert account.kept("id, note") == [("x1", "7"), ("x2", "7"), ("x3", "7"), ("x4", "7")]


def test_parquet_cells_are_judged_and_kept_as_text(tmp_path: Path) -> None:
    moment = dt.datetime(2024, 10, 9, 23, 6, 8, 91824, tzinfo=dt.UTC)
    table = pa.table(
        {
            "at": [moment, moment, None, moment, moment],
            "amount": [0.1, float("nan"), 1.0, -1.0, 0.1],
            "ok": [True, False, True, True, True],
            "id": [1, 2, 3, 4, 1],
        }
    )
    pq.write_table(table, tmp_path / "a [1].parquet")
    columns = {
        "id": {"type": "bigint"},
        "amount": {"type": "double", "min": 0},
        "at": {"type": "timestamptz"},
        "ok": {"type": "boolean"},
    }
    with accounted(tmp_path / "a [1].parquet", columns) as account:
        assert account.rejected == [
            (2, "amount_invalid"),
            (3, "at_missing"),
            (4, "amount_below_min"),
            (5, "repeated_row"),
        ]
        typed = 'id::bigint, amount::double, epoch_us("at"::timestamptz), ok::boolean'
        microseconds = int(moment.timestamp()) * 10**6 + 91824
        assert account.kept(typed) == [(1, 0.1, microseconds, True)]


def test_a_path_may_hold_quotes_spaces_and_glob_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "it's [a] *.csv", [HEADER, GOOD.format(1), '"', GOOD.format(2)])
    write(tmp_path / "it's a other.csv", [HEADER, GOOD.format(9)])
    with accounted(path) as account:
        assert account.kept("id") == [("x1",), ("x2",)]


def test_a_dirty_file_does_not_end_the_transaction_of_the_caller(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [HEADER, b"\xff"])
    spec = ingest.IngestSpec.from_config("test", {"location": str(path), "columns": COLUMNS})
    with duckdb.connect() as con:
        masked_files = MaskedFileSystem()
        con.register_filesystem(masked_files)
        con.execute("begin; create table mine as select 1")
        ingest.account(con, spec, KEY, masked_files)
        con.execute("commit")
        assert con.execute("show tables").fetchall() == [("mine",)]


def test_an_empty_run_counts_nothing_but_checks_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [HEADER, GOOD.format(1)])
    spec = ingest.IngestSpec.from_config("test", {"location": str(path), "columns": COLUMNS})
    with duckdb.connect() as con:
        table = ingest.account(con, spec, KEY, MaskedFileSystem(), is_empty=True).read_all()
        assert table.column("n_rows").to_pylist() == [0, 0]
        write(path, ["other", "1"])
        with pytest.raises(SourceError, match="missing from the header"):
            ingest.account(con, spec, KEY, MaskedFileSystem(), is_empty=True)


def _replace_same_size(path: Path) -> None:
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b"x1", b"x8"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))


def _grow_same_time(path: Path) -> None:
    stat = path.stat()
    path.write_bytes(path.read_bytes() + b"\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("change", [_replace_same_size, _grow_same_time, Path.unlink])
def test_files_that_changed_since_they_were_counted_are_refused(
    tmp_path: Path, change: Any
) -> None:
    write(tmp_path / "0.csv", [HEADER, GOOD.format(0)])
    path = write(tmp_path / "1.csv", [HEADER, GOOD.format(1)])
    with accounted(tmp_path / "*.csv") as account:
        change(path)
        with pytest.raises(SourceError, match=r"dbt build -s test_ingested\+"):
            account.kept()


def test_errors_of_files_that_cannot_be_read_tell_no_cell(tmp_path: Path) -> None:
    canary = "canary4242"
    cut = gzip.compress("\n".join([HEADER, *(f"{canary}{n}" for n in range(10**6))]).encode())
    (tmp_path / "cut.csv.gz").write_bytes(cut[:-2_000])
    write(tmp_path / "one.csv", ["id", canary, "", canary])
    pq.write_table(pa.table({"id": [f"{canary}{n}" for n in range(10**5)]}), tmp_path / "a.parquet")
    pages = bytearray((tmp_path / "a.parquet").read_bytes())
    pages[4:4000] = b"\xff" * 3996
    (tmp_path / "a.parquet").write_bytes(bytes(pages))
    for name in ("cut.csv.gz", "one.csv", "a.parquet"):
        columns = COLUMNS if name == "cut.csv.gz" else {"id": {}}
        with pytest.raises(SourceError) as error, accounted(tmp_path / name, columns):
            pass
        assert canary not in str(error.value)
        assert error.value.__suppress_context__ or error.value.__context__ is None


def transactions_spec() -> dict[str, Any]:
    models = yaml.safe_load((ROOT / "models/transactions/_transactions__models.yml").read_text())
    (model,) = [m for m in models["models"] if m["name"] == "transactions_ingested"]
    config: dict[str, Any] = model["config"]["meta"]["ingest"]
    return config


def test_the_ground_truth_of_generated_files_is_found_at_any_number_of_threads(
    tmp_path: Path,
) -> None:
    path, truth_path = tmp_path / "t.csv", tmp_path / "truth.csv"
    report = generate_transactions(
        path, n_rows=20_000, seed=7, dirty_rate=0.02, n_workers=1, truth_path=truth_path
    )
    with truth_path.open(newline="") as file:
        truth = [(int(row["line_number"]), row["reason"]) for row in csv.DictReader(file)]
    config = transactions_spec()
    config["location"] = str(path)
    digests = []
    for n_threads in (1, 4):
        with accounted(n_threads=n_threads, **config) as account:
            assert account.rejected == truth
            assert account.n_rows("kept") == report.n_rows
            digests.append((account.rows, account.kept("*")))
    assert digests[0] == digests[1]


def test_broken_lines_at_the_borders_of_buffers_cost_no_neighbour(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"id": {}, "text": {}}
    lines = [f'{n:09},"{"x" * 480},"'.encode() + b"\n" for n in range(120_000)]
    buffers = (4 << 20, 8 << 20, 32_000_000)  # ours, a row group's and DuckDB's, in bytes
    near = {size // len(lines[0]) + shift for size in buffers for shift in range(-4, 5)}
    planted = sorted(near | {0, 1, len(lines) - 1})
    for number in planted:
        lines[number] = lines[number][: 300 if number % 2 else -2] + b"\n"
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n" + b"".join(lines))
    with accounted(path, columns, n_threads=4, record_key=["id"]) as account:
        assert account.rejected == [(number + 2, "unterminated_quote") for number in planted]
        assert account.kept("count(distinct id)") == [(len(lines) - len(planted),)]


raw_cells = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "nan", "inf", "-inf", "infinity", " 1 ", "1e3", "0", "5", "12.5", "-1", "1" * 400]
    ),
    st.sampled_from(["True", "no", "2024-10-09", "1999-01-01 00:00:00+00:00", "2999-01-01", "ab"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
    st.floats().map(str),
)
bounds = {
    "bigint": (0, 23),
    "double": (0.01, 1e8),
    "timestamptz": ("2000-01-01", "2100-01-01"),
    "varchar": ("2", "c"),
}
rules = st.sampled_from(["varchar", "bigint", "double", "boolean", "timestamptz"]).flatmap(
    lambda kind: st.builds(
        ColumnRule,
        type=st.just(kind),
        is_required=st.booleans(),
        is_clean=st.booleans(),
        starts_with=st.sampled_from([None, "1", "a"]),
        pattern=st.sampled_from([None, ".*", "[0-9a-z.]+"]),
        accepted_values=st.sampled_from([(), ("", "5", "ab"), ("True", "12.5", "2024-10-09")]),
        min=st.sampled_from([None, bounds[kind][0]]) if kind in bounds else st.none(),
        max=st.sampled_from([None, bounds[kind][1]]) if kind in bounds else st.none(),
    )
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@settings(max_examples=200)
@given(rule=rules, values=st.lists(raw_cells, min_size=1, max_size=20))
def test_a_cell_is_good_if_and_only_if_no_fault_holds(
    con: duckdb.DuckDBPyConnection, rule: ColumnRule, values: list[str | None]
) -> None:
    faults = " or ".join(f"coalesce({condition}, false)" for _, condition in rule.faults("cell"))
    con.register("cells", pa.table({"cell": pa.array(values, pa.string())}))
    sql = f"(({rule.is_good('cell')}) is true) = ({faults or 'false'})"
    wrong = con.execute(f"select cell from cells where ({sql})").fetchall()  # noqa: S608 - ours
    assert wrong == []


@given(rule=rules)
def test_empty_cells_are_missing_where_they_are_required_and_good_elsewhere(
    con: duckdb.DuckDBPyConnection, rule: ColumnRule
) -> None:
    reason = ingest.IngestSpec("test", "", {"cell": rule}).reason_sql()
    sql = f"select {reason} from (values (null::varchar), ('')) as cells(cell)"  # noqa: S608 - ours
    expected = "cell_missing" if rule.is_required else None
    assert con.execute(sql).fetchall() == [(expected,)] * 2


@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_cell_is_damaged_where_the_check_would_refuse_its_text(
    con: duckdb.DuckDBPyConnection, values: list[str]
) -> None:
    values = [*values, "\x0b", "\x7f", "\x85", "lost \ufffd", "tab\tand\nline\r\n\u00e9"]
    rule = ColumnRule(is_required=False, is_clean=True)
    con.register("cells", pa.table({"cell": pa.array(values, pa.string())}))
    damaged = con.execute(f"select not ({rule.is_good('cell')}) from cells").fetchall()  # noqa: S608 - ours
    messages = [json.dumps([{"role": "user", "content": value}]) for value in values]
    assert damaged == [(not inspect(text).is_clean_text,) for text in messages]


def test_the_first_fault_in_the_order_of_the_rules_decides(con: duckdb.DuckDBPyConnection) -> None:
    good = GOOD.format(1).split(",")
    bad = ["", "Casino", "nope", "1970-01-01", "seven"]
    reasons = ["id_missing", "category_unknown", "amount_invalid", "at_below_min", "note_invalid"]
    spec = ingest.IngestSpec.from_config("test", {"location": "x", "columns": COLUMNS})
    for choice in itertools.product([False, True], repeat=5):
        row = [b if is_bad else g for is_bad, b, g in zip(choice, bad, good, strict=True)]
        expected = next(itertools.compress(reasons, choice), None)
        sql = f"select {spec.reason_sql()} from (values (?, ?, ?, ?, ?)) as t({spec.columns_sql()})"  # noqa: S608 - ours
        assert con.execute(sql, row).fetchall() == [(expected,)]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"location": "x"},
        {"location": "x", "columns": {"a": {"typ": "double"}}},
        {"location": "x", "columns": {"a": {"type": "float"}}},
        {"location": "x", "columns": {"a": None}, "record_id": "b"},
        {"location": "x", "columns": {"a": None}, "record_key": ["a", "b"]},
    ],
)
def test_wrong_config_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ingest.IngestSpec.from_config("test", config)


def test_reasons_are_counted_over_the_columns_of_the_house(tmp_path: Path) -> None:
    lines = [HEADER, *BAD_CELLS, *BAD_CELLS]
    with accounted(write(tmp_path / "a.csv", lines)) as account:
        found = Counter(reason for _, reason in account.rejected)
        assert found == Counter([*BAD_CELLS.values()] * 2)


@pytest.mark.parametrize(("n_bytes", "is_done"), [(0, True), (1_000_000, False)])
def test_other_work_is_done_beside_a_long_scan_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_bytes: int, *, is_done: bool
) -> None:
    monkeypatch.setattr(ingest, "_LONG_SCAN_BYTES", n_bytes)
    path = write(tmp_path / "a.csv", [HEADER, GOOD.format(1)])
    spec = ingest.IngestSpec.from_config("test", {"location": str(path), "columns": COLUMNS})
    done: list[bool] = []

    def fail() -> None:
        done.append(True)
        raise ImportError

    with duckdb.connect() as con:
        ingest.account(con, spec, KEY, MaskedFileSystem(), meanwhile=fail)
    assert done == [True] * is_done
