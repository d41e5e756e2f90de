"""Surrogates of numbers: whose form stays, and which are nobody's."""

import ipaddress
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.gb import nhs

from tests.python_stages.scrub.surrogates import BRIEF, of


@pytest.mark.parametrize("issuer", ["4", "51", "55", "2221", "34", "37", "6011", "35", "36", "62"])
@BRIEF
@given(rest=st.text("0123456789", min_size=12, max_size=12))
def test_a_card_keeps_issuer_length_groups_and_luhn_digit(issuer: str, rest: str) -> None:
    number = (issuer + rest)[: 15 if issuer in ("34", "37") else 14 if issuer == "36" else 16]
    value = " ".join(re.findall(".{1,4}", number))
    made = of("CREDIT_CARD", value)
    assert luhn.is_valid(made.replace(" ", ""))
    assert re.sub(r"\d", "0", made) == re.sub(r"\d", "0", value)
    assert made[0] == issuer[0] or (made[0], issuer[0]) == ("5", "2")


@pytest.mark.parametrize(
    "value",
    [
        "GB29 NWBK 6016 1331 9268 19",
        "DE89370400440532013000",
        "de89 3704 0044 0532 0130 00",
        "ES9121000418450200051332",
        "BE68539007547034",
        "NO9386011117947",
        "ME25505000012345678951",
        "FR1420041010050500013M02606",
        "IT60X0542811101000000123456",
        "NL91ABNA0417164300",
        "PL61109010140000071219812874",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_an_iban_is_valid_of_its_country_and_of_no_bank(value: str) -> None:
    made = of("IBAN_CODE", value)
    assert iban.is_valid(made)
    assert made[:2] == value[:2].upper()
    assert len(made) == len(value)
    assert re.fullmatch("[0X]{4}", iban.compact(made)[4:8])


@pytest.mark.parametrize(
    ("value", "locale", "fiction"),
    [
        ("(212) 867-5309", "", r"\(\d{3}\) 555-01\d\d"),
        ("+1-212-867-5309 x12", "", r"\+1-\d{3}-555-01\d\d x\d\d"),
        ("867-5309", "", r"555-01\d\d"),
        ("1.212.867.5309", "", r"1\.\d{3}\.555\.01\d\d"),
        ("+44 20 7123 4567", "", r"\+44 20 7946 0\d{3}"),
        ("+44 (0)7911 123456", "", r"\+44 \(0\)7700 900\d{3}"),
        ("07911 123456", "en_GB", r"07700 900\d{3}"),
        ("01204 123456", "en_GB", r"01632 960\d{3}"),
        ("+49 30 12345678", "", r"\+49 30 23125\d{3}"),
        ("+33 6 12 34 56 78", "", r"\+33 6 39 98 \d\d \d\d"),
        ("0033 1 42 34 56 78", "", r"0033 1 99 00 \d\d \d\d"),
        ("+61 2 9374 4000", "", r"\+61 2 5550 \d{4}"),
        ("+48 601 234 567", "", r"\+48 000 \d{3} \d{3}"),
    ],
)
def test_a_phone_keeps_country_and_punctuation_in_a_range_for_fiction(
    value: str, locale: str, fiction: str
) -> None:
    assert re.fullmatch(fiction, of("PHONE_NUMBER", value, locale))


@pytest.mark.parametrize("region", ["PL", "IT", "JP", "BR", "IN", "CH", "NL", "ES", "MX", "NG"])
def test_where_no_range_is_free_the_number_cannot_be_one(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    value = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    made = of("PHONE_NUMBER", value)
    assert made.split()[0] == value.split()[0]
    assert not phonenumbers.is_valid_number(phonenumbers.parse(made))


@BRIEF
@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str))
def test_an_ip_address_is_one_for_documentation(value: str) -> None:
    made = ipaddress.ip_address(of("IP_ADDRESS", value))
    networks = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    assert made.version == ipaddress.ip_address(value).version
    assert any(made in ipaddress.ip_network(network) for network in networks)


@pytest.mark.parametrize(
    ("entity", "value", "fiction"),
    [
        ("MAC_ADDRESS", "AA-BB-CC-DD-EE-FF", "00-00-5E-00-53-[0-9A-F]{2}"),
        ("US_SSN", "123-45-6789", r"9\d\d-[0-4]\d-\d{4}"),
        ("US_ITIN", "912-70-1234", r"9\d\d-(89|93)-\d{4}"),
        ("UK_NINO", "AB123456C", r"QQ\d{6}[A-D]"),
        ("ZIP_CODE", "02139-4307", r"00[0-4]\d\d-\d{4}"),
        ("UUID", "123e4567-e89b-12d3-a456-426614174000", "[0-9a-f]{8}-[0-9a-f]{4}-4.{21}"),
        ("URL", "http://acme.com", r"http://\w+-\w+\.example\.(com|net|org)"),
        ("URL", "acme.com/a?b=c", r"\w+-\w+\.example\.(com|net|org)/[0-9a-f]{8}"),
        ("DATE_TIME", "March 7th, 2024", r"[A-Z][a-z]+ \d\d?(st|nd|rd|th), 202[345]"),
        ("DATE_TIME", "2024-03-07 14:33", r"202[345]-\d\d-\d\d \d\d:\d\d"),
        ("AGE", "42 years old", r"4\d years old"),
        ("ORGANIZATION", "ACME WIDGETS LTD", "[A-Z]+-[A-Z]+ LTD"),
        ("LOCATION", "Boston, MA", r"[^,]+, [A-Z]{2}"),
    ],
)
def test_other_values_keep_their_form(entity: str, value: str, fiction: str) -> None:
    assert re.fullmatch(fiction, of(entity, value))


def test_an_nhs_number_is_one_for_tests() -> None:
    made = of("UK_NHS", "943 476 5919")
    assert made.startswith("999 ")
    assert nhs.is_valid(made)
