"""Surrogates: of the form of the value, the same for the same value, and nobody's."""

from multiprocessing.pool import ThreadPool

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.scrub.pseudonym import Pseudonyms, normalise
from python_stages.scrub.real_values import RealValues
from python_stages.scrub.surrogate import Surrogates
from tests.python_stages.scrub.surrogates import BRIEF, american, given_names, of, ours, surnames

EXAMPLES = [
    ("PERSON", "Alice Smith", ""),
    ("EMAIL_ADDRESS", "alice.smith@acme.com", ""),
    ("USERNAME", "asmith84", ""),
    ("PHONE_NUMBER", "+44 20 7123 4567", ""),
    ("CREDIT_CARD", "4929 1234 5678 9012", ""),
    ("IBAN_CODE", "DE89 3704 0044 0532 0130 00", ""),
    ("IP_ADDRESS", "10.0.0.1", ""),
    ("MAC_ADDRESS", "aa:bb:cc:dd:ee:ff", ""),
    ("US_SSN", "123-45-6789", ""),
    ("US_ITIN", "912-70-1234", ""),
    ("UK_NHS", "943 476 5919", ""),
    ("UK_NINO", "AB 12 34 56 C", ""),
    ("ZIP_CODE", "02139", ""),
    ("URL", "https://acme.com/u/alice", ""),
    ("DOMAIN_NAME", "acme.com", ""),
    ("UUID", "123e4567-e89b-12d3-a456-426614174000", ""),
    ("DATE_TIME", "March 7th, 2024", ""),
    ("DATE_OF_BIRTH", "1980-03-07", ""),
    ("AGE", "42 years old", ""),
    ("GPS_COORDINATE", "48.8566, 2.3522", ""),
    ("ORGANIZATION", "Acme Widgets Inc.", ""),
    ("LOCATION", "Boston, MA", ""),
    ("STREET_ADDRESS", "Hauptstraße 5, 10115 Berlin", "de_DE"),
]


@pytest.mark.parametrize(("entity", "value", "locale"), EXAMPLES)
def test_a_surrogate_is_another_value_and_always_the_same(
    entity: str, value: str, locale: str
) -> None:
    made = of(entity, value, locale)
    assert normalise(entity, made) != normalise(entity, value)
    assert not made.startswith("[")
    assert Surrogates(ours).of(entity, value, locale) == made


def test_threads_make_the_same_surrogates() -> None:
    with ThreadPool(8) as pool:
        made = pool.starmap(Surrogates(ours).of, EXAMPLES * 10)
    assert made == [of(*example) for example in EXAMPLES] * 10


def test_another_key_or_dataset_makes_other_surrogates() -> None:
    values = [f"{name} Smith" for name in american.male.names[:20]]
    others = (Pseudonyms(bytes(32), "orders"), Pseudonyms(bytes(range(32)), "tickets"))
    for other in others:
        theirs = Surrogates(other)
        assert [theirs.of("PERSON", value) for value in values] != [
            of("PERSON", value) for value in values
        ]


@pytest.mark.parametrize(("entity", "value", "locale"), EXAMPLES)
def test_a_real_value_is_never_a_surrogate(entity: str, value: str, locale: str) -> None:
    real = RealValues(ours)
    for _ in range(3):
        made = Surrogates(ours, real).of(entity, value, locale)
        assert not real(entity, made)
        real.add(entity, made)


def test_where_every_draw_is_real_the_pseudonym_stands() -> None:
    real = RealValues(ours)
    for names in (american.male, american.female):
        for name in names.names:
            real.add("PERSON", name)
    assert Surrogates(ours, real).of("PERSON", "Alice") == ours.tag("PERSON", "Alice")


@BRIEF
@given(given_names, surnames, st.integers(1, 5))
def test_a_part_of_a_real_name_is_drawn_again_alike_in_every_form(
    first: str, last: str, n_real: int
) -> None:
    real = RealValues(ours)
    for _ in range(n_real):
        taken = Surrogates(ours, real).of("PERSON", f"{first} {last}")
        real.add("PERSON", f"{taken.split()[0]} Nobody")
        real.add("EMAIL_ADDRESS", f"nobody.{taken.split()[1]}@acme.com")
    surrogates = Surrogates(ours, real)
    made_first, made_last = surrogates.of("PERSON", f"{first} {last}").split()
    assert not {made_first, made_last} & set(taken.split())
    assert surrogates.of("PERSON", first) == made_first
    assert surrogates.of("PERSON", f"{last}, {first}") == f"{made_last}, {made_first}"
    local = surrogates.of("EMAIL_ADDRESS", f"{first}.{last}@acme.com".lower()).partition("@")[0]
    assert local == f"{made_first}.{made_last}".lower()


def test_a_name_that_is_not_taken_stays_whatever_else_is() -> None:
    real = RealValues(ours)
    made = of("PERSON", "Alice Smith")
    others = [name for name in american.surnames.names if name not in made][:300]
    for name in others:
        real.add("PERSON", name)
    assert Surrogates(ours, real).of("PERSON", "Alice Smith") == made


def test_where_all_parts_are_taken_a_name_and_its_address_are_drawn_again_together() -> None:
    real = RealValues(ours)
    for names in (american.male, american.female, american.surnames):
        for name in names.names:
            real.add("PERSON", name)
    for _ in range(3):
        surrogates = Surrogates(ours, real)
        made = surrogates.of("PERSON", "Alice Smith")
        local = surrogates.of("EMAIL_ADDRESS", "alice.smith@acme.com").partition("@")[0]
        assert local == made.replace(" ", ".").lower()
        assert not real("PERSON", made)
        real.add("PERSON", made)


def test_a_mailbox_that_is_nobodys_keeps_its_name_however_many_there_are() -> None:
    real = RealValues(ours)
    for n in range(9):
        real.add("EMAIL_ADDRESS", f"info@acme{n}.com")
    assert Surrogates(ours, real).of("EMAIL_ADDRESS", "info@acme0.com").startswith("info@example.")


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("PASSPORT", "X1234567"),
        ("EMAIL_ADDRESS", "alice at acme dot com"),
        ("CREDIT_CARD", "99"),
        ("MAC_ADDRESS", "aa:bb"),
        ("UK_NHS", "1234"),
        ("IBAN_CODE", "ZZ00 0000"),
        ("IP_ADDRESS", "999.1.1.1"),
        ("DATE_TIME", "yesterday"),
        ("PERSON", "Mr."),
        ("PERSON", "***"),
        ("PHONE_NUMBER", "112"),
    ],
)
def test_what_has_no_surrogate_gets_its_pseudonym(entity: str, value: str) -> None:
    assert of(entity, value) == ours.tag(entity, value)


@settings(max_examples=100)
@given(
    st.sampled_from(sorted({entity for entity, _, _ in EXAMPLES})),
    st.text(st.characters(exclude_categories=[]), max_size=30),
    st.sampled_from(["", "de_DE", "ja_JP"]),
)
def test_no_text_fails_or_comes_back(entity: str, value: str, locale: str) -> None:
    assert normalise(entity, of(entity, value, locale)) != normalise(entity, value)
