"""The fast way to decide finds what spaCy's own finds."""

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.scrub.ner import exact, greedy, loading
from python_stages.scrub.ner.generate.documents import Writer

if TYPE_CHECKING:
    from spacy.language import Language

WORDS = ("Anna", "Smith", "at", "the", "Lagos", "office", "12", "Main", "Street", "\n", " ", "-")


@pytest.fixture(scope="module")
def spacys() -> "Language":
    return exact.use(spacy.load(loading.MODEL))


@pytest.fixture(scope="module")
def ours() -> "Language":
    return greedy.put_into(exact.use(spacy.load(loading.MODEL)))


def named(nlp: "Language", texts: list[str]) -> list[list[tuple[int, int, str]]]:
    docs = nlp.pipe(texts, batch_size=7)
    return [[(span.start, span.end, span.label_) for span in doc.ents] for doc in docs]


def test_it_names_what_spacy_names(spacys: "Language", ours: "Language") -> None:
    texts = [document.text for document in Writer().documents(random.Random(41), 600)]
    texts += [" ".join(texts[at : at + 50]) for at in range(0, 300, 50)]
    found = named(ours, texts)
    assert found == named(spacys, texts)
    assert sum(map(len, found)) > len(texts)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=9))
def test_it_names_what_spacy_names_where_texts_end_early(
    spacys: "Language", ours: "Language", drawn: list[list[str]]
) -> None:
    texts = [" ".join(words) for words in drawn]
    assert named(ours, texts) == named(spacys, texts)


def test_the_layers_give_the_numbers_that_spacys_give(spacys: "Language", ours: "Language") -> None:
    texts = [document.text for document in Writer().documents(random.Random(43), 60)]
    docs = list(map(spacys.make_doc, texts))
    part: Any = ours.get_pipe("ner")
    theirs: Any = spacys.get_pipe("ner")
    words = [np.asarray(doc.to_array(part._columns), dtype=np.uint64) for doc in docs]  # noqa: SLF001  # shows nowhere else
    expected = theirs.model.get_ref("lower").predict(theirs.model.get_ref("tok2vec").predict(docs))
    assert np.array_equal(part._scores(words), expected)  # noqa: SLF001  # the same


def test_it_remembers_no_more_words_than_it_may(
    spacys: "Language", ours: "Language", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greedy, "WORDS_KEPT", 50)
    texts = [f"Zork{n}son met Anna Smith in Lagos{n}." for n in range(200)]
    small = greedy.put_into(exact.use(spacy.load(loading.MODEL)))
    assert named(small, texts) == named(spacys, texts) == named(ours, texts)
    part = small.get_pipe("ner")
    assert isinstance(part, greedy.Greedy)
    assert part.n_words <= 50
