"""Clipped gradients, against the slow and obvious ways to compute them."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax_privacy import clipped_grad

from python_stages.training.clipping import clipped_sum, example_norms
from python_stages.training.dataset import Batch
from python_stages.training.model import Layers, Params, init
from python_stages.training.presets import ModelShape
from python_stages.training.steps import row_losses

SHAPE = ModelShape(n_layers=2, d_model=8, n_heads=2, d_ff=12, context=32, n_tokens=20)
N_ROWS, WIDTH, WINDOW = 5, 9, 3
Gradient = Callable[[Params, Batch], dict[str, jax.Array]]


@pytest.fixture(scope="module")
def params() -> Params:
    # larger weights than fresh ones, so that norms lie on both sides of the clip norm
    return {name: 2 * array for name, array in init(SHAPE, 0).items()}


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Return rows of different lengths; the last is only there to fill the batch."""
    random = np.random.default_rng(0)
    lengths = np.array([9, 4, 6, 9, 2])
    tokens = random.integers(0, 12, (N_ROWS, WIDTH))
    tokens[3, 1:] = tokens[3, 0]  # one token again and again: its embedding's gradient adds up
    is_real = np.arange(WIDTH) >= WIDTH - lengths[:, None]
    is_target = np.arange(WINDOW) >= np.array([0, 2, 1, 0, 1])[:, None]
    is_example = np.arange(N_ROWS) < N_ROWS - 1
    return Batch(
        tokens.astype(np.int32),
        is_real,
        random.integers(0, 12, (N_ROWS, WINDOW)).astype(np.int32),
        is_target & is_example[:, None],
        is_example,
    )


@pytest.fixture(scope="module")
def gradient() -> Gradient:
    """Return what computes the gradient of the sum of a batch's losses."""
    return jax.jit(
        jax.grad(lambda params, batch: jnp.sum(row_losses(Layers(params), SHAPE, batch)))
    )


@pytest.fixture(scope="module")
def one_by_one(params: Params, batch: Batch, gradient: Gradient) -> list[dict[str, jax.Array]]:
    """Return every example's gradient, each computed in a batch of its own."""
    rows: list[Batch] = [
        jax.tree.map(lambda part, i=i: part[i : i + 1], batch) for i in range(N_ROWS - 1)
    ]
    return [gradient(params, row) for row in rows]


@jax.jit
def clip(params: Params, batch: Batch, clip_norm: float) -> dict[str, jax.Array]:
    losses = partial(row_losses, shape=SHAPE, batch=batch)
    return clipped_sum(params, losses, jnp.asarray(batch.is_example), clip_norm)


def assert_close(found: dict[str, jax.Array], wanted: dict[str, jax.Array]) -> None:
    largest = max(float(jnp.abs(array).max()) for array in wanted.values())
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, atol=1e-3 * largest, err_msg=name)


@pytest.mark.slow
def test_norms_are_those_of_a_loop_over_batches_of_one_or_a_little_more(
    params: Params, batch: Batch, one_by_one: list[dict[str, jax.Array]]
) -> None:
    found = jax.jit(
        lambda batch: example_norms(params, partial(row_losses, shape=SHAPE, batch=batch))
    )(batch)
    norms = np.array([float(optax.tree.norm(gradient)) for gradient in one_by_one])
    assert np.all(found[: N_ROWS - 1] >= norms * (1 - 1e-6))
    np.testing.assert_allclose(found[: N_ROWS - 1], norms, rtol=2e-3)


def test_the_sum_is_that_of_a_loop_over_batches_of_one(
    params: Params, batch: Batch, one_by_one: list[dict[str, jax.Array]]
) -> None:
    norms = sorted(float(optax.tree.norm(gradient)) for gradient in one_by_one)
    clip_norm = norms[1] * 1.1
    assert norms[0] < clip_norm < norms[-1]
    scales = [min(1.0, clip_norm / float(optax.tree.norm(each))) for each in one_by_one]
    scaled = [optax.tree.scale(*pair) for pair in zip(scales, one_by_one, strict=True)]
    wanted = jax.tree.map(lambda *each: sum(each), *scaled)
    assert_close(clip(params, batch, clip_norm), wanted)


