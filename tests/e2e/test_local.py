"""The embedded default: a build that tunes a model on this machine, evaluates and attacks it."""

import json

import pytest

from tests.e2e.conftest import CHECKOUT, Project

MODELS = "models/transactions/_transactions__models.yml"
AUDIT = "checkpoints: false, n_ranked: 40"
FEW = "checkpoints: false, n_ranked: 4, n_once: 20, repeats: [4], n_per_group: 1"
VARIABLES = {"backend": "local", "n_epochs": 1}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project after a build, whose audit plants a few canaries."""
    project = Project(CHECKOUT, tmp_path_factory.mktemp("local")).edited(
        {MODELS: lambda text: text.replace(AUDIT, FEW)}
    )
    project.dbt("build", vars=VARIABLES)
    return project


def test_a_build_ends_with_a_tuned_model_and_a_shadow_that_was_attacked(built: Project) -> None:
    jobs = built.query("""
        select dataset, outcome, backend, fine_tuned_model is not null
        from vault.main.fine_tune_jobs where backend = 'local' order by dataset
    """)
    assert jobs == [
        ("transactions", "succeeded", "local", True),
        ("transactions_shadow", "succeeded", "local", True),
    ]
    audited = built.query("""
        select model_role, verdict is not null, count(*) over () > 10
        from vault.main.memorization_audit where measure = 'verdict' order by model_role
    """)
    assert [row[:2] for row in audited] == [("base", True), ("tuned", True)]


def test_the_model_is_scored_on_examples_that_it_was_not_trained_on(built: Project) -> None:
    asked, answered = built.query("""
        select count(*), count(answer)
        from vault.main.predictions where model_role = 'tuned'
    """)[0]
    validation = built.query("""
        select count(*) from vault.main.transactions_examples where split = 'validation'
    """)[0][0]
    assert asked == answered == validation > 0
    roles = built.query("""
        select distinct model_role from vault.main.evaluations
        where metric = 'accuracy' and compared_with is null
    """)
    assert {"tuned", "base", "majority", "tfidf"} <= {role for (role,) in roles}


def test_nothing_of_the_server_outlives_the_build(built: Project) -> None:
    assert not list(built.vault.glob("local/*.sock"))
    assert built.sealtune("jobs", "list").stdout.count("succeeded") == 2


@pytest.mark.slow
def test_an_audit_is_run_again_by_hand_and_told(built: Project) -> None:
    key = built.sealtune("jobs", "list").stdout.splitlines()
    (job,) = [line.split()[0] for line in key if line.split()[1] == "transactions"]
    before = built.query("select max(audited_at) from vault.main.memorization_audit")
    ran = built.sealtune("audit", "run", job, "--json")
    (now,) = [one for one in json.loads(ran.stdout) if one["model_role"] == "tuned"]
    assert now["verdict"] in ran.stderr
    assert built.query("select max(audited_at) from vault.main.memorization_audit") > before
    (told,) = [
        row
        for row in json.loads(built.sealtune("audit", "list", "--json").stdout)
        if row["model_role"] == "tuned"
    ]
    assert told == now
    assert told["verdict"] in {"PASS", "WARN", "FAIL"}
    assert told["verdict"] in built.sealtune("audit", "show", job).stdout


@pytest.mark.slow
def test_a_second_build_trains_nothing(built: Project) -> None:
    jobs = "select job_key, job_id, fine_tuned_model from vault.main.fine_tune_jobs order by all"
    before = built.query(jobs)
    built.dbt("build", vars=VARIABLES)
    assert built.query(jobs) == before
