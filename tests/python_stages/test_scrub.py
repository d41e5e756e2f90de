"""The scrub stage: identifiers out of texts, and nothing else."""

import datetime as dt
import logging
import random
import socket
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from presidio_analyzer.predefined_recognizers import CryptoRecognizer

from python_stages.errors import ConfigError, StageError
from python_stages.render import RenderSpec, render
from python_stages.scrub import Engine, Policy, presidio, recognizers, scrub

IDENTIFIERS = recognizers.IDENTIFIERS
PLACEHOLDERS = dict.fromkeys(IDENTIFIERS, "placeholder")
SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))

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
def ungated() -> Any:
    return presidio.analyzer(IDENTIFIERS, presidio.word_splitter())


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection: whoever tries one fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("the scrub stage went to the network")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


def transactions(n_rows: int, seed: int) -> pa.RecordBatch:
    """Return rows as the transactions file holds them; amounts from cents to hundred millions."""
    draw = random.Random(seed)  # noqa: S311  # made-up rows, no secret
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


def four_by_four(number: str) -> str:
    return " ".join(number[n : n + 4] for n in range(0, len(number), 4))


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


@pytest.mark.parametrize("seed", range(3))
def test_a_rendered_transaction_loses_nothing(engine: Engine, seed: int) -> None:
    counts = engine.count_findings(rendered(2_000, seed), ["identifiers"], 0.4)
    assert {entity: int(count.sum()) for entity, count in counts.items() if count.any()} == {}


@SLOW
@given(identifier=planted, row=st.integers(0, 199))
def test_an_identifier_in_a_transaction_is_masked(
    engine: Engine, identifier: str, row: int
) -> None:
    transaction = rendered(200, seed=7)[row]
    text, n_masked = engine.replace(f"{transaction} Ref {identifier}, thanks", PLACEHOLDERS, 0.4)
    assert identifier not in text
    assert text.startswith(transaction)
    assert n_masked == 1


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("my ssn is 536-22-1847", "my ssn is [US_SSN]"),
        ("SSN: 536221847", "SSN: [US_SSN]"),
        ("phone (212) 555-0187", "phone [PHONE_NUMBER]"),
        ("nhs number 943 476 5919", "nhs number [UK_NHS]"),
        ("NI AB 12 34 56 C", "NI [UK_NINO]"),
        ("bank account 12345678901", "bank account [US_BANK_NUMBER]"),
        ("driver license D1234567", "driver license [US_DRIVER_LICENSE]"),
        ("mac 00:1B:44:11:3A:B7", "mac [MAC_ADDRESS]"),
        ("pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "pay [CRYPTO]"),
    ],
)
def test_each_kind_of_identifier_is_named(engine: Engine, text: str, scrubbed: str) -> None:
    assert engine.replace(text, PLACEHOLDERS, 0.4)[0] == scrubbed


def test_vague_digits_need_a_word_that_says_what_they_are(engine: Engine) -> None:
    assert engine.replace("order 536221847", PLACEHOLDERS, 0.4) == ("order 536221847", 0)


def test_a_context_word_counts_only_whole(engine: Engine) -> None:
    assert engine.replace("published D1234567", PLACEHOLDERS, 0.4) == ("published D1234567", 0)


def test_a_phone_number_beside_a_card_number_is_masked_too(engine: Engine) -> None:
    text, n_masked = engine.replace("+247 40123 370000000000002", PLACEHOLDERS, 0.4)
    assert (text, n_masked) == ("[PHONE_NUMBER] [CREDIT_CARD]", 2)


@SLOW
@given(st.text("0189 -./:+@aAdDeE(){}[]", max_size=60), st.lists(planted, max_size=2))
def test_scrubbing_twice_is_scrubbing_once(engine: Engine, noise: str, plants: list[str]) -> None:
    once, _ = engine.replace(" ".join([noise, *plants]), PLACEHOLDERS, 0.4)
    assert engine.replace(once, PLACEHOLDERS, 0.4) == (once, 0)


@SLOW
@given(
    st.text("0123456789 -./:abcdefxABCDMX]@+", max_size=50),
    st.one_of(st.just(""), planted),
    st.sampled_from(["", "my ssn, phone, passport, driver license, bank account "]),
)
def test_gates_hide_nothing_that_presidio_finds(
    engine: Engine,
    ungated: Any,
    noise: str,
    plant: str,
    context: str,
) -> None:
    text = f"{context}{plant} {noise}"
    found = {(f.entity, f.start, f.end, f.score) for f in engine.findings([text])[0]}
    assert found == {(r.entity_type, r.start, r.end, r.score) for r in ungated.analyze(text, "en")}


def policy_of(**rule: Any) -> Policy:
    return Policy.from_config({"text": {"entities": ["identifiers"]} | rule})


def batch_of(*texts: str | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"row_id": [str(n) for n in range(len(texts))], "text": pa.array(texts, type=pa.string())},
    )


def test_rows_keep_order_nulls_and_number(engine: Engine) -> None:
    batch = batch_of("a@example.com", None, "plain", "a@example.com and b@example.com", "")
    (out,) = scrub([batch], policy_of(), engine)
    expected = ["[EMAIL_ADDRESS]", None, "plain", "[EMAIL_ADDRESS] and [EMAIL_ADDRESS]", ""]
    assert out["text"].to_pylist() == expected
    assert out["n_masked"].to_pylist() == [1, 0, 0, 2, 0]
    assert out["row_id"].equals(batch["row_id"])


