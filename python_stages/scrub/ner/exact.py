"""Products of matrices that come out the same, however rows are batched, and are fast.

The fastest libraries add in an order that depends on where in a batch a row stands, so that the
last digits of a text's vectors would depend on its neighbours, and a finding with them. Sums that
are exact have no order: the weights are multiples of 2**-10, what they are multiplied by is rounded
to multiples of a power of two as well, and a sum of such products that stays below 2**24 of the
smallest loses nothing in float32, in any order, on any processor.

A test derives from the shipped weights that no sum can be larger, whatever the text. Networks are
usually content with eight bits (Jacob et al., Quantization and Training of Neural Networks, 2018).
"""

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from thinc.api import Model, NumpyOps
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from spacy.language import Language

WEIGHT_BITS: Final = 10
"""Binary digits of a weight after the point."""

EMBEDDED_BITS: Final = 8
"""The same of what stands for a word: sums of rows of the tables, small numbers."""

NORMED_BITS: Final = 6
"""The same of what passes between layers, where every layer adds a normalised vector."""

MANTISSA_BITS: Final = 24
"""Binary digits of a float32: IEEE 754, binary32."""

_ON_GRID: Final = ("W", "E")  # names that thinc gives to weights and to tables


class ExactOps(NumpyOps):  # type: ignore[misc]  # compiled, without types
    """thinc's operations, with exact products; for prediction only.

    Args:
        bits: binary digits after the point of what is multiplied by weights.
    """

    def __init__(self, bits: int) -> None:
        super().__init__(use_blis=False)
        self._scale: Final = np.float32(2**bits)

    def gemm(
        self,
        x: "NDArray[np.float32]",
        y: "NDArray[np.float32]",
        out: "NDArray[np.float32] | None" = None,
        trans1: bool = False,  # noqa: FBT001, FBT002  # thinc's signature
        trans2: bool = False,  # noqa: FBT001, FBT002  # the same
    ) -> Any:
        """Return the product of what is rounded and of weights, which are.

        Args:
            x: rows, rounded here; weights if `trans1`, which no prediction asks for.
            y: weights.
            out: where the product goes.
            trans1: transpose x.
            trans2: transpose y.
        """
        rounded = x * self._scale
        np.rint(rounded, out=rounded)
        product = super().gemm(rounded, y, out=out, trans1=trans1, trans2=trans2)
        product /= self._scale
        return product


def round_weights(nlp: "Language") -> None:
    """Round the weights of a pipeline's entity recogniser to their grid."""
    for node in _model(nlp).walk():
        for name in _ON_GRID:
            if node.has_param(name):
                weights = cast("NDArray[np.float32]", node.get_param(name))
                rounded: Any = np.rint(weights * 2**WEIGHT_BITS) / 2**WEIGHT_BITS
                node.set_param(name, rounded)


def use(nlp: "Language") -> "Language":
    """Have a pipeline whose weights are on their grid multiply exactly; return it.

    NumPy's threads are ended with it, in the whole process: for products as small as these they
    mostly wait for each other, and while they wait they use the processors that others need.
    """
    threadpool_limits(1, user_api="blas")
    model = _model(nlp)
    words = model.get_ref("tok2vec").layers[0].layers[0]  # the tables, and what mixes them
    for part, bits in ((model, NORMED_BITS), (words, EMBEDDED_BITS)):
        ops = ExactOps(bits)
        for node in part.walk():
            node.ops = ops
    return nlp


def _model(nlp: "Language") -> Model[Any, Any]:
    ner: Any = nlp.get_pipe("ner")
    model: Model[Any, Any] = ner.model
    return model
