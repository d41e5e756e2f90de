"""The stage: every row comes out, in order and scrubbed by the policy, or counted as unreadable."""

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError
from python_stages.scrub import Engine, Policy, scrub, scrubbed_schema
from python_stages.scrub.pool import Inline, Pool, Work, executor
from python_stages.scrub.row_values import RowValues
from python_stages.scrub.work import Chunk, Scrubbed, Scrubbing, chunks
from python_stages.scrub.workers import ProcessWorker
from tests.python_stages.scrub.pool_work import hired

KEY = bytes(range(32))
CANARY = b"canary\xff\xfe"
NAMES = ("Ann Lee", "Bo Ray", "Cy Fox", "Di Kay", "Ed Poe", "Flo Moy", "Guy Ash")
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(["identifiers"])


def policy_of(columns: Mapping[str, Any] | None = None, **rule: Any) -> Policy:
    rules = {"text": {"entities": ["identifiers"]} | rule, **(columns or {})}
    return Policy.from_config(rules, dataset="tickets")


def batch_of(*texts: str | bytes | None, **columns: list[Any]) -> pa.RecordBatch:
    """Return rows with a row_id, a text, and other columns; what is bytes need not be UTF-8."""
    rows: dict[str, pa.Array[Any]] = {"row_id": strings(str(n) for n in range(len(texts)))}
    rows |= {"text": strings(texts)}
    rows |= {name: strings(values) for name, values in columns.items()}
    return pa.RecordBatch.from_pydict(rows)


def strings(values: Iterable[Any]) -> "pa.Array[Any]":
    values = list(values)
    if any(isinstance(value, bytes) for value in values):
        raw = [value.encode() if isinstance(value, str) else value for value in values]
        return pa.array(raw, type=pa.binary()).view(pa.string())
    return pa.array(values) if any(values) else pa.array(values, type=pa.string())


def texts_of(batches: Iterable[pa.RecordBatch]) -> list[str | None]:
    return [text for batch in batches for text in batch["text"].to_pylist()]


