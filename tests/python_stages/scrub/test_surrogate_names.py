"""Surrogates of names: whose parts, order, script and gender stay."""

import re

import pytest
from hypothesis import example, given

from python_stages.scrub import surrogate_names, surrogate_pools
from tests.python_stages.scrub.surrogates import BRIEF, american, given_names, of, surnames


@BRIEF
@example("Aaron", "Le")
@given(given_names, surnames)
def test_the_parts_of_a_name_are_replaced_alike_in_every_form(first: str, last: str) -> None:
    made = of("PERSON", f"{first} {last}")
    assert of("PERSON", f"{first} {last}".upper()) == made.upper()
    assert of("PERSON", f"{first} {last}".lower()) == made.lower()
    assert of("PERSON", f"{first}\n{last}") == made.replace(" ", "\n")


@BRIEF
@given(given_names, surnames)
def test_an_address_fits_the_name_that_it_was_made_of(first: str, last: str) -> None:
    made_first, made_last = of("PERSON", f"{first} {last}").lower().split()
    local, _, domain = of("EMAIL_ADDRESS", f"{first}.{last}@acme.com".lower()).partition("@")
    assert local == f"{made_first}.{made_last}"
    assert domain in ("example.com", "example.net", "example.org")


@pytest.mark.parametrize("value", ["aaron le", "le, aaron", "aaron le jr", "aaron van le"])
def test_a_particle_that_nothing_follows_is_a_surname(value: str) -> None:
    assert "le" not in re.findall(r"\w+", of("PERSON", value))


@BRIEF
@given(given_names, surnames)
def test_gender_stays(first: str, last: str) -> None:
    made = surrogate_pools.fold(of("PERSON", f"{first} {last}").split()[0])
    folded = surrogate_pools.fold(first)
    if folded not in american.surnames.known:
        is_male, is_female = folded in american.male.known, folded in american.female.known
        assert (is_male and made in american.male.known) or (
            is_female and made in american.female.known
        )


@pytest.mark.parametrize(
    "shape",
    [
        "{} {}",
        "{1}, {0}",
        "Dr. {} {}",
        "{} {} Jr.",
        "{} van {}",
        "{}-{}",
        "{} {}'s",
        "{}\u2019s {}",
    ],
)
def test_order_titles_and_punctuation_stay(shape: str) -> None:
    made = of("PERSON", shape.format("Beatrice", "Sutton"))
    pattern = re.escape(shape).replace(r"\{\}", r"\w+").replace(r"\{1\}", r"\w+")
    assert re.fullmatch(pattern.replace(r"\{0\}", r"\w+"), made)
    assert "Beatrice" not in made
    assert "Sutton" not in made


def test_an_initial_stands_for_the_name_that_replaces_the_name() -> None:
    first, last = of("PERSON", "Alice Smith").split()
    assert of("PERSON", "A. Smith") == f"{first[0]}. {last}"
    assert of("PERSON", "Smith, Alice") == f"{last}, {first}"
    assert of("PERSON", "Smith") == last
    assert of("EMAIL_ADDRESS", "asmith@acme.com").startswith(f"{first[0]}{last}@".lower())
    assert of("USERNAME", "alicesmith") == f"{first}{last}".lower()
    assert re.fullmatch(rf"{first[0]}{last}\d\d".lower(), of("USERNAME", "asmith84"))


@pytest.mark.parametrize(
    ("value", "locale", "script"),
    [
        ("Анна Иванова", "", "CYRILLIC"),
        ("Γιώργος Παπαδόπουλος", "de_DE", "GREEK"),
        ("山田太郎", "ja_JP", "CJK"),
        ("김민수", "", "HANGUL"),
        ("محمد علي", "", "ARABIC"),
        ("राम शर्मा", "", "DEVANAGARI"),
        ("Kim Min", "ko_KR", "LATIN"),
        ("Jürgen Müller", "de_DE", "LATIN"),
    ],
)
def test_a_name_stays_in_its_script(value: str, locale: str, script: str) -> None:
    made = of("PERSON", value, locale)
    assert surrogate_names._scripts(made) == {script}  # noqa: SLF001  # what the claim is about
    assert not set(value.split()) & set(made.split())


def test_functions_are_no_names() -> None:
    assert of("EMAIL_ADDRESS", "support@acme.com").startswith("support@example.")
