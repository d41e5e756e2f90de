"""Text to tokens and back."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.training.tokenizer import (
    COUNTS_PATH,
    N_TEXT_TOKENS,
    VOCABULARY_PATH,
    StreamDecoder,
    decode,
    encode,
    encode_all,
    token_bytes,
)
from python_stages.training.vocabulary import build

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    assert decode(encode(text)) == text


@given(TEXTS)
def test_the_bytes_of_the_tokens_are_the_bytes_of_the_text(text: str) -> None:
    assert b"".join(token_bytes(token) for token in encode(text)) == text.encode()


@given(st.text(st.sampled_from("<|>abcdefgistupnrm_/[]\u0120 \n"), max_size=60))
def test_no_text_is_encoded_into_a_mark(text: str) -> None:
    assert all(0 <= token < N_TEXT_TOKENS for token in encode(text))


@given(st.lists(TEXTS, max_size=4))
def test_texts_are_encoded_together_as_they_are_alone(texts: list[str]) -> None:
    assert encode_all(texts) == [encode(text) for text in texts]


@given(TEXTS)
def test_a_stream_gives_the_same_text_and_no_half_characters(text: str) -> None:
    decoder = StreamDecoder()
    pieces = [decoder.add(token) for token in encode(text)]
    assert "".join(pieces) + decoder.end() == text
    assert "\ufffd" in text or not any("\ufffd" in piece for piece in pieces)


def test_digits_are_tokens_of_their_own() -> None:
    assert len(encode("4929381746")) == 10


def test_the_vocabulary_is_the_one_whose_provenance_is_told() -> None:
    told = json.loads(build.PROVENANCE_PATH.read_text())
    for name, path in (("vocabulary", VOCABULARY_PATH), ("counts", COUNTS_PATH)):
        assert told[f"{name}_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_the_script_makes_the_shipped_vocabulary_again() -> None:
    text, counts, provenance = build.build()
    assert text.encode() == VOCABULARY_PATH.read_bytes()
    assert counts.encode() == COUNTS_PATH.read_bytes()
    assert provenance == json.loads(build.PROVENANCE_PATH.read_text())
