"""A trained model that answers, streams and scores.

Prompts are right-aligned in batches of a few fixed sizes, and decoded a piece of several tokens per
call with a cache of keys and values; a row's answer does not depend on the others in its batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from python_stages.errors import ConfigError
from python_stages.training import checkpoint
from python_stages.training.answers import Answer, Completion, TokenLogprob
from python_stages.training.asking import GREEDY, MAX_TOP_LOGPROBS, Model, Sampling
from python_stages.training.bases import base_of
from python_stages.training.chat_format import Mark, Message, encode_prompts
from python_stages.training.model import Cache, Layers, Params, logits, prefill, step
from python_stages.training.presets import ModelShape
from python_stages.training.pretrained import first_params
from python_stages.training.storage import Storage
from python_stages.training.tokenizer import N_TEXT_TOKENS, decode, encode

__all__ = ["Completion", "TokenLogprob", "TrainedModel", "load", "load_base"]

_PIECE: Final = 8  # tokens per call
_BATCHES: Final = (1, 8, 64)
_WIDTHS: Final = tuple(2**power for power in range(5, 14))
_NEVER: Final = -1e30


def load(storage: Storage, name: str) -> "Model":
    """Return the model of a checkpoint, a preset's or a base's of the user's own.

    Raises:
        ConfigError: the base is not there, or no longer what it was.
        StageError: there is none of that name, or it is not what the trainer writes.
    """
    if checkpoint.read_adapters(storage, name) is not None:
        from python_stages.training.adapters import model as adapted  # noqa: PLC0415 - an extra

        return adapted.load(storage, name)
    arrays, shape = checkpoint.read_weights(storage, name)
    return TrainedModel({key: jnp.asarray(array) for key, array in arrays.items()}, shape)


def load_base(name: str, seed: int = 0) -> "Model":
    """Return a base before it is tuned.

    Args:
        name: of a preset, or of a folder with a model.
        seed: of a preset's fresh weights, where none are shipped.
    """
    base = base_of(name)
    if base.folder is not None:
        from python_stages.training.adapters import model as adapted  # noqa: PLC0415 - an extra

        return adapted.load_base(base)
    return TrainedModel(first_params(base, seed), base.shape)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One answer to make: a prompt, and which of its answers."""

    prompt: tuple[int, ...]
    choice: int


