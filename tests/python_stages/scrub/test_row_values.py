"""What a row's own columns hold is found in its text, however it is mentioned."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.scrub.row_values import RowValues, denied, without_allowed
from python_stages.scrub.settle import Finding, settle

ROW = RowValues(
    (
        ("PERSON", "Zoë van der Meer"),
        ("PERSON", "Sean O'Neill"),
        ("PERSON", "Li Wu"),
        ("PERSON", "Maria Nowak"),
        ("EMAIL_ADDRESS", "zoe.meer@example.com"),
        ("PHONE_NUMBER", "+31 (0)20 794 0800"),
        ("ID_NUMBER", "AB-12 34"),
    ),
)


def left(text: str, row: RowValues = ROW) -> str:
    """Return a text with a hyphen for each value that was found."""
    for span in reversed(settle(text, denied(text, row))):
        text = f"{text[: span.start]}-{text[span.end :]}"
    return text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("ask ZOË VAN DER MEER'S friend", "ask -'S friend"),
        ("hi zoe", "hi -"),
        ("Zoë\nvan der\nMeer wrote", "- wrote"),
        ("Meer, Zoë van der", "-"),
        ("Z. van der Meer called", "- called"),
        ("user zoe.vandermeer or zvandermeer12 ", "user - or zvandermeer12 "),
        ("signed Sean ONeill", "signed -"),
        ("S. O’Neill’s order", "-’s order"),  # noqa: RUF001  # typographic
        ("Li said, Wu came", "- said, - came"),
        ("wu li is a phrase", "- is a phrase"),
        ("the lid, a lie", "the lid, a lie"),
        ("Marii Nowaka nie ma", "- nie ma"),
        ("Zo\u200bë is here", "- is here"),
        ("Zoe\u0308 is here", "- is here"),
        ("write to ZOE.MEER@Example.com", "write to -"),
        ("I am zoe.meer there", "I am - there"),
        ("ring 020-794 08 00 now", "ring - now"),
        ("ring +31207940800 now", "ring - now"),
        ("ring 0031 20 7940800 now", "ring - now"),
        ("ring 794.0800 now", "ring - now"),
        ("order 57940800", "order 57940800"),
        ("id ab-12  34.", "id -."),
        ("id ab-12 345", "id ab-12 345"),
    ],
)
def test_a_mention_is_found(text: str, rest: str) -> None:
    assert left(text) == rest


names = st.from_regex(r"[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}", fullmatch=True)


@given(names, st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from(["", "'s", "s"]))
def test_no_casing_hides_a_name(name: str, casing: "type[str]", ending: str) -> None:
    for part in (name, *name.split(), name.replace(" ", "\n")):
        rest = left(f"dear {casing(part)}{ending}!", RowValues((("PERSON", name),)))
        assert rest.replace("'s", "") == "dear -!"


@given(st.from_regex(r"[1-9][0-9]{9}", fullmatch=True), st.sampled_from([" ", "-", ".", ""]))
def test_no_punctuation_hides_a_number(digits: str, sign: str) -> None:
    row = RowValues((("PHONE_NUMBER", f"({digits[:3]}) {digits[3:6]}-{digits[6:]}x123"),))
    written = sign.join([digits[:3], digits[3:6], digits[6:]])
    assert left(f"call {written}, ok", row) == "call -, ok"


@given(st.text(max_size=30), st.text(max_size=60))
def test_no_value_and_no_text_stops_the_search(value: str, text: str) -> None:
    for entity in ("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ID_NUMBER"):
        for finding in denied(text, RowValues(((entity, value),))):
            assert 0 <= finding.start < finding.end <= len(text)


def test_a_merchant_is_no_person() -> None:
    text = "Paid at Red Lobster in Lagos by Ann"
    found = [
        Finding("PERSON", 8, 19, 0.85),
        Finding("LOCATION", 23, 28, 0.85),
        Finding("PERSON", 32, 35, 0.85),
    ]
    row = RowValues(allow=("RED LOBSTER", "Lagos"))
    assert without_allowed(text, row, found) == found[2:]


def test_more_than_the_allowed_value_stays_a_finding() -> None:
    found = [Finding("PERSON", 0, 15, 0.85)]
    assert without_allowed("Ann Red Lobster", RowValues(allow=("Red Lobster",)), found) == found


def test_a_structured_identifier_is_never_allowed() -> None:
    found = [Finding("CREDIT_CARD", 0, 16, 1.0)]
    row = RowValues(allow=("4111111111111111",))
    assert without_allowed("4111111111111111", row, found) == found


def test_a_row_takes_a_fraction_of_a_millisecond() -> None:
    text = "My order did not arrive and nobody answers the phone. " * 10
    rows = [
        RowValues((("PERSON", f"Name{n} Sur{n}"), ("EMAIL_ADDRESS", f"n{n}@example.com")))
        for n in range(500)
    ]
    start = time.process_time()
    for row in rows:
        denied(text, row)
    assert time.process_time() - start < 2


def test_endings_take_linear_time() -> None:
    start = time.process_time()
    denied("mari" + "ie" * 2_000, ROW)
    assert time.process_time() - start < 1
