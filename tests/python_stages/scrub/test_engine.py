"""The engine finds what is to be replaced, in whatever guise, and stops at no text."""

import datetime as dt
import logging
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from python_stages.errors import ConfigError, StageError
from python_stages.render import RenderSpec, render
from python_stages.scrub.engine import UNREADABLE, Engine, Finding, RowValues, expand
from python_stages.scrub.recognizers import GROUPS, IDENTIFIERS

SLOW = settings(max_examples=60, suppress_health_check=list(HealthCheck))
CARD = "4111111111111111"

MERCHANTS = """Walmart|Target|Best Buy|Home Depot|Costco|IKEA|Macy's|Nike Store|Amazon|eBay|Etsy
|Wayfair|Shopify Store|AliExpress|Newegg|Whole Foods|Kroger|Safeway|Trader Joe's|Aldi|Publix
|Food Lion|Instacart|Amazon Fresh|FreshDirect|Walmart Grocery|McDonald's|Burger King|Wendy's|KFC
|Taco Bell|Subway|Applebee's|Chili's|Olive Garden|Red Lobster|TGI Fridays|Ruth's Chris
|Capital Grille|Nobu|Morton's|United Airlines|American Airlines|Delta|Southwest|JetBlue|Emirates
|Marriott|Hilton|Hyatt|Holiday Inn|Sheraton|Westin|Expedia|Booking.com|Airbnb|Hotels.com|Kayak|Uber
|Lyft|Careem|Enterprise Rent-A-Car|Hertz|Shell|BP|Exxon|Chevron|Texaco|Mobil|Local Gas Station
|Highway Gas Stop|Truck Stop|Netflix|Disney+|Hulu|HBO Max|Amazon Prime|Spotify|Apple Music|Steam
|PlayStation Store|Xbox Live|Nintendo eShop|Epic Games|Ticketmaster|StubHub|LiveNation|AMC Theaters
|Regal Cinemas|CVS Pharmacy|Walgreens|Rite Aid|DuaneReade|Local Hospital|Medical Center|Urgent Care
|Lab Corp|Coursera|Udemy|edX|Skillshare|MasterClass|Chegg|Barnes & Noble|University Bookstore"""
PLACES = {
    "USA": ("USD", "en_US"),
    "UK": ("GBP", "en_GB"),
    "Canada": ("CAD", "en_CA"),
    "France": ("EUR", "fr_FR"),
    "Germany": ("EUR", "de_DE"),
    "Japan": ("JPY", "ja_JP"),
    "Australia": ("AUD", "en_AU"),
    "Singapore": ("SGD", "en_SG"),
    "Brazil": ("BRL", "pt_BR"),
    "Mexico": ("MXN", "es_MX"),
    "Nigeria": ("NGN", "en_NG"),
    "Russia": ("RUB", "ru_RU"),
}
SPEC = RenderSpec.from_config(
    {
        "label_column": "category",
        "currency_column": "currency",
        "locale_column": "country",
        "locales": {place: locale for place, (_, locale) in PLACES.items()},
        "instructions": ["Reply with the merchant category.\n\n{description}"],
        "templates": [
            "{amount:money} went to {merchant} on {sold_at:date}, card: {card_type}.",
            "{sold_at:date} {sold_at:time} {merchant} {city} {country} {amount:money}",
            "{sold_at:date} {amount:number} {currency} {merchant} {sold_at:date}",
            "POS {merchant} / {amount:number} {currency} / {sold_at:date} {sold_at:time}",
            "Bank alert! {amount:money} left your account for {merchant}. Date: {sold_at:date}.",
            "Debit card, {merchant}, {city}: {amount:money}, {sold_at:time}, {sold_at:longdate}.",
        ],
    },
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(["identifiers"])


@pytest.fixture(scope="module")
def full() -> Engine:
    return Engine(["identifiers", "names", "addresses", "dates", "URL", "ORGANIZATION"])


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection: whoever tries one fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("the engine went to the network")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


def scrubbed(engine: Engine, text: str, row: RowValues | None = None) -> str:
    """Return a text with the entity's name in place of what was found."""
    (found,) = engine.spans([text], rows=[row] if row else None)
    for finding in reversed(found):
        text = f"{text[: finding.start]}[{finding.entity}]{text[finding.end :]}"
    return text


def transactions(n_rows: int, seed: int) -> pa.RecordBatch:
    """Return rows as the transactions file holds them; amounts from cents to hundred millions."""
    draw = random.Random(seed)
    merchants = MERCHANTS.replace("\n", "").split("|")
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    rows = []
    for n in range(n_rows):
        country = draw.choice(list(PLACES))
        rows.append(
            {
                "row_id": f"row-{n}",
                "category": "Retail",
                "merchant": merchants[n % len(merchants)],
                "amount": round(10 ** draw.uniform(-2, 8.9), 2),
                "currency": PLACES[country][0],
                "country": country,
                "city": draw.choice(["New York", "San Antonio", "Houston"]),
                "card_type": draw.choice(["Gold Credit", "Basic Debit"]),
                "sold_at": start + dt.timedelta(minutes=draw.randrange(366 * 24 * 60)),
            },
        )
    return pa.RecordBatch.from_pylist(rows)


def rendered(n_rows: int, seed: int) -> list[str]:
    batches = render([transactions(n_rows, seed)], SPEC, bytes(32))
    return [str(text) for batch in batches for text in batch["user_text"].to_pylist()]


def luhn(digits: str) -> str:
    """Append the check digit of ISO/IEC 7812-1."""
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits))]
    return digits + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def iban(country: str, account: str) -> str:
    """Insert the check digits of ISO 13616."""
    digits = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def four_by_four(number: str, sign: str = " ") -> str:
    return sign.join(number[n : n + 4] for n in range(0, len(number), 4))


