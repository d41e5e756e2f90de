"""Claims about JSON that is no JSON lines: every value is a record, wherever its lines end."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.errors import SourceError
from python_stages.ingest import json_values
from python_stages.ingest.json_values import JsonLines
from python_stages.ingest.sources import open_location
from tests.python_stages.ingest.test_json_lines import account

CANARY = "canary4242"
TEXTS = st.text(st.sampled_from('ab"\\[]{},: \n\t\r\x00é\u2028😀'), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=6)
INDENTS = st.sampled_from([None, 0, 2, "\t"])


def shown(text: str) -> list[Any]:
    """Return the values of the lines that are shown of a JSON text."""
    with JsonLines(io.BytesIO(text.encode()), "test.json") as lines:
        return [json.loads(line) for line in io.BufferedReader(lines) if line.strip()]


@given(records=OBJECTS, indent=INDENTS, is_ascii=st.booleans(), n_bytes=st.integers(1, 40))
def test_an_array_is_cut_into_its_elements(
    records: list[Any], indent: str | int | None, n_bytes: int, *, is_ascii: bool
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=is_ascii)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_CHUNK_BYTES", n_bytes)
        assert shown(text) == records


@given(
    records=OBJECTS,
    indent=INDENTS,
    between=st.sampled_from(["", "\n", " ", "\r\n", "\n\n "]),
    n_bytes=st.integers(1, 40),
)
def test_objects_one_behind_another_are_told_apart(
    records: list[Any], indent: str | int | None, between: str, n_bytes: int
) -> None:
    text = between.join(json.dumps(record, indent=indent) for record in records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_CHUNK_BYTES", n_bytes)
        assert shown(text) == records


@given(records=OBJECTS, indent=INDENTS, data=st.data())
def test_what_is_shown_can_be_read_from_anywhere(
    records: list[Any], indent: str | int | None, data: st.DataObject
) -> None:
    text = "".join(json.dumps(record, indent=indent) for record in records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_CHUNK_BYTES", 7)
        with JsonLines(io.BytesIO(text.encode()), "test.json") as lines:
            whole = lines.read()
            assert lines.seek(0, io.SEEK_END) == len(whole)
            for _ in range(4):
                start = data.draw(st.integers(0, len(whole)))
                size = data.draw(st.integers(0, 20))
                lines.seek(start)
                assert lines.read(size) == whole[start : start + size]


def test_records_of_an_array_are_accounted_for_and_named_by_their_bytes(tmp_path: Path) -> None:
    good = {"id": "n1", "messages": [{"role": "user", "content": "a\n]},{["}]}
    parts = [
        *(json.dumps(good, indent=1), '{"id": "n2"}', '{"id": n3}', "5", "{}"),
        *('{"id": "a\nb", "messages": 1}', json.dumps({**good, "id": "n4"})),
    ]
    path = tmp_path / "notes.json"
    path.write_text("[" + " ,\n".join(parts) + "]\n", encoding="utf-8")
    rows, kept = account(path)
    assert rows == [
        ("read", None, 7),
        ("kept", None, 2),
        ("rejected", "messages_missing", 2),
        ("rejected", "no_json_object", 3),
        ("rejected", "no_json_object", 4),
        ("rejected", "id_missing", 5),
        ("rejected", "no_json_object", 6),
    ]
    assert [name for name, _ in kept] == ["n1", "n4"]
    assert json.loads(kept[0][1]) == good["messages"]


@pytest.mark.parametrize("name", ["notes.json", "notes.json.gz", "notes.jsonl", "notes.jsonl.gz"])
def test_the_same_records_are_kept_however_they_are_laid_out(tmp_path: Path, name: str) -> None:
    records = [{"id": f"n{n}", "messages": [n, {"x": 1.50}]} for n in range(3)]
    lines = list(map(json.dumps, records))
    text = "\n".join(lines) if "jsonl" in name else "[" + ",".join(lines) + "]"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    rows, kept = account(path)
    assert rows == [("read", None, 3), ("kept", None, 3)]
    assert kept == [(f"n{n}", f'[{n},{{"x":1.5}}]') for n in range(3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"id": "%s"}', "ends inside of a record"),
        ('[{"id": "%s]', "ends inside of a record"),
        ('{"id": "%s"}{', "ends inside of a record"),
        ('[{"id": "%s"}}', "brackets that do not match"),
        ('{"id": "%s"}}', "closes more brackets than it opens"),
        ('[{"id": "%s"}] {}', "goes on behind the end of its array"),
        ('"%s"', "is neither an array nor objects one behind another"),
    ],
)
def test_a_file_that_is_no_json_is_refused_whole_and_not_quoted(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "notes.json"
    path.write_text(text % CANARY, encoding="utf-8")
    with pytest.raises(SourceError, match=f"notes.json.*{message}.*is it whole") as error:
        account(path)
    assert CANARY not in str(error.value)


def test_a_gzipped_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.json.gz"
    path.write_bytes(gzip.compress(b'[{"id": "a", "messages": "b"}]' * 100)[:-20])
    with pytest.raises(SourceError, match="cannot be read"):
        open_location(str(path))
