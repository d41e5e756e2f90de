"""Claims about files that are shown without some of their bytes."""

import gzip
import io
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.ingest.masked_files import MaskedFileSystem

contents = st.binary(max_size=60)


@st.composite
def files_with_ranges(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int]]]:
    data = draw(contents)
    borders = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return data, list(zip(borders[::2], borders[1::2], strict=False))


def without(data: bytes, ranges: list[tuple[int, int]]) -> bytes:
    hidden = {place for low, high in ranges for place in range(low, high)}
    return bytes(byte for place, byte in enumerate(data) if place not in hidden)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
@given(
    file=files_with_ranges(),
    steps=st.lists(st.tuples(st.sampled_from("srce"), st.integers(-70, 70)), max_size=12),
)
def test_any_reads_and_seeks_see_the_bytes_outside_the_ranges_and_no_other(
    suffix: str, file: tuple[bytes, list[tuple[int, int]]], steps: list[tuple[str, int]]
) -> None:
    data, ranges = file
    shown = io.BytesIO(without(data, ranges))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(gzip.compress(data) if suffix == ".csv.gz" else data)
        masked_files = MaskedFileSystem()
        url = masked_files.mask("view", path, ranges)
        assert masked_files.size(url) == len(shown.getvalue())
        with masked_files.open(url) as masked:
            for step, number in steps:
                if step == "r":
                    assert masked.read(number) == shown.read(number)
                elif step == "s":
                    assert masked.seek(abs(number)) == shown.seek(abs(number))
                elif step == "c":
                    target = max(shown.tell() + number, 0)
                    assert masked.seek(number, io.SEEK_CUR) == shown.seek(target)
                else:
                    target = max(len(shown.getvalue()) + number, 0)
                    assert masked.seek(number, io.SEEK_END) == shown.seek(target)
                assert masked.tell() == shown.tell()
            masked.seek(0)
            assert masked.read() == shown.getvalue()


def test_views_of_one_file_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"0123456789")
    masked_files = MaskedFileSystem()
    first = masked_files.mask("first", path, [(0, 5)])
    second = masked_files.mask("second", path, [(5, 10)])
    assert masked_files.open(first).read() == b"56789"
    assert masked_files.open(second).read() == b"01234"


def test_a_view_that_nobody_masked_and_writing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"0123456789")
    masked_files = MaskedFileSystem()
    url = masked_files.mask("view", path, [(0, 5)])
    with pytest.raises(KeyError):
        masked_files.open(url.replace("view", "other"))
    assert not masked_files.exists(url.replace("view", "other"))
    with pytest.raises(PermissionError):
        masked_files.open(url, "wb")


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"0123456789")
    masked_files = MaskedFileSystem()
    with masked_files.open(masked_files.mask("view", path, [(0, 5)])) as masked:
        path.write_bytes(b"0")
        with pytest.raises(OSError, match="cut short"):
            masked.read()


@pytest.mark.parametrize("name", ["plain.csv", "a [b] *?'{c} %5B.csv", "zipped.csv.gz"])
def test_duckdb_reads_the_rest_of_the_file_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = b"a,b\r\n1,2\r\nbroken\r\n3,4\r\n"
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    masked_files = MaskedFileSystem()
    url = masked_files.mask("view", path, [(10, 18)])
    with duckdb.connect() as con:
        con.register_filesystem(masked_files)
        rows = con.execute("select * from read_csv(?, compression = 'none')", [url]).fetchall()
        assert rows == [(1, 2), (3, 4)]
