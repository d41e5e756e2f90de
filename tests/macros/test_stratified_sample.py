"""The sample: exact, and the same at any number of threads and in any order of rows."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages import query_progress

Row = tuple[str | None, str | None, int | None]

# The rank of seed 7: the first 16 hex digits of md5('sealtune sample 7').
DEFINITION = """
    with ranked as (
        select *, xor(hash(id), ('0x' || md5('sealtune sample 7')[:16])::ubigint) as rank from rows
    )
    select stratum, id, payload from ranked
    where {strata}
    qualify row_number() over (partition by stratum order by rank, stratum, id, payload) <= $n
"""
ALL = DEFINITION.format(strata="true")
NAMED = DEFINITION.format(
    strata="stratum in ('a', 'it''s', 'most', 'common', 'three rows', 'absent')"
)

# Made with the locked DuckDB. Other values mean that the same data and seed draw another sample.
FROZEN_HASHES = (
    10120517859933925425,
    5104928228550385088,
    13787848793156543929,
    11717027398701980253,
)
FROZEN_SAMPLE = {180, 230, 511, 554, 998}


def put_rows(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    stratum, ids, payload = zip(*rows, strict=True) if rows else ((), (), ())
    columns = pa.array(stratum, pa.string()), pa.array(ids, pa.string()), pa.array(payload)
    table = pa.table(columns, names=["stratum", "id", "payload"])
    con.register("given_rows", table)
    con.execute("create or replace table rows as from given_rows")
    con.unregister("given_rows")


def draw(
    con: duckdb.DuckDBPyConnection, sql: str, n: int | None = None, n_rows: float = 0
) -> Counter[Row]:
    wanted = {"n": n, "n_rows": n_rows}
    return Counter(con.execute(sql, {k: v for k, v in wanted.items() if f"${k}" in sql}).fetchall())


@pytest.fixture(scope="module")
def skewed(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Put 300,000 rows: one stratum with nearly all of them, rare ones, one of nulls."""
    connection.execute("""
        create or replace table skewed as
        select
            case
                when i % 100000 = 1 then 'three rows'
                when i % 3000 = 2 then null
                when i % 500 = 3 then 'rare'
                when i % 3 = 0 then 'common'
                else 'most'
            end as stratum,
            'TX_' || (i // 2)::varchar as id,  -- every id twice
            i as payload
        from range(300000) as numbers(i)
    """)
    return connection


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.sampled_from(["", "a", "it's", "other", "rare"]),
            st.none() | st.integers(0, 30).map(str),
            st.none() | st.integers(0, 3),
        ),
        max_size=60,
    ),
    n=st.integers(0, 70),
    n_rows=st.sampled_from([0, 1, 60, 3_000, 10**6, 10**12]),
)
def test_the_sample_is_the_full_ranking_cut_off_whatever_the_hint(
    macros: Mapping[str, str],
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[Row],
    n: int,
    n_rows: int,
) -> None:
    put_rows(connection, rows)
    for name, definition in (("sample", NAMED), ("sample_unnamed", ALL)):
        assert draw(connection, macros[name], n, n_rows) == draw(connection, definition, n)


@pytest.mark.parametrize("n_rows", [1, 300_000, 3e9, 3e15])
def test_a_skewed_table_is_sampled_exactly_at_any_number_of_threads(
    macros: Mapping[str, str], skewed: duckdb.DuckDBPyConnection, n_rows: float
) -> None:
    skewed.execute("create or replace table rows as from skewed")
    expected = draw(skewed, NAMED, 25)
    assert sorted(Counter(row[0] for row in expected.elements()).values()) == [3, 25, 25]
    try:
        for threads in (1, 2, 4):
            skewed.execute(f"set threads = {threads}")
            assert draw(skewed, macros["sample"], 25, n_rows) == expected
    finally:
        skewed.execute("reset threads")


def test_the_sample_does_not_depend_on_the_order_of_rows(
    macros: Mapping[str, str], skewed: duckdb.DuckDBPyConnection
) -> None:
    drawn = []
    for order in ("payload", "payload desc", "hash(payload)"):
        skewed.execute(f"create or replace table rows as from skewed order by {order}")
        drawn.append(draw(skewed, macros["sample"], 40, 300_000))
    assert drawn[0] == drawn[1] == drawn[2]


def test_more_rows_than_there_are_gives_every_row(
    macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    rows: list[Row] = [("a", None, 1), ("a", None, 1), ("a", "1", 1), ("most", "1", 2)]
    put_rows(connection, rows)
    for n_rows in (0, 10**9):
        assert draw(connection, macros["sample"], 5, n_rows) == Counter(rows)


def test_no_number_means_every_row_of_the_strata(
    macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    rows: list[Row] = [("a", None, 1), ("a", None, 1), ("it's", "1", 1)]
    put_rows(connection, [*rows, ("not named", "2", 1)])
    assert draw(connection, macros["sample_every_row"]) == Counter(rows)


def test_another_seed_draws_other_rows_of_the_same_strata(
    macros: Mapping[str, str], skewed: duckdb.DuckDBPyConnection
) -> None:
    skewed.execute("create or replace table rows as from skewed")
    seven, eight = (
        draw(skewed, macros[name], 25, 300_000) for name in ("sample", "sample_other_seed")
    )
    assert Counter(r[0] for r in seven.elements()) == Counter(r[0] for r in eight.elements())
    assert len(seven & eight) <= 3 + 10  # the three rows of the small stratum, and chance


@pytest.mark.parametrize("name", ["sample", "sample_unnamed", "sample_every_row"])
def test_duckdb_tells_how_far_it_is_with_a_draw(
    macros: Mapping[str, str], skewed: duckdb.DuckDBPyConnection, name: str
) -> None:
    skewed.execute("create or replace table rows as from skewed")
    query_progress.measure(skewed)
    seen, is_over = [0.0], threading.Event()

    def look() -> None:
        while not is_over.is_set():
            seen.append(skewed.query_progress())

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(200):  # one may be over before anybody looked
        draw(skewed, macros[name], 25, 300_000)
        if max(seen) > 0:
            break
    is_over.set()
    looking.join()
    assert 0 < max(seen) <= 100


def test_duckdb_hashes_as_it_did_when_the_lock_was_made(
    macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    hashes = connection.execute(
        "select hash('TX_1cc5e194'), hash(''), hash(null::varchar), "
        "hash('a longer text, of 30 byte')"
    ).fetchone()
    assert hashes == FROZEN_HASHES
    connection.execute("""
        create or replace table rows as
        select 'x' as stratum, 'TX_' || i::varchar as id, i as payload from range(1000) as n(i)
    """)
    drawn = draw(connection, macros["sample_unnamed"], 5, 1000)
    assert {payload for _, _, payload in drawn} == FROZEN_SAMPLE
