"""Every record of a feedback file counts, and what is wrong with it is said without its text."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages.errors import SourceError
from python_stages.feedback import COLUMNS, Record, read_folder

ID = "0123456789abcdef0123456789abcdef"
HEADER = ",".join(COLUMNS)
AT = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


def faults(records: list[Record]) -> list[str | None]:
    return [one.fault for one in records]


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f'{HEADER},question\n{ID},Gas,"two\nlines",Ann,2026-05-01T12:00:00+02:00,whatever\n'
    )
    line = {
        "example_id": ID,
        "label": "Gas",
        "answer": "two\nlines",
        "who": "Ann",
        "when": "2026-05-01T10:00:00",
    }
    (tmp_path / "b.jsonl").write_text(json.dumps(line) + "\n\n")
    first, second = read_folder(tmp_path)
    assert first == Record("a.csv", 2, ID, "Gas", "two\nlines", "Ann", AT)
    assert second == Record("b.jsonl", 1, ID, "Gas", "two\nlines", "Ann", AT)


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (f"{ID},Gas,,Ann", "unreadable_record"),
        (",Gas,,Ann,2026-05-01", "example_id_missing"),
        ("Jo Doe,Gas,,Ann,2026-05-01", "example_id_invalid"),
        (f"{ID},Gas,,,2026-05-01", "who_missing"),
        (f"{ID},Gas,,Ann,", "when_missing"),
        (f"{ID},Gas,,Ann,yesterday", "when_invalid"),
    ],
)
def test_a_record_that_cannot_be_used_says_why_and_keeps_nothing(
    tmp_path: Path, cells: str, fault: str
) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{cells}\n{ID},Gas,,Ann,2026-05-01\n")
    bad, good = read_folder(tmp_path)
    assert (bad.fault, bad.label, bad.answer) == (fault, None, None)
    assert (good.fault, good.line) == (None, 3)


def test_bytes_that_are_no_text_are_one_fault_and_the_others_count(tmp_path: Path) -> None:
    lines = [
        f"{ID},Gas,\xff,Ann,2026-05-01".encode("latin-1"),
        f"{ID},Gas,,Ann,2026-05-01".encode(),
    ]
    (tmp_path / "a.csv").write_bytes(b"\n".join([HEADER.encode(), *lines]))
    assert faults(read_folder(tmp_path)) == ["unreadable_record", None]


@pytest.mark.parametrize("line", ["{", "[]", '{"example_id": 7}', '"text"'])
def test_a_line_that_is_no_record_is_counted(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n")
    assert faults(read_folder(tmp_path)) == ["unreadable_record"]


def test_a_file_without_the_columns_or_with_an_open_quote_stops(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("example_id,label\n")
    with pytest.raises(SourceError, match="no column answer"):
        read_folder(tmp_path)
    file.write_text(f'{HEADER}\n{ID},"Gas,,Ann,2026-05-01\n')
    with pytest.raises(SourceError, match=r"broken from line 2 on"):
        read_folder(tmp_path)


def test_a_record_without_label_and_answer_is_blank_whoever_signed_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{ID}, ,\t,,\n{ID},,,Ann,2026-05-01\n")
    assert [one.is_blank for one in read_folder(tmp_path)] == [True, True]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(answers=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=5))
def test_as_many_records_come_out_as_were_written(tmp_path: Path, answers: list[str]) -> None:
    lines = [
        json.dumps(dict(zip(COLUMNS, (ID, "", answer, "Ann", "2026-05-01"), strict=True)))
        for answer in answers
    ]
    (tmp_path / "a.jsonl").write_text("".join(line + "\n" for line in lines))
    records = read_folder(tmp_path)
    assert len(records) == len(answers)
    for record, answer in zip(records, answers, strict=True):
        if "\0" in answer:
            assert record.fault == "unreadable_record"
        else:
            assert record.answer == (answer if answer.strip() else None)
