"""What models call entities, in our names; and what they named, on whole words."""

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.errors import ConfigError
from python_stages.scrub.ner import labels
from python_stages.scrub.ner.generate.labelled import LABELS
from python_stages.scrub.ner.labels import Named
from python_stages.scrub.recognizers.catalogue import NER_ENTITIES

if TYPE_CHECKING:
    from spacy.language import Language

# torch says so of its own; spaCy's neighbour thinc asks for it where torch is installed.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")


def test_the_entities_of_models_are_those_of_the_catalogue() -> None:
    assert set(LABELS) == set(NER_ENTITIES)


@pytest.mark.parametrize(
    ("label", "entity"),
    [
        ("B-PER", "PERSON"),
        ("I-LOC", "LOCATION"),
        ("S-ORG", "ORGANIZATION"),
        ("first_name", "PERSON"),
        ("GPE", "LOCATION"),
        ("NORP", "NRP"),
        ("U-Street", "STREET_ADDRESS"),
        ("STREET_ADDRESS", "STREET_ADDRESS"),
    ],
)
def test_usual_labels_are_understood(label: str, entity: str) -> None:
    assert labels.ours([label, "O", "MISC", "E-MAIL"], {}) == {label: entity}


def test_a_label_that_is_settled_counts_over_the_usual_meaning() -> None:
    assert labels.ours(["B-ORG", "I-ORG", "PER"], {"org": "PERSON"}) == {
        "B-ORG": "PERSON",
        "I-ORG": "PERSON",
        "PER": "PERSON",
    }


def test_a_settled_label_that_the_model_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(ConfigError, match=r"PERS0N.*its labels are LOC, PER"):
        labels.ours(["B-PER", "I-PER", "LOC"], {"PERS0N": "PERSON"})


def test_a_model_with_no_label_of_ours_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"its labels are LABEL_0, LABEL_1"):
        labels.ours(["LABEL_0", "LABEL_1"], {})


@cache
def word_splitter() -> "Language":
    import spacy  # noqa: PLC0415  # takes seconds

    return spacy.blank("en")


@given(
    st.text("ab .,-\n", min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 10), st.sampled_from(LABELS))),
)
def test_no_word_that_was_named_is_lost_and_none_is_cut(
    text: str, drawn: list[tuple[int, int, str]]
) -> None:
    found = [
        Named(start, min(start + length, len(text)), entity)
        for start, length, entity in drawn
        if start < len(text)
    ]
    doc = labels.name(word_splitter().make_doc(text), found)

    touched = {
        token.i
        for token in doc
        for one in found
        if text[max(one.start, token.idx) : min(one.end, token.idx + len(token))].strip()
    }
    assert {token.i for entity in doc.ents for token in entity} >= touched
    assert [entity.start for entity in doc.ents] == sorted(entity.start for entity in doc.ents)


def test_what_is_named_outside_the_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside"):
        labels.name(word_splitter().make_doc("Anna"), [Named(9, 12, "PERSON")])
