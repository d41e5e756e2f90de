"""The stage: every row comes out, in order and scrubbed by the policy of its column."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.scrub import Engine, Policy, scrub, scrubbed_schema
from python_stages.scrub.row_values import RowValues
from python_stages.scrub.work import chunks
from tests.python_stages.scrub.pool_work import Recording
from tests.python_stages.scrub.stage_batches import batch_of, policy_of, texts_of

BRIEF = settings(max_examples=40)


# ── rows ──


def test_rows_keep_order_nulls_and_number(engine: Engine) -> None:
    batch = batch_of("a@example.com", None, "plain", "a@example.com and b@example.com", "")
    (out,) = scrub([batch], policy_of(), engine=engine)
    expected = ["[EMAIL_ADDRESS]", None, "plain", "[EMAIL_ADDRESS] and [EMAIL_ADDRESS]", ""]
    assert out["text"].to_pylist() == expected
    assert out["n_masked"].to_pylist() == [1, 0, 0, 2, 0]
    assert out["n_unreadable"].to_pylist() == [0, 0, 0, 0, 0]
    assert out["row_id"].equals(batch["row_id"])


@BRIEF
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.none(),
                st.sampled_from(
                    ["plain", "", "to a@example.com", b"\xff", "card 4111111111111111"]
                ),
            ),
            max_size=6,
        ),
        max_size=5,
    )
)
def test_batches_of_any_size_come_out_one_by_one(
    engine: Engine, batches: list[list[str | bytes | None]]
) -> None:
    def one(text: str | bytes | None) -> tuple[str | None, int, int]:
        if text is None or isinstance(text, bytes):
            return (None, 0, 0) if text is None else ("[UNREADABLE]", 0, 1)
        scrubbed = text.replace("a@example.com", "[EMAIL_ADDRESS]")
        scrubbed = scrubbed.replace("4111111111111111", "[CREDIT_CARD]")
        return scrubbed, int(scrubbed != text), 0

    given_batches = [batch_of(*texts) for texts in batches]
    out = scrub(given_batches, policy_of(), engine=engine)
    for texts, batch in zip(batches, out, strict=True):
        columns = (batch[name].to_pylist() for name in ("text", "n_masked", "n_unreadable"))
        assert list(zip(*columns, strict=True)) == [one(text) for text in texts]


def test_a_batch_is_scrubbed_before_the_next_is_asked_for(engine: Engine) -> None:
    pulled = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            pulled.append(number)
            yield batch_of("plain")

    out = scrub(batches(), policy_of(), engine=engine)
    assert pulled == []
    next(out)
    assert pulled == [0]


def test_output_schema_is_the_input_and_two_counts(engine: Engine) -> None:
    batch = batch_of("plain")
    (out,) = scrub([batch], policy_of(), engine=engine)
    counts = [pa.field("n_masked", pa.int32()), pa.field("n_unreadable", pa.int32())]
    assert out.schema == pa.schema([*batch.schema, *counts])


@pytest.mark.parametrize(
    "string",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_strings_of_every_type_are_scrubbed(engine: Engine, string: pa.DataType) -> None:
    texts = pa.array(["to a@example.com", None, "to a@example.com"]).cast(string)
    batch = pa.RecordBatch.from_pydict({"text": texts})
    (out,) = scrub([batch], policy_of(), engine=engine)
    assert out.schema == scrubbed_schema(batch.schema, policy_of())
    assert out["text"].to_pylist() == ["to [EMAIL_ADDRESS]", None, "to [EMAIL_ADDRESS]"]


# ── distinct texts ──


def test_equal_texts_of_a_batch_are_read_once(engine: Engine) -> None:
    recording = Recording()
    batch = batch_of(*["a@example.com", "plain", None] * 500)
    out = list(scrub([batch], policy_of(), engine=engine, executor=recording))
    assert recording.texts == ["a@example.com", "plain"]
    assert texts_of(out) == ["[EMAIL_ADDRESS]", "plain", None] * 500


def test_equal_texts_of_rows_with_other_deny_values_are_read_for_each(engine: Engine) -> None:
    recording = Recording()
    names = ["Ann Lee", "Bo Ray", "Ann Lee"]
    batch = batch_of(*["Ann Lee met Bo Ray"] * 3, name=names)
    policy = policy_of({"name": {"operator": "drop"}}, deny_from={"name": "PERSON"})
    out = list(scrub([batch], policy, engine=engine, executor=recording))
    assert len(recording.texts) == 2
    assert texts_of(out) == ["[PERSON] met Bo Ray", "Ann Lee met [PERSON]", "[PERSON] met Bo Ray"]


@BRIEF
@given(st.lists(st.integers(0, 90_000), max_size=30))
def test_chunks_hold_every_text_in_order_and_bounded(lengths: list[int]) -> None:
    texts = tuple(str(number) + "x" * length for number, length in enumerate(lengths))
    cut = list(chunks("text", texts, ()))
    assert tuple(text for chunk in cut for text in chunk.texts) == texts
    assert all(len(one.texts) == 1 or sum(map(len, one.texts)) <= 65_536 for one in cut)


def test_row_values_stay_with_their_texts_in_chunks() -> None:
    rows = [RowValues(allow=(str(number),)) for number in range(1_300)]
    cut = list(chunks("text", ["x"] * 1_300, rows))
    assert [len(one.texts) for one in cut] == [512, 512, 276]
    assert [row for one in cut for row in one.rows] == rows


# ── columns ──


def test_a_dropped_column_does_not_come_out(engine: Engine) -> None:
    batch = batch_of("plain", name=["Ann Lee"], age=[7])
    policy = policy_of({"name": {"operator": "drop"}, "age": {"operator": "drop"}})
    (out,) = scrub([batch], policy, engine=engine)
    assert out.schema.names == ["row_id", "text", "n_masked", "n_unreadable"]


def test_a_kept_column_is_untouched(engine: Engine) -> None:
    policy = Policy.from_config({"text": {"operator": "keep"}})
    (out,) = scrub([batch_of("a@example.com")], policy, engine=engine)
    assert out["text"].to_pylist() == ["a@example.com"]


def test_masking_keeps_the_length(engine: Engine) -> None:
    (out,) = scrub([batch_of("to a@example.com")], policy_of(operator="mask"), engine=engine)
    assert out["text"].to_pylist() == ["to *************"]


def test_a_kept_entity_stays(engine: Engine) -> None:
    policy = policy_of(operators={"EMAIL_ADDRESS": "keep"})
    (out,) = scrub([batch_of("a@example.com from 10.0.0.1")], policy, engine=engine)
    assert out["text"].to_pylist() == ["a@example.com from [IP_ADDRESS]"]
    assert out["n_masked"].to_pylist() == [1]


def test_a_higher_min_score_lets_less_sure_findings_stay(engine: Engine) -> None:
    batch = batch_of("a@example.com 4111111111111111")
    (out,) = scrub([batch], policy_of(min_score=0.9), engine=engine)
    assert out["text"].to_pylist() == ["a@example.com [CREDIT_CARD]"]
