"""Claims about what the local server takes for a training file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.backends.local.training_file import find_problem
from tests.python_stages.local.serving import CANARY, lines

USER = {"role": "user", "content": "q"}
ANSWER = {"role": "assistant", "content": "a"}


def line(*messages: Any, **more: Any) -> bytes:
    return json.dumps({"messages": list(messages)} | more).encode()


@pytest.mark.parametrize(
    "good",
    [
        line(USER, ANSWER),
        line({"role": "system", "content": "s"}, USER, ANSWER),
        line({"role": "developer", "content": "s"}, USER, ANSWER),
        line(USER, ANSWER | {"weight": 0}, USER, ANSWER | {"weight": 1}),
        line(USER, {"role": "assistant", "tool_calls": [{"id": "1"}]}),
        line(USER, {"role": "tool", "content": "r", "tool_call_id": "1"}, ANSWER),
        line(USER | {"name": "n"}, ANSWER, metadata={"subject": "1"}),
        b"  " + line(USER, ANSWER) + b"\r",
    ],
)
def test_what_the_services_take_is_taken(good: bytes) -> None:
    assert find_problem([good] * 10) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"messages": {}}',
        b"\xff",
        b"[" * 100_000,
        line(),
        line(USER),
        line(ANSWER, USER),
        line(USER, ANSWER, tools=[]),
        line(USER, ANSWER | {"weight": 2}),
        line(USER, ANSWER | {"weight": True}),
        line(USER, ANSWER | {"weight": 0}),
        line(USER | {"weight": 1}, ANSWER),
        line(USER, {"role": "assistant", "content": None}),
        line(USER, {"role": "assistant", "content": ""}),
        line(USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}),
        line({"role": "robot", "content": "q"}, ANSWER),
        line({"role": ["user"], "content": "q"}, ANSWER),
        line(USER | {"image": "x"}, ANSWER),
        line(USER, ANSWER | {"content": "<|endoftext|>"}),
        line(USER | {"content": "\ud800"}, ANSWER),
    ],
)
def test_what_cannot_be_learned_from_is_named_by_its_line(bad: bytes) -> None:
    problem = find_problem([line(USER, ANSWER)] * 4 + [bad])
    assert problem is not None
    assert problem.code == "invalid_training_file"
    assert problem.message.startswith("Line 5 ")


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)), max_size=5)
)
def test_no_bytes_confuse_it_and_none_are_quoted(content: list[bytes]) -> None:
    marked = [line(USER | {"content": CANARY}, USER), *content]
    problem = find_problem(marked)
    assert problem is not None
    assert CANARY not in problem.message


def test_a_validation_file_may_be_short_and_not_empty() -> None:
    assert find_problem(lines(1).splitlines(), is_training=False) is None
    assert find_problem([], is_training=False) is not None
