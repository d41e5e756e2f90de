"""Small cells of quasi-identifiers: generalised step by step, left out in the end."""

from collections import Counter
from collections.abc import Callable, Mapping

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Place = tuple[str | None, str]
Cells = Callable[[str, list[Place]], list[tuple[int, str | None, str]]]
K = 3
places = st.sampled_from(["Köln", "Bonn", "Lyon", None]), st.sampled_from(["DE", "FR", "PL"])
rows = st.lists(st.tuples(*places), max_size=30)
many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def cells(connection: duckdb.DuckDBPyConnection, macros: Mapping[str, str]) -> Cells:
    """Return what a macro leaves of people who live at some places."""

    def run(macro: str, places: list[Place]) -> list[tuple[int, str | None, str]]:
        connection.execute(
            "create or replace temp table people (id integer, city varchar, country varchar)"
        )
        if places:
            rows = [(n, *place) for n, place in enumerate(places)]
            connection.executemany("insert into people values (?, ?, ?)", rows)
        return connection.execute(f"from ({macros[macro]}) order by id").fetchall()

    return run


def expected(places: list[Place]) -> list[tuple[int, str | None, str]]:
    """Follow the rule row by row, as the macro's documentation has it."""
    now = list(places)
    for step in (lambda _, country: (None, country), lambda city, _: (city, "elsewhere")):
        sizes = Counter(now)
        now = [place if sizes[place] >= K else step(*place) for place in now]
    sizes = Counter(now)
    return [(n, *place) for n, place in enumerate(now) if sizes[place] >= K]


@many
@given(rows)
def test_cells_are_generalised_by_the_rule(cells: Cells, rows: list[Place]) -> None:
    assert cells("large_cells", rows) == expected(rows)


@many
@given(rows)
def test_no_cell_that_is_left_is_small(cells: Cells, rows: list[Place]) -> None:
    left = Counter(row[1:] for row in cells("large_cells", rows))
    assert all(size >= K for size in left.values())


@many
@given(rows)
def test_a_least_size_of_one_changes_nothing(cells: Cells, rows: list[Place]) -> None:
    assert cells("all_cells", rows) == [(n, *place) for n, place in enumerate(rows)]


def test_rows_that_one_column_told_apart_meet(cells: Cells) -> None:
    found = cells("large_cells", [("Köln", "DE"), ("Bonn", "DE"), (None, "DE")])
    assert found == [(0, None, "DE"), (1, None, "DE"), (2, None, "DE")]
