"""The estimate of tokens: what it counts, and the laws it keeps."""

from collections.abc import Mapping
from itertools import groupby
from math import ceil

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Letters, digits, marks and white space whose classes no Unicode version changed.
ALPHABET = "abzÄßéжЯ東京アعא019٣५ .,;:!?'\"\\{}|€$%\u0301\u00a0\u3000\u2028🎉\t\n\r"
RE2_SPACE = frozenset("\t\n\f\r ")
runs = st.builds(str.__mul__, st.sampled_from(ALPHABET), st.integers(1, 20))
texts = st.lists(runs, max_size=10).map("".join)
many = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def estimate(
    con: duckdb.DuckDBPyConnection, macros: Mapping[str, str], *texts: str | None
) -> list[int | None]:
    table = pa.table({"i": pa.array(range(len(texts))), "text": pa.array(texts, pa.string())})
    rows = con.from_arrow(table).order("i").project(macros["estimate_tokens"]).fetchall()
    return [count for (count,) in rows]


def kind(character: str) -> str:
    if character.isalpha():
        return "letter"
    if character.isnumeric():
        return "number"
    return "space" if character in RE2_SPACE else "other"


def count(text: str) -> int:
    """Count by runs, which is another way than the macro's."""
    per_token = {"letter": 6, "number": 3, "other": 1}
    runs = ((name, len(list(run))) for name, run in groupby(text, kind))
    return sum(ceil(length / per_token[name]) for name, length in runs if name != "space")


@many
@given(text=texts)
def test_six_letters_three_digits_or_one_sign_are_a_token(
    macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection, text: str
) -> None:
    assert estimate(connection, macros, text) == [count(text)]


@many
@given(start=texts, end=texts)
def test_a_longer_text_is_never_estimated_lower(
    macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection, start: str, end: str
) -> None:
    first, second, both = estimate(connection, macros, start, end, start + end)
    assert first is not None
    assert second is not None
    assert both is not None
    assert max(first, second) <= both <= first + second


@many
@given(text=texts)
def test_every_word_is_a_token_and_no_token_is_longer_than_six_characters(
    macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection, text: str
) -> None:
    visible = "".join(" " if character in RE2_SPACE else character for character in text)
    (found,) = estimate(connection, macros, text)
    assert found is not None
    assert found >= len([word for word in visible.split(" ") if word])
    assert found >= ceil(len(visible.replace(" ", "")) / 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        (" \n\t", 0),
        ("Gas", 1),
        ("Restaurant", 2),
        ("Shell, 12 EUR?", 5),
        ("communication", 3),
        ("1234567", 3),
        ("4111 1111 1111 1111", 8),
        ("2024-10-09", 6),
        ("東京タワーの入場料", 2),
        ("🎉🎉", 2),
        (None, None),
    ],
)
def test_fixed_texts_are_estimated_as_they_always_were(
    macros: Mapping[str, str],
    connection: duckdb.DuckDBPyConnection,
    text: str | None,
    expected: int | None,
) -> None:
    assert estimate(connection, macros, text) == [expected]
