"""The sum of per-example clipped gradients, without ever holding a gradient per example.

The gradient of a weight is a sum over positions of (what went in) x (gradient of what came out).
One backward pass for the second factor gives every example's norm exactly, and the weighted sum
with one product per weight: "book-keeping" (Bu et al., 2210.00038), each norm by the cheaper of two
formulas (Bu et al., 2205.10683). Holding the gradients, as jax_privacy.clipped_grad does, costs
several times as much here; the tests compare the two.

A norm that rounding made too small would void the guarantee, so norms are rounded up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import jax
import jax.numpy as jnp

from python_stages.training.model import Layers, Params

# float32 sums of products err by about 1e-7 of the sum of their absolute values
_ROUNDING: Final = 1e-5

Weight = float | jax.Array
EVERYTHING_ALIKE: Final[Mapping[str, Weight]] = MappingProxyType({})

# (layers) -> (rows,) losses, each a function of its own row alone
Losses = Callable[[Layers], jax.Array]


def clipped_sum(
    params: Params,
    losses: Losses,
    is_example: jax.Array,
    clip_norm: float | jax.Array,
    weights: Mapping[str, Weight] = EVERYTHING_ALIKE,
) -> dict[str, jax.Array]:
    """Return the sum over rows of the weighted gradients of their losses, each norm <= clip_norm.

    Args:
        params: the parameters.
        losses: the loss of each row; it must use every parameter through `layers`, once.
        is_example: (rows,) False at rows that only fill the batch: they add exactly nothing.
        clip_norm: L2 norm over all weighted parameters together.
        weights: factors on the gradients by parameter, 1 where none is named, in the embedding one
            for each token or for all; constants, so that what is clipped is a function of the row
            as before.
    """
    uses, gradients = _backward(params, losses)
    for name, weight in weights.items():
        gradients[name] = uses[name].weighted(gradients[name], weight)
    norms = _norms(uses, gradients)
    # a row whose gradient overflowed adds nothing: it must not take the batch with it
    counts = is_example & jnp.isfinite(norms)
    factors = jnp.where(counts, jnp.minimum(1.0, clip_norm / jnp.maximum(norms, 1e-30)), 0.0)
    total = {}
    for name, use in uses.items():
        by = factors.reshape(-1, *[1] * (gradients[name].ndim - 1))
        gradient = jnp.where(by > 0, gradients[name] * by, 0.0)
        total[name] = use.summed(params[name], gradient, counts)
    return total


def example_norms(params: Params, losses: Losses) -> jax.Array:
    """Return (rows,) the L2 norm of each row's gradient, rounded up."""
    return _norms(*_backward(params, losses))


class _Use(Protocol):
    """What a weight did to the rows."""

    def weighted(self, gradient: jax.Array, by: Weight) -> jax.Array:
        """Return the gradient by what came out, times a factor."""

    def squared_norms(self, gradient: jax.Array) -> jax.Array:
        """Return (rows,) squared norms of the weight's gradients, rounded up."""

    def summed(self, weight: jax.Array, gradient: jax.Array, counts: jax.Array) -> jax.Array:
        """Return the sum of the weight's gradients over the rows that count."""


@dataclass(frozen=True)
class _Dense:
    """x: (rows, positions, n_in) that were multiplied by the weight."""

    x: jax.Array

    def weighted(self, gradient: jax.Array, by: Weight) -> jax.Array:
        return gradient * by

    def squared_norms(self, gradient: jax.Array) -> jax.Array:
        n_positions, n_in, n_out = *self.x.shape[1:], gradient.shape[-1]
        if n_positions * (n_in + n_out) < n_in * n_out:
            inputs = jnp.einsum("rpi,rqi->rpq", self.x, self.x)
            outputs = jnp.einsum("rpo,rqo->rpq", gradient, gradient)
            squares = jnp.sum(inputs * outputs, axis=(1, 2))
        else:
            each = jnp.einsum("rpi,rpo->rio", self.x, gradient)
            squares = jnp.sum(jnp.square(each), axis=(1, 2))
        return _rounded_up(squares, _lengths(self.x) * _lengths(gradient))

    def summed(self, weight: jax.Array, gradient: jax.Array, counts: jax.Array) -> jax.Array:
        del weight
        return jnp.einsum("rpi,rpo->io", jnp.where(counts[:, None, None], self.x, 0.0), gradient)


