"""No direct identifier gets past the sample, by the lineage of every column; and all is described.

The lineage is read off the SQL that dbt compiled. A Python model, whose code no SQL parser reads,
is taken at its worst: each of its columns is made of every column of all that it reads. Exceptions
are `*_ingested`, whose columns are counts, places and keyed hashes, and none the source's, and what
the settings of `*_rendered` carry on and those of `*_scrubbed` drop.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlglot import exp, parse_one
from sqlglot.lineage import lineage

from tests.e2e.conftest import CHECKOUT
from tests.e2e.warm import WarmProject

PRIVACY = {"direct", "quasi", "sensitive", "free_text", "none"}
Sql = Mapping[str, str]  # compiled SQL by model
Leaf = tuple[str, str]  # relation and column


@dataclass(frozen=True, slots=True)
class Manifest:
    """dbt's manifest, as far as it is asked here."""

    raw: Mapping[str, Any]

    @property
    def models(self) -> dict[str, Any]:
        """Nodes of the models by name, each behind those that it reads."""
        nodes = {
            one["name"]: one
            for one in self.raw["nodes"].values()
            if one["resource_type"] == "model"
        }
        done: dict[str, Any] = {}
        while len(done) < len(nodes):
            done |= {n: one for n, one in nodes.items() if set(self.parents(one)) <= done.keys()}
        return done

    @property
    def sources(self) -> list[Any]:
        """Nodes of the sources."""
        return list(self.raw["sources"].values())

    def source(self, name: str) -> Any:
        """Node of one source."""
        return next(one for one in self.sources if one["name"] == name)

    def parents(self, node: Mapping[str, Any]) -> list[str]:
        """Names of the models that a model reads."""
        ids = node["depends_on"]["nodes"]
        return [one.split(".")[-1] for one in ids if one.startswith("model.")]

    def below(self, name: str) -> list[str]:
        """Names of a model and of all that are made of it."""
        found = [name]
        for one, node in self.models.items():
            if set(self.parents(node)) & set(found):
                found.append(one)
        return found

    @property
    def compiled(self) -> Sql:
        """SQL of the models that are no Python."""
        return {
            name: one["compiled_code"]
            for name, one in self.models.items()
            if one["language"] == "sql"
        }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    project = WarmProject(CHECKOUT, tmp_path_factory.mktemp("lineage"))
    project.dbt("--quiet", "compile")
    return Manifest(json.loads((project.target / "manifest.json").read_text()))


def direct_columns(node: Mapping[str, Any]) -> set[str]:
    return {
        name
        for name, column in node["columns"].items()
        if column["config"]["meta"].get("privacy") == "direct"
    }


def parse(sql: str, source: str) -> exp.Expression:
    """Parse compiled SQL, with a plain relation where files are scanned by `query(...)`."""
    relations = {
        "kept_sql": source,
        "ledger_sql": "ledger",
        "decisions_sql": "decisions",
        "lenient_sql": "looked_for",
    }

    def change(node: exp.Expression) -> exp.Expression:
        if not (isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous)):
            return node
        assert node.this.name == "query"
        return exp.to_table(f'"vault"."main"."{relations[node.this.expressions[0].name]}"')

    return parse_one(sql, dialect="duckdb").transform(change)


def columns_of(sql: exp.Expression, columns: Mapping[str, Iterable[str]]) -> dict[str, set[Leaf]]:
    """Return what each column that the SQL gives is made of, `columns` being those there are."""
    schema = {
        "vault": {"main": {one: dict.fromkeys(found, "text") for one, found in columns.items()}}
    }
    made_of = {
        name: {
            (node.expression.name, exp.to_column(node.name, dialect="duckdb").name)
            for node in root.walk()
            if isinstance(node.expression, exp.Table)
        }
        for name, root in lineage(None, sql, schema, dialect="duckdb").items()
    }
    for leaves in made_of.values():
        assert all(column in columns[relation] for relation, column in leaves)
    return made_of


def spread(manifest: Manifest, compiled: Sql) -> dict[str, dict[str, set[str]]]:
    """Return the direct identifiers in every column, by relation and column."""
    known: dict[str, dict[str, set[str]]] = {
        **{
            # sqlglot writes names in lower case
            source["name"]: {
                name.lower(): {name} & direct_columns(source) for name in source["columns"]
            }
            for source in manifest.sources
        },
        # compared with made-up texts, and counted
        "looked_for": {"value": set()},
        # names, counts and states of jobs; see ledger.py
        "ledger": {name: set() for name in manifest.models["fine_tune_jobs"]["columns"]},
        "decisions": {name: set() for name in manifest.models["retrain_decisions"]["columns"]},
    }
    for name, node in manifest.models.items():
        source = name.removeprefix("stg_")
        if name.endswith("_ingested"):
            assert not set(node["columns"]) & set(known[name.removesuffix("_ingested")])
            known[name] = {column: set() for column in node["columns"]}
        elif node["language"] == "python":
            unseen = unseen_columns(node["config"]["meta"])
            parents = [known[parent] for parent in manifest.parents(node)]
            read = [one for found in parents for c, one in found.items() if c not in unseen]
            carried = {c: found[c] for found in parents for c in found if c in unseen}
            made = set().union(*read)
            known[name] = {column: carried.get(column, made) for column in node["columns"]}
        else:
            made_of = columns_of(parse(compiled[name], source), known)
            marked = direct_columns(node)
            known[name] = {
                column: {column} & marked | set().union(*(known[r][c] for r, c in leaves))
                for column, leaves in made_of.items()
            }
    return known


