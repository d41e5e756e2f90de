"""The latest correction of an example wins, and every other is counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.errors import SourceError
from python_stages.feedback import Correction, Known, Record, judge, require_usable

START = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = Known("Refund", answers_label=False)
CLASS = Known("Gas", answers_label=True)
LABELS = frozenset({"Gas", "Travel", "Refund"})
EXAMPLES = {"a" * 32: TEXT, "b" * 32: TEXT, "c" * 32: CLASS}


def record(
    example: str = "a", label: str | None = None, answer: str | None = None, day: int = 0
) -> Record:
    return Record("f.csv", 2, example * 32, label, answer, "Ann", START + timedelta(days=day))


def outcomes(*records: Record) -> list[tuple[str, str | None]]:
    return [(one.outcome, one.reason) for one in judge(records, EXAMPLES, LABELS)]


def test_the_latest_wins_wherever_it_stands() -> None:
    first, last, again = record(answer="x", day=1), record(answer="y", day=3), record(answer="y")
    assert outcomes(first, last, again) == [
        ("superseded", "conflict"),
        ("merged", None),
        ("superseded", "repeated"),
    ]


def test_of_equal_times_the_one_that_stands_last_wins() -> None:
    assert outcomes(record(answer="x"), record(answer="y")) == [
        ("superseded", "conflict"),
        ("merged", None),
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (record("f", label="Gas"), "unknown_example"),
        (record(label="Nonsense"), "undeclared_label"),
        (record(label="Gas"), "label_without_answer"),
        (record("c", answer="Nonsense"), "undeclared_label"),
        (record("c", label="Gas", answer="Travel"), "label_and_answer_differ"),
        (Record("f.csv", 2, fault="unreadable_record"), "unreadable_record"),
    ],
)
def test_what_cannot_be_used_is_rejected_and_supersedes_nothing(said: Record, reason: str) -> None:
    example = said.example_id[0] if said.example_id else "c"
    good = record(example, answer="Travel", day=-1)
    found = judge([good, said], EXAMPLES, LABELS)
    assert (found[1].outcome, found[1].reason, found[1].correction) == ("rejected", reason, None)
    if good.example_id in EXAMPLES:
        assert found[0].outcome == "merged"


def test_where_the_answer_is_the_label_either_column_says_both() -> None:
    for said in (record("c", label="Travel"), record("c", answer=" Travel ")):
        (found,) = judge([said], EXAMPLES, LABELS)
        assert found.correction == Correction("Travel", "Travel")


def test_a_corrected_answer_leaves_the_label_unless_that_is_corrected_too() -> None:
    (found,) = judge([record(answer="x")], EXAMPLES, LABELS)
    assert found.correction == Correction("Refund", "x")
    (found,) = judge([record(label="Gas", answer="x")], EXAMPLES, LABELS)
    assert found.correction == Correction("Gas", "x")


def test_the_label_that_an_example_has_takes_an_earlier_answer_back() -> None:
    found = judge([record(answer="x"), record(label="Refund", day=1)], EXAMPLES, LABELS)
    assert [one.outcome for one in found] == ["superseded", "merged"]
    assert found[1].correction == Correction("Refund", None)


def test_too_many_that_cannot_be_used_stop_the_build_and_say_what_most_lack() -> None:
    good = [record("a", answer="x"), record("b", answer="y")]
    unknown, other = [record("f", answer="x")] * 2, [record(label="Nonsense")]
    blank = [record("c")] * 9
    require_usable(judge([*good, *unknown, *blank], EXAMPLES, LABELS), 0.5, "tickets")
    with pytest.raises(
        SourceError, match=r"3 of 5 .* 2 for unknown_example \(no example"
    ) as caught:
        require_usable(judge([*good, *unknown, *other], EXAMPLES, LABELS), 0.5, "tickets")
    assert "Nonsense" not in str(caught.value)


def test_nothing_to_correct_is_nothing_to_stop_at() -> None:
    require_usable(judge([record("c")], EXAMPLES, LABELS), 0.0, "tickets")
    require_usable([], 0.0, "tickets")


@given(
    st.lists(
        st.builds(
            record,
            st.sampled_from("abcf"),
            st.sampled_from([None, "Gas", "Travel", "Nonsense"]),
            st.sampled_from([None, "Gas", "x"]),
            st.integers(0, 3),
        ),
        max_size=12,
    )
)
def test_every_record_has_one_verdict_and_every_example_one_winner(records: list[Record]) -> None:
    found = judge(records, EXAMPLES, LABELS)
    assert [one.record for one in found] == records
    merged = [one.record for one in found if one.outcome == "merged"]
    assert len({one.example_id for one in merged}) == len(merged)
    lost = {one.record.example_id for one in found if one.outcome == "superseded"}
    assert lost <= {one.example_id for one in merged}
