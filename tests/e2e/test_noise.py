"""Differentially private noise, as a user switches it on: other amounts, once, with its epsilon."""

import json
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # two builds; the fast proof is test_drawn_noise.py

YAML = "models/transactions/_transactions__models.yml"
EPSILON, COUNT_EPSILON = 2.0, 0.5


def edit(text: str, *, epsilon: float = EPSILON, column: str = "amount") -> str:
    """Ask for noise on a column and on the counts."""
    asked = f"{{epsilon: {epsilon}, lower: 0, upper: 5000, step: 0.01}}"
    render = "          label_column: merchant_category\n"
    check = "          labels: *categories\n          # counts of classes"
    noise = f"{render}          noise: {{{column}: {asked}}}\n"
    counts = f"          private_counts: {{epsilon: {COUNT_EPSILON}}}\n{check}"
    return text.replace(render, noise).replace(check, counts)


def asked(project: Project, change: Callable[[str], str] = edit) -> Project:
    """Return the project with noise, in a copy that is at the same place whatever changes."""
    return project.edited({YAML: change})


def sealed_bytes(project: Project) -> dict[str, bytes]:
    """Return every sealed file."""
    return {path.name: path.read_bytes() for path in project.sealed_files()}


def report(project: Project) -> dict[str, object]:
    """Write the report; return what it says of the dataset."""
    folder = project.root / "site"
    variables = json.dumps({"backend": "plan", "sample_per_class": 25})
    project.sealtune("site", "--out", str(folder), "--vars", variables)
    page = (folder / "dataset-transactions.html").read_text("utf-8")
    assert "Differentially private noise" in page
    found = json.loads((folder / "report.json").read_text("utf-8"))["datasets"]
    (dataset,) = (one for one in found if one["name"] == "transactions")
    return dict(dataset)


WORDED = """
    with dollars as (
        select row_id, sampled.amount, draws.noisy_value::double as noisy, user_text
        from vault.main.transactions_sampled as sampled
        join vault.main.transactions_noise_draws as draws using (row_id)
        join vault.main.transactions_rendered using (row_id)
        where country = 'USA' and currency = 'USD'
    )
    select
        count(*),
        count(*) filter (contains(user_text, format('{:,.2f}', noisy))),
        count(*) filter (contains(user_text, format('{:,.2f}', amount))),
        count(*) filter (exists (
            select 1 from vault.main.transactions_examples
            where contains(messages, format('{:,.2f}', noisy))
        ))
    from dollars
"""


def test_noise_is_in_the_examples_is_drawn_once_and_is_in_the_report(project: Project) -> None:
    noisy = asked(project)
    noisy.dbt("build")
    ((n, n_noisy, n_raw, n_examples),) = noisy.query(WORDED)
    assert n >= 5
    assert n_noisy == n_examples == n
    assert n_raw <= n / 5

    before = sealed_bytes(noisy)
    noisy.dbt("build", "--full-refresh")
    assert sealed_bytes(noisy) == before
    assert noisy.query("select count(*), count(distinct row_id) from "
                       "vault.main.transactions_noise_draws") == [(200, 200)]  # fmt: skip

    found = report(noisy)
    noise = found["noise"]
    assert isinstance(noise, dict)
    assert noise["columns"] == [
        {
            "column": "amount",
            "is_current": True,
            "epsilon": EPSILON,
            "lower": 0.0,
            "upper": 5000.0,
            "n_draws": 200,
            "most_draws": 1,
            "epsilon_spent": pytest.approx(EPSILON, rel=1e-6),
        }
    ]
    assert noise["counts"]["n_draws"] == 1
    assert noise["epsilon_total"] == pytest.approx(EPSILON + COUNT_EPSILON, rel=1e-6)
    drawn = noisy.query(
        "select label, split, greatest(n_noisy, 0) from vault.main.transactions_noise_counts"
    )
    classes = found["classes"]
    assert isinstance(classes, list)
    assert {(one["label"], one["split"], one["n"]) for one in classes} == set(drawn)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: edit(text, epsilon=0), "epsilon must be a finite number above 0"),
        (lambda text: edit(text, column="amuont"), "no template shows amuont; did you mean amount"),
    ],
)
def test_noise_that_is_asked_for_wrongly_stops_the_build(
    project: Project, change: Callable[[str], str], message: str
) -> None:
    selected = ("--select", "+transactions_rendered")
    done = asked(project, change).dbt("build", *selected, check=False)
    assert done.returncode
    assert message in " ".join(done.stdout.split())


def test_draws_are_dropped_with_their_dataset(project: Project) -> None:
    noisy = asked(project)
    noisy.dbt("build", "--select", "+transactions_rendered")
    tables = "select count(*) from duckdb_tables() where table_name = 'transactions_noise_draws'"
    assert noisy.query(tables) == [(1,)]
    noisy.dbt("run-operation", "drop_dataset", "--args", "{dataset: transactions}")
    assert noisy.query(tables) == [(0,)]
