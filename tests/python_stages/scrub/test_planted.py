"""Planted personal data: what is planted, what counts as masked, and what is recorded."""

import re
from collections.abc import Iterable
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from python_stages.errors import ConfigError
from python_stages.scrub import planted
from python_stages.scrub.plants.copies import Copy, Plant, capacity, holds, piece_of, plant
from python_stages.scrub.plants.forms import fill
from python_stages.scrub.plants.kinds import KINDS
from python_stages.scrub.plants.spec import PlantSpec, least_recalls
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.recognizers.catalogue import ENTITIES, IDENTIFIERS
from python_stages.scrub.row_values import RowValues
from python_stages.scrub.settle import Finding
from tests.python_stages.scrub.engines import built

KEY = b"k" * 32
KEEP = Rule(operators={})
NOBODY = RowValues()
FEW = PlantSpec(n_planted=4)
TEXTS = (
    "A Gold Credit card was used at Red Lobster for $1,204.50 on October 12, 2024 in Lagos.",
    "Which merchant category does this belong to?\n\nPOS Shell / 40.10 EUR / 10/12/2024 13:35",
    "Gas",
)
ROWS: list[planted.Row] = [{"user_text": (text,), "note": ()} for text in TEXTS]


def rule(**operators: str) -> Rule:
    return Rule(operators=operators)


def copies_of(entity: str, n: int = 20, by: Rule = KEEP) -> list[Copy]:
    return [plant(TEXTS[i % 3], [entity], Random(i), by, NOBODY) for i in range(n)]


def values_of(entity: str, n: int = 60, by: Rule = KEEP) -> list[str]:
    return [
        copy.text[copy.plants[0].start : copy.plants[0].end] for copy in copies_of(entity, n, by)
    ]


def policy(column: str = "user_text", **settings: Any) -> Policy:
    return Policy.from_config({column: settings}, dataset="tests")


def measured(
    wanted: Policy, spec: PlantSpec = FEW, rows: Iterable[planted.Row] = ROWS, key: bytes = KEY
) -> list[dict[str, Any]]:
    engine = built(*wanted.entities)
    return planted.measure(
        list(rows), wanted, engine, spec, key=key, pseudonym_key=b"p" * 32
    ).to_pylist()


# ── values ──


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_every_entity_that_can_be_recognised_can_be_planted(entity: str) -> None:
    values = values_of(entity, 12)

    assert all(value.strip() == value != "" for value in values)
    assert len(set(values)) > 1


def test_nothing_is_planted_that_nothing_recognises() -> None:
    assert set(KINDS) == ENTITIES


def test_every_phrase_has_one_place_for_the_value() -> None:
    for entity, kind in KINDS.items():
        assert all(carrier.count("{}") == 1 for carrier in kind.carriers), entity


def test_no_sign_of_a_form_is_left_in_a_number() -> None:
    for entity in set(IDENTIFIERS) - {"EMAIL_ADDRESS", "PASSWORD", "PRIVATE_KEY"}:
        assert not any(re.search(r"[#%?*@&{}\[\]]", value) for value in values_of(entity)), entity


def test_an_entity_without_a_generator_stops_the_build() -> None:
    with pytest.raises(ConfigError, match="nothing can be planted for SHOE_SIZE"):
        plant("a b", ["SHOE_SIZE"], Random(1), KEEP, NOBODY)


def test_checksums_fit() -> None:
    assert all(luhn.is_valid(re.sub(r"\D", "", value)) for value in values_of("CREDIT_CARD"))
    assert all(map(iban.is_valid, values_of("IBAN_CODE")))


def test_numbers_are_written_in_more_than_one_form() -> None:
    for entity in ("CREDIT_CARD", "IBAN_CODE", "PHONE_NUMBER", "US_SSN", "MAC_ADDRESS", "BR_CPF"):
        forms = {re.sub(r"[A-Za-z]", "A", re.sub(r"\d", "9", v)) for v in values_of(entity)}
        assert len(forms) > 1, entity


def test_phones_are_of_ranges_that_are_kept_for_fiction() -> None:
    american = [v for v in values_of("PHONE_NUMBER", 200) if re.search(r"555.?01\d\d", v)]
    british = [v for v in values_of("PHONE_NUMBER", 200) if re.search(r"7700 ?900|7946 ?0", v)]

    assert len(american) > 40
    assert len(british) > 20


def test_a_value_that_its_operator_would_leave_is_not_planted() -> None:
    generalised = rule(AGE="generalise:year", LOCATION="generalise")

    assert all(int(value) > 89 for value in values_of("AGE", 30, generalised))
    assert not {"Brazil", "Japan"} & set(values_of("LOCATION", 60, generalised))


