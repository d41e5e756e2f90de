"""Claims about records that span lines: counted, judged, located, apart from broken ones."""

import csv
import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError
from python_stages.ingest import accounting as ingest
from python_stages.ingest.lines import Line
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.records import RecordShape, count_records, judged_records

KEY = bytes(32)
texts = st.text(st.sampled_from('ab "\n\r,1'), max_size=8)
tables = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=8)


def write(folder: str | Path, data: bytes, name: str = "file.csv") -> Path:
    path = Path(folder) / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def as_csv(rows: list[tuple[str, ...]], end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerows([("id", "b", "c"), *rows])
    return out.getvalue().encode()


def account(path: Path, **config: Any) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
    """Return what became of the records, and the kept ones."""
    columns = {name: {"is_required": False} for name in ("id", "b", "c")}
    spec = ingest.IngestSpec.from_config(
        "letters", {"location": str(path), "columns": columns, "record_start": "", **config}
    )
    masked_files = MaskedFileSystem()
    with duckdb.connect(config={"threads": 2}) as con:
        con.register_filesystem(masked_files)
        table = ingest.account(con, spec, KEY, masked_files).read_all()
        con.register("ingested", table)
        sql = ingest.kept_sql(con, "letters", str(path), "ingested", spec.config_hash, masked_files)
        return table.to_pylist(), con.execute(f"from ({sql})").fetchall()


def n_rows(rows: list[dict[str, Any]], outcome: str) -> int:
    return sum(row["n_rows"] for row in rows if row["outcome"] == outcome)


@given(tables, st.sampled_from(["\n", "\r\n"]))
def test_the_count_is_that_of_pythons_reader(rows: list[tuple[str, ...]], end: str) -> None:
    data = as_csv(rows, end)
    n = len(list(csv.reader(io.StringIO(data.decode(), newline="")))) - 1
    with tempfile.TemporaryDirectory() as folder:
        for name in ("f.csv", "f.csv.gz"):
            count = count_records(write(folder, data, name))
            assert count.n_records == n
            assert count.is_plain


@settings(max_examples=40)
@given(tables)
def test_of_a_file_without_faults_every_record_is_read_whole(rows: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found, kept = account(write(folder, as_csv(rows)))
    distinct = [tuple(cell or None for cell in row) for row in dict.fromkeys(rows)]
    assert n_rows(found, "read") == len(rows)
    assert sorted(map(repr, kept)) == sorted(
        map(repr, [tuple(cell or "" for cell in row) for row in distinct])
    ) or sorted(map(repr, kept)) == sorted(map(repr, distinct))


GOOD = [
    b'1,"one\nline and ""more""",x\n',
    b'2,"two\n\n3,not a record\n",y\n',
    b"3,three,z\n",
    b'4,"four\r\nlines, or\nthree",w\n',
]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'8,"never\nclosed,\nv\n', "unterminated_quote"),
        (b'8,"lines\n\nof text\n\n,v\n', "unterminated_quote"),
        (b"8,no\n\nquotes,\n\nat all,v\n", "missing_columns"),
        (b'8,"closed" too soon\nand more,v\n', "unterminated_quote"),
        (b'8,opened\nnowhere",v\n', "missing_columns"),
        (b'8,"one\ntoo many",v,w\n', "too_many_columns"),
        (b'8,"one\ntoo few"\n', "missing_columns"),
        (b'8,"\xff\n",v\n', "invalid_encoding"),
        (b'8,"\0\n",v\n', "nul_byte"),
        (b"8,\r,v\n", "stray_carriage_return"),
        (b'8,"x\ny",v\r\n', "wrong_line_end"),
        (b'8,"' + (b"long" * 100 + b"\n") * 5_000 + b'",v\n', "line_too_long"),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_broken_record_costs_itself_and_no_neighbour(
    tmp_path: Path, broken: bytes, reason: str, place: int
) -> None:
    lines = [*GOOD[:place], broken, *GOOD[place:]]
    path = write(tmp_path, b"id,b,c\n" + b"".join(lines))
    found, kept = account(path, record_start="[0-9]+,")
    rejected = [row for row in found if row["outcome"] == "rejected"]
    start = len(b"id,b,c\n" + b"".join(lines[:place]))
    assert [(r["reason"], r["byte_start"], r["byte_end"]) for r in rejected] == [
        (reason, start, start + len(broken))
    ]
    assert sorted(row[0] for row in kept) == ["1", "2", "3", "4"]
    assert n_rows(found, "read") == n_rows(found, "kept") + 1 == 5


def test_two_broken_records_are_two_where_it_is_known_how_one_begins(tmp_path: Path) -> None:
    data = b'id,b,c\n7,"open\nstill,\n8,"open\nx\n' + b"".join(GOOD)
    found, kept = account(write(tmp_path, data), record_start="[0-9],")
    assert [r["line_number"] for r in found if r["outcome"] == "rejected"] == [2, 4]
    assert len(kept) == len(GOOD)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*GOOD, b'8,"open\n', b"\n", b'"', b"5,\n"]), max_size=8))
def test_read_is_kept_plus_rejected_whatever_the_file(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found, kept = account(write(folder, b"id,b,c\n" + b"".join(pieces)))
    assert n_rows(found, "read") == n_rows(found, "kept") + n_rows(found, "rejected")
    assert n_rows(found, "kept") == len(kept)


def test_bad_cells_and_repeats_are_found_where_they_lie(tmp_path: Path) -> None:
    data = b"id,b,c\n" + GOOD[0] + b'no,"x\n",y\n\n' + GOOD[1] + GOOD[0]
    columns = {"id": {"type": "bigint"}, "b": {}, "c": {}}
    found, _ = account(write(tmp_path, data), columns=columns)
    rejected = [(r["line_number"], r["reason"]) for r in found if r["outcome"] == "rejected"]
    assert rejected == [(4, "id_invalid"), (11, "repeated_row")]


def test_records_are_read_one_by_one_where_quotes_never_close(tmp_path: Path) -> None:
    path = write(tmp_path, b"id,b,c\n" + b'8,"open\n' * 2000)
    shape = RecordShape(3, frozenset(range(3)))
    judged = list(judged_records(path, shape))
    assert len(judged) == 2000
    assert judged[7] == (Line(9, 7 + 7 * 8, b'8,"open\n'), "unterminated_quote")


def test_a_wrong_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="record_start"):
        ingest.IngestSpec.from_config(
            "x", {"location": "f.csv", "columns": {"a": {}}, "record_start": "["}
        )
