"""No value of the input reaches a byte that is not encrypted, however a command ends.

Every column of the input holds canaries: in records that are kept, where the column's rules let a
canary through, and in records that are rejected, where they do not. After each command all that it
wrote, everything under the test's folder but the source, and all that it printed is searched for
them, in every encoding that a log or an artifact might give them.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from python_stages.generate import dirt, generate_transactions
from python_stages.generate.tables import HEADER
from tests.e2e.canaries import (
    ACCENTED,
    AMOUNT,
    CARD_NUMBER,
    CLOSED,
    STEM,
    is_noise,
    leaks_in,
    search,
    spills,
    write_source,
)
from tests.e2e.conftest import CHECKOUT, Completed, Project
from tests.e2e.warm import WarmProject
from tests.python_stages.backends.loopback_api import (
    API_KEY,
    ApiError,
    LoopbackApi,
    Request,
    StoredJob,
    serve,
)

# ── the commands ──


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source with the canaries, in a folder that is not searched."""
    path = tmp_path_factory.mktemp("source") / "transactions.csv"
    write_source(path)
    return path


@dataclass(frozen=True, slots=True)
class Built:
    """A vault that `dbt build` has built from the source.

    Args:
        project: a copy of the checkout, because others may change that.
        variables: what it was built with.
        before: content of every file of the project before the build.
    """

    project: Project
    variables: dict[str, Any]
    before: dict[Path, bytes]

    def copy_to(self, root: Path) -> WarmProject:
        """Return a copy of the project's state in a folder of its own."""
        for name in ("vault", "keys", "target"):
            shutil.copytree(self.project.root / name, root / name)
        return WarmProject(CHECKOUT, root)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Built:
    """Return the source built with every record drawn, in a folder of its own."""
    project = WarmProject(CHECKOUT, tmp_path_factory.mktemp("built")).edited({})
    variables = {
        "transactions_csv": str(source),
        "sample_per_class": None,
        "max_reject_share": 0.2,
    }
    before = files_of(project)
    project.dbt("build", vars=variables)
    return Built(project, variables, before)


def files_of(project: Project) -> dict[Path, bytes]:
    """Return the content of every file of a project's folder."""
    return {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}


def run(project: Project, *args: str, is_ok: bool, says: str = "", **variables: Any) -> Completed:
    """Run dbt, check how it ends and what it says, and search everything for canaries."""
    done = project.dbt(*args, vars=variables, check=False)
    assert (done.returncode == 0) is is_ok, done.stdout
    assert says in done.stdout
    assert search(project) == []
    return done


def test_every_column_of_the_source_holds_canaries(source: Path) -> None:
    lines = source.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    for name in HEADER:
        assert any(f"bad {name}" in line for line in lines)
    kept = dirt.fields(lines[1])
    for name, cell in zip(HEADER, kept, strict=True):
        assert name in CLOSED or leaks_in(cell.encode())


def test_the_canaries_come_as_far_as_the_sealed_lines(built: Built) -> None:
    is_in_line = "select split from vault.main.transactions_sealed where contains(line, ?)"
    found = [
        built.project.query(is_in_line, [canary])
        for canary in (STEM, f"{STEM}ville {ACCENTED}", "7,318,264.91")
    ]
    assert all(found)
    # one alone may by chance stand in one split
    assert {split for splits in found for split in splits} == {("train",), ("validation",)}
    reasons = "select reason from vault.main.transactions_ingested where outcome = 'rejected'"
    assert len(built.project.query(reasons)) == len(HEADER) + 1


def test_a_build_leaves_no_canary(built: Built) -> None:
    assert search(built.project) == []
    assert len(built.project.sealed_files()) == 2
    assert (built.project.logs / "dbt.log").stat().st_size > 0


def test_the_warehouse_does_not_open_without_its_key(built: Built) -> None:
    with duckdb.connect(":memory:") as con, pytest.raises(duckdb.Error):
        con.execute(f"attach '{built.project.vault / 'warehouse.duckdb'}' (read_only)")