class TrainedModel:
    """A model in memory.

    Args:
        params: its parameters.
        shape: its sizes.
    """

    def __init__(self, params: Params, shape: ModelShape) -> None:
        self._params = params
        self.shape = shape

    def generate(
        self, prompts: Sequence[Sequence[Message]], sampling: Sampling = GREEDY
    ) -> list[Completion]:
        """Return `sampling.n` answers to each prompt, as `Model` says."""
        most = min(sampling.max_tokens, self.shape.context // 2)
        encoded = encode_prompts(prompts, self.shape.context - most)
        asked = [_Asked(tokens, choice) for tokens, _ in encoded for choice in range(sampling.n)]
        answers = [Answer(len(one.prompt), most, sampling.stop) for one in asked]
        order = sorted(range(len(asked)), key=lambda i: len(asked[i].prompt))
        for start in range(0, len(order), _BATCHES[-1]):
            batch = order[start : start + _BATCHES[-1]]
            for piece in self._pieces([asked[i] for i in batch], most, sampling):
                for row, i in enumerate(batch):
                    answers[i].add_all(piece.of(row, sampling.top_logprobs))
                if all(answers[i].is_over for i in batch):
                    break
        return [answer.completion() for answer in answers]

    def generate_stream(
        self, prompt: Sequence[Message], sampling: Sampling = GREEDY
    ) -> Iterator[Completion]:
        """Yield one answer of `generate` piece by piece, as `Model` says."""
        most = min(sampling.max_tokens, self.shape.context // 2)
        ((tokens, _),) = encode_prompts([prompt], self.shape.context - most)
        answer = Answer(len(tokens), most, sampling.stop)
        for piece in self._pieces([_Asked(tokens, 0)], most, sampling):
            answer.add_all(piece.of(0, sampling.top_logprobs))
            new = answer.taken()
            if new.text or new.finish_reason:
                yield new
            if answer.is_over:
                return

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[Completion]:
        """Return each answer with the log-probability of its tokens, as `Model` says."""
        answers = [encode(text) for text in completions]
        most = max(map(len, answers), default=0)
        if most > self.shape.context // 2:
            raise ConfigError("an answer to score is longer than half the model's context")
        encoded = encode_prompts(prompts, self.shape.context - most)
        rows = [(*p, *a) for (p, _), a in zip(encoded, answers, strict=True)]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        found: dict[int, Completion] = {}
        for start in range(0, len(order), _BATCHES[-1]):
            batch = order[start : start + _BATCHES[-1]]
            tokens, is_real = _aligned([rows[i] for i in batch], self.shape.context)
            window = min(_at_least(most + 1, _WIDTHS), tokens.shape[1])
            told = np.asarray(_told(self._params, self.shape, tokens, is_real, window))
            for row, i in enumerate(batch):
                n = len(answers[i])
                values = told[row, window - 1 - n : window - 1] if n else np.zeros(0)
                found[i] = Completion(
                    text=completions[i],
                    tokens=tuple(
                        TokenLogprob.of(token, float(value))
                        for token, value in zip(answers[i], values, strict=True)
                    ),
                    n_prompt_tokens=len(encoded[i][0]),
                    finish_reason="stop",
                )
        return [found[i] for i in range(len(rows))]

    def _pieces(self, asked: Sequence[_Asked], most: int, sampling: Sampling) -> Iterator["_Piece"]:
        """Yield what comes next in every row, several tokens at a time."""
        tokens, is_real = _aligned([one.prompt for one in asked], self.shape.context)
        choices = np.zeros(len(tokens), np.int32)
        choices[: len(asked)] = [one.choice for one in asked]
        n_top = MAX_TOP_LOGPROBS if sampling.top_logprobs else 0
        room = -(-most // _PIECE) * _PIECE
        after, cache = _prefilled(self._params, self.shape, tokens, is_real, room)
        keys = _keys(sampling.seed, choices)
        position = jnp.asarray(tokens.shape[1])
        for start in range(0, room, _PIECE):
            told, after, cache = _decoded(
                self._params,
                self.shape,
                (after, cache, position + start),
                (keys, jnp.float32(sampling.temperature), position),
                n_top,
            )
            yield _Piece(*(np.asarray(part) for part in told))


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was decoded in one call.

    Args:
        tokens: (tokens, rows).
        logprobs: of them, the same shape.
        top: (tokens, rows, most) numbers of the likeliest tokens.
        top_logprobs: of them.
    """

    tokens: np.ndarray
    logprobs: np.ndarray
    top: np.ndarray
    top_logprobs: np.ndarray

    def of(self, row: int, n_top: int) -> Iterator[tuple[int, TokenLogprob]]:
        """Yield a row's tokens."""
        for i, token in enumerate(self.tokens[:, row]):
            told = TokenLogprob.of(int(token), float(self.logprobs[i, row]))
            likeliest = zip(
                self.top[i, row, :n_top], self.top_logprobs[i, row, :n_top], strict=True
            )
            top = tuple((decode([int(t)]), float(value)) for t, value in likeliest)
            yield int(token), replace(told, top=top)


def _at_least(size: int, sizes: Sequence[int]) -> int:
    return next((s for s in sizes if s >= size), size)


def _aligned(rows: Sequence[Sequence[int]], context: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (batch, width) right-aligned tokens and where they are real, in few shapes."""
    n_rows = _at_least(len(rows), _BATCHES)
    width = min(_at_least(max(map(len, rows)), _WIDTHS), max(context, *map(len, rows)))
    tokens = np.full((n_rows, width), Mark.PADDING, np.int32)
    is_real = np.zeros((n_rows, width), np.bool_)
    for i, row in enumerate(rows):
        tokens[i, width - len(row) :] = row
        is_real[i, width - len(row) :] = True
    return tokens, is_real


def _keys(seed: int, choices: np.ndarray) -> jax.Array:
    """Return one key per row, from seed and choice alone."""
    key = jax.random.key(seed % 2**31)
    return jax.vmap(lambda choice: jax.random.fold_in(key, choice))(jnp.asarray(choices))


@partial(jax.jit, static_argnames=("shape", "room"))
def _prefilled(
    params: Params, shape: ModelShape, tokens: jax.Array, is_real: jax.Array, room: int
) -> tuple[jax.Array, Cache]:
    """Return (rows, n_tokens) for what follows the prompts, and a cache with room for more."""
    after, cache = prefill(Layers(params), shape, tokens, is_real, 1)
    slots = ((0, 0), (0, 0), (0, room), (0, 0), (0, 0))
    keys, values = jnp.pad(cache.keys, slots), jnp.pad(cache.values, slots)
    return after[:, 0], Cache(keys, values, jnp.pad(cache.is_real, ((0, 0), (0, room))))


@partial(jax.jit, static_argnames=("shape", "n_top"))
def _decoded(
    params: Params,
    shape: ModelShape,
    where: tuple[jax.Array, Cache, jax.Array],
    how: tuple[jax.Array, jax.Array, jax.Array],
    n_top: int,
) -> tuple[tuple[jax.Array, ...], jax.Array, Cache]:
    """Decode a piece.

    Args:
        params: the parameters.
        shape: the model's sizes.
        where: logits for the next token, the cache, and the slot of the next token.
        how: a key per row, the temperature, and the slot of the answers' first token.
        n_top: how many likeliest tokens to tell.
    """
    layers = Layers(params)
    keys, temperature, first = how

    def one(
        carry: tuple[jax.Array, Cache, jax.Array], _: None
    ) -> tuple[tuple[jax.Array, Cache, jax.Array], tuple[jax.Array, ...]]:
        after, cache, position = carry
        logprobs = _spoken(after)
        token = _chosen(logprobs, keys, position - first, temperature)
        told = jnp.take_along_axis(logprobs, token[:, None], axis=1)[:, 0]
        top_logprobs, top = jax.lax.top_k(logprobs, n_top)
        after, cache = step(layers, shape, token, position, cache)
        return (after, cache, position + 1), (token, told, top, top_logprobs)

    (after, cache, _), told = jax.lax.scan(one, where, length=_PIECE)
    return told, after, cache


def _spoken(after: jax.Array) -> jax.Array:
    """Return log-probabilities of what an assistant can say: text, calls of tools, and END."""
    number = jnp.arange(after.shape[-1])
    may = (number < N_TEXT_TOKENS) | (number == Mark.END) | (number == Mark.CALLS)
    return jax.nn.log_softmax(jnp.where(may, after, _NEVER))


def _chosen(
    logprobs: jax.Array, keys: jax.Array, place: jax.Array, temperature: jax.Array
) -> jax.Array:
    """Return (rows,) tokens: the likeliest, or drawn with the rows' keys (Gumbel-max)."""
    drawn = jax.vmap(
        lambda key: jax.random.gumbel(jax.random.fold_in(key, place), logprobs.shape[-1:])
    )(keys)
    noise = jnp.where(temperature > 0, drawn, 0.0)
    return jnp.argmax(logprobs / jnp.where(temperature > 0, temperature, 1.0) + noise, axis=-1)


@partial(jax.jit, static_argnames=("shape", "window"))
def _told(
    params: Params, shape: ModelShape, tokens: jax.Array, is_real: jax.Array, window: int
) -> jax.Array:
    """Return (rows, window): at each of the last positions the log-probability of the next."""
    found = _spoken(logits(Layers(params), shape, tokens, is_real, window))
    following = jnp.roll(tokens[:, -window:], -1, axis=1)
    return jnp.take_along_axis(found, following[..., None], axis=-1)[..., 0]