@dataclass(frozen=True)
class _Scale:
    """x: (rows, positions, n) that were multiplied by the weight, number by number."""

    x: jax.Array

    def weighted(self, gradient: jax.Array, by: Weight) -> jax.Array:
        return gradient * by

    def squared_norms(self, gradient: jax.Array) -> jax.Array:
        squares = jnp.sum(jnp.square(jnp.sum(self.x * gradient, axis=1)), axis=-1)
        return _rounded_up(squares, _lengths(self.x) * _lengths(gradient))

    def summed(self, weight: jax.Array, gradient: jax.Array, counts: jax.Array) -> jax.Array:
        del weight
        return jnp.sum(jnp.where(counts[:, None, None], self.x, 0.0) * gradient, axis=(0, 1))


@dataclass(frozen=True)
class _Embed:
    """tokens: (rows, positions) that were looked up in the weight."""

    tokens: jax.Array

    def weighted(self, gradient: jax.Array, by: Weight) -> jax.Array:
        each = jnp.asarray(by)
        return gradient * (each[self.tokens][:, :, None] if each.ndim else each)

    def squared_norms(self, gradient: jax.Array) -> jax.Array:
        is_same = self.tokens[:, :, None] == self.tokens[:, None, :]
        products = jnp.einsum("rpo,rqo->rpq", gradient, gradient)
        squares = jnp.sum(jnp.where(is_same, products, 0.0), axis=(1, 2))
        return _rounded_up(squares, _lengths(gradient))

    def summed(self, weight: jax.Array, gradient: jax.Array, counts: jax.Array) -> jax.Array:
        del counts
        return jnp.zeros_like(weight).at[self.tokens].add(gradient)


class _Tapped(Layers):
    """Layers that note what goes in, and add to what comes out a tap to differentiate by."""

    def __init__(self, params: Params, taps: Params | None) -> None:
        super().__init__(params)
        self._taps = taps
        self.uses: dict[str, _Use] = {}
        self.outputs: dict[str, jax.Array] = {}

    def dense(self, name: str, x: jax.Array) -> jax.Array:
        return self._tap(name, _Dense(x), super().dense(name, x))

    def scale(self, name: str, x: jax.Array) -> jax.Array:
        return self._tap(name, _Scale(x), super().scale(name, x))

    def embed(self, name: str, tokens: jax.Array) -> jax.Array:
        return self._tap(name, _Embed(tokens), super().embed(name, tokens))

    def _tap(self, name: str, use: _Use, output: jax.Array) -> jax.Array:
        if name in self.uses:
            raise ValueError(f"weight {name} is used twice: its gradient would be half seen")
        self.uses[name] = use
        self.outputs[name] = output
        return output if self._taps is None else output + self._taps[name]


def _backward(params: Params, losses: Losses) -> tuple[dict[str, _Use], dict[str, jax.Array]]:
    """Return by weight its use and the gradients of the rows' losses by its output."""

    def outputs() -> dict[str, jax.Array]:
        layers = _Tapped(params, None)
        losses(layers)
        return layers.outputs

    def total(taps: Params) -> tuple[jax.Array, dict[str, jax.Array]]:
        layers = _Tapped(params, taps)
        value = jnp.sum(losses(layers))
        kinds.update({name: type(use) for name, use in layers.uses.items()})
        return value, {name: _input_of(use) for name, use in layers.uses.items()}

    kinds: dict[str, type] = {}
    taps = {name: jnp.zeros(a.shape, a.dtype) for name, a in jax.eval_shape(outputs).items()}
    gradients, inputs = jax.grad(total, has_aux=True)(taps)
    if inputs.keys() != params.keys():
        raise ValueError("a parameter is not used through layers: its gradient would not be seen")
    return {name: kinds[name](x) for name, x in inputs.items()}, gradients


def _input_of(use: _Use) -> jax.Array:
    return use.tokens if isinstance(use, _Embed) else use.x  # type: ignore[attr-defined]  # the other has it


def _norms(uses: dict[str, _Use], gradients: dict[str, jax.Array]) -> jax.Array:
    return jnp.sqrt(sum(use.squared_norms(gradients[name]) for name, use in uses.items()))


def _lengths(x: jax.Array) -> jax.Array:
    """Return (rows, positions) L2 norms over the last axis."""
    return jnp.sqrt(jnp.sum(jnp.square(x), axis=-1))


def _rounded_up(squares: jax.Array, lengths: jax.Array) -> jax.Array:
    """Return squares plus all that rounding can have taken from a sum of terms of these lengths."""
    return jnp.maximum(squares, 0.0) + _ROUNDING * jnp.square(jnp.sum(lengths, axis=1))
