"""The real macros as dbt renders them, to be run on small tables.

What a test wants to vary is rendered as a named parameter (`$n_per_stratum`), and DuckDB binds it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from python_stages import keys
from python_stages.vault import register_functions
from tests.e2e.conftest import CHECKOUT
from tests.e2e.warm import WarmProject

_SAMPLE = (
    "stratified_sample('rows', stratum='stratum', key='id', "
    "columns=['stratum', 'id', 'payload'], n_rows='$n_rows', "
)
_NAMED = """strata=["a", "it's", "most", "common", "three rows", "absent"]"""
_MACROS = {
    "sample": _SAMPLE + f"n_per_stratum='$n', seed=7, {_NAMED})",
    "sample_unnamed": _SAMPLE + "n_per_stratum='$n', seed=7)",
    "sample_other_seed": _SAMPLE + f"n_per_stratum='$n', seed=8, {_NAMED})",
    "sample_every_row": _SAMPLE + f"n_per_stratum=none, seed=7, {_NAMED})",
    "large_cells": "large_cells('people', ['id', 'city', 'country'], ['city', 'country'], 3, "
    "[{'city': 'null'}, {'country': \"'elsewhere'\"}])",
    "all_cells": "large_cells('people', ['id', 'city', 'country'], ['city', 'country'], 1)",
    "chat_examples": "chat_examples('scrubbed', dataset='demo', validation_share='$share')",
    "population_stability": "population_stability('bins')",
    "version_sql": "version_sql('demo', 'examples', 'feedback', 'scrubbed', 'trained_lines', "
    "'trained_words', 'trained_policies')",
    "estimate_tokens": "estimate_tokens('text')",
    "jsonl_line": "jsonl_line('messages')",
}


@pytest.fixture(scope="session")
def macros(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Return the SQL of each macro, rendered by one `dbt compile`."""
    project = WarmProject(CHECKOUT, tmp_path_factory.mktemp("macros"))
    calls = ", ".join(f"{json.dumps(name)}: {call}" for name, call in _MACROS.items())
    done = project.dbt("--quiet", "compile", "--inline", f"{{{{ tojson({{{calls}}}) }}}}")
    rendered: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return rendered


@pytest.fixture(scope="session")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection with sealtune's SQL functions."""
    ring = keys.create(tmp_path_factory.mktemp("macro-keys") / "keys")
    with duckdb.connect(":memory:") as con:
        register_functions(con, ring)
        yield con
