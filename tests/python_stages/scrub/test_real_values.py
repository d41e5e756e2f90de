"""Real values: known in every spelling, as hashes that show nothing without the key."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.scrub.pseudonym import Pseudonyms
from python_stages.scrub.real_values import RealValues

OURS = Pseudonyms(bytes(range(32)), "orders")
THEIRS = Pseudonyms(bytes(32), "orders")
texts = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=12)


def real_of(*pairs: tuple[str, str], pseudonyms: Pseudonyms = OURS) -> RealValues:
    real = RealValues(pseudonyms)
    for entity, value in pairs:
        real.add(entity, value)
    return real


@pytest.mark.parametrize(
    ("entity", "value", "spelling"),
    [
        ("PERSON", "Alice Smith", "ALICE  smith"),
        ("PERSON", "Alice Smith", "Smith, Alice"),
        ("PERSON", "Dr. Alice Smith", "Alice Smith"),
        ("IBAN_CODE", "GB29 NWBK 6016", "gb29nwbk6016"),
        ("PHONE_NUMBER", "0044 20 7946 0000", "+44 (20) 7946-0000"),
        ("ORGANIZATION", "Acme, Inc.", "ACME Inc"),
    ],
)
def test_a_value_is_known_in_its_other_spellings(entity: str, value: str, spelling: str) -> None:
    real = real_of((entity, value))
    assert real(entity, spelling)
    assert not real(entity, f"{spelling} x9")


def test_a_name_is_known_as_an_address_and_as_a_handle() -> None:
    real = real_of(("PERSON", "Alice Smith"))
    assert real("EMAIL_ADDRESS", "alice.smith@example.com")
    assert real("USERNAME", "alicesmith42")
    assert not real("EMAIL_ADDRESS", "alice.jones@example.com")


def test_a_value_is_known_whatever_it_was_taken_for() -> None:
    assert real_of(("LOCATION", "Georgia"))("ORGANIZATION", "Georgia")


def test_the_parts_of_names_are_known() -> None:
    real = real_of(("PERSON", "Mr. Zoë van Loon"), ("EMAIL_ADDRESS", "info.bo@loonies.com"))
    assert [part for part in ("zoe", "loon", "bo") if not real.has_part(part)] == []
    assert [part for part in ("mr", "van", "info", "loonies") if real.has_part(part)] == []


def test_a_short_text_of_another_column_is_known_and_a_long_one_is_no_value() -> None:
    real = RealValues(OURS)
    real.add_cell("Alice Smith")
    real.add_cell("Bo Ray " * 20)
    assert real("PERSON", "Smith, Alice")
    assert real("ORGANIZATION", "alice smith")
    assert not real("PERSON", "Bo Ray " * 20)


@settings(max_examples=40)
@given(st.lists(texts, max_size=8), st.lists(texts, max_size=8), texts)
def test_what_others_found_is_known_like_what_was_added(
    here: list[str], there: list[str], other: str
) -> None:
    both = real_of(*(("ORGANIZATION", text) for text in [*here, *there]))
    joined = real_of(*(("ORGANIZATION", text) for text in here))
    joined.update(real_of(*(("ORGANIZATION", text) for text in there)).hashes())
    assert joined.hashes().tolist() == both.hashes().tolist()
    assert all(joined("ORGANIZATION", text) for text in [*here, *there])
    assert joined("ORGANIZATION", other) == both("ORGANIZATION", other)


def test_a_worker_gets_eight_bytes_of_each_value() -> None:
    real = real_of(*(("ORGANIZATION", f"firm {n}") for n in range(1_000)))
    there = pickle.loads(pickle.dumps(real))
    assert there("ORGANIZATION", "Firm 999")
    assert there.hashes().nbytes == 8 * 1_000
    assert b"firm" not in pickle.dumps(real)


def test_another_key_makes_other_hashes() -> None:
    ours = real_of(("ORGANIZATION", "Acme"))
    theirs = real_of(("ORGANIZATION", "Acme"), pseudonyms=THEIRS)
    assert not {*ours.hashes().tolist()} & {*theirs.hashes().tolist()}
