"""dbt stops at a name that nobody knows, and says which was meant."""

from tests.e2e.conftest import Project


def test_dbt_stops_at_a_misspelled_var(project: Project) -> None:
    done = project.dbt("build", vars={"sample_per_clas": 5}, check=False)
    assert done.returncode != 0
    assert "unknown var sample_per_clas; did you mean sample_per_class?" in done.stdout


def test_dbt_stops_at_a_misspelled_section(project: Project) -> None:
    path = "models/transactions/_transactions__models.yml"
    edited = project.edited(
        {path: lambda text: text.replace("        evaluate:", "        evalute:")}
    )
    done = edited.dbt("run", "-s", "ingest_audit", check=False)
    assert done.returncode != 0
    assert "transactions_sealed: unknown setting evalute under meta" in done.stdout
    assert "did you mean evaluate?" in done.stdout
