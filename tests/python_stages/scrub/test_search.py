"""The search finds what stock Presidio finds."""

import random
from typing import Any

import pytest
from faker import Faker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages.scrub import presidio, recognizers
from python_stages.scrub.ner.generate.documents import Writer
from python_stages.scrub.ner.loading import load
from python_stages.scrub.search import Search

IDENTIFIERS = recognizers.IDENTIFIERS
ALL = sorted(recognizers.ENTITIES)
SLOW = settings(max_examples=40, suppress_health_check=list(HealthCheck))
ANYTHING = st.text("0123456789 -./:abcdefxABCDMXß\u017f\u0130\n]@+,", max_size=60)
WORDS = "my ssn, phone number, passport no. driver license, bank account, born on, card "


@pytest.fixture(scope="module")
def language() -> Any:
    return load()


@pytest.fixture(scope="module")
def search(language: Any) -> Search:
    return Search(ALL, language)


@pytest.fixture(scope="module")
def stock(language: Any) -> Any:
    return presidio.analyzer(ALL, language)


def stocked(stock: Any, text: str) -> set[tuple[str, int, int, float]]:
    return {(r.entity_type, r.start, r.end, r.score) for r in stock.analyze(text, "en")}


def found(
    search: Search, texts: list[str], **options: bool
) -> list[set[tuple[str, int, int, float]]]:
    results = search.run(texts, **options)
    assert None not in results
    return [{(f.entity, f.start, f.end, f.score) for f in here or ()} for here in results]


def generated(n_texts: int, seed: int) -> list[str]:
    """Return texts of the model's generator; seeds of its training begin elsewhere."""
    return [d.text for d in Writer().documents(random.Random(seed), n_texts)]


def long_texts(n_texts: int, n_words: int) -> list[str]:
    words = " ".join(generated(n_texts * n_words // 10, seed=n_words)).split(" ")
    return [" ".join(words[n * n_words : (n + 1) * n_words]) for n in range(n_texts)]


def structured(n_texts: int) -> list[str]:
    """Return texts with every kind of number that Faker knows, some in context."""
    fake = Faker(["en_US", "en_GB", "de_DE", "it_IT"])
    Faker.seed(11)
    draw = random.Random(11)
    makers = (
        *(fake.ssn, fake.iban, fake.credit_card_number, fake.phone_number, fake.ipv4, fake.ipv6),
        *(fake.mac_address, fake.url, fake.email, fake.address, fake.date, fake.uuid4, fake.ean13),
        *(fake.license_plate, fake.swift, fake.postcode, fake.user_name, fake.name, fake.bban),
    )
    return [
        f"{fake.sentence()} {draw.choice(['', WORDS, 'account ', 'IBAN: '])}"
        f"{draw.choice(makers)()}{draw.choice(['. ', ' / ', ', '])}{draw.choice(makers)()}"
        for _ in range(n_texts)
    ]


def test_short_texts_hold_what_presidio_finds_in_them(search: Search, stock: Any) -> None:
    texts = generated(200, seed=3)
    assert found(search, texts) == [stocked(stock, text) for text in texts]


def test_numbers_of_all_kinds_are_what_presidio_finds() -> None:
    words = presidio.word_splitter()
    stock = presidio.analyzer(IDENTIFIERS, words)
    texts = structured(800)
    assert found(Search(IDENTIFIERS, words), texts) == [stocked(stock, text) for text in texts]


@pytest.mark.parametrize(("n_words", "n_texts"), [(80, 20), (800, 2)])
def test_long_texts_hold_what_presidio_finds_in_them(
    search: Search, stock: Any, n_words: int, n_texts: int
) -> None:
    texts = long_texts(n_texts, n_words)
    assert found(search, texts) == [stocked(stock, text) for text in texts]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_thousands_of_texts_hold_what_presidio_finds_in_them(
    search: Search, stock: Any, seed: int
) -> None:
    texts = generated(1_000, seed)
    assert found(search, texts) == [stocked(stock, text) for text in texts]


@SLOW
@given(ANYTHING, st.sampled_from(["", WORDS]))
def test_any_characters_hold_what_presidio_finds_in_them(
    search: Search, stock: Any, text: str, context: str
) -> None:
    assert found(search, [context + text]) == [stocked(stock, context + text)]


def test_what_the_model_reads_together_it_reads_alike(search: Search) -> None:
    texts = generated(40, seed=5)
    assert found(search, texts) == [found(search, [text])[0] for text in texts]


def test_spacy_keeps_no_more_words_than_it_may(language: Any) -> None:
    search = Search(["PERSON", "EMAIL_ADDRESS"], language, words_kept=0)
    found(search, ["nothing new"])
    n_words = len(language.vocab.strings)
    found(search, [f"seen{n} by Zork{n}son, unheardof{n}@example{n}.com" for n in range(500)])
    assert len(language.vocab.strings) == n_words


def test_a_word_counts_as_context_only_whole() -> None:
    words = presidio.word_splitter()
    results = found(Search(["US_DRIVER_LICENSE"], words), ["license D1234567", "licensed D1234567"])
    in_context, alone = ({score for _, _, _, score in here} for here in results)
    assert max(in_context) >= 0.4 > max(alone)


def test_a_pattern_that_takes_too_long_is_told(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presidio, "SECONDS_PER_PATTERN", 1e-9)
    assert search.run(["card 4111 1111 1111 1111 " * 500]) == [None]


@pytest.mark.parametrize("word", ["(", "a.", "'", "-1"])
def test_a_word_without_end_takes_no_seconds(search: Search, word: str) -> None:
    text = word * (6_000 // len(word))
    assert search.run([text]) != [None]


def test_every_expression_needs_something_or_says_why(search: Search) -> None:
    # a new expression of which nothing is known costs time on every text: look at it first
    needless = {p.of.entity for p in search._patterns if not (p.needs.words or p.needs.n_digits)}  # noqa: SLF001  # what it costs shows nowhere else
    assert len(needless) <= 10, needless