def test_names_are_of_the_locale_of_the_policy() -> None:
    names = values_of("PERSON", 40, Rule(operators={}, locale="ja_JP"))

    assert all(re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", name) for name in names)


@given(st.integers(0, 2**32))
def test_the_same_draw_fills_a_form_alike(seed: int) -> None:
    form = "%##-?*^[XY]{yymmdd}"

    assert fill(form, Random(seed)) == fill(form, Random(seed))


# ── where they stand ──


@given(st.text(), st.integers(0, 2**32), st.integers(1, 3))
def test_a_copy_holds_every_word_of_its_host_in_order(host: str, seed: int, n: int) -> None:
    draw = Random(seed)
    entities = ["US_SSN"] * min(n, capacity(host))
    copy = plant(host, entities, draw, KEEP, NOBODY)

    rest = iter(copy.text)
    assert all(sign in rest for word in host.split() for sign in word)
    assert [one.entity for one in copy.plants] == entities
    for one in copy.plants:
        assert re.fullmatch(r"9\d\d[- ]?\d\d[- ]?\d{4}", copy.text[one.start : one.end])


@given(st.integers(0, 2**32))
def test_values_stand_apart_and_between_words(seed: int) -> None:
    host = " ".join(f"w{i}" for i in range(24))
    copy = plant(host, ["CRYPTO"] * 3, Random(seed), KEEP, NOBODY)

    assert re.sub(r"\W", " ", host).split() == re.findall(r"\bw\d+\b", copy.text)
    for one, other in zip(copy.plants, copy.plants[1:], strict=False):
        assert len(re.findall(r"\bw\d+\b", copy.text[one.end : other.start])) >= 8


def test_of_a_long_text_a_piece_is_taken() -> None:
    text = "word " * 100_000

    assert 1_000 < len(piece_of(text, Random(1))) <= 2_000
    assert piece_of("x" * 3_000, Random(1))


def batches(rows: list[dict[str, Any]]) -> list[pa.RecordBatch]:
    return pa.Table.from_pylist(rows).to_batches(max_chunksize=7)


def test_the_sample_is_keyed_and_does_not_depend_on_the_order_of_rows() -> None:
    rows: list[dict[str, Any]] = [{"user_text": f"text {i}", "n": i} for i in range(100)]
    drawn = planted.sample(batches(rows), 10, KEY)

    assert planted.sample(batches(rows[::-1]), 10, KEY) == drawn
    assert planted.sample(batches(rows), 10, b"x" * 32) != drawn
    assert len(drawn) == 10
    assert len(planted.sample(batches(rows[:3]), 10, KEY)) == 3
    assert planted.sample([], 10, KEY) == []


def test_a_row_is_read_as_the_stage_reads_it() -> None:
    raw = pa.array([b"\xff"], type=pa.binary()).view(pa.string())
    batch = pa.RecordBatch.from_pydict(
        {"raw": raw, "phone": [5551234567.0], "names": [["Ann", None]], "none": [None]}
    )
    assert planted.sample([batch], 1, KEY) == [
        {"raw": (), "phone": ("5551234567",), "names": ("Ann",), "none": ()}
    ]


# ── what counts as masked ──

COPY = Copy("see Anna Lee-Fox, ok", (Plant("PERSON", 4, 16),), NOBODY)


@pytest.mark.parametrize(
    ("spans", "scrubbed", "is_masked"),
    [
        ([(4, 16)], "see [PERSON], ok", True),
        ([(0, 20)], "[UNREADABLE]", True),
        ([(4, 8), (9, 12), (13, 16)], "see [X] [X]-[X], ok", True),
        ([(4, 12), (13, 16)], "see [X]-[X], ok", True),
        ([(4, 8)], "see [X] Lee-Fox, ok", False),
        ([(4, 15)], "see [X]x, ok", False),
        ([(5, 16)], "see A[X], ok", False),
        ([], "see Anna Lee-Fox, ok", False),
        ([(4, 16)], "see Anna Lee-Fox, ok", False),  # found, and left as it was
    ],
)
def test_a_value_is_masked_only_if_no_letter_of_it_is_left(
    spans: list[tuple[int, int]], scrubbed: str, *, is_masked: bool
) -> None:
    found = [Finding("PERSON", start, end, 1.0) for start, end in spans]

    assert planted.is_masked(COPY, COPY.plants[0], found, scrubbed) is is_masked


def test_a_value_inside_a_longer_word_is_not_the_value() -> None:
    assert not holds("45", "in 1945 or 450 days")
    assert holds("45", "aged 45.")


# ── what is recorded ──


def test_every_entity_and_column_of_the_policy_has_a_row_with_its_numbers() -> None:
    rows = measured(policy(entities=["US_SSN", "EMAIL_ADDRESS"]))

    assert [(row["column_name"], row["entity"]) for row in rows] == [
        ("user_text", "EMAIL_ADDRESS"),
        ("user_text", "US_SSN"),
    ]
    for row in rows:
        assert (row["dataset"], row["n_planted"], row["n_masked"]) == ("tests", 4, 4)
        assert (row["recall"], row["min_recall"], row["is_met"]) == (1.0, 0.99, True)
        assert row["recall_low"] == pytest.approx(0.5101, abs=1e-4)
        assert row["recall_high"] == pytest.approx(1.0)


def test_columns_with_equal_rules_share_what_is_planted() -> None:
    config = {"entities": ["US_SSN"]}
    wanted = Policy.from_config(
        {"a": config, "b": config, "c": {"operator": "keep"}}, dataset="tests"
    )
    rows = measured(wanted, rows=[{"a": ("x y",), "b": ("z",), "c": ("w",)}])

    assert [(row["column_name"], row["n_planted"]) for row in rows] == [("a", 2), ("b", 2)]


def test_what_is_not_masked_is_a_miss() -> None:
    # an address alone is what stays below a score that only a checksum reaches
    rows = measured(policy(entities=["EMAIL_ADDRESS"], min_score=0.95))

    assert [(row["n_masked"], row["is_met"]) for row in rows] == [(0, False)]


def test_where_some_are_missed_ten_times_as_many_are_planted_and_all_count() -> None:
    # below that score are telephone numbers whose look alone tells
    (row,) = measured(policy(entities=["PHONE_NUMBER"], min_score=0.65))

    assert row["n_planted"] == 4 * 11
    assert 4 < row["n_masked"] < 44
    assert row["recall"] == row["n_masked"] / 44


def test_a_column_without_texts_is_measured_beside_nothing_and_no_rows_give_no_proof() -> None:
    (row,) = measured(policy("note", entities=["US_SSN"]))
    assert row["n_planted"] == row["n_masked"] > 0
    assert measured(policy(entities=["US_SSN"]), rows=[]) == []


def test_the_same_key_measures_the_same_and_the_table_holds_no_text() -> None:
    wanted = policy(entities=["US_SSN", "CREDIT_CARD"], operator="mask")

    assert measured(wanted) == measured(wanted)
    texts = {value for row in measured(wanted) for value in row.values() if isinstance(value, str)}
    assert texts == {"tests", "user_text", "US_SSN", "CREDIT_CARD"}


@pytest.mark.parametrize("operator", ["mask", "drop", "pseudonym", "surrogate", "generalise"])
def test_every_operator_leaves_nothing_of_the_value(operator: str) -> None:
    entities = ["EMAIL_ADDRESS", "IP_ADDRESS", "DATE_OF_BIRTH", "CREDIT_CARD"]
    rows = measured(policy(entities=entities, operators=dict.fromkeys(entities, operator)))

    assert {row["n_masked"] for row in rows} == {4}


def test_every_identifier_is_masked_wherever_it_is_planted() -> None:
    rows = measured(policy(entities=["identifiers"]), PlantSpec(n_planted=6))

    assert {row["entity"] for row in rows} == set(IDENTIFIERS)
    assert [row["entity"] for row in rows if not row["is_met"]] == []


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_recall_and_lies_in_zero_to_one(counts: tuple[int, int]) -> None:
    low, high = planted.interval(*counts)

    assert 0 <= low <= counts[0] / counts[1] + 1e-12
    assert counts[0] / counts[1] - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("counts", "bounds"),
    [((60, 60), (0.9398, 1.0)), ((0, 10), (0.0, 0.2775)), ((81, 263), (0.2553, 0.3662))],
)
def test_the_interval_is_that_of_wilson(
    counts: tuple[int, int], bounds: tuple[float, float]
) -> None:
    # the last is an example of Newcombe (1998), table I
    assert planted.interval(*counts) == pytest.approx(bounds, abs=1e-4)


