"""Generalising: coarser and still true, or a placeholder."""

import string
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.scrub import dates
from python_stages.scrub.generalise import generalise

coarse_entities = st.sampled_from(
    ["DATE_TIME", "AGE", "AMOUNT", "LOCATION", "ZIP_CODE", "IP_ADDRESS", "GPS_COORDINATE"]
)


@pytest.mark.parametrize(
    ("value", "month", "year", "locale"),
    [
        ("2024-03-07", "2024-03", "2024", ""),
        ("2024-03-07T14:33:21.123Z", "2024-03", "2024", ""),
        ("20240307", "2024-03", "2024", ""),
        ("07.03.2024", "03.2024", "2024", ""),
        ("3/7/24", "3/2024", "2024", ""),
        ("3/7/24", "7/2024", "2024", "en_GB"),
        ("25/12/1999", "12/1999", "1999", ""),
        ("March 7th, 2024", "March 2024", "2024", ""),
        ("Tuesday, October 2, 2024", "October 2024", "2024", ""),
        ("07-MAR-1999", "MAR 1999", "1999", ""),
        ("7. März 2024", "März 2024", "2024", "de_DE"),
        ("3 de marzo de 2021", "marzo 2021", "2021", "es_ES"),
        ("Oct 02, 2024 at 5:07 PM", "Oct 2024", "2024", ""),
        ("2024", "2024", "2024", ""),
        ("3 March", "March", "[DATE_TIME]", ""),
        ("12:30", "[DATE_TIME]", "[DATE_TIME]", ""),
        ("yesterday", "[DATE_TIME]", "[DATE_TIME]", ""),
        ("31/02/2020", "[DATE_TIME]", "[DATE_TIME]", ""),
        ("March 7, 1940", "March 1940", "1945 or earlier", ""),
        ("1930", "1930", "1945 or earlier", ""),
    ],
)
def test_a_date_becomes_its_month_or_year(value: str, month: str, year: str, locale: str) -> None:
    assert generalise(value, "DATE_TIME", "", locale) == month
    assert generalise(value, "DATE_TIME", "year", locale) == year


@given(st.dates(min_value=date(1946, 1, 1)))
def test_no_form_of_a_date_keeps_its_day(day: date) -> None:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%B %d, %Y", "%d %b %Y"):
        assert generalise(day.strftime(form), "DATE_TIME", "year") == f"{day.year:04}"
        month = dates.read(generalise(day.strftime(form), "DATE_TIME"), "")
        assert month is not None
        assert (month.year, month.month, month.day) == (day.year, day.month, None)


@pytest.mark.parametrize(
    ("value", "band", "topped"),
    [
        ("42", "40-49", "42"),
        ("42-year-old", "40-49-year-old", "42-year-old"),
        ("7 years", "0-9 years", "7 years"),
        ("age 107", "age 90+", "age 90+"),
        ("ninety-one years old", "90+ years old", "90+ years old"),
        ("forty two", "40-49", "42"),
        ("89", "80-89", "89"),
        ("90", "90+", "90+"),
        ("8 months", "[AGE]", "[AGE]"),
        ("121", "[AGE]", "[AGE]"),
        ("12.5", "[AGE]", "[AGE]"),
        ("between 42 and 44", "[AGE]", "[AGE]"),
        ("10-89", "[AGE]", "[AGE]"),
    ],
)
def test_an_age_becomes_its_decade_or_is_topped(value: str, band: str, topped: str) -> None:
    assert generalise(value, "AGE") == band
    assert generalise(value, "AGE", "year") == topped


@pytest.mark.parametrize(
    ("value", "band", "locale"),
    [
        ("$1,234.56", "$1,000-2,000", ""),
        ("1.234,56 €", "1.000-2.000 €", "de_DE"),
        ("€0.03", "€0.02-0.05", ""),
        ("-20 USD", "-20-50 USD", ""),
        ("10000000", "10,000,000-20,000,000", ""),
        ("0.00", "0.00", ""),
        ("1 or 2", "[AMOUNT]", ""),
        ("much", "[AMOUNT]", ""),
    ],
)
def test_an_amount_becomes_a_band(value: str, band: str, locale: str) -> None:
    assert generalise(value, "AMOUNT", "", locale) == band


@given(st.decimals("0.01", "1e9", places=2))
def test_an_amount_lies_in_its_band(amount: Decimal) -> None:
    low, high = generalise(f"{amount:,}", "AMOUNT").replace(",", "").split("-")
    assert Decimal(low) <= amount < Decimal(high) <= Decimal(low) * Decimal("2.5")


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("Paris", "France"),
        ("Boston, MA", "United States"),
        ("Texas", "United States"),
        ("Lyon, France", "France"),
        ("Lagos", "Nigeria"),
        ("France", "France"),
        ("UK", "UK"),
        ("Nowhere", "[LOCATION]"),
        ("Paris, Nowhere", "[LOCATION]"),
    ],
)
def test_a_place_becomes_its_country(value: str, country: str) -> None:
    assert generalise(value, "LOCATION") == country


def test_a_country_is_named_in_the_language_of_the_locale() -> None:
    assert generalise("London", "LOCATION", "", "de_DE") == "Vereinigtes Königreich"


@pytest.mark.parametrize(
    ("value", "area"),
    [
        ("02139", "021**"),
        ("02139-4307", "021**"),
        ("03601", "000**"),
        ("8001", "80**"),
        ("1234 AB", "12**"),
        ("SW1A 1AA", "SW**"),
        ("K1A 0B1", "K1A***"),
        ("abc", "[ZIP_CODE]"),
    ],
)
def test_a_postcode_keeps_its_area(value: str, area: str) -> None:
    assert generalise(value, "ZIP_CODE") == area


@pytest.mark.parametrize(
    ("value", "network"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3:80", "[IP_ADDRESS]"),
    ],
)
def test_an_address_becomes_its_network(value: str, network: str) -> None:
    assert generalise(value, "IP_ADDRESS") == network


@pytest.mark.parametrize(
    ("value", "degrees"),
    [
        ("48.8566, 2.3522", "48, 2"),
        ("-33.9, 151.2", "-33, 151"),
        ("48\u00b051'24\"N, 2\u00b021'07\"E", "48\u00b0N, 2\u00b0E"),
        ("48.5, 2.2, 7", "[GPS_COORDINATE]"),
    ],
)
def test_coordinates_become_whole_degrees(value: str, degrees: str) -> None:
    assert generalise(value, "GPS_COORDINATE") == degrees


@given(st.sampled_from(["PERSON", "CREDIT_CARD", "EMAIL_ADDRESS"]), st.text())
def test_what_cannot_be_coarse_becomes_a_placeholder(entity: str, value: str) -> None:
    assert generalise(value, entity) == f"[{entity}]"


@given(
    coarse_entities,
    st.one_of(st.text(), st.text(string.digits + " .,:-/+*°NSEW$jan", max_size=14)),
    st.sampled_from(["", "year"]),
)
def test_generalising_twice_is_generalising_once(entity: str, value: str, unit: str) -> None:
    once = generalise(value, entity, unit)
    assert generalise(once, entity, unit) in (once, f"[{entity}]")


@given(st.dates(), st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%d %B %Y", "%Y%m%d"]), st.randoms())
def test_a_moved_date_keeps_its_form(day: date, form: str, draw: Random) -> None:
    written = dates.read(day.strftime(form).zfill(8), "")
    moved = written.moved(draw, 365) if written else None
    if moved is not None:
        assert len(moved.split()) == len(day.strftime(form).split())
        assert dates.read(moved, "") is not None
