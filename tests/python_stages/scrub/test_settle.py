"""Of findings that overlap, one is replaced, and nothing that was found stays."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.scrub.settle import UNREADABLE, Finding, covers, settle


def at(text: str, part: str, entity: str, score: float = 0.85) -> Finding:
    start = text.index(part)
    return Finding(entity, start, start + len(part), score)


def settled(text: str, *found: tuple[str, str, float]) -> list[tuple[str, str]]:
    findings = [at(text, part, entity, score) for part, entity, score in found]
    return [(text[f.start : f.end], f.entity) for f in settle(text, findings)]


findings = st.builds(
    lambda entity, start, length, score: Finding(entity, start, min(start + length, 60), score),
    st.sampled_from(
        ["PERSON", "STREET_ADDRESS", "CREDIT_CARD", "US_BANK_NUMBER", "URL", UNREADABLE]
    ),
    st.integers(0, 59),
    st.integers(1, 30),
    st.sampled_from([0.4, 0.5, 0.85, 1.0]),
)


@given(st.text("ab1,. 's\n", min_size=60, max_size=60), st.lists(findings, max_size=8))
def test_what_is_settled_is_in_order_and_does_not_overlap(text: str, found: list[Finding]) -> None:
    spans = settle(text, found)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@given(st.text("ab1, ", min_size=60, max_size=60), st.lists(findings, max_size=8))
def test_every_letter_that_was_found_is_settled(text: str, found: list[Finding]) -> None:
    spans = settle(text, found)
    lettered = [f for f in found if any(map(str.isalnum, text[f.start : f.end]))]
    assert all(covers(spans, text, finding.start, finding.end) for finding in lettered)


def test_a_checked_number_beats_a_name_around_it() -> None:
    text = "Ann Lee 4111111111111111 paid"
    assert settled(
        text, ("Ann Lee 4111111111111111", "PERSON", 0.85), ("4111111111111111", "CREDIT_CARD", 1.0)
    ) == [("Ann Lee", "PERSON"), ("4111111111111111", "CREDIT_CARD")]


def test_the_longer_of_two_sure_identifiers_covers_the_shorter() -> None:
    text = "see https://x.com/4111111111111111/pay"
    url = "https://x.com/4111111111111111/pay"
    assert settled(text, (url, "URL", 0.6), ("4111111111111111", "CREDIT_CARD", 1.0)) == [
        (url, "URL")
    ]


def test_of_two_readings_of_one_number_the_surer_wins() -> None:
    text = "no 943 476 5919"
    number = "943 476 5919"
    assert settled(text, (number, "PHONE_NUMBER", 0.4), (number, "UK_NHS", 1.0)) == [
        (number, "UK_NHS")
    ]


@pytest.mark.parametrize(
    ("text", "pieces", "whole"),
    [
        ("Ann Lee", ["Ann", "Lee"], ["Ann Lee"]),
        ("Ann\nLee", ["Ann", "Lee"], ["Ann\nLee"]),
        ("Ann Lee\nBo Ray", ["Ann Lee", "Bo Ray"], ["Ann Lee", "Bo Ray"]),
        ("Ann, Bo", ["Ann", "Bo"], ["Ann", "Bo"]),
        ("Ann and Bo", ["Ann", "Bo"], ["Ann", "Bo"]),
    ],
)
def test_pieces_of_one_name_are_joined(text: str, pieces: list[str], whole: list[str]) -> None:
    assert [t for t, _ in settled(text, *((p, "PERSON", 0.85) for p in pieces))] == whole


def test_a_full_address_is_one_span() -> None:
    text = "to 12 Main St, Springfield, OH 45501 today"
    assert settled(
        text,
        ("12 Main St", "STREET_ADDRESS", 0.85),
        ("Springfield", "LOCATION", 0.85),
        ("OH 45501", "ZIP_CODE", 0.5),
    ) == [("12 Main St, Springfield, OH 45501", "STREET_ADDRESS")]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (" Ann Lee,", "Ann Lee"),
        ("Ann Lee's", "Ann Lee"),
        ("Ann Lee’s", "Ann Lee"),
        ('"Ann Lee"', "Ann Lee"),
        ("John Lee Jr.", "John Lee Jr."),
        ("John Q.", "John Q."),
        ("(Ann Lee)", "Ann Lee"),
    ],
)
def test_a_name_is_trimmed(found: str, name: str) -> None:
    assert settled(f"{found} x", (found, "PERSON", 0.85)) == [(name, "PERSON")]


def test_a_password_keeps_its_punctuation() -> None:
    assert settled("use 'x.!'", ("'x.!'", "PASSWORD", 0.6)) == [("'x.!'", "PASSWORD")]


def test_thousands_of_findings_settle_at_once() -> None:
    text = "Ann x " * 20_000
    found = [Finding("PERSON", n * 6, n * 6 + 3, 0.85) for n in range(20_000)]
    assert len(settle(text, found)) == 20_000