@pytest.mark.filterwarnings("ignore:optax.global_norm:DeprecationWarning")  # jax_privacy uses it
def test_the_sum_is_that_of_jax_privacy(params: Params, batch: Batch) -> None:
    library = jax.jit(
        clipped_grad(
            lambda params, batch: row_losses(Layers(params), SHAPE, batch)[0], l2_clip_norm=0.5
        )
    )
    examples: Batch = jax.tree.map(jnp.asarray, batch)
    wanted = library(params, examples, is_padding_example=~examples.is_example)
    assert_close(clip(params, batch, 0.5), wanted)


def test_without_a_clip_that_binds_it_is_the_gradient_of_the_batch(
    params: Params, batch: Batch, gradient: Gradient
) -> None:
    assert_close(clip(params, batch, 1e6), gradient(params, batch))


def test_no_row_moves_the_sum_by_more_than_the_clip_norm(params: Params, batch: Batch) -> None:
    whole = clip(params, batch, 0.1)
    for row in range(N_ROWS - 1):
        others = batch._replace(is_example=batch.is_example & (np.arange(N_ROWS) != row))
        moved = jax.tree.map(jnp.subtract, whole, clip(params, others, 0.1))
        assert float(optax.tree.norm(moved)) <= 0.1 * (1 + 1e-5)


def test_a_row_whose_gradient_overflows_adds_nothing() -> None:
    def losses(layers: Layers) -> jax.Array:
        x = jnp.array([[[1.0]], [[jnp.inf]], [[2.0]]])
        return layers.dense("w", x)[:, 0, 0]

    found = clipped_sum({"w": jnp.ones((1, 1))}, losses, jnp.ones(3, bool), 10.0)
    assert float(found["w"][0, 0]) == pytest.approx(3.0, rel=1e-3)


def test_a_weight_that_is_used_twice_or_not_at_all_is_refused() -> None:
    weights = {"w": jnp.ones((1, 1))}
    x = jnp.ones((2, 1, 1))
    is_example = jnp.ones(2, bool)
    with pytest.raises(ValueError, match="twice"):
        clipped_sum(
            weights,
            lambda layers: layers.dense("w", layers.dense("w", x))[:, 0, 0],
            is_example,
            1.0,
        )
    with pytest.raises(ValueError, match="not used"):
        clipped_sum(
            weights | {"v": jnp.ones(1)},
            lambda layers: layers.dense("w", x)[:, 0, 0],
            is_example,
            1.0,
        )


@pytest.mark.parametrize(
    "of_tokens", [jnp.float32(3.0), jnp.linspace(0.02, 12.0, SHAPE.n_tokens)], ids=["alike", "each"]
)
def test_weights_change_shares_and_the_clip_norm_holds_for_what_is_weighted(
    params: Params,
    batch: Batch,
    one_by_one: list[dict[str, jax.Array]],
    of_tokens: jax.Array,
) -> None:
    weights: dict[str, float | jax.Array] = {"embedding": of_tokens, "output": 0.2}
    by_row = weights | {"embedding": jnp.broadcast_to(of_tokens, SHAPE.n_tokens)[:, None]}
    weighted = [
        {name: by_row.get(name, 1.0) * array for name, array in each.items()} for each in one_by_one
    ]
    norms = sorted(float(optax.tree.norm(gradient)) for gradient in weighted)
    clip_norm = norms[1] * 1.1
    scales = [min(1.0, clip_norm / float(optax.tree.norm(each))) for each in weighted]
    scaled = [optax.tree.scale(*pair) for pair in zip(scales, weighted, strict=True)]
    found = jax.jit(
        lambda batch: clipped_sum(
            params,
            partial(row_losses, shape=SHAPE, batch=batch),
            jnp.asarray(batch.is_example),
            clip_norm,
            weights,
        )
    )(batch)
    assert_close(found, jax.tree.map(lambda *each: sum(each), *scaled))
