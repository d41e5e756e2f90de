"""Which columns every column is made of, from the source on, through SQL and Python.

SQL that dbt compiled is read by sqlglot. A keyed hash stops what goes into it: without the key it
can be neither reversed nor confirmed by guessing. A Python model, whose code no SQL parser reads,
is taken at its worst: each column is made of every column of all that it reads. Three things are
known better: stages whose columns are counts and keyed hashes; the columns that scrubbing hands
through, and those that rendering writes of, by its `render` settings; and what `made_of` in the
meta of a column declares. The canary test proves it on bytes (tests/e2e/test_leaks.py).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage

from python_stages import render
from python_stages.code_version import hash_code
from python_stages.errors import ConfigError
from python_stages.render import RenderSpec
from python_stages.site.artifacts import Manifest, Node

Column = tuple[str, str]  # relation and column
Made = Mapping[str, frozenset[Column]]  # by column, what it is made of

_DIALECT: Final = "duckdb"
# what these stages write: counts, places, verdicts and keyed hashes, of no column of a row
_COUNTS: Final = ("_ingested", "_pii_recall", "_checked")
_HASHES: Final = frozenset({"keyed_hmac", "pseudonymise"})
_LEDGER: Final = "(ledger)"
_HANDED_ON: Final = "row_id"
_COUNTED: Final = frozenset({"n_masked", "n_unreadable", "policy_hash"})


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the columns of sources and models are made of.

    Args:
        manifest: with compiled SQL.
        made: by relation, by column, the columns of other relations that it is made of.
    """

    manifest: Manifest
    made: Mapping[str, Made]

    def origins(self, relation: str, column: str) -> frozenset[Column]:
        """Return the columns that have no origin themselves; of a source's column, itself."""
        found: set[Column] = set()
        seen: set[Column] = set()
        waiting = [(relation, column)]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            above = self.made.get(one[0], {}).get(one[1])
            if above is None:
                found.add(one)
            else:
                waiting.extend(above)
        return frozenset(found)


def read_once(manifest: Path, kept: Path) -> Lineage:
    """Return the lineage, from what an earlier run has read off the same manifest if it has.

    Args:
        manifest: dbt's, with compiled SQL.
        kept: file beside it, which this writes.

    Raises:
        ConfigError: as `read`.
    """
    # which columns a text is written of, RenderSpec says
    rendering = sorted(Path(render.__file__).parent.glob("*.py"))
    code = hash_code(Path(__file__).parent, besides=rendering, libraries=("sqlglot",))
    key = hashlib.sha256(code.encode() + manifest.read_bytes()).hexdigest()
    facts = Manifest.read(manifest)
    made: Mapping[str, Made] | None = _kept(kept, key)
    if made is None:
        made = read(facts).made
        sorted_lists = {
            relation: {column: sorted(of) for column, of in columns.items()}
            for relation, columns in made.items()
        }
        kept.write_text(json.dumps({"of": key, "made": sorted_lists}), "utf-8")
    return Lineage(facts, made)


