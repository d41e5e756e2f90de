"""Small cells of quasi-identifiers: generalised step by step, left out in the end."""

from collections import Counter
from collections.abc import Mapping

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Row = tuple[int, str | None, str]
K = 3
places = st.sampled_from(["Köln", "Bonn", "Lyon", None]), st.sampled_from(["DE", "FR", "PL"])
rows = st.lists(st.tuples(*places), max_size=30)
many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def run(
    con: duckdb.DuckDBPyConnection, sql: str, places: list[tuple[str | None, str]]
) -> list[Row]:
    con.execute("create or replace temp table people (id integer, city varchar, country varchar)")
    if places:
        con.executemany(
            "insert into people values (?, ?, ?)", [(n, *place) for n, place in enumerate(places)]
        )
    return con.execute(f"from ({sql}) order by id").fetchall()


def expected(places: list[tuple[str | None, str]]) -> list[Row]:
    """Follow the rule row by row, as the macro's documentation has it."""
    now = list(places)
    for step in (lambda _, country: (None, country), lambda city, _: (city, "elsewhere")):
        sizes = Counter(now)
        now = [place if sizes[place] >= K else step(*place) for place in now]
    sizes = Counter(now)
    return [(n, *place) for n, place in enumerate(now) if sizes[place] >= K]


@many
@given(rows)
def test_cells_are_generalised_by_the_rule(
    connection: duckdb.DuckDBPyConnection,
    macros: Mapping[str, str],
    rows: list[tuple[str | None, str]],
) -> None:
    assert run(connection, macros["large_cells"], rows) == expected(rows)


@many
@given(rows)
def test_no_cell_that_is_left_is_small(
    connection: duckdb.DuckDBPyConnection,
    macros: Mapping[str, str],
    rows: list[tuple[str | None, str]],
) -> None:
    found = run(connection, macros["large_cells"], rows)
    left = Counter((city, country) for _, city, country in found)
    assert all(size >= K for size in left.values())


@many
@given(rows)
def test_a_least_size_of_one_changes_nothing(
    connection: duckdb.DuckDBPyConnection,
    macros: Mapping[str, str],
    rows: list[tuple[str | None, str]],
) -> None:
    whole = [(n, *place) for n, place in enumerate(rows)]
    assert run(connection, macros["all_cells"], rows) == whole


def test_rows_that_one_column_told_apart_meet(
    connection: duckdb.DuckDBPyConnection, macros: Mapping[str, str]
) -> None:
    rows: list[tuple[str | None, str]] = [("Köln", "DE"), ("Bonn", "DE"), (None, "DE")]
    assert run(connection, macros["large_cells"], rows) == [
        (0, None, "DE"),
        (1, None, "DE"),
        (2, None, "DE"),
    ]
