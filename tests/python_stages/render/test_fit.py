"""Claims about long texts: cut to a budget in the middle of the question, and counted."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError, StageError
from python_stages.render import fit, max_tokens
from python_stages.render.fit import count_tokens

ESTIMATE = r"len(regexp_extract_all(?, '\p{L}{1,6}|\p{N}{1,3}|[^\s\p{L}\p{N}]'))"  # the macro's


def fitted(user: str, budget: int | None, system: str | None = "Be brief.") -> tuple[str, int]:
    row = {"system_text": system, "user_text": user, "assistant_text": "yes"}
    batch = next(fit([pa.RecordBatch.from_pylist([row])], budget))
    assert batch["assistant_text"].to_pylist() == ["yes"]
    assert batch["system_text"].to_pylist() == [system]
    return batch["user_text"][0].as_py(), batch["n_cut_tokens"][0].as_py()


def n_tokens(user: str) -> int:
    return sum(map(count_tokens, ("Be brief.", user, "yes"))) + 3 * 3 + 3


@settings(deadline=None)
@given(st.text(st.sampled_from("ab1é €\n_-."), max_size=80))
def test_tokens_are_counted_as_the_macro_counts_them(text: str) -> None:
    with duckdb.connect() as con:
        assert con.execute(f"select {ESTIMATE}", [text]).fetchall() == [(count_tokens(text),)]


@given(st.lists(st.sampled_from(["word", "longerword", "[PERSON]", "12", "\n"]), max_size=300))
def test_what_is_cut_fits_and_what_fits_is_not_cut(words: list[str]) -> None:
    user = " ".join(words)
    cut, n_cut = fitted(user, 64)
    assert n_tokens(cut) <= 64
    assert (n_cut == 0) == (cut == user)
    assert n_cut > 0 or n_tokens(user) <= 64


def test_both_ends_stay_and_words_stay_whole() -> None:
    user = "Begin: " + "[PERSON] [EMAIL_ADDRESS] " * 400 + "end?"
    cut, n_cut = fitted(user, 100)
    assert cut.startswith("Begin: ")
    assert cut.endswith("end?")
    head, tail = cut.split("\n[…]\n")
    assert set((head + " " + tail).split()) == {"Begin:", "[PERSON]", "[EMAIL_ADDRESS]", "end?"}
    assert n_cut == count_tokens(user) - count_tokens(head) - count_tokens(tail)


def test_without_a_budget_nothing_is_cut() -> None:
    assert fitted("word " * 5000, None) == ("word " * 5000, 0)


def test_a_system_message_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(StageError, match="no room"):
        fitted("word " * 100, 50, system="rule " * 60)


@pytest.mark.parametrize("config", [{}, {"max_tokens": "9"}, {"max_tokens": 3}, {"tokens": 99}])
def test_wrong_settings_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="max_tokens"):
        max_tokens(config)
