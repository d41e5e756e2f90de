"""Claims about physical lines: counted, judged and located without a CSV reader."""

import gzip
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from python_stages.ingest.lines import MAX_LINE_BYTES, Line, broken_lines, count_lines, locate
from python_stages.ingest.scans import csv_sql

HEADER = b"a,b,c"
ends = st.sampled_from([b"\n", b"\r\n"])
pieces = st.sampled_from(
    [b"x", b"", b" ", b"\r", b"\n", b"\r\n", b"\0", b"1,2,3", b",", b'"', b"\xff", "é".encode()]
)


def write(folder: str | Path, data: bytes, name: str = "file.csv") -> Path:
    path = Path(folder) / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def records_of(data: bytes) -> list[bytes]:
    """Read records as the definition says: lines after the header that are not blank."""
    lines = data.splitlines(keepends=True) if b"\r" not in data else _split_at_line_feeds(data)
    end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    return [line for line in lines[1:] if line != end]


def _split_at_line_feeds(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


@given(ends, st.lists(pieces, max_size=20))
@example(b"\n", [b"1,2,3", b"\n", b"\n", b"\n"])
@example(b"\r\n", [b"\r\n", b"\r\n", b"\n", b"\r"])
def test_count_is_the_number_of_lines_after_the_header_that_are_not_blank(
    end: bytes, body: list[bytes]
) -> None:
    data = HEADER + end + b"".join(body).replace(b"\x0b", b"")
    with tempfile.TemporaryDirectory() as folder:
        assert count_lines(write(folder, data)).n_records == len(records_of(data))
        assert count_lines(write(folder, data, "f.csv.gz")).n_records == len(records_of(data))


@given(ends, st.lists(pieces, max_size=12))
def test_a_file_is_plain_if_carriage_returns_only_end_lines_as_the_header_ends(
    end: bytes, body: list[bytes]
) -> None:
    data = HEADER + end + b"".join(body)
    lines = _split_at_line_feeds(data)
    contents = [line.removesuffix(end) for line in lines]
    ends_alike = all(line.endswith(end) for line in lines if line.endswith(b"\n"))
    is_plain = ends_alike and not any(b"\r" in text or b"\0" in text for text in contents)
    with tempfile.TemporaryDirectory() as folder:
        assert count_lines(write(folder, data)).is_plain == is_plain


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("n_before", range((256 << 10) - 4, (256 << 10) + 4))
def test_blank_lines_are_seen_across_the_borders_of_chunks(
    tmp_path: Path, end: bytes, n_before: int
) -> None:
    header = HEADER + end
    data = header + b"x" * (n_before - len(header) - len(end)) + end * 3 + b"y" + end
    path = write(tmp_path, data)
    assert count_lines(path).n_records == 2
    assert count_lines(path).is_plain


@pytest.mark.parametrize("data", [b"", b"a,b,c", b"a,b,c\n", b"a,b,c\r\n", b"a,b,c\n\n\n"])
def test_files_without_records_count_none_and_hold_no_broken_line(
    tmp_path: Path, data: bytes
) -> None:
    path = write(tmp_path, data)
    assert count_lines(path).n_records == 0
    assert list(broken_lines(path, 3)) == []


KINDS = {
    b'1,"2,3': "unterminated_quote",
    b'1,2",3"': None,
    b'1,"2"x,3': "unterminated_quote",
    b"1,2": "missing_columns",
    b"   ": "missing_columns",
    b"1,2,3,4": "too_many_columns",
    b"1,2,3,,": None,
    b"1,\xff,3": "invalid_encoding",
    b"1,\rx,3": "stray_carriage_return",
    b'1,"\rx",3': "stray_carriage_return",
    b"1,\0,3": "nul_byte",
    b"1,2," + b"x" * (MAX_LINE_BYTES - 4): "line_too_long",
    b"1,2," + b"x" * (MAX_LINE_BYTES - 5): None,
    b"1,2," + b"x" * 200_000: None,
    b'1,"a ""b"", c",3': None,
    b",,": None,
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("is_last", [True, False])
def test_each_kind_of_broken_line_has_its_reason_and_costs_no_neighbour(
    tmp_path: Path, end: bytes, *, is_last: bool
) -> None:
    for content, reason in KINDS.items():
        lines = [HEADER, b"1,2,3", content] + ([] if is_last else [b"4,5,6", b""])
        path = write(tmp_path, end.join(lines))
        found = [(line.number, line.content, why) for line, why in broken_lines(path, 3)]
        assert found == ([(3, content, reason)] if reason else [])


def test_a_line_that_does_not_end_like_the_header_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b,c\n1,2,3\r\n4,5,6\n\r\n7,8,9")
    assert [(line.number, why) for line, why in broken_lines(path, 3)] == [
        (2, "wrong_line_end"),
        (4, "wrong_line_end"),
    ]
    path = write(tmp_path, b"a,b,c\r\n1,2,3\n4,5,6\r\n\n7,8,9")
    assert [(line.number, why) for line, why in broken_lines(path, 3)] == [
        (2, "wrong_line_end"),
        (4, "wrong_line_end"),
    ]


def test_only_used_columns_must_be_utf_8(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b,c\n1,2,\xff\n1,\xff,3\n")
    assert [line.number for line, _ in broken_lines(path, 3, used=[0, 1])] == [3]


line_pieces = st.sampled_from(
    [b"a", b'"', b",", b" ", b'""', b'",', b',"', b"\xff", "é".encode(), b"'", b"\\", b"\t", b'" "']
)


@settings(max_examples=200)
@given(ends, st.lists(line_pieces, min_size=1, max_size=9), st.sampled_from([0, 1]))
@example(b"\n", [b"a,", b' "', b"b,", b'",c'], 1)
@example(b"\n", [b"1,2,", b'  "3'], 1)
@example(b"\r\n", [b"1,2,3"], 0)
def test_the_judge_agrees_with_duckdb_on_what_a_record_is(
    end: bytes, body: list[bytes], n_ends: int
) -> None:
    data = HEADER + end + b"1,2,3" + end + b"".join(body) + end * n_ends
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as con:
        path = write(folder, data)
        try:
            rows = con.execute(csv_sql(path, ["a", "b", "c"])).fetchall()
        except duckdb.InvalidInputException:
            rows = []
        assert (len(rows) == 2) == (list(broken_lines(path, 3)) == [])


@given(ends, st.lists(pieces, max_size=20), st.data())
def test_located_records_are_the_lines_with_these_ordinals(
    end: bytes, body: list[bytes], data: st.DataObject
) -> None:
    text = HEADER + end + b"".join(body)
    records = records_of(text)
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, text)
        everything = locate(path, range(len(records)), [])
        assert [everything[i].raw for i in range(len(records))] == records
        for line in everything.values():
            assert text[line.start : line.end] == line.raw
        if records:
            hidden = data.draw(st.sampled_from(range(len(records))))
            rest = locate(path, range(len(records) - 1), [everything[hidden].number])
            assert [rest[i] for i in range(len(records) - 1)] == [
                line for i, line in everything.items() if i != hidden
            ]


def test_an_ordinal_behind_the_last_record_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b\n1,2\n")
    assert locate(path, [0], []) == {0: Line(2, 4, b"1,2\n")}
    with pytest.raises(LookupError, match="behind the last line"):
        locate(path, [1], [])
