"""Pseudonyms: one for one value, however it is spelled, and none for two."""

from multiprocessing.pool import ThreadPool

import duckdb
import pyarrow as pa
import pytest
from duckdb.func import PythonUDFType
from hypothesis import given
from hypothesis import strategies as st

from python_stages.errors import ConfigError
from python_stages.scrub.pseudonym import (
    TAG_DIGITS,
    Pseudonyms,
    arrow_function,
    normalise,
)

KEY = bytes(range(32))
ours = Pseudonyms(KEY, "orders")
entities = st.sampled_from(["PERSON", "PHONE_NUMBER", "IBAN_CODE", "US_SSN", "EMAIL_ADDRESS"])


def test_a_pseudonym_is_the_same_on_every_machine() -> None:
    assert ours.tag("PERSON", "Alice Smith") == "[PERSON_5db6cd290483b1a1]"


@pytest.mark.parametrize(
    ("entity", "spellings"),
    [
        (
            "PERSON",
            ["Alice Smith", "ALICE Smith", " alice  smith", "alice\nsmith", "\uff21lice Smith"],
        ),
        ("PERSON", ["Alice Smith", "Al\u200bice Smith", "\u202eAlice Smith\u202c"]),
        ("PERSON", ["Ren\u00e9e", "Rene\u0301e", "REN\u00c9E"]),
        ("PERSON", ["Stra\u00dfer", "STRASSER"]),
        ("PHONE_NUMBER", ["+44 20 7946 0958", "0044 (20) 7946-0958", "442079460958"]),
        (
            "PHONE_NUMBER",
            ["555 0123", "\uff15\uff15\uff15 0123", "\u0665\u0665\u0665 \u0660\u0661\u0662\u0663"],
        ),
        ("CREDIT_CARD", ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"]),
        ("IBAN_CODE", ["DE89 3704 0044 0532 0130 00", "de89370400440532013000"]),
        ("US_SSN", ["123-45-6789", "123 45 6789"]),
        ("EMAIL_ADDRESS", ["A.Smith@Example.com", "a.smith@example.com"]),
    ],
)
def test_spellings_of_one_value_have_one_pseudonym(entity: str, spellings: list[str]) -> None:
    assert len({ours.tag(entity, spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [
        ("PERSON", "Alice Smith", "Alice Smyth"),
        ("PERSON", "Ann Alee", "Anna Lee"),
        ("IP_ADDRESS", "1.11.1.1", "11.1.1.1"),
        ("PHONE_NUMBER", "555 0123", "555 0124"),
    ],
)
def test_two_values_have_two_pseudonyms(entity: str, one: str, other: str) -> None:
    assert ours.tag(entity, one) != ours.tag(entity, other)


def test_entities_datasets_and_keys_cannot_be_joined() -> None:
    tags = [
        pseudonyms.tag(entity, "Paris")[-TAG_DIGITS - 1 :]
        for pseudonyms in (ours, Pseudonyms(KEY, "tickets"), Pseudonyms(bytes(32), "orders"))
        for entity in ("PERSON", "LOCATION")
    ]
    assert len(set(tags)) == len(tags)


def test_ten_thousand_values_do_not_collide() -> None:
    assert len({ours.tag("PERSON", f"person {n}") for n in range(10_000)}) == 10_000


@given(entities, st.text())
def test_normalising_twice_is_normalising_once(entity: str, value: str) -> None:
    once = normalise(entity, value)
    assert normalise(entity, once) == once


@given(entities, st.text())
def test_every_text_has_a_pseudonym_of_one_form(entity: str, value: str) -> None:
    tag = ours.tag(entity, value)
    assert tag.startswith(f"[{entity}_")
    assert len(tag) == len(entity) + TAG_DIGITS + 3


def test_a_lone_surrogate_has_a_pseudonym_too() -> None:
    assert ours.tag("PERSON", "\ud800") != ours.tag("PERSON", "\ud801")


def test_threads_make_the_same_pseudonyms() -> None:
    values = [f"person {n % 50}" for n in range(1000)]
    with ThreadPool(8) as pool:
        assert pool.map(lambda value: ours.tag("PERSON", value), values) == [
            ours.tag("PERSON", value) for value in values
        ]


@pytest.mark.parametrize("entity", ["", "person", "PER SON", "A" * 65, "1A"])
def test_an_entity_is_an_upper_case_word(entity: str) -> None:
    with pytest.raises(ConfigError, match="upper-case word"):
        ours.tag(entity, "x")


def test_a_short_key_or_no_dataset_is_refused() -> None:
    with pytest.raises(ConfigError, match="fewer than 32 bytes"):
        Pseudonyms(b"short", "orders")
    with pytest.raises(ConfigError, match="dataset's name"):
        Pseudonyms(KEY, "")


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(ours)


def test_duckdb_makes_the_pseudonyms_of_texts() -> None:
    with duckdb.connect() as con:
        con.create_function(
            "pseudonymise",
            arrow_function(lambda _: KEY),
            ["VARCHAR"] * 3,
            "VARCHAR",
            type=PythonUDFType.ARROW,
        )
        rows = con.execute(
            "select pseudonymise('orders', 'PERSON', name) from (values ('Alice Smith'), (null), "
            "('ALICE smith'), ('Bob')) names(name)"
        ).fetchall()
    alice, bob = ours.tag("PERSON", "alice smith"), ours.tag("PERSON", "bob")
    assert rows == [(alice,), (None,), (alice,), (bob,)]


def test_null_in_any_column_gives_null() -> None:
    made = arrow_function(lambda _: KEY)(
        pa.array(["orders", "orders", None]), pa.array(["X", None, "X"]), pa.array(["a", "a", "a"])
    )
    assert made.to_pylist() == [ours.tag("X", "a"), None, None]
