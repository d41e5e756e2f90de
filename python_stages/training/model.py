"""A compact Llama-style causal language model: parameters are a plain dictionary of arrays.

RMSNorm before each block, rotary positions, SwiGLU (Touvron et al., 2302.13971; Su et al.,
2104.09864; Shazeer, 2002.05202). Every weight is used exactly once, which `clipping` counts on.

Rows of a batch are right-aligned: padding stands on the left, and since rotary attention sees only
distances, a row's result does not depend on how much of it there is. The answer then stands in the
last `window` positions, the only ones at which the last layer asks and the output is computed.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp

from python_stages.training.presets import ModelShape

Params = Mapping[str, jax.Array]

_MASKED: Final = -1e30  # finite, so that a padding row gives no NaN
_ROTARY_BASE: Final = 10_000.0
_NORM_EPSILON: Final = 1e-5


class Layers:
    """Every use that the model makes of its parameters: what `clipping` has to see, and no more.

    Args:
        params: the parameters, by name.
    """

    def __init__(self, params: Params) -> None:
        self.params = params

    def dense(self, name: str, x: jax.Array) -> jax.Array:
        """Return x @ weights."""
        return x @ self.params[name]

    def scale(self, name: str, x: jax.Array) -> jax.Array:
        """Return x * weights."""
        return x * self.params[name]

    def embed(self, name: str, tokens: jax.Array) -> jax.Array:
        """Return one row of the weights for each token."""
        return self.params[name][tokens]


class Cache(NamedTuple):
    """Keys and values of the positions seen so far.

    Args:
        keys: (layers, rows, slots, heads, head size), rotated.
        values: the same shape.
        is_real: (rows, slots), False at padding and at slots not yet written.
    """

    keys: jax.Array
    values: jax.Array
    is_real: jax.Array


def init(shape: ModelShape, seed: int) -> Params:
    """Return fresh parameters: a function of shape and seed."""
    d, n_layers = shape.d_model, shape.n_layers
    sizes: dict[str, tuple[tuple[int, ...], float]] = {
        # large enough that a step of Adam does not turn a row around, small enough that what
        # attention brings is heard beside it
        "embedding": ((shape.n_tokens, d), 0.1),
        "output": ((d, shape.n_tokens), 0.02),
    }
    for i in range(n_layers):
        sizes[f"layers.{i}.query"] = ((d, d), d**-0.5)
        sizes[f"layers.{i}.key"] = ((d, d), d**-0.5)
        sizes[f"layers.{i}.value"] = ((d, d), d**-0.5)
        # residual branches start small, the more of them there are (GPT-2)
        sizes[f"layers.{i}.out"] = ((d, d), (2 * n_layers * d) ** -0.5)
        sizes[f"layers.{i}.gate"] = ((d, shape.d_ff), d**-0.5)
        sizes[f"layers.{i}.up"] = ((d, shape.d_ff), d**-0.5)
        sizes[f"layers.{i}.down"] = ((shape.d_ff, d), (2 * n_layers * shape.d_ff) ** -0.5)
    keys = jax.random.split(jax.random.key(seed), len(sizes))
    params = {
        name: scale * jax.random.normal(key, size)
        for key, (name, (size, scale)) in zip(keys, sizes.items(), strict=True)
    }
    norms = ["norm", *(f"layers.{i}.{name}" for i in range(n_layers) for name in _NORMS)]
    return params | {name: jnp.ones(d) for name in norms}


def logits(
    layers: Layers, shape: ModelShape, tokens: jax.Array, is_real: jax.Array, window: int
) -> jax.Array:
    """Return (rows, window, n_tokens): what follows each of the last `window` positions.

    Args:
        layers: the parameters.
        shape: the model's sizes.
        tokens: (rows, width) token numbers, right-aligned.
        is_real: (rows, width), False at padding.
        window: number of last positions to answer for.
    """
    return prefill(layers, shape, tokens, is_real, window)[0]


def prefill(
    layers: Layers, shape: ModelShape, tokens: jax.Array, is_real: jax.Array, window: int
) -> tuple[jax.Array, Cache]:
    """Return the logits as `logits` does, and the cache of all positions."""
    width = tokens.shape[1]
    positions = jnp.arange(width)
    hidden = layers.embed("embedding", tokens)
    keys, values = [], []
    for i in range(shape.n_layers):
        n_asking = window if i == shape.n_layers - 1 else width
        asking = positions[-n_asking:]
        normed = layers.scale(f"layers.{i}.attention_norm", _normalised(hidden))
        key = _rotate(_heads(layers.dense(f"layers.{i}.key", normed), shape), positions)
        value = _heads(layers.dense(f"layers.{i}.value", normed), shape)
        query = _heads(layers.dense(f"layers.{i}.query", normed[:, -n_asking:]), shape)
        can_see = (positions[None, :] <= asking[:, None])[None] & is_real[:, None, :]
        seen = _attend(_rotate(query, asking), key, value, can_see)
        hidden = _block(layers, i, hidden[:, -n_asking:], seen)
        keys.append(key)
        values.append(value)
    return _output(layers, hidden), Cache(jnp.stack(keys), jnp.stack(values), is_real)


def step(
    layers: Layers, shape: ModelShape, token: jax.Array, position: jax.Array, cache: Cache
) -> tuple[jax.Array, Cache]:
    """Append one token per row and return (rows, n_tokens) for what follows, and the cache.

    Args:
        layers: the parameters.
        shape: the model's sizes.
        token: (rows,) token numbers.
        position: the slot that they go to, the same in every row.
        cache: with room for the slot.
    """
    is_real = cache.is_real.at[:, position].set(True)
    keys, values = cache.keys, cache.values
    here = position[None]
    hidden = layers.embed("embedding", token)[:, None]
    for i in range(shape.n_layers):
        normed = layers.scale(f"layers.{i}.attention_norm", _normalised(hidden))
        key = _rotate(_heads(layers.dense(f"layers.{i}.key", normed), shape), here)
        value = _heads(layers.dense(f"layers.{i}.value", normed), shape)
        query = _rotate(_heads(layers.dense(f"layers.{i}.query", normed), shape), here)
        keys = keys.at[i, :, position].set(key[:, 0])
        values = values.at[i, :, position].set(value[:, 0])
        seen = _attend(query, keys[i], values[i], is_real[:, None, :])
        hidden = _block(layers, i, hidden, seen)
    return _output(layers, hidden)[:, 0], Cache(keys, values, is_real)


_NORMS: Final = ("attention_norm", "feed_forward_norm")


def _normalised(x: jax.Array) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + _NORM_EPSILON)


def _heads(x: jax.Array, shape: ModelShape) -> jax.Array:
    """Split (rows, positions, d_model) into (rows, positions, heads, head size)."""
    return x.reshape(*x.shape[:2], shape.n_heads, -1)


def _rotate(x: jax.Array, positions: jax.Array) -> jax.Array:
    """Turn each pair (i, i + half) of a head by an angle that grows with the position."""
    half = x.shape[-1] // 2
    frequencies = _ROTARY_BASE ** (-jnp.arange(half) / half)
    angles = (positions[:, None] * frequencies)[:, None, :]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    first, second = x[..., :half], x[..., half:]
    return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)


def _attend(query: jax.Array, key: jax.Array, value: jax.Array, can_see: jax.Array) -> jax.Array:
    """Return (rows, asking, d_model); can_see is (rows, asking, seen)."""
    scores = jnp.einsum("rqhd,rkhd->rhqk", query, key) * query.shape[-1] ** -0.5
    weights = jax.nn.softmax(jnp.where(can_see[:, None], scores, _MASKED), axis=-1)
    mixed = jnp.einsum("rhqk,rkhd->rqhd", weights, value)
    return mixed.reshape(*mixed.shape[:2], -1)


def _block(layers: Layers, i: int, hidden: jax.Array, seen: jax.Array) -> jax.Array:
    """Return hidden after the residual branches of layer i."""
    hidden = hidden + layers.dense(f"layers.{i}.out", seen)
    normed = layers.scale(f"layers.{i}.feed_forward_norm", _normalised(hidden))
    gate = jax.nn.silu(layers.dense(f"layers.{i}.gate", normed))
    return hidden + layers.dense(f"layers.{i}.down", gate * layers.dense(f"layers.{i}.up", normed))


def _output(layers: Layers, hidden: jax.Array) -> jax.Array:
    return layers.dense("output", layers.scale("norm", _normalised(hidden)))