# ── settings ──


def test_names_and_addresses_may_be_missed_more_often_than_numbers() -> None:
    least = least_recalls({})

    assert set(least) == ENTITIES
    assert {least[entity] for entity in ("PERSON", "LOCATION", "STREET_ADDRESS")} == {0.9}
    assert {least[entity] for entity in IDENTIFIERS} == {0.99}


def test_an_entity_by_name_wins_over_its_groups_and_the_stricter_group_over_the_other() -> None:
    least = least_recalls({"US_SSN": 0.5, "identifiers": 0.8, "national_ids": 0.7})

    assert (least["US_SSN"], least["UK_NHS"], least["AT_SVNR"]) == (0.5, 0.8, 0.7)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_plants": 5}, "unknown setting n_plants"),
        ({"n_planted": 0}, "n_planted must be"),
        ({"n_planted": True}, "n_planted must be"),
        ({"min_recall": 0.9}, "must map entities"),
        ({"min_recall": {"PERSON": 1.5}}, "PERSON must be a number"),
        ({"min_recall": {"PERSON": float("nan")}}, "PERSON must be a number"),
        ({"min_recall": {"PERSN": 0.5}}, "did you mean PERSON"),
    ],
)
def test_a_wrong_setting_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PlantSpec.from_config(config)


def test_without_settings_sixty_are_planted() -> None:
    assert PlantSpec.from_config(None) == PlantSpec(n_planted=60)


@pytest.mark.slow
def test_of_a_thousand_values_of_an_identifier_not_two_are_missed() -> None:
    # a build plants sixty, and fails by one: a miss in a thousand is a failure in sixteen builds
    found = measured(policy(entities=["identifiers"]), PlantSpec(n_planted=1_000))
    missed = {row["entity"]: 1_000 - row["n_masked"] for row in found if row["recall"] < 0.999}
    assert len(found) == len(IDENTIFIERS)
    assert missed == {}