def _kept(path: Path, key: str) -> dict[str, Made] | None:
    """Return what the file keeps of that key; None where it keeps nothing of it."""
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["of"] != key:
            return None
        return {
            relation: {column: frozenset((one, name) for one, name in of) for column, of in columns}
            for relation, columns in ((one, made.items()) for one, made in record["made"].items())
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or half a file
        return None


def read(manifest: Manifest) -> Lineage:
    """Return the lineage of every column of a project.

    Raises:
        ConfigError: a model's SQL cannot be followed; the message names the model.
    """
    sources = {one.unique_id: one for one in manifest.nodes("source")}
    columns: dict[str, tuple[str, ...]] = {one.name: tuple(one.columns) for one in sources.values()}
    made: dict[str, Made] = {}
    for node in _in_order(manifest):
        parents = _names(node, manifest, sources)
        if node.raw["language"] == "python":
            made[node.name] = _of_python(node, parents, columns)
        else:
            made[node.name] = _of_sql(node, parents, columns, [s.name for s in sources.values()])
        columns[node.name] = tuple(made[node.name])
    return Lineage(manifest, made)


def _in_order(manifest: Manifest) -> list[Node]:
    """Return the models, each behind those that it reads."""
    waiting = {one.unique_id: one for one in manifest.nodes("model")}
    reads = {one: _reads(node, waiting.values()) for one, node in waiting.items()}
    ordered: list[Node] = []
    while waiting:
        ready = [
            one for one in waiting.values() if not waiting.keys() & reads[one.unique_id].keys()
        ]
        if not ready:
            raise ConfigError("models read each other in a circle; run dbt parse to see which")
        ordered += [waiting.pop(one.unique_id) for one in ready]
    return ordered


def _names(node: Node, manifest: Manifest, sources: Mapping[str, Node]) -> list[str]:
    """Return the names of the sources and models that a model reads."""
    models = {one.unique_id: one for one in manifest.nodes("model")}
    known = {**sources, **models}
    return [known[one].name for one in _reads(node, models.values()) if one in known]


def _reads(node: Node, models: Iterable[Node]) -> dict[str, None]:
    """Return the ids of what a model reads: what it refers to, and what its SQL names besides.

    models/outcomes name a dataset that the var `datasets` does not list without a reference, as
    dbt knows none that depends on what was built.
    """
    sql = node.raw.get("compiled_code") or ""
    named = (one.unique_id for one in models if f'."{one.name}"' in sql and one.name != node.name)
    return dict.fromkeys((*node.parents, *named))


def _of_python(node: Node, parents: Iterable[str], columns: Mapping[str, Iterable[str]]) -> Made:
    """Return what a Python model's columns are made of: all that it reads, or what is known."""
    everything = frozenset((name, column) for name in parents for column in columns.get(name, ()))
    wording = _wording(node)
    found: dict[str, frozenset[Column]] = {}
    for name, column in node.columns.items():
        declared = (column.get("config", {}).get("meta") or {}).get("made_of")
        same = frozenset(one for one in everything if one[1] == name)
        if declared is not None:
            found[name] = frozenset(one for one in everything if one[1] in declared)
        elif node.name.endswith(_COUNTS) or name in _COUNTED:
            found[name] = frozenset()
        elif node.name.endswith(("_scrubbed", "_feedback")) or name == _HANDED_ON:
            found[name] = same
        elif name in wording:
            found[name] = frozenset(one for one in everything if one[1] in wording[name])
        else:
            found[name] = everything
    return found


def _wording(node: Node) -> dict[str, frozenset[str]]:
    """Return the columns that each text of a rendered model is written of, by its settings."""
    if "render" not in node.meta:
        return {}
    spec = RenderSpec.from_config(node.meta["render"])
    label = frozenset({spec.label_column})
    return {
        "label": label,
        "system_text": frozenset(),  # the same words for every row
        "user_text": spec.columns - label - {_HANDED_ON},
        "assistant_text": label,
    }


def _of_sql(
    node: Node,
    parents: Iterable[str],
    columns: Mapping[str, tuple[str, ...]],
    sources: Iterable[str],
) -> Made:
    """Return what each column that a model's SQL gives is made of."""
    read = list(parents)
    scanned = [one for one in read if one in set(sources)]
    # an incremental model may look at its own rows, which are made of what all its rows are made of
    own = {_LEDGER, node.name}
    known = {one: columns[one] for one in read} | dict.fromkeys(own, tuple(node.columns))
    schema: dict[str, Any] = {
        "vault": {"main": {one: dict.fromkeys(found, "text") for one, found in known.items()}}
    }
    try:
        sql = parse_one(node.raw.get("compiled_code") or "", dialect=_DIALECT).transform(
            _plain, scanned[0] if scanned else _LEDGER
        )
        roots = lineage(None, sql, schema, dialect=_DIALECT)
    except SqlglotError as error:
        raise ConfigError(
            f"the lineage of {node.name} cannot be read off its SQL ({type(error).__name__}); "
            "write it so that sqlglot can, or make it a Python model"
        ) from None
    # DuckDB's names know no case, and sqlglot gives all of them in lower case
    spelled = {(name, one.lower()): one for name, found in known.items() for one in found}

    def leaf(relation: str, column: str) -> Column:
        name = exp.to_column(column, dialect=_DIALECT).name
        if (relation, name.lower()) not in spelled:  # a way that would be lost
            raise ConfigError(f"{node.name} reads a column of {relation} that is not declared")
        return relation, spelled[relation, name.lower()]

    return {
        name: frozenset(
            leaf(one.expression.name, one.name)
            for one in root.walk()
            if isinstance(one.expression, exp.Table) and one.expression.name not in own
        )
        for name, root in roots.items()
    }


def _plain(node: exp.Expression, scanned: str) -> exp.Expression:
    """Replace what sqlglot does not know: the scan of a source's files, and keyed hashes.

    Args:
        node: an expression of the SQL.
        scanned: relation that `query(...)` stands for.
    """
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous):
        if node.this.name == "query":
            return exp.to_table(f'"vault"."main"."{scanned}"', dialect=_DIALECT)
        raise ConfigError(f"the lineage knows no table function {node.this.name}; add it to site/")
    if isinstance(node, exp.Anonymous) and node.name in _HASHES:
        return exp.Literal.string("keyed hash")
    return node
