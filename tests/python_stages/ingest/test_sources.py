"""Claims about locations: which files they mean, what is refused, and that no error tells data."""

import gzip
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_stages.errors import SourceError
from python_stages.ingest.scans import csv_sql, parquet_sql
from python_stages.ingest.sources import open_location, require_columns

CANARY = "canary4242"


def names(location: Path | str) -> list[str]:
    return [file.path.name for file in open_location(str(location))]


def message(location: Path | str, *columns: str) -> str:
    with pytest.raises(SourceError) as error:
        require_columns(open_location(str(location)), columns)
    assert CANARY not in str(error.value).lower()
    assert error.value.__cause__ is None
    return str(error.value)


def test_a_location_is_a_file_or_a_glob_in_the_order_of_paths(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    (tmp_path / "folder.csv").mkdir()
    assert names(tmp_path / "b.csv") == ["b.csv"]
    assert names(tmp_path / "*.csv") == ["a.csv", "b.csv"]
    assert names(f"{tmp_path}/**/?.csv") == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "name", ["it's.csv", "a b.csv", "a[1].csv", "*.csv", "{x}?.csv", "a%20.csv"]
)
def test_a_path_may_hold_quotes_spaces_and_glob_characters(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a,b\n1,2\n")
    (tmp_path / "other1.csv").write_text("a,b\n3,4\n")
    (file,) = open_location(str(tmp_path / name))
    assert duckdb.execute(csv_sql(file.path, file.columns)).fetchall() == [("1", "2")]


def test_the_size_time_and_columns_of_a_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbf"a ""x""",b\r\n1,2\r\n')
    (file,) = open_location(str(path))
    assert file.columns == ('a "x"', "b")
    assert (file.n_bytes, file.modified_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert duckdb.execute(csv_sql(path, file.columns)).fetchall() == [("1", "2")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n1,2\n", "first line is blank"),
        (f"a,b\n1,{CANARY}\n".encode("utf-16"), "not UTF-8"),
        (f"a,b\n1,{CANARY}\n".encode("utf-16-le"), "NUL bytes"),
        (f"a,b\r1,{CANARY}\r".encode(), "carriage returns"),
        (f'a,"b\n1,{CANARY}\n'.encode(), "unterminated quote"),
        (f"{CANARY},{CANARY}\n".encode(), "column 2 has the name of an earlier one"),
        (f"{CANARY},{CANARY.upper()}\n".encode(), "column 2 has the name of an earlier one"),
        (f"{CANARY},,x\n".encode(), "column 2 has no name"),
        (f"{CANARY},7\n1,2\n".encode(), "columns are missing from the header: a, b"),
        (f"a,{CANARY}\n1,2\n".encode(), "columns are missing from the header: b"),
    ],
)
def test_a_header_that_is_none_is_refused_without_telling_what_it_holds(
    tmp_path: Path, data: bytes, says: str
) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    assert says in message(tmp_path / "a.csv", "a", "b")


def test_columns_may_come_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,b,a\n1,2,3\n")
    require_columns(open_location(str(tmp_path / "a.csv")), ["a", "b"])


def test_no_file_mixed_kinds_and_unknown_kinds_are_refused(tmp_path: Path) -> None:
    assert f"no file at {tmp_path}/*.csv" in message(tmp_path / "*.csv")
    (tmp_path / "a.csv").write_text("a\n1\n")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    assert "mixes kinds of files" in message(tmp_path / "*")
    (tmp_path / "c.xlsx").write_text(CANARY)
    assert "unknown kind" in message(tmp_path / "c.xlsx")


def test_files_that_are_damaged_are_refused_without_telling_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text(CANARY)
    assert "no readable Parquet" in message(tmp_path / "a.parquet")
    (tmp_path / "a.csv.gz").write_text(CANARY)
    assert "cannot be read (BadGzipFile)" in message(tmp_path / "a.csv.gz")
    whole = gzip.compress(f"a,b\n1,{CANARY}\n".encode() * 1000)
    (tmp_path / "b.csv.gz").write_bytes(whole[:-20])
    assert "cannot be read" in message(tmp_path / "b.csv.gz")
    (tmp_path / "c.csv.gz").write_bytes(whole[:-8] + bytes(8))  # wrong checksum
    assert "cannot be read" in message(tmp_path / "c.csv.gz")


def test_every_column_is_scanned_as_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a b": [1, None], "c": [True, False]}), tmp_path / "a.parquet")
    (file,) = open_location(str(tmp_path / "a.parquet"))
    assert file.count().n_records == 2
    sql = parquet_sql(file.path, file.columns)
    assert duckdb.execute(sql).fetchall() == [("1", "true"), (None, "false")]
    assert duckdb.execute(parquet_sql(file.path, file.columns, [0])).fetchall() == [(None, "false")]


@pytest.mark.parametrize(
    "location", ["kaggle://owner/dataset", "kaggle://owner//file", "kaggle://"]
)
def test_a_kaggle_location_names_owner_dataset_and_file(location: str) -> None:
    assert "kaggle://OWNER/DATASET/FILE" in message(location)
