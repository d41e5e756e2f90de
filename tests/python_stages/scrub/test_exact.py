"""Exact products: what a text says does not depend on what it is batched with."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.scrub.ner import exact, loading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language

WORDS = ("Anna", "met", "the", "Lagos", "office", "12", "Main", "Street", "\n", "-", "o'Neill", "x")


@pytest.fixture(scope="module")
def shipped() -> "Language":
    return loading.load()


def weighted(nlp: "Language") -> list[Any]:
    ner: Any = nlp.get_pipe("ner")
    return [node for node in ner.model.walk() if node.has_param("W")]


def vectors(nlp: "Language", texts: list[str]) -> "NDArray[np.float32]":
    ner: Any = nlp.get_pipe("ner")
    found: NDArray[np.float32] = ner.model.get_ref("tok2vec").predict(
        list(map(nlp.make_doc, texts))
    )
    return found


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=40), min_size=2, max_size=9))
def test_the_vectors_of_a_text_are_the_same_in_every_batch(
    shipped: "Language", drawn: list[list[str]]
) -> None:
    texts = [" ".join(words) for words in drawn]
    alone = [vectors(shipped, [text]) for text in texts]
    assert np.array_equal(vectors(shipped, texts), np.vstack(alone))


def test_the_shipped_weights_are_on_their_grid(shipped: "Language") -> None:
    for node in weighted(shipped):
        whole = node.get_param("W") * 2**exact.WEIGHT_BITS
        assert np.array_equal(whole, np.rint(whole))


def most(weights: "NDArray[np.float32]", longest: list[float], n_parts: int) -> float:
    """Return how large a sum of products can get, whatever is added first: |x| |w|, by parts."""
    rows = weights.reshape(-1, weights.shape[-1])
    parts = np.split(rows, n_parts, axis=1)
    lengths = longest * (n_parts // len(longest))
    return float(
        sum(np.linalg.norm(p, axis=1) * n for p, n in zip(parts, lengths, strict=True)).max()
    )


def test_no_sum_of_products_needs_more_digits_than_there_are(shipped: "Language") -> None:
    ner: Any = shipped.get_pipe("ner")
    nodes = list(ner.model.walk())
    tables = [node.get_param("E") for node in nodes if node.has_param("E")]
    first, *others = [node.get_param("W") for node in nodes if node.name == "maxout"]
    (last,) = (node for node in nodes if node.name == "linear")
    (state,) = (node.get_param("W") for node in nodes if node.name == "precomputable_affine")

    # four rows of each table are added
    rows = [4 * float(np.linalg.norm(table, axis=1).max()) for table in tables]
    left = exact.MANTISSA_BITS - exact.WEIGHT_BITS
    assert most(first, rows, len(tables)) < 2 ** (left - exact.EMBEDDED_BITS)

    # a normalised vector of n numbers has the length sqrt(n), times its factors, plus its bias;
    # what a layer is given is the sum of those before it, at three words
    normed = [
        float(np.abs(node.get_param("G")).max()) * node.get_param("G").size ** 0.5
        + float(np.linalg.norm(node.get_param("b")))
        for node in nodes
        if node.name == "layernorm"
    ]
    limit = 2 ** (left - exact.NORMED_BITS)
    for at, weights in enumerate(others, 1):
        assert most(weights, [sum(normed[:at])], 3) < limit
    assert most(last.get_param("W"), [sum(normed)], 1) < limit
    stretch = float(np.linalg.norm(last.get_param("W"), 2))
    longest = stretch * sum(normed) + float(np.linalg.norm(last.get_param("b")))
    assert most(state, [longest], 1) < limit


def test_rounding_leaves_a_product_as_it_was_to_a_few_digits() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(50, 96)).astype(np.float32)
    w = (np.rint(draw.normal(size=(8, 96), scale=0.1) * 2**10) / 2**10).astype(np.float32)
    product = exact.ExactOps(exact.NORMED_BITS).gemm(x, w, trans2=True)
    assert np.abs(product - x.astype(np.float64) @ w.T.astype(np.float64)).max() < 0.05
