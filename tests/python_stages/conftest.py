"""Keys and a connection of a test's own, for what dbt models call."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from python_stages import keys


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection that is closed in the end."""
    with closing(duckdb.connect(":memory:")) as connection:
        yield connection


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> keys.KeyRing:
    """Create keys, and make them those that the process uses."""
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(tmp_path / "keys"))
    return keys.create(tmp_path / "keys")
