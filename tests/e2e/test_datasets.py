"""Claims about all datasets of one build: each in its folder, none in the way of another."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import CHECKOUT
from tests.e2e.warm import WarmProject

ALL = ("build", "--select", "path:models")
DATASETS = {"transactions", "tickets", "legal", "pii_texts"}
SAMPLES = CHECKOUT / "sample_data"
BUDGET = 1024  # tokens of a conversation of legal


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> WarmProject:
    project = WarmProject(CHECKOUT, tmp_path_factory.mktemp("datasets"))
    project.dbt(*ALL)
    return project


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def conversations(project: WarmProject, dataset: str) -> Iterator[dict[str, str]]:
    """Yield the texts of each sealed line by role."""
    for (line,) in project.query(f"from vault.main.{dataset}_sealed select line"):
        yield {one["role"]: one["content"] for one in json.loads(line)["messages"]}


def sealed(project: WarmProject) -> set[str]:
    return {path.parent.name for path in project.sealed_files()}


def test_one_build_seals_and_submits_every_dataset(built: WarmProject) -> None:
    assert sealed(built) == DATASETS
    jobs = built.query("select dataset, state from vault.main.fine_tune_jobs")
    assert sorted(jobs) == sorted((name, "PLANNED") for name in DATASETS)


def test_every_record_of_every_source_is_accounted_for(built: WarmProject) -> None:
    audit = built.query(
        "select dataset, outcome, sum(n_rows) from vault.main.ingest_audit group by all"
    )
    counts = {(dataset, outcome): n for dataset, outcome, n in audit}
    for name in DATASETS:
        assert counts[name, "read"] == len(rows_of(SAMPLES / f"{name}.csv"))
        assert counts[name, "kept"] == counts[name, "read"]


def test_no_name_address_or_number_of_a_customer_is_in_a_sealed_ticket(built: WarmProject) -> None:
    texts = "\n".join("\n".join(one.values()) for one in conversations(built, "tickets")).casefold()
    tickets = rows_of(SAMPLES / "tickets.csv")
    written = [f"{one['Ticket Description']} {one['Resolution']}".casefold() for one in tickets]
    named = [
        ticket
        for ticket, text in zip(tickets, written, strict=True)
        if ticket["Customer Name"].casefold() in text or ticket["Customer Email"] in text
    ]
    assert len(named) > len(tickets) / 4  # there is something to find
    for ticket in tickets:
        assert ticket["Customer Email"].casefold() not in texts
        assert ticket["Customer Name"].casefold() not in texts
        assert ticket["Customer Name"].split()[1].casefold() not in texts
    assert not re.search(r"555.01\d\d|7946", texts)
    assert re.search(r"555.01\d\d|7946", "".join(written))


def test_tickets_keep_their_lines_and_their_form_is_filled_in(built: WarmProject) -> None:
    users = [one["user"] for one in conversations(built, "tickets")]
    assert any("\n\n" in text.partition("Ticket: ")[2] for text in users)
    assert not any("{product_purchased}" in text for text in users)


def test_cases_are_asked_for_the_outcomes_that_are_not_rare(built: WarmProject) -> None:
    cases = rows_of(SAMPLES / "legal.csv")
    outcomes = [case["case_outcome"] for case in cases]
    left = sorted({one for one in outcomes if outcomes.count(one) >= 0.05 * len(cases)})
    assert left != sorted(set(outcomes))
    for one in conversations(built, "legal"):
        assert one["system"].endswith(f"Answer with one of: {', '.join(left)}.")
        assert one["assistant"] in left


def test_long_cases_are_cut_and_counted_and_keep_their_answer(built: WarmProject) -> None:
    ((n_cut, most),) = built.query("""
        select count(*) filter (n_cut_tokens > 0), max(n_cut_tokens) from vault.main.legal_scrubbed
    """)
    assert n_cut
    assert most > BUDGET
    ((longest,),) = built.query("select max(n_tokens) from vault.main.legal_examples")
    assert BUDGET / 2 < longest <= BUDGET
    cut = [one for one in conversations(built, "legal") if "[…]" in one["user"]]
    assert len(cut) == n_cut
    assert all(one["user"].startswith("Case Title: ") and one["assistant"] for one in cut)
    summary = built.query("""
        select n_rows from vault.main.build_summary
        where dataset = 'legal' and state = 'shortened'
    """)
    assert summary == [(n_cut,)]


def test_synthetic_texts_were_held_against_every_identifier_of_the_other_sources(
    built: WarmProject,
) -> None:
    rows = built.query("select * from vault.main.pii_texts_overlaps")
    compared = {(dataset, column): n for dataset, column, n, _, _ in rows}
    assert compared["tickets", "Customer Name"] == len(rows_of(SAMPLES / "tickets.csv"))
    assert compared["transactions", "card_number"] == len(rows_of(SAMPLES / "transactions.csv"))
    assert {dataset for dataset, _ in compared} == DATASETS - {"pii_texts"}
    assert sum(n_found for *_, n_found in rows) == 0


def test_a_broken_file_of_one_dataset_leaves_the_others_sealed_and_submitted(
    tmp_path: Path,
) -> None:
    broken = tmp_path / "tickets.csv"
    text = (SAMPLES / "tickets.csv").read_text("utf-8")
    broken.write_text(text.replace('"', "", 41), encoding="utf-8")
    project = WarmProject(CHECKOUT, tmp_path)
    variables = {"tickets_csv": str(broken)}
    done = project.dbt(*ALL, vars=variables, check=False)
    assert done.returncode == 1
    assert "tickets_ingested: " in done.stdout
    assert "records were rejected, more than max_reject_share" in done.stdout
    assert "Run dbt build -s outcomes" in done.stdout
    assert sealed(project) == DATASETS - {"tickets"}
    # no dataset is in the way of looking at what became of the others
    project.dbt("build", "--select", "outcomes", vars=variables)
    jobs = project.query("select dataset, state from vault.main.fine_tune_jobs")
    assert sorted(jobs) == sorted((name, "PLANNED") for name in DATASETS - {"tickets"})
    summary = project.query("select distinct dataset from vault.main.build_summary where step = 10")
    assert {name for (name,) in summary} == DATASETS - {"tickets"}


@pytest.mark.parametrize("spelling", ["{}", "{}, please"])
def test_a_synthetic_text_that_names_a_real_customer_is_not_released(
    tmp_path: Path, spelling: str
) -> None:
    customer = rows_of(SAMPLES / "tickets.csv")[7]["Customer Name"].upper().replace(" ", ", ")
    texts = tmp_path / "texts.csv"
    lines = (SAMPLES / "pii_texts.csv").read_text("utf-8").splitlines()[:60]
    named = f'T9999999,"Ask {spelling.format(customer)}.",PII'
    texts.write_text("\n".join([*lines, named]) + "\n", encoding="utf-8")
    project = WarmProject(CHECKOUT, tmp_path)
    variables = {"pii_texts_csv": str(texts), "sample_per_class": None}
    done = project.dbt("build", "-s", "pii_texts", vars=variables, check=False)
    assert "no value of a real source stands in synthetic texts (1 of 1)" in done.stdout
    assert project.sealed_files() == []
    found = project.query(
        "select column_name, n_found from vault.main.pii_texts_overlaps where n_found > 0"
    )
    assert found == [("Customer Name", 1)]
