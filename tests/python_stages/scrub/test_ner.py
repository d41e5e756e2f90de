"""The model that comes with sealtune: the text it is trained on, its training, and its card."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from python_stages.errors import ConfigError
from python_stages.scrub.ner import card, train
from python_stages.scrub.ner.generate import noise
from python_stages.scrub.ner.generate.documents import Writer
from python_stages.scrub.ner.generate.invented import Inventor
from python_stages.scrub.ner.generate.labelled import (
    LABELS,
    LOCATION,
    ORGANIZATION,
    PERSON,
    STREET_ADDRESS,
    Document,
    Piece,
    Span,
    document,
    joined,
)
from python_stages.scrub.ner.generate.templates import parse, templates
from python_stages.scrub.ner.scores import Scores

if TYPE_CHECKING:
    from spacy.language import Language

COUNT = 150
DIGEST = """
import hashlib
from random import Random
from python_stages.scrub.ner.generate.documents import Writer
print(hashlib.sha256(repr(list(Writer().documents(Random(1), 150))).encode()).hexdigest())
"""
LETTERS = st.text("aB1 \n'.-é", min_size=1, max_size=12)
PIECES = st.lists(st.builds(Piece, LETTERS, st.sampled_from([None, *LABELS]), st.booleans()))


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return list(Writer().documents(Random(1), COUNT))


@pytest.fixture(scope="module")
def shipped() -> "Language":
    import spacy  # noqa: PLC0415  # takes seconds

    return spacy.load(card.MODEL)


def found(nlp: "Language", text: str) -> set[tuple[str, str]]:
    return {(entity.text, entity.label_) for entity in nlp(text).ents}


@given(PIECES)
def test_a_span_covers_its_value_without_white_space_at_the_rim(pieces: list[Piece]) -> None:
    text, spans = document(pieces)
    labelled = [piece for piece in pieces if piece.label and piece.text.strip()]
    assert text == "".join(piece.text for piece in pieces)
    assert [text[span.start : span.end] for span in spans] == [p.text.strip() for p in labelled]
    assert [span.label for span in spans] == [piece.label for piece in labelled]


@given(PIECES, st.randoms(use_true_random=False))
def test_noise_takes_no_label_away_and_moves_none(pieces: list[Piece], random: Random) -> None:
    disturbed = noise.disturbed(random, pieces)
    assert [piece.label for piece in disturbed] == [piece.label for piece in pieces]


def test_generated_spans_are_in_order_and_apart(documents: list[Document]) -> None:
    for text, spans in documents:
        ends = [0, *(span.end for span in spans)]
        assert all(end <= span.start for end, span in zip(ends, spans, strict=False))
        assert all(text[span.start : span.end].strip() for span in spans)


def test_every_label_is_generated(documents: list[Document]) -> None:
    assert {span.label for _, spans in documents for span in spans} == set(LABELS)


def test_the_texts_depend_on_the_seed_alone(documents: list[Document]) -> None:
    digest = hashlib.sha256(repr(documents).encode()).hexdigest()
    other = subprocess.run(
        [sys.executable, "-c", DIGEST],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path.cwd())},
    )
    assert other.stdout.strip() == digest


def test_a_first_and_a_last_name_are_one_person() -> None:
    pieces = [Piece("Ann", PERSON), Piece(" "), Piece("Lee", PERSON)]
    assert document(joined(pieces)).spans == (Span(0, 7, PERSON),)


def test_a_street_and_the_city_under_it_are_one_address() -> None:
    pieces = [Piece("1 High St", STREET_ADDRESS), Piece("\n"), Piece("Leeds", LOCATION)]
    assert document(joined(pieces)).spans == (Span(0, 15, STREET_ADDRESS),)


def test_a_doubled_brace_is_a_brace() -> None:
    assert [part.text for part in parse('{{"name": "{name}"}}').parts] == [
        "{",
        '"name": "',
        "name",
        '"',
        "}",
    ]


def test_a_slot_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(ConfigError, match="slots that nothing fills"):
        templates(frozenset())


def test_training_and_held_out_texts_share_no_template() -> None:
    writer = Writer()
    known = templates(writer.known_slots)
    held_out = {template.parts for template in known if template.is_held_out}
    assert 0.05 < len(held_out) / len(known) < 0.15
    assert not held_out & {template.parts for template in known if not template.is_held_out}


@given(st.randoms(use_true_random=False))
def test_an_invented_word_is_of_the_letters_it_was_made_from(random: Random) -> None:
    word = Inventor(["anna", "hannah", "nathan"]).word(random)
    assert 3 <= len(word) <= 14
    assert set(word) <= set("anht")


def test_what_is_found_exactly_scores_one() -> None:
    scores = Scores()
    scores.add([Span(0, 10, PERSON)], [Span(0, 10, PERSON)])
    summary = scores.summary()
    assert summary["span_f2"] == {"0.9": 1.0, "0.7": 1.0}
    assert (summary["char_recall"], summary["char_precision"]) == (1.0, 1.0)


def test_a_span_that_is_cut_short_counts_at_the_lower_overlap_only() -> None:
    scores = Scores()
    scores.add([Span(0, 10, PERSON)], [Span(0, 8, PERSON)])
    assert scores.summary()["span_f2"] == {"0.9": 0.0, "0.7": 1.0}


def test_a_person_in_a_text_without_any_is_counted() -> None:
    scores = Scores()
    scores.add([], [Span(0, 3, PERSON)])
    scores.add([], [Span(0, 3, ORGANIZATION)])
    assert scores.summary()["false_person_per_100"] == 50.0


def test_one_seed_trains_one_model(documents: list[Document]) -> None:
    texts = [text for text, _ in documents]
    models = []
    for n_threads in (2, 1):
        with threadpool_limits(n_threads, user_api="blas"):
            models.append(train.train(seed=5, epochs=1, documents=60))
    one, other = models
    predicted = [doc.to_bytes() for doc in one.pipe(texts)]
    assert predicted == [doc.to_bytes() for doc in other.pipe(texts)]
    assert one.to_bytes(exclude=["vocab"]) == other.to_bytes(exclude=["vocab"])


@pytest.mark.parametrize(
    ("text", "value", "label"),
    [
        ("My name is Maria Gonzalez and I live in Berlin.", "Maria Gonzalez", PERSON),
        ("My name is Maria Gonzalez and I live in Berlin.", "Berlin", LOCATION),
        ("Hi, this is Oskar, I moved to Norway last year.", "Oskar", PERSON),
        ("Hi, this is Oskar, I moved to Norway last year.", "Norway", LOCATION),
        ("Please change my address to 12 Oak Street, Leeds LS1 4AB.", "12 Oak Street", None),
        ("She works for Siemens AG in Munich.", "Siemens AG", ORGANIZATION),
        ("Dear Mr. Thompson, thank you for your order.", "Thompson", PERSON),
    ],
)
def test_the_shipped_model_finds_what_is_plain(
    shipped: "Language", text: str, value: str, label: str | None
) -> None:
    entities = found(shipped, text)
    if label is None:
        assert any(value in entity and kind == STREET_ADDRESS for entity, kind in entities)
    else:
        assert (value, label) in entities


def test_the_shipped_model_is_small() -> None:
    assert card.size_mb(card.MODEL) <= 10


def test_scores_and_card_are_those_of_the_shipped_model() -> None:
    scores = json.loads(card.scores_of(card.MODEL))
    assert scores["model_sha256"] == card.fingerprint(card.MODEL)
    assert card.render(scores) == (card.MODEL.parent / card.CARD).read_text(encoding="utf-8")
