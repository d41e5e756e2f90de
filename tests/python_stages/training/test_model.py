"""The model: what stands beside a row or before it changes nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from python_stages.training.model import Cache, Layers, init, logits, prefill, step
from python_stages.training.presets import PRESETS, ModelShape

SHAPE = ModelShape(n_layers=2, d_model=16, n_heads=2, d_ff=24, context=32, n_tokens=30)
WIDTH = 10


@pytest.fixture(scope="module")
def layers() -> Layers:
    return Layers({name: 2 * array for name, array in init(SHAPE, 1).items()})


@pytest.fixture(scope="module")
def tokens() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 30, (3, WIDTH))


@pytest.mark.slow
def test_padding_and_neighbours_change_nothing(layers: Layers, tokens: np.ndarray) -> None:
    lengths = np.array([10, 7, 3])
    is_real = np.arange(WIDTH) >= WIDTH - lengths[:, None]
    together = logits(layers, SHAPE, jnp.asarray(tokens), jnp.asarray(is_real), 2)
    for row, n in enumerate(lengths):
        alone = jnp.asarray(tokens[row : row + 1, WIDTH - n :])
        found = logits(layers, SHAPE, alone, jnp.ones(alone.shape, bool), 2)
        np.testing.assert_allclose(together[row], found[0], atol=1e-5)


def test_later_tokens_change_nothing(layers: Layers, tokens: np.ndarray) -> None:
    is_real = jnp.ones((3, WIDTH), bool)
    before = logits(layers, SHAPE, jnp.asarray(tokens), is_real, WIDTH)
    changed = np.where(np.arange(WIDTH) < 6, tokens, 5)
    after = logits(layers, SHAPE, jnp.asarray(changed), is_real, WIDTH)
    np.testing.assert_allclose(before[:, :6], after[:, :6], atol=1e-5)


def test_the_window_is_the_end_of_the_whole(layers: Layers, tokens: np.ndarray) -> None:
    is_real = jnp.ones((3, WIDTH), bool)
    whole = logits(layers, SHAPE, jnp.asarray(tokens), is_real, WIDTH)
    window = logits(layers, SHAPE, jnp.asarray(tokens), is_real, 3)
    np.testing.assert_allclose(whole[:, -3:], window, atol=1e-5)


def test_a_cache_gives_what_no_cache_gives(layers: Layers, tokens: np.ndarray) -> None:
    n_prompt = 4
    is_real = jnp.asarray(np.arange(WIDTH) >= np.array([0, 2, 3])[:, None])
    whole = logits(layers, SHAPE, jnp.asarray(tokens), is_real, WIDTH - n_prompt + 1)
    prompts = jnp.asarray(tokens[:, :n_prompt])
    after, cache = prefill(layers, SHAPE, prompts, is_real[:, :n_prompt], 1)
    room = ((0, 0), (0, 0), (0, WIDTH - n_prompt), (0, 0), (0, 0))
    cache = Cache(
        jnp.pad(cache.keys, room),
        jnp.pad(cache.values, room),
        jnp.pad(cache.is_real, ((0, 0), (0, WIDTH - n_prompt))),
    )
    found = [after[:, 0]]
    one = jax.jit(lambda token, place, cache: step(layers, SHAPE, token, place, cache))
    for place in range(n_prompt, WIDTH):
        after, cache = one(jnp.asarray(tokens[:, place]), jnp.asarray(place), cache)
        found.append(after)
    np.testing.assert_allclose(jnp.stack(found, axis=1), whole, atol=1e-5)


def test_the_number_of_parameters_is_the_one_told() -> None:
    assert sum(array.size for array in init(SHAPE, 0).values()) == SHAPE.n_params


def test_presets_go_from_a_fifth_of_a_million_to_fifty_millions() -> None:
    sizes = [shape.n_params for shape in PRESETS.values()]
    assert sizes == sorted(sizes)
    assert 150_000 < sizes[0] < 450_000
    assert 45e6 < sizes[-1] < 55e6
    assert all(shape.d_model % (2 * shape.n_heads) == 0 for shape in PRESETS.values())


def test_fresh_parameters_follow_the_seed() -> None:
    same = jax.tree.map(
        lambda a, b: bool((a == b).all()), dict(init(SHAPE, 3)), dict(init(SHAPE, 3))
    )
    assert all(same.values())
    assert not (init(SHAPE, 3)["output"] == init(SHAPE, 4)["output"]).all()