def test_test_docs_and_list_leave_no_canary(built: Built, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    run(project, "test", is_ok=True, **built.variables)
    run(project, "docs", "generate", "--static", is_ok=True, **built.variables)
    assert (project.target / "static_index.html").exists()
    run(project, "ls", is_ok=True, **built.variables)


def test_a_build_leaves_the_project_as_it_was(built: Built) -> None:
    assert files_of(built.project) == built.before


def test_too_many_rejected_records_leave_no_canary(tmp_path: Path, source: Path) -> None:
    project = WarmProject(CHECKOUT, tmp_path)
    says = "more than max_reject_share"
    run(project, "build", is_ok=False, says=says, transactions_csv=str(source))
    assert project.sealed_files() == []


def test_a_source_without_a_header_leaves_no_canary(
    tmp_path: Path, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = WarmProject(CHECKOUT, tmp_path)
    headless = tmp_path_factory.mktemp("headless") / "transactions.csv"
    headless.write_bytes(source.read_bytes().partition(b"\n")[2])
    says = "the first line"
    run(project, "build", is_ok=False, says=says, transactions_csv=str(headless))


def test_a_failing_check_leaves_no_canary(built: Built, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    variables = built.variables | {"validation_share": 0}
    what = "transactions_examples+"
    run(project, "build", "-s", what, "--store-failures", is_ok=False, says="FAIL", **variables)
    run(project, "run", "-s", "transactions_sealed", is_ok=False, says="check", **variables)
    assert len(project.sealed_files()) == len(built.project.sealed_files())


# A relation that fails in the middle of the stream that a stage reads it by, quoting a canary.
EXPLOSIVE = """

def explosive(relation, column):
    for _ in range(6):
        relation = relation.union(relation)
    value = f"case when n > 19000 then {column}::integer::varchar else {column} end"
    numbered = relation.order(f"contains({column}, 'HEAD' || 'TAIL')")
    numbered = numbered.project("*, row_number() over () as n")
    return numbered.project(f"* exclude n replace ({value} as {column})")
""".replace("HEAD", STEM[:4]).replace("TAIL", STEM[4:])


@pytest.mark.parametrize(
    ("model", "upstream", "column"),
    [
        ("transactions_rendered", "transactions_sampled", "merchant"),
        pytest.param(
            *("transactions_scrubbed", "transactions_rendered", "user_text"),
            marks=pytest.mark.slow,
        ),
        ("transactions_checked", "transactions_examples", "messages"),
    ],
)
def test_a_python_model_that_fails_on_a_row_leaves_no_canary(
    built: Built, tmp_path: Path, model: str, upstream: str, column: str
) -> None:
    def explode(text: str) -> str:
        read = f'dbt.ref("{upstream}")'
        return text.replace(read, f'explosive({read}, "{column}")') + EXPLOSIVE

    path = f"models/transactions/{model}.py"
    project = built.copy_to(tmp_path).edited({path: explode})
    run(project, "run", "-s", model, is_ok=False, says="is not shown", **built.variables)


def test_a_sql_model_that_fails_on_a_row_leaves_no_canary(built: Built, tmp_path: Path) -> None:
    def cast(text: str) -> str:
        canaries = f"contains(merchant, '{STEM[:4]}' || '{STEM[4:]}')"
        exploding = f"case when {canaries} then merchant::integer::varchar else merchant end"
        return text.replace("        merchant,\n", f"        {exploding} as merchant,\n")

    path = "models/transactions/transactions_sampled.sql"
    project = built.copy_to(tmp_path).edited({path: cast})
    says = "is not shown"
    run(project, "run", "-s", "transactions_sampled", is_ok=False, says=says, **built.variables)
    inline = "select merchant::integer from {{ ref('stg_transactions') }}"
    show = ("show", "--log-level-file", "none", "--inline", inline)
    run(project, *show, is_ok=False, says=says, **built.variables)


@dataclass
class QuotingApi(LoopbackApi):
    """A provider whose refusals quote the data, in message and code.

    Args:
        refused: path of the requests that are refused.
        status: what they are refused with.
        refused_method: method of these requests.
    """

    refused: str = ""
    status: int = 400
    refused_method: str = "POST"
    quoted: str = f"line 1 is invalid: {STEM} {ACCENTED} {AMOUNT} {CARD_NUMBER}"

    def answer(self, request: Request) -> dict[str, Any] | bytes:
        """Refuse what is to be refused."""
        if (request.method, request.path) == (self.refused_method, f"/v1/{self.refused}"):
            raise ApiError(self.status, self.quoted, self.quoted)
        return super().answer(request)

    def _file_problem(self, job: StoredJob) -> dict[str, Any] | None:
        content = self._file(job.shown["training_file"]).content.decode()
        assert STEM in content, "the canaries are not among the lines that were sent"
        return {"code": self.quoted, "message": f"{self.quoted}: {content}", "param": self.quoted}


@pytest.mark.parametrize(
    ("api", "is_ok", "says"),
    [
        (QuotingApi(refused="files"), False, "status 400"),
        pytest.param(
            *(QuotingApi(refused="fine_tuning/jobs"), False, "status 400"), marks=pytest.mark.slow
        ),
        pytest.param(
            *(QuotingApi(refused="fine_tuning/jobs", refused_method="GET", status=500), False),
            "500",
            marks=pytest.mark.slow,
        ),
        (QuotingApi(), True, "is failed"),
    ],
    ids=["upload", "job", "server error", "failed job"],
)
def test_a_provider_that_quotes_the_data_leaves_no_canary(
    built: Built, tmp_path: Path, api: QuotingApi, *, is_ok: bool, says: str
) -> None:
    project = replace(built.copy_to(tmp_path), extra_env={"SEALTUNE_API_KEY": API_KEY})
    with serve(api):
        variables = built.variables | {"backend": "compatible", "base_url": api.base_url}
        what = ("run", "-s", "transactions_sealed", "fine_tune_jobs")
        done = run(project, *what, is_ok=is_ok, says=says, **variables)
    assert API_KEY not in done.stdout


def swap_keys(project: Project) -> None:
    other = project.keys.with_name("other")
    project.sealtune("keys", "init", env={"SEALTUNE_KEYS_DIR": str(other)})
    shutil.copy2(other / "vault.key", project.keys / "vault.key")


def remove_keys(project: Project) -> None:
    shutil.rmtree(project.keys)


@pytest.mark.parametrize("spoil", [swap_keys, remove_keys])
def test_wrong_and_missing_keys_leave_no_canary(
    built: Built, tmp_path: Path, spoil: Callable[[Project], None]
) -> None:
    project = built.copy_to(tmp_path)
    spoil(project)
    run(project, "build", is_ok=False, says="put", **built.variables)


def test_show_prints_rows_and_writes_none(built: Built, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    show = ("show", "-s", "stg_transactions", "--limit", "400", "--log-level-file", "none")
    done = project.dbt(*show, vars=built.variables)
    assert STEM in done.stdout
    assert search(project, outputs=False) == []


def test_show_is_refused_where_it_would_log_rows(built: Built, tmp_path: Path) -> None:
    show = ("show", "-s", "stg_transactions", "--limit", "400")
    says = "would also write"
    run(built.copy_to(tmp_path), *show, is_ok=False, says=says, **built.variables)


@pytest.mark.slow
def test_a_spill_that_a_killed_build_left_holds_no_canary(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("large") / "transactions.csv"
    generate_transactions(source, n_rows=300_000, seed=5, n_workers=1)
    text = source.read_text("ascii").replace("Unknown City", f"{STEM}ville")
    source.write_text(text, "ascii")
    variables = {"transactions_csv": str(source), "sample_per_class": None}
    project.dbt("run", "-s", "+stg_transactions", vars=variables)

    def narrow(text: str) -> str:
        return text.replace("threads: 4", "settings: {memory_limit: 50MB, threads: 1}")

    narrowed = project.edited({"profiles.yml": narrow})
    draw = ("run", "-s", "transactions_drawn")
    assert narrowed.dbt_killed(*draw, vars=variables, when=lambda: bool(spills(project.vault)))
    assert is_noise(spills(project.vault))
    assert search(project) == []
