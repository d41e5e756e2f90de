"""Claims about `sealtune new`: planted identifiers are classed as such, and the folder is whole."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from python_stages.cli.main import app
from python_stages.errors import ConfigError
from python_stages.scaffold import Proposal, propose, write_folder
from python_stages.scaffold.profile import profile
from python_stages.scaffold.words import WORDS

PEOPLE = [
    *("Emma Clark", "Oliver Stone", "Sophia Reed", "Liam Walker", "Mia Foster", "Noah Bennett"),
    *("Ava Turner", "Lucas Gray", "Grace Miller", "Henry Cole", "Ella Brooks", "Jack Harris"),
]
DEPARTMENTS = ("Sales", "Finance", "Support")


def employees(folder: Path) -> Path:
    path = folder / "employees.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Employee ID", "Name", "Work Email", "Mobile", "Salary", "Team", "Review"])
        for n in range(36):
            name = PEOPLE[n % 12]
            mail = f"{name.split()[0].lower()}{n}@example.com"
            review = f"{name} did well this year.\nThe whole team likes to work with them."
            team = DEPARTMENTS[n % 3]
            row = [f"E{1000 + 7 * n}", name, mail, f"+1 202 555 01{n:02}", 3000 + n, team, review]
            out.writerow(row)
    return path


def chats(folder: Path) -> Path:
    path = folder / "chats.parquet"
    rows = [
        {
            "chat": f"c-{n:04}",
            "user_name": PEOPLE[n % 12],
            "messages": [
                {"role": "user", "content": f"I am {PEOPLE[n % 12]}, how do I reset it?"},
                {"role": "assistant", "content": "Press the button."},
            ],
        }
        for n in range(24)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def notes(folder: Path) -> Path:
    path = folder / "notes.jsonl"
    rows = [
        {
            "mrn": f"MRN{70000 + 13 * n}",
            "patient": PEOPLE[n % 12],
            "note": f"{PEOPLE[n % 12]} came in with a cough since Monday; no fever.",
            "specialty": DEPARTMENTS[n % 3],
        }
        for n in range(24)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def visits(folder: Path) -> Path:
    path = folder / "visits.json"
    records = [json.loads(line) for line in notes(folder).read_text("utf-8").splitlines()]
    path.write_text(json.dumps(records, indent=2), encoding="utf-8")
    return path


Made = tuple[Callable[[Path], Path], Path, Proposal]
DIRECT: dict[object, set[str]] = {
    employees: {"employee_id", "name", "work_email", "mobile"},
    chats: {"chat", "user_name"},
    notes: {"mrn", "patient"},
    visits: {"mrn", "patient"},
}
LEARNT: dict[object, tuple[str, str]] = {
    employees: ("team", ""),
    chats: ("", "messages"),
    notes: ("specialty", ""),
    visits: ("specialty", ""),
}


@pytest.fixture(scope="module", params=DIRECT, ids=lambda make: make.__name__)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = request.param(tmp_path_factory.mktemp("new"))
    return request.param, path, propose(profile(str(path)))


def test_every_planted_identifier_is_classed_as_direct(
    made: Made,
) -> None:
    make, _, proposal = made
    assert {one.name for one in proposal.of("direct")} == DIRECT[make]
    assert all(sum(one.evidence.values()) for one in proposal.of("direct"))


def test_numbers_that_hardly_repeat_single_a_row_out(tmp_path: Path) -> None:
    path = tmp_path / "stays.csv"
    rows = "".join(f"{100 + n},{n % 3},{DEPARTMENTS[n % 3]}\n" for n in range(30))
    path.write_text(f"room,nights,team\n{rows}")
    classes = {one.name: one.privacy for one in propose(profile(str(path)), label="team").columns}
    assert classes == {"room": "quasi", "nights": "none", "team": "none"}


def test_what_is_to_learn_is_found(made: Made) -> None:
    make, _, proposal = made
    assert (proposal.label, proposal.chat) == LEARNT[make]


def test_the_folder_is_whole_and_holds_no_value(made: Made, tmp_path: Path) -> None:
    _, path, proposal = made
    written = write_folder(proposal, "mine", str(path), tmp_path)
    text = "\n".join(one.read_text("utf-8") for one in written)
    assert not any(part in text for name in PEOPLE for part in (name, name.split()[1] + " "))
    models = yaml.safe_load((tmp_path / "mine/_mine__models.yml").read_text("utf-8"))["models"]
    assert {one["name"] for one in models} == {
        one.stem for one in written if one.suffix in {".sql", ".py"}
    }
    scrub = next(one for one in models if one["name"] == "mine_scrubbed")["config"]["meta"]["scrub"]
    denied = {f"denied_{one.name}" for one in proposal.of("direct")}
    assert set(scrub["user_text"]["deny_from"]) == denied
    assert {name for name, rule in scrub.items() if rule == {"operator": "drop"}} == denied


def test_a_folder_that_is_there_is_left_alone(made: Made, tmp_path: Path) -> None:
    _, path, proposal = made
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="there already"):
        write_folder(proposal, "mine", str(path), tmp_path)


def test_a_folder_that_is_there_is_refused_before_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    absent = str(tmp_path / "absent.csv")
    done = CliRunner().invoke(app, ["new", "taken", "--from", absent, "--models", str(tmp_path)])
    assert (done.exit_code, "is there already" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", ["Mine", "my-data", "../mine", "1st", ""])
def test_a_name_that_is_none_is_refused(made: Made, tmp_path: Path, name: str) -> None:
    _, path, proposal = made
    with pytest.raises(ConfigError, match="lower-case"):
        write_folder(proposal, name, str(path), tmp_path)


def test_no_column_is_named_by_a_word_of_sql_or_yaml() -> None:
    reserved = duckdb.execute(
        "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
    ).fetchall()
    words = {word for (word,) in reserved} | {"y", "n", "yes", "no", "on", "off", "true", "null"}
    assert words <= WORDS.taken


def test_a_label_that_is_no_column_is_refused(tmp_path: Path) -> None:
    seen = profile(str(notes(tmp_path)))
    with pytest.raises(ConfigError, match="no column of the name given"):
        propose(seen, label="colour")


def test_rows_without_the_answer_are_not_drawn_and_no_fault_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    rows = [
        f"The printer {n} is out of paper and blinks,{'Put some in.' * (n % 2)}" for n in range(40)
    ]
    path.write_text("\n".join(["Question,Answer", *rows]), encoding="utf-8")
    (tmp_path / "models").mkdir()
    proposal = propose(profile(str(path)), answer="Answer")
    write_folder(proposal, "tickets", str(path), tmp_path / "models")
    folder = tmp_path / "models/tickets"
    assert "where answer is not null" in (folder / "tickets_drawn.sql").read_text("utf-8")
    models = yaml.safe_load((folder / "_tickets__models.yml").read_text("utf-8"))["models"]
    ingest = next(one for one in models if one["name"] == "tickets_ingested")["config"]["meta"]
    assert ingest["ingest"]["columns"]["Answer"] == {"is_required": False, "is_clean": True}
