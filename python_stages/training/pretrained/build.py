"""Make the shipped weights of `nano` again: `make base` (minutes).

A prompt is a piece of public prose, the docstrings that the vocabulary was made of, some of whose
tokens were replaced by rare ones drawn at random. Where the answer would begin, the model has to
spread its guess over the prompt's tokens by their rarity, as inverse document frequencies do. There
is no label in it and nothing to learn by heart: it teaches to find the words that tell a text from
others, whatever they are, and to bring them to where an answer is made from them. From there a
category is a linear function away, which differential privacy learns with little.

The same versions give the same weights on the same machine; PROVENANCE.json tells them.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from python_stages.training import checkpoint
from python_stages.training.chat_format import Mark
from python_stages.training.model import Layers, Params, init, logits
from python_stages.training.presets import ModelShape, preset
from python_stages.training.pretrained import FOLDER, SHIPPED, weights_name
from python_stages.training.storage import FolderStorage
from python_stages.training.tokenizer import N_TEXT_TOKENS, encode_all, public_shares
from python_stages.training.vocabulary.build import prose

PROVENANCE_PATH: Final = FOLDER / "PROVENANCE.json"

_SEED: Final = 20261123
_N_STEPS: Final = 5_000
_PEAK_RATE: Final = 3e-3
_WEIGHT_DECAY: Final = 0.01
_LARGEST_NORM: Final = 1.0
_ROWS_OF_WIDTH: Final = {64: 128, 128: 64, 256: 32}  # in turns; as many tokens in each
_LEAST_TEXT: Final = 12  # tokens
_MARKS: Final = 4  # of a conversation with one message, and where the answer begins
_COMMON: Final = 5e-5  # share of prose from which on a token counts as common
_RARE: Final = 2e-4  # share below which a token may be put into a text
_MOST_PUT: Final = 8
_PUT_SHARE: Final = 1 / 3  # of a text's tokens, at most
_TOLD_EVERY: Final = 200


class Prompts(NamedTuple):
    """Prompts of one width.

    Args:
        tokens: (rows, width), right-aligned.
        is_real: (rows, width), False at padding.
        bags: (rows, n_tokens) shares that sum to 1 in each row.
    """

    tokens: npt.NDArray[np.int32]
    is_real: npt.NDArray[np.bool_]
    bags: npt.NDArray[np.float32]


def prompts(n_steps: int, seed: int) -> Iterator[Prompts]:
    """Yield the prompts of every step."""
    draw = np.random.default_rng(seed)
    stream = np.concatenate([np.array(t, np.int32) for t in encode_all(list(prose()))])
    shares = np.array(public_shares()[:N_TEXT_TOKENS])
    rare = np.flatnonzero(shares < _RARE)
    rarity = 1 / (1 + shares / _COMMON)
    widths = tuple(_ROWS_OF_WIDTH)
    for i in range(n_steps):
        width = widths[i % len(widths)]
        n_rows = _ROWS_OF_WIDTH[width]
        tokens = np.full((n_rows, width), Mark.PADDING, np.int32)
        bags = np.zeros((n_rows, N_TEXT_TOKENS + len(Mark)), np.float32)
        for row in range(n_rows):
            n = int(draw.integers(_LEAST_TEXT, width - _MARKS + 1))
            start = int(draw.integers(0, len(stream) - n))
            text = stream[start : start + n].copy()
            n_put = min(int(draw.integers(1, _MOST_PUT + 1)), int(n * _PUT_SHARE))
            text[draw.choice(n, n_put, replace=False)] = draw.choice(rare, n_put, replace=False)
            tokens[row, -n - _MARKS :] = [Mark.BEGIN, Mark.USER, *text, Mark.END, Mark.ASSISTANT]
            there = np.unique(text)
            bags[row, there] = rarity[there] / rarity[there].sum()
        yield Prompts(tokens, tokens != Mark.PADDING, bags)


def pretrain(shape: ModelShape, n_steps: int, seed: int) -> tuple[Params, float]:
    """Return parameters, and the mean divergence of their guesses in the last tenth, in nats."""
    rate = optax.warmup_cosine_decay_schedule(
        0.0, _PEAK_RATE, n_steps // 20, n_steps, _PEAK_RATE / 20
    )
    adam = optax.chain(
        optax.clip_by_global_norm(_LARGEST_NORM),
        optax.adamw(rate, weight_decay=_WEIGHT_DECAY),
    )

    @jax.jit
    def step(params: Params, moments: optax.OptState, of: Prompts) -> tuple[Any, Any, jax.Array]:
        def loss(params: Params) -> jax.Array:
            tokens, is_real = jnp.asarray(of.tokens), jnp.asarray(of.is_real)
            guess = logits(Layers(params), shape, tokens, is_real, 1)[:, 0]
            return jnp.mean(optax.losses.kl_divergence(jax.nn.log_softmax(guess), of.bags))

        value, gradients = jax.value_and_grad(loss)(params)
        updates, moments = adam.update(gradients, moments, params)
        return optax.apply_updates(params, updates), moments, value

    params = dict(init(shape, seed))
    moments = adam.init(params)
    divergences = []
    for i, batch in enumerate(prompts(n_steps, seed)):
        params, moments, value = step(params, moments, batch)
        divergences.append(value)
        if (i + 1) % _TOLD_EVERY == 0:
            mean = float(jnp.mean(jnp.array(divergences[-_TOLD_EVERY:])))
            sys.stdout.write(f"{i + 1}/{n_steps}: {mean:.3f} nats from the prompt's bag\n")
            sys.stdout.flush()
    return params, float(jnp.mean(jnp.array(divergences[-max(1, n_steps // 10) :])))


def main() -> None:
    """Write the weights and their provenance."""
    told: dict[str, Any] = {
        "script": "python -m python_stages.training.pretrained.build",
        "text": "the docstrings that vocabulary/PROVENANCE.json names",
        "text_sha256": hashlib.sha256("\0".join(prose()).encode()).hexdigest(),
        "versions": {name: version(name) for name in ("jax", "numpy", "optax", "tokenizers")},
        "seed": _SEED,
        "n_steps": _N_STEPS,
    }
    for name in sorted(SHIPPED):
        params, divergence = pretrain(preset(name), _N_STEPS, _SEED)
        halves = {key: np.asarray(value, np.float16) for key, value in params.items()}
        checkpoint.write_weights(FolderStorage(FOLDER), weights_name(name), halves, preset(name))
        data = (FOLDER / weights_name(name)).read_bytes()
        told[name] = {
            "divergence_nats": round(divergence, 3),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    PROVENANCE_PATH.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