def unseen_columns(meta: Mapping[str, Any]) -> set[str]:
    """Return what a stage's settings say is in no text: carried on, or dropped."""
    render, scrub = meta.get("render", {}), meta.get("scrub", {})
    texts = [*render.get("templates", []), *(render.get("answers") or []), render.get("system")]
    shown = set(re.findall(r"\{(\w+)", " ".join(filter(None, texts))))
    dropped = {c for c, rule in scrub.items() if "drop" in str(rule.get("operator"))}
    return set(render.get("carry") or []) - shown | dropped


def leaks(
    manifest: Manifest, compiled: Sql, first: str = "transactions_sampled"
) -> set[tuple[str, str, str]]:
    """Return (model, column, identifier) for every direct identifier in or below a model."""
    known = spread(manifest, compiled)
    return {
        (model, column, identifier)
        for model in manifest.below(first)
        for column, identifiers in known[model].items()
        for identifier in identifiers
    }


def mutated(compiled: Sql, *changes: tuple[str, str], model: str = "transactions_drawn") -> Sql:
    sql = compiled[model]
    for pattern, replacement in changes:
        sql, n_changes = re.subn(pattern, replacement, sql)
        assert n_changes, pattern
    return {**compiled, model: sql}


# ── lineage ──


def test_no_direct_identifier_is_in_the_sample_or_in_anything_made_of_it(
    manifest: Manifest,
) -> None:
    below = manifest.below("transactions_sampled")
    assert {"transactions_examples", "transactions_sealed", "build_summary"} <= set(below)
    assert leaks(manifest, manifest.compiled) == set()


@pytest.mark.parametrize("first", ["tickets_examples", "legal_sampled", "pii_texts_sampled"])
def test_no_direct_identifier_is_in_what_other_datasets_are_made_of(
    manifest: Manifest, first: str
) -> None:
    assert f"{first.partition('_')[0]}" in " ".join(manifest.below(first))
    assert leaks(manifest, manifest.compiled, first) == set()


def test_a_name_that_a_template_of_tickets_shows_is_found(manifest: Manifest) -> None:
    rendered = manifest.models["tickets_rendered"]["config"]["meta"]["render"]
    rendered["templates"].append("{customer_name}")
    try:
        found = leaks(manifest, manifest.compiled, "tickets_examples")
    finally:
        rendered["templates"].pop()
    assert ("tickets_sealed", "line", "Customer Name") in found


def test_the_lineage_follows_every_direct_identifier_up_to_the_staging_model(
    manifest: Manifest,
) -> None:
    source = manifest.source("transactions")
    staged = spread(manifest, manifest.compiled)["stg_transactions"]
    assert {column for column, found in staged.items() if found} == direct_columns(source)
    assert len(direct_columns(source)) == 5


def test_a_card_number_among_the_columns_of_the_sample_is_found(manifest: Manifest) -> None:
    smuggled = mutated(
        manifest.compiled,
        (
            r"merchant_category, merchant, amount,",
            "merchant_category, card_number, merchant, amount,",
        ),
    )
    smuggled = mutated(
        smuggled,
        (r"select row_id,", "select row_id, card_number,"),
        (r"( +)row_id,\n", r"\1row_id,\n\1card_number,\n"),
        model="transactions_sampled",
    )
    found = leaks(manifest, smuggled)
    assert ("transactions_sampled", "card_number", "card_number") in found
    assert ("transactions_sampled", "row_id", "card_number") in found
    assert ("transactions_sealed", "line", "card_number") in found


def test_a_card_number_under_another_name_is_found(manifest: Manifest) -> None:
    smuggled = mutated(
        manifest.compiled,
        (
            r"(select [^\n]* as sample_rank, merchant_category), merchant,",
            r"\1, card_number as merchant,",
        ),
    )
    found = leaks(manifest, smuggled)
    assert ("transactions_sampled", "merchant", "card_number") in found
    assert ("transactions_rendered", "user_text", "card_number") in found