digits = st.text("0123456789", min_size=18, max_size=18)
card_numbers = st.builds(
    lambda first, rest, length: luhn((first + rest)[: length - 1]),
    st.sampled_from(["37", "4", "51", "58", "6"]),
    digits,
    st.sampled_from([15, 16]),
)
addresses = st.builds(
    "{}@{}".format,
    st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True),
    st.sampled_from(["example.com", "mail.example.co.uk", "intranet.corp", "xn--80ak6aa92e.com"]),
)
phone_numbers = st.builds(
    phonenumbers.format_number,
    st.sampled_from(
        [
            number
            for region in sorted(phonenumbers.SUPPORTED_REGIONS)
            if (number := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
        ],
    ),
    st.sampled_from([PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL]),
)
planted = st.one_of(
    card_numbers,
    card_numbers.filter(lambda number: len(number) == 16).map(four_by_four),
    digits.map(lambda d: iban("DE", d)),
    digits.map(lambda d: four_by_four(iban("GB", f"WEST{d[:14]}"))),
    addresses,
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str).filter(lambda address: address != "::"),
    phone_numbers,
)


@pytest.mark.parametrize("seed", range(2))
def test_a_rendered_transaction_loses_nothing(engine: Engine, seed: int) -> None:
    counts = engine.count_findings(rendered(2_000, seed), ["identifiers"], 0.4)
    assert {entity: int(count.sum()) for entity, count in counts.items() if count.any()} == {}


@SLOW
@given(identifier=planted, row=st.integers(0, 199))
def test_an_identifier_in_a_transaction_is_found(engine: Engine, identifier: str, row: int) -> None:
    transaction = rendered(200, seed=7)[row]
    text = scrubbed(engine, f"{transaction} Ref {identifier}, thanks")
    assert identifier not in text
    assert text.startswith(transaction)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my ssn is 536-22-1847", "my ssn is [US_SSN]"),
        ("SSN: 536221847", "SSN: [US_SSN]"),
        ("phone (212) 555-0187", "phone [PHONE_NUMBER]"),
        ("nhs number 943 476 5919", "nhs number [UK_NHS]"),
        ("mac 00:1B:44:11:3A:B7", "mac [MAC_ADDRESS]"),
        ("pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "pay [CRYPTO]"),
        ("order 536221847", "order 536221847"),
    ],
)
def test_identifiers_are_named(engine: Engine, text: str, expected: str) -> None:
    assert scrubbed(engine, text) == expected


def test_a_card_number_beside_a_phone_number_is_found_too(engine: Engine) -> None:
    text = "+247 40123 370000000000002"
    assert scrubbed(engine, text) == "[PHONE_NUMBER] [CREDIT_CARD]"