class Recording:
    """Works in this process and keeps what it was asked to do."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def map(self, items: Iterable[Any], work: Work[Any, Any]) -> Generator[Any, None, None]:
        """Yield the result of every item."""

        def recorded() -> Iterator[Chunk]:
            for item in items:
                self.chunks.append(item)
                yield item

        yield from Inline().map(recorded(), work)

    @property
    def texts(self) -> list[str]:
        """All texts of the chunks."""
        return [text for chunk in self.chunks for text in chunk.texts]


# ── rows ──


def test_rows_keep_order_nulls_and_number(engine: Engine) -> None:
    batch = batch_of("a@example.com", None, "plain", "a@example.com and b@example.com", "")
    (out,) = scrub([batch], policy_of(), engine=engine)
    expected = ["[EMAIL_ADDRESS]", None, "plain", "[EMAIL_ADDRESS] and [EMAIL_ADDRESS]", ""]
    assert out["text"].to_pylist() == expected
    assert out["n_masked"].to_pylist() == [1, 0, 0, 2, 0]
    assert out["n_unreadable"].to_pylist() == [0, 0, 0, 0, 0]
    assert out["row_id"].equals(batch["row_id"])


@SLOW
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


@SLOW
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


def test_what_the_row_allows_goes_along_with_its_text(engine: Engine) -> None:
    recording = Recording()
    batch = batch_of(
        "at Ann Lee", "at Ann Lee", None, shop=["Ann Lee", None, "Bo"], floor=[1, 2, 3]
    )
    columns = {"shop": {"operator": "keep"}}
    policy = policy_of(columns, allow_from=["shop", "floor"])
    list(scrub([batch], policy, engine=engine, executor=recording))
    rows = [row.allow for chunk in recording.chunks for row in chunk.rows]
    assert rows == [("Ann Lee", "1"), ("2",)]


def test_numbers_of_another_column_are_denied_too(engine: Engine) -> None:
    batch = batch_of("account 4471 of 4471", account=[4471])
    policy = policy_of(deny_from={"account": "PASSPORT"})
    (text,) = texts_of(scrub([batch], policy, engine=engine))
    assert text == "account [PASSPORT] of [PASSPORT]"


@pytest.mark.parametrize(
    "values",
    [
        pa.array([5551234567.0]),
        pa.array([Decimal("5551234567.00")]),
        pa.array([["5550001111", "5551234567", None]]),
        pa.array([[[5551234567]]]),
        pa.array([[5551234567.0]], type=pa.list_(pa.float64(), 1)),
        pa.array(["5551234567"]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_a_value_of_any_plain_type_is_denied_as_people_write_it(
    engine: Engine, values: "pa.Array[Any]"
) -> None:
    batch = pa.RecordBatch.from_pydict({"text": strings(["ring 5551234567"]), "phone": values})
    policy = policy_of({"phone": {"operator": "drop"}}, deny_from={"phone": "PHONE_NUMBER"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["ring [PHONE_NUMBER]"]


def test_midnight_is_denied_as_a_date(engine: Engine) -> None:
    born = pa.array([datetime(1980, 5, 4)])  # noqa: DTZ001  # as in a table
    batch = pa.RecordBatch.from_pydict({"text": strings(["born 1980-05-04"]), "born": born})
    policy = policy_of(deny_from={"born": "PASSPORT"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["born [PASSPORT]"]


def test_null_and_nan_deny_nothing(engine: Engine) -> None:
    numbers = pa.array([float("nan"), None])
    batch = pa.RecordBatch.from_pydict({"text": strings(["nan", "none"]), "number": numbers})
    policy = policy_of(deny_from={"number": "PASSPORT"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["nan", "none"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([{"first": "Ann"}]),
        pa.array([b"Ann"]),
        pa.array([[{"first": "Ann"}]]),
        pa.array([[("first", "Ann")]], type=pa.map_(pa.string(), pa.string())),
    ],
    ids=lambda values: str(values.type),
)
@pytest.mark.parametrize("setting", [{"deny_from": {"who": "PERSON"}}, {"allow_from": ["who"]}])
def test_a_value_that_is_written_in_no_one_way_is_a_config_error_naming_the_column(
    engine: Engine, values: "pa.Array[Any]", setting: dict[str, Any]
) -> None:
    batch = pa.RecordBatch.from_pydict({"text": strings(["by Ann"]), "who": values})
    policy = policy_of({"who": {"operator": "drop"}}, **setting)
    with pytest.raises(ConfigError, match="column who") as raised:
        list(scrub([batch], policy, engine=engine))
    assert "Ann" not in str(raised.value)


# ── what cannot be read ──


def test_a_text_is_unreadable_where_one_value_of_a_denied_list_is(engine: Engine) -> None:
    names = pa.ListArray.from_arrays([0, 2, 3], strings(["Ann Lee", CANARY, "Bo Ray"]))
    batch = pa.RecordBatch.from_pydict({"text": strings(["canary", "Bo Ray"]), "names": names})
    policy = policy_of({"names": {"operator": "drop"}}, deny_from={"names": "PERSON"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["[UNREADABLE]", "[PERSON]"]


def test_bytes_that_are_not_utf8_become_unreadable_and_are_counted(engine: Engine) -> None:
    batch = batch_of(CANARY, "to a@example.com", None)
    (out,) = scrub([batch], policy_of(), engine=engine)
    assert out["text"].to_pylist() == ["[UNREADABLE]", "to [EMAIL_ADDRESS]", None]
    assert out["n_unreadable"].to_pylist() == [1, 0, 0]
    assert out["n_masked"].to_pylist() == [0, 1, 0]


def test_a_lone_surrogate_becomes_unreadable(engine: Engine) -> None:
    batch = batch_of("canary \ud800".encode("utf-8", "surrogatepass"), "plain")
    (out,) = scrub([batch], policy_of(), engine=engine)
    assert out["text"].to_pylist() == ["[UNREADABLE]", "plain"]
    assert out["n_unreadable"].to_pylist() == [1, 0]


def test_what_is_unreadable_in_a_kept_column_does_not_pass_either(engine: Engine) -> None:
    batch = batch_of("plain", "plain", note=[CANARY, "fine"])
    policy = policy_of({"note": {"operator": "keep"}})
    (out,) = scrub([batch], policy, engine=engine)
    assert out["note"].to_pylist() == ["[UNREADABLE]", "fine"]
    assert out["n_unreadable"].to_pylist() == [1, 0]


def test_a_text_whose_deny_value_cannot_be_read_is_unreadable(engine: Engine) -> None:
    batch = batch_of("by canary", "by Ann Lee", name=[CANARY, "Ann Lee"])
    policy = policy_of({"name": {"operator": "drop"}}, deny_from={"name": "PERSON"})
    (out,) = scrub([batch], policy, engine=engine)
    assert out["text"].to_pylist() == ["[UNREADABLE]", "by [PERSON]"]
    assert out["n_unreadable"].to_pylist() == [1, 0]


def test_what_is_unreadable_is_counted_once_for_each_column(engine: Engine) -> None:
    batch = batch_of(CANARY, CANARY, note=[CANARY, "fine"])
    policy = policy_of({"note": {"entities": ["identifiers"]}})
    (out,) = scrub([batch], policy, engine=engine)
    assert out["n_unreadable"].to_pylist() == [2, 1]


# ── wrong settings ──


def test_a_text_column_without_a_rule_stops_the_stage(engine: Engine) -> None:
    policy = Policy.from_config({"other": {"operator": "keep"}})
    with pytest.raises(ConfigError, match="column text has no scrub settings"):
        list(scrub([batch_of("x", other=["y"])], policy, engine=engine))


def test_a_rule_without_a_column_is_answered_with_those_there_are(engine: Engine) -> None:
    policy = Policy.from_config({"txet": {"operator": "keep"}})
    with pytest.raises(ConfigError, match="name txet: the text columns are text"):
        list(scrub([batch_of("x")], policy, engine=engine))


def test_a_deny_list_from_a_column_that_is_not_there_is_refused(engine: Engine) -> None:
    policy = policy_of(deny_from={"nmae": "PERSON"})
    with pytest.raises(ConfigError, match="names nmae: the columns are row_id, text"):
        list(scrub([batch_of("x")], policy, engine=engine))


def test_a_column_of_bytes_can_be_dropped_or_kept_and_not_scrubbed(engine: Engine) -> None:
    batch = pa.RecordBatch.from_pydict({"text": [b"raw"]})
    with pytest.raises(ConfigError, match="column text holds binary"):
        list(scrub([batch], policy_of(), engine=engine))
    for operator in ("keep", "drop"):
        list(scrub([batch], Policy.from_config({"text": {"operator": operator}}), engine=engine))


def test_batches_that_were_scrubbed_before_are_refused(engine: Engine) -> None:
    (out,) = scrub([batch_of("x")], policy_of(), engine=engine)
    with pytest.raises(ConfigError, match="n_masked, n_unreadable is what this stage adds"):
        list(scrub([out], policy_of(), engine=engine))


def test_an_engine_built_for_less_than_the_policy_is_refused() -> None:
    emails = Engine(["EMAIL_ADDRESS"])
    with pytest.raises(ConfigError, match=r"not built for .*CREDIT_CARD"):
        list(scrub([batch_of("x")], policy_of(), engine=emails))


def test_pseudonyms_without_a_key_are_refused(engine: Engine) -> None:
    policy = policy_of(operator="pseudonym")
    with pytest.raises(ConfigError, match="key"):
        list(scrub([batch_of("a@example.com")], policy, engine=engine))


# ── workers ──


def test_workers_do_what_this_process_does(engine: Engine) -> None:
    """Pseudonyms included: they depend on the key, and on nothing of the process."""
    columns = {"name": {"operator": "drop"}}
    policy = policy_of(columns, deny_from={"name": "PERSON"}, operator="pseudonym")
    batches = [
        batch_of(
            *[f"{n}: {NAMES[n % 7]} wrote to a{n % 9}@example.com" for n in range(start, stop)],
            name=[NAMES[n % 7] for n in range(start, stop)],
        )
        for start, stop in ((0, 90), (90, 100), (100, 200))
    ]
    here = list(scrub(batches, policy, engine=engine, key=KEY))
    there = list(scrub(batches, policy, key=KEY, executor=Pool(ProcessWorker, 2)))
    assert there == here
    words = [str(text).split() for text in texts_of(here)]
    assert len({(line[1], line[-1]) for line in words}) == 7 * 9


def test_a_small_input_starts_no_process(engine: Engine) -> None:
    out = scrub(
        [batch_of("a@example.com")] * 20,
        policy_of(),
        engine=engine,
        executor=executor("auto", n_workers=2),
    )
    for _ in out:
        assert hired() == []


def test_neither_engine_nor_key_shows_in_the_work(engine: Engine) -> None:
    work = Scrubbing(policy_of(), KEY, engine)
    assert repr(KEY) not in repr(work)
    assert pickle.loads(pickle.dumps(work)) == work  # noqa: S301  # our own


def test_a_policy_that_looks_for_nothing_loads_nothing() -> None:
    do: Callable[[Chunk], list[Scrubbed]] = Scrubbing(policy_of(operator="keep"), None).start()
    assert do(Chunk("", (), ())) == []
