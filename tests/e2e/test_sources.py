"""Claims about where rows come from: a build of the same rows is the same build."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pytest

from tests.e2e.conftest import CHECKOUT, Project
from tests.e2e.warm import WarmProject
from tests.postgres import PASSWORD, Postgres, serving

SAMPLE = CHECKOUT / "sample_data" / "transactions.csv"
SECRET = {"PGPASSWORD": PASSWORD}
SEAL = ("build", "-s", "+transactions_sealed")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with serving() as running:
        names = pc.read_csv(SAMPLE).schema.names
        texts = pc.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        running.write("transactions", pc.read_csv(SAMPLE, convert_options=texts))
        yield running


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> WarmProject:
    project = WarmProject(CHECKOUT, tmp_path_factory.mktemp("sources"))
    project.dbt(*SEAL)
    return project


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_a_table_gives_the_fingerprints_of_the_file_and_leaves_nothing_behind(
    built: WarmProject, server: Postgres
) -> None:
    before = built.sealed_files()
    variables = {"transactions_csv": server.location("public.transactions")}
    built.dbt(*SEAL, vars=variables, env=SECRET)
    audit = "select sum(n_rows) from vault.main.transactions_ingested where outcome = ? "
    assert built.query(f"{audit} and file_path like 'postgresql:%'", ["read"]) == [(2000,)]
    assert built.query(audit, ["kept"]) == [(2000,)]
    assert built.sealed_files() == before
    assert not list(files(built.vault / "temp"))
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files(built.root))

    # another process copies the table anew, and finds it as it was
    built.dbt("run", "-s", "transactions_drawn", vars=variables, env=SECRET)
    server.execute("delete from transactions where amount = (select min(amount) from transactions)")
    refused = built.dbt("run", "-s", "transactions_drawn", vars=variables, env=SECRET, check=False)
    assert refused.returncode == 1
    assert "run dbt build -s transactions_ingested+" in refused.stdout


def test_json_gives_the_fingerprints_of_the_file_and_a_broken_record_costs_itself(
    built: WarmProject, tmp_path: Path
) -> None:
    before = built.sealed_files()
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        records = [json.dumps(row, indent=2) for row in csv.DictReader(file)]
    records.insert(7, records[7].replace('"', "'"))
    path = tmp_path / "same.json"
    path.write_text(f"[{','.join(records)}]", "utf-8")
    built.dbt(*SEAL, vars={"transactions_csv": str(path)})
    assert built.sealed_files() == before
    ((number, start, end, reason),) = built.query("""
        select line_number, byte_start, byte_end, reason
        from vault.main.transactions_ingested where outcome = 'rejected'
    """)
    assert (number, reason) == (8, "no_json_object")
    assert path.read_bytes()[start:end] == f"{records[7]},".encode()


@pytest.mark.slow
def test_new_takes_a_table_and_the_folder_builds(project: Project, server: Postgres) -> None:
    server.execute(
        'create table "Staff" (no int primary key, mail text, team text, review text)',
        """
        insert into "Staff"
        select
            n, 'person' || n || '@example.com', (array['Sales', 'Finance', 'Support'])[1 + n % 3],
            'Did well this year, and the whole team likes to work with them.'
        from generate_series(1, 60) as s (n)
        """,
    )
    copy = project.edited({"dbt_project.yml": lambda text: text.replace("pii_texts]", "staff]")})
    location = server.location('"Staff"')
    made = copy.sealtune("new", "staff", "--from", location, env=SECRET)
    assert "looked at 60 of 60 rows" in made.stdout
    assert "mail" in made.stdout
    copy.dbt("build", "-s", "+staff_sealed", env=SECRET)
    assert {path.parent.name for path in copy.sealed_files()} == {"staff"}
