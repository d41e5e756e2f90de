"""What a row's own columns hold is found in its text, however it is mentioned."""

import time

import pytest
from hypothesis import given, settings
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
        ("S. O’Neill’s order", "-’s order"),
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


@settings(max_examples=20)
@given(names, st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from(["", "'s", "s"]))
def test_no_casing_hides_a_name(name: str, casing: "type[str]", ending: str) -> None:
    for part in (name, *name.split(), name.replace(" ", "\n")):
        rest = left(f"dear {casing(part)}{ending}!", RowValues((("PERSON", name),)))
        assert rest.replace("'s", "") == "dear -!"


@settings(max_examples=40)
@given(st.from_regex(r"[1-9][0-9]{9}", fullmatch=True), st.sampled_from([" ", "-", ".", ""]))
def test_no_punctuation_hides_a_number(digits: str, sign: str) -> None:
    row = RowValues((("PHONE_NUMBER", f"({digits[:3]}) {digits[3:6]}-{digits[6:]}x123"),))
    written = sign.join([digits[:3], digits[3:6], digits[6:]])
    assert left(f"call {written}, ok", row) == "call -, ok"


@settings(max_examples=40)
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


@pytest.mark.parametrize(
    ("name", "text", "rest"),
    [
        ("Ben Carter", "Regards, Ben", "Regards, -"),
        ("Ben Carter", "the ben and al", "the ben and al"),
        ("BEN CARTER", "Ben wrote", "- wrote"),
        ("Carter, Ben", "Ben wrote", "- wrote"),
        ("Dr. Ben Carter", "B. Carter and Ben", "- and -"),
        ("Nguyen Van Le", "I am Le", "I am -"),
        ("Nguyen Van Le", "the Van is late", "the Van is late"),
        ("van der Meer", "Van mij", "Van mij"),
        ("Van Le", "van le here", "- here"),
    ],
)
def test_a_particle_that_is_a_name_is_found_where_it_is_capitalised(
    name: str, text: str, rest: str
) -> None:
    assert left(text, RowValues((("PERSON", name),))) == rest


@pytest.mark.parametrize(
    ("name", "text", "rest"),
    [
        ("王小明", "我叫王小明，住在北京", "我叫-，住在北京"),
        ("王小明", "小明说ok", "-说ok"),
        ("李明", "是李明吗", "是-吗"),
        ("山田太郎", "山田です", "-です"),
        ("김민준", "김민준이 왔다, 민준아", "-이 왔다, -아"),
        ("สมชาย ใจดี", "ผมชื่อสมชายครับ", "ผมชื่อ-ครับ"),
        ("Alice Smith", "我叫Alice，你好", "我叫-，你好"),
        ("Иван Петров", "Позвоните Петрову", "Позвоните -"),
        ("Иван Петров", "Иваном, ИВАНА", "-, -"),
        ("Мария Ким", "Марии и Марией", "- и -"),
        ("Νίκος Παππάς", "τον Νίκο, ΝΙΚΟΣ", "τον -, -"),
        ("राहुल शर्मा", "मैं राहुल हूँ", "मैं - हूँ"),
    ],
)
def test_a_name_of_another_script_is_found(name: str, text: str, rest: str) -> None:
    assert left(text, RowValues((("PERSON", name),))) == rest


@pytest.mark.parametrize(
    ("entity", "value", "text", "rest"),
    [
        ("PERSON", "Alice Smith", "hi Аlіce", "hi -"),
        ("PERSON", "Jessica Poe", "hi Јеѕѕіса", "hi -"),
        ("PERSON", "Alice Smith", "hi Al\x07ice", "hi -"),
        ("EMAIL_ADDRESS", "alice@example.com", "to alice at example dot com.", "to -."),
        ("EMAIL_ADDRESS", "alice@example.com", "to alice (at) example.com.", "to -."),
        ("PHONE_NUMBER", "5551234567", "at ٥٥٥١٢٣٤٥٦٧ now", "at - now"),
        ("PHONE_NUMBER", "555 123 4567", "at 5️⃣5️⃣5️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "at -"),
    ],
)
def test_no_disguise_hides_a_value(entity: str, value: str, text: str, rest: str) -> None:
    assert left(text, RowValues(((entity, value),))).replace("\ufe0f\u20e3", "") == rest


def test_a_disguise_far_into_a_long_text_is_found_at_its_place() -> None:
    text = "word " * 6_000 + "alice at example dot com" + " word" * 6_000
    found = settle(text, denied(text, RowValues((("EMAIL_ADDRESS", "alice@example.com"),))))
    assert [text[each.start : each.end] for each in found] == ["alice at example dot com"]


@pytest.mark.parametrize("value", ["5551234567", "+1 555 123 4567", "555-123-4567"])
@pytest.mark.parametrize(
    "written",
    [
        *("15551234567", "+15551234567", "001 555 123 4567", "1-555-123-4567", "1 (555) 123 4567"),
        *("555_123_4567", "555*123*4567", "555,123,4567", "555 - 123 - 4567", "555\n1234567"),
        *("123-4567", "(555)123.4567", "0555 1234567"),
    ],
)
def test_a_phone_number_is_found_however_it_is_written(value: str, written: str) -> None:
    row = RowValues((("PHONE_NUMBER", value),))
    assert left(f"ring {written}, ok", row) == "ring -, ok"


@pytest.mark.parametrize("text", ["555123456789", "99991234567", "5551234 done 567", "1235551234"])
def test_other_digits_are_no_phone_number(text: str) -> None:
    assert left(text, RowValues((("PHONE_NUMBER", "5551234567"),))) == text


def test_each_of_several_numbers_in_a_value_is_found() -> None:
    row = RowValues((("PHONE_NUMBER", "555-123-4567; 555-987-6543 or 555 000 1111 x9"),))
    assert left("5559876543, 5551234567, 5550001111", row) == "-, -, -"


HOSTILE_VALUES = [
    *("0" * 26, "0" * 5_000, "0 " * 40, "1" + "0" * 30, "x1" * 2_000, " " * 20_000 + "x"),
    *("a " * 30, "a " * 2_000, "A a a a a a a a B", "ab " * 500, "a'" * 300, "a" * 5_000),
    *("王" * 500, "и" * 500, "a@" * 500, "." * 500, "ben " * 50, "a b", "maria"),
]
HOSTILE_TEXTS = ["0", "0 ", "0-", "a ", "a", "A. ", "ab ", "a'", "王", "и", "a@", ".", " ", "ie"]


@pytest.mark.parametrize("entity", ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ID_NUMBER"])
@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=range(len(HOSTILE_VALUES)))
def test_no_hostile_value_takes_seconds(entity: str, value: str) -> None:
    row = RowValues(((entity, value),))
    start = time.process_time()
    for unit in HOSTILE_TEXTS:
        denied((unit * 400)[:400], row)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("unit", HOSTILE_TEXTS)
def test_no_hostile_text_takes_seconds(unit: str) -> None:
    text = (unit * 5_000)[:5_000]
    start = time.process_time()
    for value in ("0" * 20, "a a a a a", "Ab Maria a", "王王王"):
        denied(text, RowValues((("PERSON", value), ("PHONE_NUMBER", value))))
    assert time.process_time() - start < 1