def test_output_schema_is_the_input_and_a_count(engine: Engine) -> None:
    batch = batch_of("plain")
    (out,) = scrub([batch], policy_of(), engine)
    assert out.schema == batch.schema.append(pa.field("n_masked", pa.int32()))


def test_masking_keeps_the_length(engine: Engine) -> None:
    (out,) = scrub([batch_of("to a@example.com")], policy_of(operator="mask"), engine)
    assert out["text"].to_pylist() == ["to *************"]


def test_a_kept_entity_stays(engine: Engine) -> None:
    policy = policy_of(operators={"EMAIL_ADDRESS": "keep"})
    (out,) = scrub([batch_of("a@example.com from 10.0.0.1")], policy, engine)
    assert out["text"].to_pylist() == ["a@example.com from [IP_ADDRESS]"]
    assert out["n_masked"].to_pylist() == [1]


def test_a_kept_column_is_untouched(engine: Engine) -> None:
    policy = Policy.from_config({"text": {"operator": "keep"}})
    (out,) = scrub([batch_of("a@example.com")], policy, engine)
    assert out["text"].to_pylist() == ["a@example.com"]


def test_a_higher_min_score_lets_less_sure_findings_stay(engine: Engine) -> None:
    (out,) = scrub([batch_of("a@example.com 4111111111111111")], policy_of(min_score=0.9), engine)
    assert out["text"].to_pylist() == ["a@example.com [CREDIT_CARD]"]


def test_a_text_column_without_a_rule_stops_the_stage(engine: Engine) -> None:
    policy = Policy.from_config({"other": {"operator": "keep"}})
    batch = batch_of("x").append_column("other", pa.array(["y"]))
    with pytest.raises(ConfigError, match="column text has no scrub settings"):
        list(scrub([batch], policy, engine))


def test_a_rule_without_a_column_is_answered_with_those_there_are(engine: Engine) -> None:
    policy = Policy.from_config({"txet": {"operator": "keep"}})
    with pytest.raises(ConfigError, match="name txet: the text columns are text"):
        list(scrub([batch_of("x")], policy, engine))


def test_an_engine_built_for_less_than_the_policy_is_refused() -> None:
    emails = Engine(["EMAIL_ADDRESS"])
    with pytest.raises(ConfigError, match="not built for CREDIT_CARD"):
        list(scrub([batch_of("x")], policy_of(), emails))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "scrub settings are empty"),
        ({"text": "keep"}, "must be a mapping: the known settings are entities"),
        ({"text": {"entity": []}}, "unknown scrub setting entity of text"),
        ({"text": {"entities": ["CREDITCARD"]}}, "unknown entity CREDITCARD: .*CREDIT_CARD"),
        ({"text": {"entities": "identifiers"}}, "must be a list"),
        ({"text": {"entities": []}}, "has no entities"),
        ({"text": {"entities": ["URL"], "operator": "drop"}}, "unknown operator of text"),
        ({"text": {"entities": ["URL"], "operators": {"UUID": "keep"}}}, "names UUID"),
        ({"text": {"entities": ["URL"], "min_score": 0}}, "min_score of text"),
        ({"text": {"entities": ["URL"], "min_score": True}}, "min_score of text"),
    ],
)
def test_wrong_settings_are_refused_with_a_hint(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Policy.from_config(config)


def test_every_entity_has_a_recogniser_that_supports_it() -> None:
    for entity in recognizers.ENTITIES:
        (built,) = {name for r in recognizers.build([entity]) for name in r.supported_entities}
        assert built == entity


def test_findings_are_counted_per_text(engine: Engine) -> None:
    texts = ["a@example.com b@example.com", "10.0.0.1", "plain"]
    counts = engine.count_findings(texts, ["EMAIL_ADDRESS", "IP_ADDRESS"], 0.4)
    assert {entity: count.tolist() for entity, count in counts.items()} == {
        "EMAIL_ADDRESS": [2, 0, 0],
        "IP_ADDRESS": [0, 1, 0],
    }


@pytest.mark.parametrize("text", ["canary\ud800", "canary\0 a@example.com", "canary" * 200_000])
def test_an_unreadable_text_stops_the_stage_unquoted(engine: Engine, text: str) -> None:
    with pytest.raises(StageError) as caught:
        engine.findings([text])
    assert "canary" not in str(caught.value)


def test_bytes_that_are_not_utf8_stop_the_stage_unquoted(engine: Engine) -> None:
    broken = pa.array([b"canary\xff"]).view(pa.string())
    batch = pa.RecordBatch.from_pydict({"row_id": ["0"], "text": broken})
    with pytest.raises(StageError, match="column text holds bytes") as caught:
        list(scrub([batch], policy_of(), engine))
    assert "canary" not in str(caught.value)


BITCOIN_LIKE = "canary 1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


def test_a_failure_inside_presidio_carries_no_text(
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_self: object, text: str, *_: object) -> None:
        logging.getLogger("presidio-analyzer").error("failed on %s", text)
        raise ValueError(text)

    monkeypatch.setattr(CryptoRecognizer, "analyze", fail)
    with pytest.raises(StageError, match="ValueError") as caught:
        engine.findings([BITCOIN_LIKE + "1"])
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "canary" not in caplog.text


def test_a_recogniser_that_gives_up_stops_the_stage(
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("presidio_analyzer.pattern_recognizer.REGEX_TIMEOUT_SECONDS", 1e-9)
    with pytest.raises(StageError, match="took too long"):
        engine.findings(["a" * 100_000 + "@" + BITCOIN_LIKE])