def test_the_id_that_decides_who_is_drawn_would_be_found_in_a_column(manifest: Manifest) -> None:
    kept = mutated(
        manifest.compiled,
        (
            r"select merchant_category, merchant, amount,",
            "select sample_rank as merchant_category, merchant, amount,",
        ),
    )
    assert ("transactions_sampled", "merchant_category", "transaction_id") in leaks(manifest, kept)


def test_a_keyed_hash_of_the_customer_in_the_sample_is_found(manifest: Manifest) -> None:
    kept = mutated(
        manifest.compiled,
        (r"select row_id,", "select row_id, subject_hmac,"),
        (r"( +)row_id,\n", r"\1row_id,\n\1subject_hmac,\n"),
        model="transactions_sampled",
    )
    found = leaks(manifest, kept)
    assert ("transactions_sampled", "subject_hmac", "subject_hmac") in found
    assert ("transactions_sampled", "subject_hmac", "customer_id") in found


# ── descriptions ──


def test_every_column_of_the_source_says_how_private_it_is(manifest: Manifest) -> None:
    source = manifest.source("transactions")
    header = (CHECKOUT / "sample_data/transactions.csv").read_text("utf-8").partition("\n")[0]
    assert set(source["columns"]) == set(header.split(","))
    assert len(source["columns"]) == 24
    for name, column in source["columns"].items():
        assert column["description"].strip(), name
        assert column["config"]["meta"]["privacy"] in PRIVACY, name


def test_the_staging_model_calls_each_column_as_private_as_the_source_does(
    manifest: Manifest,
) -> None:
    source = manifest.source("transactions")
    node = manifest.models["stg_transactions"]
    columns = {source["name"]: source["columns"]}
    made_of = columns_of(parse(manifest.compiled["stg_transactions"], source["name"]), columns)
    assert set(made_of) == set(node["columns"])
    assert {column for leaves in made_of.values() for _, column in leaves} == set(source["columns"])
    for name, leaves in made_of.items():
        ((_, original),) = leaves
        privacy = node["columns"][name]["config"]["meta"]["privacy"]
        assert privacy == source["columns"][original]["config"]["meta"]["privacy"], name


def undescribed(what: str, node: Mapping[str, Any], parts: str) -> Iterator[str]:
    """Yield what has no description: the node, or one of its columns or arguments."""
    if not node["description"].strip():
        yield what
    found = node[parts].values() if isinstance(node[parts], dict) else node[parts]
    yield from (f"{what}.{one['name']}" for one in found if not one["description"].strip())


def test_every_model_source_and_column_is_described(manifest: Manifest) -> None:
    nodes = {**manifest.models, **{one["name"]: one for one in manifest.sources}}
    assert [one for name, node in nodes.items() for one in undescribed(name, node, "columns")] == []


def test_every_column_that_a_model_gives_is_declared(manifest: Manifest) -> None:
    known = spread(manifest, manifest.compiled)
    for name, node in manifest.models.items():
        assert set(known[name]) == set(node["columns"]), name


def test_every_macro_and_argument_is_described(manifest: Manifest) -> None:
    macros = {
        one["name"]: one
        for one in manifest.raw["macros"].values()
        if one["package_name"] == "sealtune" and not one["name"].startswith("test_")
    }
    files = {path.stem for path in (CHECKOUT / "macros").glob("*.sql")}
    assert set(macros) == files
    for name, macro in macros.items():
        assert list(undescribed(name, macro, "arguments")) == []
        (signature,) = re.findall(
            rf"macro {name}\((.*?)\) -?%}}", macro["macro_sql"], flags=re.DOTALL
        )
        given = [one.split("=")[0].strip() for one in re.split(r",(?![^(\[]*[)\]])", signature)]
        assert [one["name"] for one in macro["arguments"]] == [one for one in given if one], name


def test_every_var_has_a_comment_in_the_line_above() -> None:
    text = (CHECKOUT / "dbt_project.yml").read_text("utf-8")
    names = yaml.safe_load(text)["vars"]
    assert len(names) >= 10
    lines = text.splitlines()
    for name in names:
        (place,) = [i for i, line in enumerate(lines) if line.startswith(f"  {name}:")]
        assert re.fullmatch(r"  # [\w*].*", lines[place - 1]), name


def test_every_var_that_is_used_has_a_default(manifest: Manifest) -> None:
    known = yaml.safe_load((CHECKOUT / "dbt_project.yml").read_text("utf-8"))["vars"]
    used: set[str] = set()
    for folder in ("models", "macros"):
        for path in (CHECKOUT / folder).rglob("*.*"):
            if Path(path).suffix in {".sql", ".yml"}:
                used |= set(re.findall(r"(?<!env_)var\(\\?[\"'](\w+)", path.read_text("utf-8")))
    assert used == set(known)
    assert manifest.models
