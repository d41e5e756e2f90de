"""A disguise hides nothing, and what it hides is found at its place in the text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.scrub.normalize import excerpts

CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("al\u200bice", "alice"),
        ("ali\0ce@example.com", "alice@example.com"),
        ("\u202e+1 212 555 0100", "+1 212 555 0100"),
        ("so\u00adft", "soft"),
        ("４１１１ １１１１", "4111 1111"),
        ("٤١١١", "4111"),
        ("\U0001d400\U0001d425\U0001d422\U0001d41c\U0001d41e", "Alice"),
        ("Jоhn", "John"),
        ("АВ123456", "AB123456"),
        ("cafe\u0301", "caf\u00e9"),
        ("212\u2011555\u20130100", "212-555-0100"),
        ("GB29\xa0NWBK", "GB29 NWBK"),
        ("4111.1111.1111.1111", CARD),
        ("4111/1111/1111/1111", CARD),
        ("4111\n1111\n1111\n1111", CARD),
        ("4111\t1111 - 1111\xa01111", CARD),
        ("4111'1111'1111'1111", CARD),
        ("4111’1111’1111’1111", CARD),
        ("4111\x0b1111\x0b1111\x0b1111", "4111 1111 1111 1111"),
        ("4111\u20281111\u20281111\u20281111", "4111 1111 1111 1111"),
        ("".join(f"{digit}\ufe0f\u20e3" for digit in CARD), CARD),
        ("John\x0bSmith", "John Smith"),
        ("John\u2028Smith", "John Smith"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", CARD),
        ("alice at example dot com", "alice@example.com"),
        ("alice (at) example (dot) com", "alice@example.com"),
        ("alice[at]example.com", "alice@example.com"),
        ("a dot b at corp dot co dot uk", "a.b@corp.co.uk"),
        ("alice&#64;example.com", "alice@example.com"),
        ("a.smith @ example.com", "a.smith@example.com"),
        ("alice at gmail.com", "alice@gmail.com"),
        ("John\r\nSmith", "John Smith"),
    ],
)
def test_a_disguise_is_seen_through(text: str, reading: str) -> None:
    (excerpt,) = excerpts(f"x: {text}, y")
    assert excerpt.text == f"x: {reading}, y"
    start = excerpt.text.index(reading)
    assert excerpt.original(start, start + len(reading)) in {(3, 3 + len(text)), (4, 3 + len(text))}


@pytest.mark.parametrize(
    "text",
    [
        "plain text",
        "caf\u00e9, na\u00efve, Stra\u00dfe, Привет, \u4f60\u597d",
        "wait\u2026 what\u2014no",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 and \u2764\ufe0f here",
        "4111 1111 1111 1111",
        "4111.1111.1111.1112",
        "lunch @ booking.com",
        "look at the dot on it",
        "one line\nanother line",
        "10.12.2024 11:30 5,000.00",
    ],
)
def test_plain_text_is_not_read_twice(text: str) -> None:
    assert excerpts(text) == []


def test_only_the_neighbourhood_of_a_disguise_is_read_again() -> None:
    (excerpt,) = excerpts("word " * 1_000 + "al\u200bice" + " word" * 1_000)
    assert "alice" in excerpt.text
    assert len(excerpt.text) < 500


@given(st.text(max_size=200))
def test_any_text_is_read_and_every_place_is_in_it(text: str) -> None:
    for excerpt in excerpts(text.encode("utf-8", "ignore").decode()):
        assert len(excerpt.starts) == len(excerpt.text) + 1
        assert list(excerpt.starts) == sorted(excerpt.starts)
        assert 0 <= excerpt.starts[0] <= excerpt.starts[-1] <= len(text)


@given(
    st.text("abc \u200b\u202e\0４Ао.@-\u2011\xa0\n", max_size=80),
    st.sampled_from(["alice@example.com", CARD, "Ann Lee"]),
    st.sampled_from(["\u200b", "\u200f", "\u2060", "\0", "\ufeff"]),
)
def test_what_is_dropped_inside_a_value_maps_to_it(noise: str, value: str, unseen: str) -> None:
    hidden = unseen.join(value)
    text = f"{noise} {hidden} end"
    for excerpt in excerpts(text):
        at = excerpt.text.rfind(value)
        if at >= 0:
            start, end = excerpt.original(at, at + len(value))
            assert text[start:end].replace(unseen, "") == value


@pytest.mark.parametrize(
    "unit",
    [
        "\u200b",
        "a.",
        "at dot ",
        "4 ",
        "1.1/",
        "(at)",
        "\u0410a",
        "Ab\n",
        "&#64;",
        "a@",
        "\u0301",
        "[dot] ",
        "4'",
        "4\ufe0f\u20e3",
        "4\x0b",
        "4\u2028",
    ],
)
def test_no_text_takes_seconds(unit: str) -> None:
    text = (unit * 12_000)[:12_000]
    start = time.process_time()
    excerpts(text)
    excerpts("é" + text)
    assert time.process_time() - start < 4