@SLOW
@given(st.text("0189 -./:+@aAdDeE(){}[]", max_size=60), st.lists(planted, max_size=2))
def test_scrubbing_twice_is_scrubbing_once(engine: Engine, noise: str, plants: list[str]) -> None:
    once = scrubbed(engine, " ".join([noise, *plants]))
    assert scrubbed(engine, once) == once


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("My name is Ma\u200bria Lo\u200dpez, call me.", "Ma\u200bria Lo\u200dpez"),
        ("My name is M\u0430ri\u0430 Lopez, call me.", "M\u0430ri\u0430 Lopez"),
        ("My name is Maria\nLopez, call me.", "Maria\nLopez"),
        ("card \uff14\uff11\uff11\uff11 1111 1111 1111", "\uff14\uff11\uff11\uff11 1111 1111 1111"),
        ("card 4111.1111/1111\u20131111", "4111.1111/1111\u20131111"),
        ("card 4111\xa01111\xa01111\xa01111", "4111\xa01111\xa01111\xa01111"),
        ("card 4111\n1111\n1111\n1111", "4111\n1111\n1111\n1111"),
        ("card 4111\t1111\t1111\t1111", "4111\t1111\t1111\t1111"),
        ("mail alice at example dot com now", "alice at example dot com"),
        ("mail alice(at)example[dot]com now", "alice(at)example[dot]com"),
        ("mail ali\0ce@example.com now", "ali\0ce@example.com"),
        ("mail \u0430lice@example.com now", "\u0430lice@example.com"),
        ("call +1 \u202e212 555 0100\u202c", "+1 \u202e212 555 0100"),
        (
            "iban DE89\u20093704\u20090044\u20090532\u20090130\u200900",
            "DE89\u20093704\u20090044\u20090532\u20090130\u200900",
        ),
    ],
)
def test_no_disguise_hides_an_identifier(full: Engine, text: str, hidden: str) -> None:
    (found,) = full.spans([text])
    start = text.index(hidden)
    assert any(f.start <= start and start + len(hidden) <= f.end for f in found)


@SLOW
@given(
    planted.filter(lambda value: " " not in value),
    st.sampled_from(["\u200b", "\u200e", "\u202e", "\u2060", "\ufeff", "\0", "\u00ad"]),
    st.integers(1, 14),
)
def test_an_unseen_character_hides_no_identifier(
    engine: Engine, value: str, unseen: str, place: int
) -> None:
    place = min(place, len(value) - 1)
    text = f"Ref {value[:place]}{unseen}{value[place:]}, thanks"
    assert scrubbed(engine, text).startswith("Ref [")
    assert scrubbed(engine, text).endswith("], thanks")


@pytest.mark.parametrize("text", ["canary\ud800", f"{CARD}\udfff"])
def test_a_lone_surrogate_makes_a_text_unreadable(engine: Engine, text: str) -> None:
    assert engine.spans([text, "plain"]) == [(Finding(UNREADABLE, 0, len(text), 1.0),), ()]
    with pytest.raises(StageError) as caught:
        engine.count_findings([text], ["identifiers"], 0.4)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("unit", ["a", "1", "((", "a@", "\u200b", "at dot "])
def test_a_megabyte_on_one_line_is_read(full: Engine, unit: str) -> None:
    text = (unit * 1_000_000)[:1_000_000] + f" {CARD} end"
    start = time.process_time()
    (found,) = full.spans([text])
    assert time.process_time() - start < 30
    assert any(f.start <= 1_000_001 and len(text) - 4 <= f.end for f in found)


@SLOW
@given(st.text(max_size=80), st.sampled_from(["", "\0", "\ud800", "\u202e"]))
def test_no_text_stops_the_engine(full: Engine, text: str, odd: str) -> None:
    (found,) = full.spans([text[:10] + odd + text[10:]])
    assert all(f.start < f.end for f in found)


def test_a_recogniser_that_fails_makes_its_text_unreadable_unquoted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: object, text: str, *_: object) -> Any:
        logging.getLogger("presidio-analyzer").error("failed on %s", text)
        raise ValueError(text)

    monkeypatch.setattr(PhoneRecognizer, "analyze", fail)
    text = "canary phone number +1 212 555 0100"
    assert engine.spans([text]) == [(Finding(UNREADABLE, 0, len(text), 1.0),)]
    assert "canary" not in caplog.text


