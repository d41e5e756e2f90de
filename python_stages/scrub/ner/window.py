"""What the network makes of words beside their neighbours: the same numbers, in less time.

Each layer reads a word and one on either side of it, takes the larger of two sums (Goodfellow et
al., Maxout Networks, 2013), norms what it has and adds it to the word. spaCy's layers do that one
operation after another, each into memory of its own, and round each word three times. Here words
are rounded once, the scale of the rounding is part of the weights, and what is added, multiplied
and divided is the same, in the same order: sums of products are exact (exact.py).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from python_stages.scrub.ner import exact

_Floats = NDArray[np.float32]
_EPSILON: Final = 1e-08  # thinc's


class Layer:
    """One layer, for prediction only.

    Args:
        residual: thinc's, of a window of one word, maxout of two pieces, and a norm.
    """

    def __init__(self, residual: Any) -> None:
        parts = {part.name: part for part in residual.walk()}
        maxout, norm = parts["maxout"], parts["layernorm"]
        width, n_pieces, n_read = maxout.get_param("W").shape
        self._scale: Final = np.float32(2**exact.NORMED_BITS)
        by_piece = maxout.get_param("W").transpose(1, 0, 2).reshape(n_pieces * width, n_read)
        self._weights: Final[_Floats] = np.ascontiguousarray(
            by_piece.T / self._scale, dtype=np.float32
        )
        self._bias: Final[_Floats] = maxout.get_param("b").T.reshape(n_pieces * width)
        self._factor: Final[_Floats] = norm.get_param("G")
        self._offset: Final[_Floats] = norm.get_param("b")

    def add_to(self, words: _Floats) -> None:
        """Add to words (n, width) what their neighbourhood tells of them."""
        n_words, width = words.shape
        rounded = words * self._scale
        np.rint(rounded, out=rounded)
        read = np.zeros((n_words, 3 * width), dtype=np.float32)
        read[1:, :width] = rounded[:-1]
        read[:, width : 2 * width] = rounded
        read[:-1, 2 * width :] = rounded[1:]
        pieces = read @ self._weights
        pieces += self._bias
        best = np.maximum(pieces[:, :width], pieces[:, width:])
        best -= best.mean(axis=1, keepdims=True)
        variance = np.square(best).mean(axis=1, keepdims=True) + _EPSILON
        best *= variance ** (-1.0 / 2.0)
        best *= self._factor
        best += self._offset
        words += best


class Window:
    """The layers between a word alone and a word among others.

    Args:
        in_context: thinc's, which has a list of arrays for an argument.
    """

    def __init__(self, in_context: Any) -> None:
        self._n_between: Final[int] = in_context.attrs["pad"]
        self._layers: Final = [Layer(each) for each in in_context.layers[0].layers]

    def read(self, table: _Floats, rows: Sequence[Sequence[int]], nobody: int) -> _Floats:
        """Return the words of all documents, one after another.

        Args:
            table: what stands for each word that is known.
            rows: the words of each document, as rows of the table.
            nobody: the row of it that is zero, and stands between documents.
        """
        between = [nobody] * self._n_between
        places = [*between, *(row for some in rows for row in (*some, *between))]
        at = np.array(places, dtype=np.intp)
        words = table[at]
        for layer in self._layers:
            layer.add_to(words)
        found: _Floats = words[at != nobody]
        return found
