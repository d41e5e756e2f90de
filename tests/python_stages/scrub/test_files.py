"""Formats: what is read is written again, and what is not read is refused."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError, SourceError
from python_stages.scrub.engine import Engine
from python_stages.scrub.files import headers, new_file, open_format
from python_stages.scrub.files.chunks import Chunk
from tests.python_stages.scrub.engines import built


def through(content: bytes, form: str, *, header: bool = True, drop: str = "") -> bytes:
    """Read a file and write it again, without a column perhaps."""
    reader = open_format(None, form, has_header=header)
    sink = io.BytesIO()
    for chunk in reader.read(io.BytesIO(content)):
        columns = {name: texts for name, texts in chunk.columns.items() if name != drop}
        reader.write(sink, chunk, columns)
    reader.finish(sink)
    return sink.getvalue()


def columns(content: bytes, form: str, *, header: bool = True) -> dict[str, list[str | None]]:
    """Return the texts of a file, by column."""
    found: dict[str, list[str | None]] = {}
    for chunk in open_format(None, form, has_header=header).read(io.BytesIO(content)):
        for name, texts in chunk.columns.items():
            found.setdefault(name, []).extend(texts)
    return found


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@settings(max_examples=40)
@given(st.binary(max_size=400), st.sampled_from(["text", "lines"]))
def test_text_is_written_byte_for_byte(content: bytes, form: str) -> None:
    assert through(content, form) == content


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=40)
@given(st.lists(st.tuples(cells, cells, cells), max_size=5), st.sampled_from(",;\t|"))
def test_csv_keeps_its_cells_and_its_separator(rows: list[tuple[str, ...]], mark: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    content = through(text.getvalue().encode(), "csv").decode()
    found = list(csv.reader(io.StringIO(content, newline=""), delimiter=mark))
    assert found == [["a", "b", "c"], *(list(row) for row in rows)]


def test_csv_keeps_its_mark_its_line_ends_and_bytes_that_are_not_utf8() -> None:
    content = b"\xef\xbb\xbfa;b\r\nx;\xff\r\n"
    assert through(content, "csv") == content
    assert columns(content, "csv") == {"a": ["x"], "b": ["\udcff"]}


def test_csv_without_rows_keeps_its_header() -> None:
    assert through(b"a,b\n", "csv") == b"a,b\n"
    assert through(b"", "csv") == b""


def test_csv_without_header_names_its_columns() -> None:
    assert columns(b"x,y\n", "csv", header=False) == {"column0": ["x"], "column1": ["y"]}
    assert through(b"x,y\n", "csv", header=False) == b"x,y\n"


@pytest.mark.parametrize("header", [True, False])
def test_csv_of_one_column_keeps_its_empty_cells(*, header: bool) -> None:
    content = b"email\na@b.com\n\nc@d.com\n"
    found = [cell for texts in columns(content, "csv", header=header).values() for cell in texts]
    assert found[-3:] == ["a@b.com", "", "c@d.com"]
    assert through(content, "csv", header=header) == b'email\na@b.com\n""\nc@d.com\n'


def test_csv_keeps_its_blank_lines() -> None:
    content = b"a,b\n\n1,2\n" + b"\n" * 5000 + b"3,4\n\n"
    assert columns(content, "csv") == {"a": ["1", "3"], "b": ["2", "4"]}
    assert through(content, "csv") == content


def test_csv_loses_a_column_that_was_dropped() -> None:
    assert through(b"a,b\nx,y\n", "csv", drop="a") == b"b\ny\n"


@pytest.mark.parametrize("content", [b"a,b\nSecret\n", b'a,b\n"Secret" x,y\n', b"a,a\nx,y\n"])
def test_csv_that_is_broken_is_refused_without_quoting_it(content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        through(content, "csv")
    assert "Secret" not in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.lists(values, max_size=4))
def test_json_keeps_its_values(records: list[Any]) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in records)
    assert [json.loads(line) for line in through(lines.encode(), "jsonl").splitlines()] == records
    assert json.loads(through(json.dumps(records).encode(), "json")) == records


def test_json_columns_are_paths_without_places_in_lists() -> None:
    record = {"id": 7, "ok": True, "messages": [{"content": "x"}, {"content": "y"}]}
    assert columns(json.dumps(record).encode(), "jsonl") == {
        "id": ["7", None],
        "messages.content": ["x", "y"],
    }


def test_json_tells_the_record_of_every_row() -> None:
    lines = b'{"name": "Anna", "notes": ["x", "y"]}\n{"a": null}\n{"name": "Zoe"}\n'
    (chunk,) = open_format(None, "jsonl").read(io.BytesIO(lines))
    assert chunk.records == [0, 0, 2]


def test_json_names_every_key_whatever_stands_under_it() -> None:
    record = b'{"a": {"b": 0.5, "c": null, "d": [{"e": {}}], "f": true, "g": []}}'
    (chunk,) = open_format(None, "json").read(io.BytesIO(record))
    assert {"a", "b", "a.c", "d", "e", "a.d.e", "a.f", "g"} <= set(chunk.names)


def test_json_reads_decimals_by_their_digits() -> None:
    content = b'{"a": [4111111111111111.0, 4.111111111111111e15, 48.858370, 1e999999999]}'
    card = "4111111111111111"
    assert columns(content, "json") == {"a": [card, card, "48.858370", "1e999999999"]}


def test_json_writes_decimals_as_they_stood() -> None:
    content = b'{"a": [4111111111111111.0, 48.858370, 1E5, -0.0], "b": "\xc3\xa9"}\n'
    assert through(content, "jsonl") == content


def test_json_keeps_its_lines() -> None:
    content = json.dumps({"a": [1.5, [], {}], "b": {"c": None}}, indent=2).encode() + b"\n"
    assert through(content, "json") == content


def test_json_loses_a_column_that_was_dropped() -> None:
    assert (
        through(b'{"a": ["x"], "b": {"c": 1}}', "jsonl", drop="a") == b'{"a": [], "b": {"c": 1}}\n'
    )


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
def test_what_is_not_of_the_format_is_refused_without_quoting_it(form: str) -> None:
    with pytest.raises(SourceError) as caught:
        through(b'{"Secret', form)
    assert "Secret" not in str(caught.value)


def test_parquet_keeps_its_types_and_its_other_columns() -> None:
    table = pa.table(
        {
            "text": pa.array(["x", None]),
            "n": pa.array([1, 2], pa.int8()),
            "large": pa.array(["y", "z"], pa.large_string()),
            "category": pa.array(["y", "z"], pa.dictionary(pa.int8(), pa.string())),
        }
    )
    assert pq.read_table(io.BytesIO(through(parquet(table), "parquet"))).equals(table)


def test_parquet_columns_that_may_hold_text_and_cannot_be_read_are_named() -> None:
    table = pa.table({"text": ["x"], "tags": [["y"]]})
    chunk = next(open_format(None, "parquet").read(io.BytesIO(parquet(table))))
    assert list(chunk.unread) == ["tags"]


def test_the_ending_says_the_format_and_an_unknown_one_is_refused() -> None:
    assert type(open_format(Path("x.TSV"))) is type(open_format(None, "csv"))
    with pytest.raises(ConfigError, match="known ones are auto, text"):
        open_format(None, "xlsx")


def test_a_new_file_is_there_once_it_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    with new_file(path) as file:
        file.write(b"x")
        assert not path.exists()
    assert path.read_bytes() == b"x"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_no_half_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "new.txt") as file:
        file.write(b"x" * (1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_replaced_not_even_one_that_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    with pytest.raises(SourceError, match="exists"), new_file(path):
        pass
    path.unlink()
    with pytest.raises(SourceError, match="exists"), new_file(path):
        path.write_text("old")
    assert path.read_text() == "old"


def test_a_line_that_is_not_utf8_takes_no_other_with_it() -> None:
    assert columns(b"a\nb\n\xff\nc\n", "text") == {"text": ["a\nb", "\udcff", "c"]}


def test_a_text_block_ends_with_a_line() -> None:
    content = ("line of words\n" * 100 + "\n") * 400
    chunks = list(open_format(None, "text").read(io.BytesIO(content.encode())))
    assert len(chunks) > 1
    assert {chunk.rest for chunk in chunks} == {"\n\n"}


# --- names of columns

ORDINARY = """
Customer Name|Billing Address|Date of Birth|Ticket Channel|City|first_name|Last Name|Email Address
Phone Number|street|Zip Code|Country|Order Date|customer_id|Product Purchased|Ticket Description
Customer Age|Card Number|IBAN|SSN|Passport Number|messages.content|2024|2024-01-31|Jan|May|Monday
USD|US|Germany|Austin|Account Manager|Latitude|Mother's Maiden Name|Nombre|Nombre Completo|Straße
Kunden Nummer|Voornaam Achternaam|Address Line 1|P.O. Box|San Jose|Will|Net Worth|Main Street
""".strip().replace("\n", "|")
DATA = """
Alice Johnson|ALICE JOHNSON|alice johnson|Bob Smith|Johnson, Alice|Zoltan Kovacs|Dr. Jane Roe|Alice
Alice Johnson (VIP)|balances.Alice Johnson|12 Main Street Springfield|Musterstraße 5, 12345 Berlin
PO Box 12|alice@example.com|4111111111111111|card 4111111111111111|\udcff
""".strip().replace("\n", "|")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return built("all")


def checked(engine: Engine, *names: str) -> list[Chunk]:
    return list(headers.checked([Chunk({}, 0, names=names)], engine))


def test_ordinary_names_of_columns_pass(engine: Engine) -> None:
    assert checked(engine, *ORDINARY.split("|"))


@pytest.mark.parametrize("name", DATA.split("|"))
def test_data_in_place_of_a_name_of_a_column_is_refused_without_quoting_it(
    engine: Engine, name: str
) -> None:
    with pytest.raises(SourceError, match="--no-header") as caught:
        checked(engine, "id", name)
    assert name not in str(caught.value)


def test_names_of_columns_hold_what_nobody_looks_for() -> None:
    assert checked(built("CREDIT_CARD"), "Alice Johnson", "alice@example.com")