def test_a_recogniser_that_gives_up_makes_its_window_unreadable(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python_stages.scrub.presidio.SECONDS_PER_PATTERN", 1e-9)
    text = f"given up {CARD} " * 300
    assert engine.spans([text]) == [(Finding(UNREADABLE, 0, len(text), 1.0),)]


def test_equal_texts_are_read_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"read {'once' * (n % 3)}" for n in range(300)]
    read: list[str] = []
    run = engine._search.run  # noqa: SLF001  # what is read shows nowhere else

    def reading(some: list[str], **options: bool) -> Any:
        read.extend(some)
        return run(some, **options)

    monkeypatch.setattr(engine._search, "run", reading)  # noqa: SLF001  # the same
    first = engine.spans(texts)
    assert engine.spans(texts) == first
    assert len(set(read)) == len(read) == 3


def test_the_rows_own_name_is_found_and_its_merchant_is_not(full: Engine) -> None:
    text = "zork blimp paid at Red Lobster, says blimp"
    row = RowValues(deny=(("PERSON", "Zork Blimp"),), allow=("Red Lobster",))
    assert scrubbed(full, text, row) == "[PERSON] paid at Red Lobster, says [PERSON]"


def test_rows_with_equal_texts_are_told_apart(engine: Engine) -> None:
    rows = [RowValues((("PERSON", "Ann"),)), RowValues((("PERSON", "Bo Ray"),)), RowValues()]
    found = engine.spans(["Ann met Ray"] * 3, rows=rows)
    assert [[(f.start, f.end) for f in here] for here in found] == [[(0, 3)], [(8, 11)], []]


def test_findings_are_counted_per_text(engine: Engine) -> None:
    texts = ["a@example.com b@example.com", "10.0.0.1", "plain"]
    counts = engine.count_findings(texts, ["EMAIL_ADDRESS", "IP_ADDRESS"], 0.4)
    assert {entity: count.tolist() for entity, count in counts.items()} == {
        "EMAIL_ADDRESS": [2, 0, 0],
        "IP_ADDRESS": [0, 1, 0],
    }


def test_a_higher_min_score_lets_less_sure_findings_stay(engine: Engine) -> None:
    text = f"a@example.com {CARD}"
    assert [f.entity for f in engine.spans([text], min_score=0.9)[0]] == ["CREDIT_CARD"]
    assert [f.entity for f in engine.spans([text], ["EMAIL_ADDRESS"])[0]] == ["EMAIL_ADDRESS"]


def test_an_entity_that_the_engine_was_not_built_for_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigError, match=r"not built for PERSON: it knows .*CREDIT_CARD"):
        engine.spans(["x"], ["PERSON"])


def test_groups_are_expanded_and_unknown_entities_answered_with_the_known() -> None:
    assert expand(["identifiers", "URL"]) == tuple(sorted({*GROUPS["identifiers"], "URL"}))
    assert set(IDENTIFIERS) <= set(expand(["all"]))
    with pytest.raises(ConfigError, match=r"unknown entity CREDITCARD: .*CREDIT_CARD"):
        expand(["CREDITCARD"])


def test_an_engine_for_nothing_finds_nothing_and_asks_no_network() -> None:
    # with no recogniser, Presidio would load its own, one of which looks up public suffixes
    assert Engine([]).spans(["mail alice@example.com now"]) == [()]


def test_a_key_longer_than_a_window_leaves_no_line_behind() -> None:
    lines = "\n".join("Zm9vYmFyYmF6cXV4" * 4 for _ in range(150))
    key = f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{lines}\n-----END PGP PRIVATE KEY BLOCK-----"
    for n_words in (1, 1_500, 2_600, 3_900, 4_000, 5_000):
        before = "word " * n_words
        (found,) = Engine(["PRIVATE_KEY"]).spans([before + key + " and more" * 3_000])
        covered = max(f.end for f in found)
        assert covered >= len(before + key), n_words


def test_letters_that_are_symbols_are_not_taken_for_covered() -> None:
    text = "My name is \u24bf\u24de\u24d7\u24dd \u24c8\u24dc\u24d8\u24e3\u24d7, hello"
    (found,) = Engine(["PERSON"]).spans([text])
    assert any(f.start <= 11 and f.end >= 15 for f in found)
