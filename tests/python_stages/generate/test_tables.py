"""Claims about generated tickets, cases and sentences, read back with Python's own csv module."""

import csv
import re
from pathlib import Path

import pytest

from python_stages.generate import TABLES, generate_table
from tests.e2e.conftest import CHECKOUT

KEPT_FOR_FICTION = re.compile(
    r"\(\d{3}\) 555-01\d\d|\+1 \d{3} 555 01\d\d|\d{3}-555-01\d\d|020 7946 0\d{3}"
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = {"canaries": 900}


@pytest.mark.parametrize("name", TABLES)
def test_the_bundled_sample_is_what_the_command_of_its_readme_writes(
    tmp_path: Path, name: str
) -> None:
    n_rows = ROWS.get(name, 200)
    generate_table(TABLES[name], tmp_path / "again.csv", n_rows=n_rows, seed=2024)
    sample = CHECKOUT / "sample_data" / f"{name}.csv"
    assert (tmp_path / "again.csv").read_bytes() == sample.read_bytes()


@pytest.mark.parametrize("name", TABLES)
def test_more_rows_begin_with_the_same_ones(tmp_path: Path, name: str) -> None:
    for n_rows in (5, 50):
        generate_table(TABLES[name], tmp_path / f"{n_rows}.csv", n_rows=n_rows, seed=3)
    assert (tmp_path / "50.csv").read_bytes().startswith((tmp_path / "5.csv").read_bytes())


def test_addresses_and_numbers_are_of_nobody(tmp_path: Path) -> None:
    generate_table(TABLES["tickets"], tmp_path / "t.csv", n_rows=500, seed=5)
    text = (tmp_path / "t.csv").read_text("utf-8")
    domains = set(re.findall(r"@([\w.]*\w)", text.lower()))
    assert domains == {"example.com", "example.org", "example.net"}
    without = KEPT_FOR_FICTION.sub("", text)
    assert not re.search(r"\d{3}\W{1,2}\d{3}\W\d{4}|\b020 ", without)


def test_people_of_sentences_and_of_tickets_have_no_surname_in_common(tmp_path: Path) -> None:
    for name in ("tickets", "pii_texts"):
        generate_table(TABLES[name], tmp_path / f"{name}.csv", n_rows=400, seed=5)
    surnames = {row["Customer Name"].split()[1] for row in rows_of(tmp_path / "tickets.csv")}
    texts = " ".join(row["text"] for row in rows_of(tmp_path / "pii_texts.csv"))
    assert not surnames & set(re.findall(r"\w+", texts))


def test_dirt_is_where_the_list_of_it_says(tmp_path: Path) -> None:
    report = generate_table(
        TABLES["tickets"],
        tmp_path / "t.csv",
        n_rows=200,
        seed=5,
        dirty_rate=0.1,
        truth_path=tmp_path / "truth.csv",
    )
    truth = rows_of(tmp_path / "truth.csv")
    assert sum(report.n_broken.values()) == len(truth) == 20
    lines = (tmp_path / "t.csv").read_bytes().split(b"\n")
    for row in truth:
        line = lines[int(row["line_number"]) - 1]
        if row["reason"] == "nul_byte":
            assert b"\0" in line
        if row["reason"] == "invalid_encoding":
            assert b"\xe9" in line
