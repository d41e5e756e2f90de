"""The compiled functions of training: gradients of a part, the update of a step, a look at a part.

They are compiled once per layout and process, run on whatever device JAX sees first, and are the
only ones that touch parameters while training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax_privacy.noise_addition import gaussian_privatizer

from python_stages.errors import ConfigError
from python_stages.training import checkpoint
from python_stages.training.batches import Part
from python_stages.training.clipping import Weight, clipped_sum
from python_stages.training.dataset import Batch, Dataset
from python_stages.training.engine import Tally
from python_stages.training.model import Layers, Params, logits
from python_stages.training.plan import Plan
from python_stages.training.presets import ModelShape
from python_stages.training.privacy import Mechanism
from python_stages.training.storage import Start, Storage
from python_stages.training.tokenizer import public_shares

Gradients = dict[str, jax.Array]

_LARGEST_NORM: Final = 1.0  # of a batch's gradient, without differential privacy
_ADAM: Final = optax.scale_by_adam()
# Under differential privacy every number of the sum gets the same noise, so what counts is which
# share of a clipped row's gradient a parameter has. Unweighted, nine tenths go to the output, which
# learns the answers' frequencies soon and then only pulls to and fro; what tells one answer from
# another has to come from the embedding, one row's share of which drowns. Matrices, of which all
# rows use all numbers, have a share to spare and are turned by noise at the rate of the others.
# Within the embedding, the words around a name would take what the name needs: a token weighs the
# less, and moves the slower, the commoner it is in public prose.
# Adam does not see the scale of a gradient: weights change what is heard, not how far a step goes.
_WEIGHT_OF_OUTPUT: Final = 0.6
_WEIGHT_OF_RARE_TOKENS: Final = 4.0
_WEIGHT_OF_OTHERS: Final = 0.1
_RATE_OF_OTHERS: Final = 0.1
_COMMON: Final = 5e-5  # share of public prose from which on a token counts as common
_FALL: Final = 0.7  # the weight falls by this power of the share
_LEAST: Final = 0.02
_LEAST_RATE: Final = 0.2  # of a token


@dataclass(frozen=True, slots=True)
class State:
    """What training changes.

    Args:
        params: the model's parameters.
        moments: Adam's, and its count of steps.
    """

    params: Params
    moments: optax.OptState

    @classmethod
    def beginning_with(cls, params: Params) -> "State":
        """Return the state before the first step, with moments that know nothing."""
        return cls(params, _ADAM.init(params))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as named arrays."""
        leaves = jax.tree.leaves(self.moments)
        named = {f"moments.{i:04d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
        return named | {f"params.{name}": np.asarray(p) for name, p in self.params.items()}

    def restored(self, arrays: Mapping[str, np.ndarray]) -> "State":
        """Return the state that `arrays` gave, of the same sizes as this one."""
        leaves, structure = jax.tree.flatten(self.moments)
        found = [jnp.asarray(arrays[f"moments.{i:04d}"]) for i in range(len(leaves))]
        params = {name: jnp.asarray(arrays[f"params.{name}"]) for name in self.params}
        return State(params, jax.tree.unflatten(structure, found))


class JaxEngine:
    """Trains a preset.

    Args:
        params: what it begins with.
        plan: how the training goes.
    """

    def __init__(self, params: Params, plan: Plan) -> None:
        self._plan = plan
        self.state = State.beginning_with(params)

    def plain_step(self, dataset: Dataset, parts: list[Part], rate: float) -> Tally:
        """Make one step without differential privacy."""
        self.state, tally = plain_step(self.state, self._plan, dataset, parts, rate)
        return tally

    def noisy_step(
        self,
        dataset: Dataset,
        parts: list[Part],
        mechanism: Mechanism,
        *,
        rate: float,
        noise_seed: np.ndarray,
    ) -> None:
        """Make one step on clipped gradients and noise."""
        self.state = noisy_step(
            self.state, self._plan, mechanism, dataset, parts, rate=rate, noise_seed=noise_seed
        )

    def look(self, dataset: Dataset, part: Part) -> Tally:
        """Return the tally of rows."""
        batch = dataset.batch(part.rows, part.layout, part.size)
        tally: Tally = look(self.state.params, self._plan.shape, batch)
        return tally

    def arrays(self) -> dict[str, np.ndarray]:
        """Return parameters and moments."""
        return self.state.arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up parameters and moments."""
        self.state = self.state.restored(arrays)

    def begin_with(self, start: Start) -> None:
        """Take up published parameters."""
        arrays, shape = checkpoint.read_weights(start.storage, start.name)
        if shape != self._plan.shape:
            raise ConfigError("the model to begin with has other sizes than its base: train anew")
        params = {name: jnp.asarray(arrays[name]) for name in self.state.params}
        self.state = State.beginning_with(params)

    def publish(self, storage: Storage, name: str) -> None:
        """Keep the parameters for publication."""
        checkpoint.write_weights(storage, name, self.state.params, self._plan.shape)


def plain_step(
    state: State, plan: Plan, dataset: Dataset, parts: list[Part], rate: float
) -> tuple[State, Tally]:
    """Make one step on the rows of `parts`, without differential privacy.

    Raises:
        ValueError: there are no rows.
    """
    total = None
    for part in parts:
        batch = dataset.batch(part.rows, part.layout, part.size)
        found = _gradients(state.params, plan.shape, batch)
        total = found if total is None else jax.tree.map(jnp.add, total, found)
    if total is None:
        raise ValueError("a step needs rows")
    gradients, tally = total
    return State(*_mean_update(state.params, state.moments, gradients, tally.n_rows, rate)), tally


def noisy_step(
    state: State,
    plan: Plan,
    mechanism: Mechanism,
    dataset: Dataset,
    parts: list[Part],
    *,
    rate: float,
    noise_seed: np.ndarray,
) -> State:
    """Make one step on clipped gradients and noise; nothing else of the rows is looked at.

    Args:
        state: what to change.
        plan: how the training goes.
        mechanism: how much is clipped, and how much noise is added, once.
        dataset: the rows.
        parts: the step's rows; none is a step too.
        rate: learning rate.
        noise_seed: two 32-bit numbers, used for no other step.
    """
    total: Gradients = jax.tree.map(jnp.zeros_like, dict(state.params))
    for part in parts:
        batch = dataset.batch(part.rows, part.layout, part.size)
        found = _clipped(state.params, plan.shape, batch, mechanism.clip_norm)
        total = jax.tree.map(jnp.add, total, found)
    return State(
        *_noisy_update(
            (state.params, state.moments),
            total,
            (noise_seed, mechanism.noise_deviation),
            # by the expected number of rows: the real one is private
            plan.batch_size,
            rate,
        )
    )


@partial(jax.jit, static_argnames="shape")
def look(params: Params, shape: ModelShape, batch: Batch) -> Tally:
    """Return the tally of a batch."""
    return _tally(Layers(params), shape, batch)


def row_losses(layers: Layers, shape: ModelShape, batch: Batch) -> jax.Array:
    """Return (rows,) the mean loss of each row's answer, in nats per token; 0 without one."""
    losses, n_tokens, _ = _row_sums(layers, shape, batch)
    return losses / jnp.maximum(n_tokens, 1)


@partial(jax.jit, static_argnames="shape")
def _gradients(params: Params, shape: ModelShape, batch: Batch) -> tuple[Gradients, Tally]:
    def total(params: Gradients) -> tuple[jax.Array, Tally]:
        tally = _tally(Layers(params), shape, batch)
        return tally.loss, tally

    gradients, tally = jax.grad(total, has_aux=True)(dict(params))
    return gradients, tally


@partial(jax.jit, static_argnames="shape")
def _clipped(params: Params, shape: ModelShape, batch: Batch, clip_norm: jax.Array) -> Gradients:
    losses = partial(row_losses, shape=shape, batch=batch)
    return clipped_sum(params, losses, jnp.asarray(batch.is_example), clip_norm, _weights(params))


def _weights(params: Params) -> dict[str, Weight]:
    """Return the factors on a row's gradients: constants, whatever the rows are."""
    own: dict[str, Weight] = {
        "embedding": _WEIGHT_OF_RARE_TOKENS * _rarity(),
        "output": _WEIGHT_OF_OUTPUT,
    }
    return {name: own.get(name, _WEIGHT_OF_OTHERS) for name in params}


def _rates(params: Params, rate: jax.Array) -> Params:
    """Return the learning rate of every parameter."""
    own: dict[str, Weight] = {
        "embedding": jnp.maximum(_rarity(), _LEAST_RATE)[:, None],
        "output": 1.0,
    }
    return {name: rate * own.get(name, _RATE_OF_OTHERS) for name in params}


def _rarity() -> jax.Array:
    """Return (tokens,) from 1 for those that public prose does not have down to _LEAST."""
    shares = jnp.asarray(public_shares())
    return jnp.maximum((1 + shares / _COMMON) ** -_FALL, _LEAST)


@jax.jit
def _mean_update(
    params: Params, moments: optax.OptState, total: Params, n_rows: jax.Array, rate: jax.Array
) -> tuple[Params, optax.OptState]:
    mean = {name: gradient / n_rows for name, gradient in total.items()}
    shrink = jnp.minimum(1.0, _LARGEST_NORM / jnp.maximum(optax.tree.norm(mean), 1e-30))
    shrunk = {name: g * shrink for name, g in mean.items()}
    return _updated(params, moments, shrunk, dict.fromkeys(mean, rate))


@jax.jit
def _noisy_update(
    state: tuple[Params, optax.OptState],
    total: Params,
    noise: tuple[jax.Array, jax.Array],
    batch_size: jax.Array,
    rate: jax.Array,
) -> tuple[Params, optax.OptState]:
    noise_seed, deviation = noise
    key = jax.random.wrap_key_data(noise_seed, impl="threefry2x32")
    privatizer = gaussian_privatizer(stddev=deviation, prng_key=key)
    noisy, _ = privatizer.update(dict(total), privatizer.init(dict(total)))
    mean = {name: gradient / batch_size for name, gradient in noisy.items()}
    return _updated(*state, mean, _rates(mean, rate))


def _updated(
    params: Params, moments: optax.OptState, gradients: Params, rates: Params
) -> tuple[Params, optax.OptState]:
    updates, moments = _ADAM.update(gradients, moments)
    return {name: params[name] - rates[name] * updates[name] for name in params}, moments


def _tally(layers: Layers, shape: ModelShape, batch: Batch) -> Tally:
    losses, n_tokens, n_correct = _row_sums(layers, shape, batch)
    return Tally(
        loss=jnp.sum(losses / jnp.maximum(n_tokens, 1)),
        n_correct=jnp.sum(n_correct),
        n_tokens=jnp.sum(n_tokens),
        n_rows=jnp.sum(batch.is_example),
    )


def _row_sums(
    layers: Layers, shape: ModelShape, batch: Batch
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return (rows,) sums of losses, numbers of tokens, and numbers of likeliest tokens."""
    tokens, is_real = jnp.asarray(batch.tokens), jnp.asarray(batch.is_real)
    found = logits(layers, shape, tokens, is_real, batch.targets.shape[1])
    losses = optax.softmax_cross_entropy_with_integer_labels(found, batch.targets)
    is_correct = (jnp.argmax(found, axis=-1) == batch.targets) & batch.is_target
    return (
        jnp.sum(jnp.where(batch.is_target, losses, 0.0), axis=1),
        jnp.sum(batch.is_target, axis=1),
        jnp.sum(is_correct, axis=1),
    )
