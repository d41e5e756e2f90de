"""The weights that a preset begins with."""

import hashlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from python_stages.training.bases import base_of
from python_stages.training.model import Layers, Params, logits
from python_stages.training.presets import preset
from python_stages.training.pretrained import FOLDER, SHIPPED, build, first_params, weights_name
from python_stages.training.vocabulary.build import prose

TOLD = json.loads(build.PROVENANCE_PATH.read_text())


def guesses(params: Params, of: build.Prompts) -> jax.Array:
    """Return (rows, n_tokens) what each prompt's answer would begin with, as log-probabilities."""
    shape = preset("nano")
    found = logits(Layers(params), shape, jnp.asarray(of.tokens), jnp.asarray(of.is_real), 1)
    return jax.nn.log_softmax(found[:, 0])


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_weights_are_those_whose_provenance_is_told(name: str) -> None:
    data = (FOLDER / weights_name(name)).read_bytes()
    assert hashlib.sha256(data).hexdigest() == TOLD[name]["sha256"]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_weights_have_the_sizes_of_fresh_ones_and_no_seed(name: str) -> None:
    base = base_of(name)
    fresh = first_params(base_of("pico"), 1)
    shipped = first_params(base, 1)
    assert shipped.keys() == fresh.keys()
    assert sum(array.size for array in shipped.values()) == base.shape.n_params
    assert all(bool(jnp.isfinite(array).all()) for array in shipped.values())
    assert all((shipped[key] == array).all() for key, array in first_params(base, 2).items())


def test_a_preset_without_shipped_weights_begins_with_fresh_ones_of_its_seed() -> None:
    base = base_of("pico")
    one, again, other = (first_params(base, seed)["embedding"] for seed in (1, 1, 2))
    assert (one == again).all()
    assert not (one == other).all()


def test_shipped_weights_find_the_rare_tokens_of_prompts_that_they_never_saw() -> None:
    (of,) = build.prompts(1, seed=1)
    told = guesses(first_params(base_of("nano"), 0), of)
    likeliest = np.asarray(jnp.argmax(told, axis=-1))
    assert np.mean(of.bags[np.arange(len(likeliest)), likeliest] > 0) > 0.97
    divergence = jnp.sum(jnp.where(of.bags > 0, of.bags * (jnp.log(of.bags) - told), 0.0), axis=-1)
    assert float(jnp.mean(divergence)) < 1.5 * TOLD["nano"]["divergence_nats"]


def test_a_bag_holds_the_tokens_of_its_text_by_their_rarity() -> None:
    for of in build.prompts(3, seed=2):
        assert of.bags.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        for tokens, is_real, bag in zip(of.tokens, of.is_real, of.bags, strict=True):
            text = tokens[is_real][2:-2]
            assert set(np.flatnonzero(bag)) == set(text.tolist())


def test_pretraining_learns_and_gives_the_same_again() -> None:
    _, before = build.pretrain(preset("pico"), 1, seed=3)
    params, after = build.pretrain(preset("pico"), 40, seed=3)
    again, _ = build.pretrain(preset("pico"), 40, seed=3)
    assert after < before
    assert all((again[name] == array).all() for name, array in params.items())


@pytest.mark.slow
def test_the_text_is_the_one_whose_provenance_is_told() -> None:
    assert hashlib.sha256("\0".join(prose()).encode()).hexdigest() == TOLD["text_sha256"]
