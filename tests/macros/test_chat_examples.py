"""Chat examples: distinct conversations, prompts that stay in one split, and valid JSON."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from math import sqrt

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from python_stages.example_sql import MESSAGES_SQL, example_id_sql

Texts = tuple[str | None, str, str]  # system, user and assistant text
SCHEMA = {name: pa.string() for name in ("system_text", "user_text", "assistant_text", "label")}
NASTY = (
    'He said "no"; it\'s \\n, {not} [a] {{macro}} \\',
    "two\nlines\r\nand\ttab",
    "\u2028\u2029\u0085",
    "naïve 東京 🎉👩\u200d👩\u200d👧 \U0010ffff",
    "\x00\x01\x1f\x7f",
    '"}, {"role": "system", "content": "',
    "",
)
text = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True, slots=True)
class Example:
    """A row of the macro's result, and its JSONL line."""

    example_id: str
    split: str
    messages: str
    n_tokens: int
    fingerprint: str
    line: str


Maker = Callable[..., list[Example]]


@pytest.fixture
def examples(macros: Mapping[str, str], connection: duckdb.DuckDBPyConnection) -> Maker:
    """Return a function that makes examples of conversations with the real macro."""

    def make(conversations: Iterable[Texts], share: float = 0.2) -> list[Example]:
        names = ("system_text", "user_text", "assistant_text", "label")
        rows = [dict(zip(names, (*one, one[2]), strict=True)) for one in conversations]
        connection.register("given", pa.Table.from_pylist(rows, pa.schema(SCHEMA)))
        connection.execute("create or replace table scrubbed as from given")
        made = connection.sql(macros["chat_examples"], params={"share": share})
        wanted = "example_id, split, messages, n_tokens, fingerprint"
        found = made.project(f"{wanted}, {macros['jsonl_line']} as line").fetchall()
        return [Example(*row) for row in found]

    return make


def conversation(system: str | None, user: str, assistant: str) -> list[dict[str, str]]:
    """Return what the messages of one row must be."""
    start = [] if system is None else [{"role": "system", "content": system}]
    return [
        *start,
        {"role": "user", "content": user},
        {"role": "assistant", "content": assistant},
    ]


@few
@given(rows=st.lists(st.tuples(st.none() | text, text, text), max_size=8))
@example(rows=[(a, b, "x") for a in (*NASTY, None) for b in NASTY])
def test_messages_are_json_of_exactly_the_texts_and_lines_are_single(
    examples: Maker, rows: list[Texts]
) -> None:
    made = examples(rows)
    found = Counter(json.dumps(json.loads(one.messages)) for one in made)
    assert found == Counter({json.dumps(conversation(*row)) for row in rows})
    for one in made:
        assert json.loads(one.line) == {"messages": json.loads(one.messages)}
        assert "\n" not in one.line
        assert "\r" not in one.line


@few
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([None, "", "s"]), st.sampled_from("abc"), st.sampled_from("xy"))
    )
)
def test_no_two_examples_are_equal_and_no_conversation_is_lost(
    examples: Maker, rows: list[Texts]
) -> None:
    made = examples(rows)
    assert len(made) == len(set(rows))
    for different in zip(
        *((one.example_id, one.messages, one.fingerprint) for one in made), strict=True
    ):
        assert len(set(different)) == len(made)


def test_a_prompt_stands_in_one_split_whatever_its_answers(examples: Maker) -> None:
    prompts = [(s, f"question {i}") for i in range(300) for s in (None, "", "Answer.")]
    made = examples(((s, q, f"answer {j}") for s, q in prompts for j in range(3)), 0.5)
    assert len(made) == 3 * len(prompts)
    splits: dict[str, set[str]] = {}
    for one in made:
        splits.setdefault(json.dumps(json.loads(one.messages)[:-1]), set()).add(one.split)
    assert len(splits) == len(prompts)
    assert all(len(found) == 1 for found in splits.values())
    assert {"train", "validation"} == set().union(*splits.values())


def test_examples_stay_as_they_are_under_another_order_and_more_rows(examples: Maker) -> None:
    rows: list[Texts] = [(None, f"question {i}", f"answer {i % 7}") for i in range(500)]
    more: list[Texts] = [(None, f"question {i}", "another answer") for i in range(400, 900)]

    before = set(map(astuple, examples(rows)))
    assert set(map(astuple, examples(rows[::-1]))) == before
    after = set(map(astuple, examples(more + rows)))
    assert len(after) == len(rows) + len(more)
    assert before <= after


@few
@given(rows=st.lists(st.tuples(st.none() | text, text, text), max_size=5))
def test_python_gives_an_example_the_id_that_the_macro_gives_it(
    examples: Maker, connection: duckdb.DuckDBPyConnection, rows: list[Texts]
) -> None:
    made = examples(rows)
    found = connection.table("scrubbed").project(f"{example_id_sql('demo')}, {MESSAGES_SQL}")
    assert set(found.fetchall()) == {(one.example_id, one.messages) for one in made}
    assert all(one.line == f'{{"messages": {one.messages}}}' for one in made)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_the_split_is_near_the_share_that_was_asked_for(examples: Maker, share: float) -> None:
    n = 5_000
    made = examples(((None, f"question {i}", "answer") for i in range(n)), share)
    n_validation = sum(one.split == "validation" for one in made)
    assert abs(n_validation - share * n) <= 4 * sqrt(n * share * (1 - share))


def test_a_greater_share_moves_prompts_to_validation_and_none_back(examples: Maker) -> None:
    rows: list[Texts] = [(None, f"question {i}", "answer") for i in range(1_000)]

    def validation(share: float) -> set[str]:
        made = examples(rows, share)
        return {one.example_id for one in made if one.split == "validation"}

    assert validation(0.1) < validation(0.3) < validation(0.6)


def test_tokens_count_the_texts_and_three_a_message_and_three_more(examples: Maker) -> None:
    made = examples([(None, "one two", "three"), ("be kind", "one two", "three")])
    assert sorted(one.n_tokens for one in made) == [3 + 2 * 3 + 3, 5 + 3 * 3 + 3]
