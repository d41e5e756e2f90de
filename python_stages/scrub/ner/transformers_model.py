"""A token classifier of Hugging Face transformers as a spaCy pipeline.

Presidio's own part for this passes on a text unread when the model fails on it, and of two names
that overlap drops one. Here a failure is an error, and no word that was named is lost:

* A text longer than the model reads is cut into windows that overlap by a quarter. Each token is
  taken from the window in which more stands around it.
* A token is named where the model gives all our entities together at least the threshold; which of
  them it is decides the likeliest. So neither `B-` and `I-`, nor `CITY` and `COUNTRY`, take from
  each other's score.

PyTorch and transformers are imported inside: they are an extra, and take seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from python_stages.errors import ConfigError
from python_stages.scrub.ner import labels

if TYPE_CHECKING:
    from spacy.language import Language

THRESHOLD: Final = 0.5

_FACTORY: Final = "sealtune_transformers"
_MOST_TOKENS: Final = 512  # of a window: more takes quadratic time and gains little
_SPECIAL_TOKENS: Final = 2  # that models with learnt positions count before the first
_BATCH_WINDOWS: Final = 16


def load(folder: Path, settled: Mapping[str, str], threshold: float | None) -> "Language":
    """Return a pipeline that splits English words and names what the model finds.

    Args:
        folder: as `save_pretrained` writes it, tokenizer included.
        settled: label of the model -> entity, beyond the usual ones.
        threshold: how sure the model must be (0..1).

    Raises:
        ConfigError: the extra is missing, the folder holds no trained token classifier, or none of
            its labels is ours.
    """
    sure = THRESHOLD if threshold is None else threshold
    config = {"folder": str(folder), "labels": dict(settled), "threshold": sure}
    return labels.pipeline(_FACTORY, _create, config)


def _create(
    nlp: "Language",  # noqa: ARG001  # spaCy's contract
    name: str,  # noqa: ARG001  # the same
    folder: str,
    labels: dict[str, str],
    threshold: float,
) -> "TokenNames":
    try:
        import torch  # noqa: PLC0415  # an optional extra
        from transformers import (  # noqa: PLC0415  # the same
            AutoModelForTokenClassification,
            AutoTokenizer,
        )
        from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415  # the same
    except ImportError as error:
        raise ConfigError(
            "a transformers model needs the extra `transformers`: "
            "pip install 'sealtune[transformers]'"
        ) from error
    disable_progress_bar()
    local = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, **local)
    if not tokenizer.is_fast:
        raise ConfigError(
            f"the tokenizer of {folder} does not tell where in a text its tokens are: save it with "
            "a tokenizer.json"
        )
    model, report = AutoModelForTokenClassification.from_pretrained(
        folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local
    )
    if report["missing_keys"]:
        raise ConfigError(
            f"{folder} holds no trained token classifier: {len(report['missing_keys'])} of its "
            "tensors are missing and would be random; name a model trained to find entities"
        )
    return TokenNames(tokenizer, model.eval(), labels, threshold)


class _Token(NamedTuple):
    """A token that the model read, in characters of the text; of no entity where it is None."""

    start: int
    end: int
    entity: str | None
    begins: bool


class TokenNames(labels.Reader):
    """Part of a pipeline: sets the entities that a token classifier finds.

    Args:
        tokenizer: a fast one of transformers.
        model: a token classifier of transformers.
        settled: label of the model -> entity, beyond the usual ones.
        threshold: how sure the model must be (0..1).

    Raises:
        ConfigError: none of the model's labels is ours, or one that is settled it has not.
    """

    def __init__(
        self, tokenizer: Any, model: Any, settled: Mapping[str, str], threshold: float
    ) -> None:
        import torch  # noqa: PLC0415  # an optional extra

        by_index = model.config.id2label
        ours = labels.ours(by_index.values(), settled)
        self._tokenizer: Final = tokenizer
        self._model: Final = model
        self._threshold: Final = threshold
        self._entities: Final = sorted(set(ours.values()))
        # Columns that sum the labels of an entity, and those of them with which it begins.
        self._sums: Final = torch.zeros(len(by_index), len(self._entities))
        self._begins: Final = torch.zeros(len(by_index), len(self._entities))
        for index, label in by_index.items():
            if label in ours:
                column = self._entities.index(ours[label])
                self._sums[index, column] = 1.0
                self._begins[index, column] = float(labels.begins(label))
        positions = getattr(model.config, "max_position_embeddings", None) or _MOST_TOKENS
        self._n_tokens: Final = min(
            _MOST_TOKENS, tokenizer.model_max_length, positions - _SPECIAL_TOKENS
        )
        self._overlap: Final = self._n_tokens // 4
        tokenizer.truncation_side = "right"

    def read(self, texts: Sequence[str]) -> list[list[labels.Named]]:
        """Return what is named in each text."""
        windows = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=self._n_tokens,
            stride=self._overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        read = self._predict(windows)
        of_text = windows["overflow_to_sample_mapping"]
        tokens: list[list[_Token]] = [[] for _ in texts]
        for index, text in enumerate(of_text):
            is_first = index == 0 or of_text[index - 1] != text
            is_last = index == len(of_text) - 1 or of_text[index + 1] != text
            start = 0 if is_first else self._overlap // 2
            end = None if is_last else self._overlap // 2 - self._overlap
            tokens[text].extend(read[index][start:end])
        return [_united(of_one) for of_one in tokens]

    def _predict(self, windows: Mapping[str, Any]) -> list[list[_Token]]:
        """Return the tokens of each window, without the tokenizer's own."""
        import torch  # noqa: PLC0415  # an optional extra

        inputs = [name for name in self._tokenizer.model_input_names if name in windows]
        filler = {"input_ids": self._tokenizer.pad_token_id or 0}
        ids = windows["input_ids"]
        read: list[list[_Token]] = [[] for _ in ids]
        by_length = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        for first in range(0, len(ids), _BATCH_WINDOWS):
            batch = by_length[first : first + _BATCH_WINDOWS]
            padded = {
                name: torch.nn.utils.rnn.pad_sequence(
                    [torch.tensor(windows[name][index]) for index in batch],
                    batch_first=True,
                    padding_value=filler.get(name, 0),
                )
                for name in inputs
            }
            with torch.inference_mode():
                scores = self._model(**padded).logits.float().softmax(-1)
            sums = scores @ self._sums
            best = sums.argmax(-1, keepdim=True)
            begins = 2 * (scores @ self._begins).gather(-1, best) > sums.gather(-1, best)
            is_named = sums.sum(-1) >= self._threshold
            for row, index in enumerate(batch):
                read[index] = [
                    _Token(start, end, self._entities[entity] if named else None, begin)
                    for (start, end), special, entity, begin, named in zip(
                        windows["offset_mapping"][index],
                        windows["special_tokens_mask"][index],
                        best[row, :, 0].tolist(),
                        begins[row, :, 0].tolist(),
                        is_named[row].tolist(),
                        strict=False,  # the rest is padding
                    )
                    if not special
                ]
        return read


def _united(tokens: Iterable[_Token]) -> list[labels.Named]:
    """Return what the tokens of a text name.

    A token goes on with what stands right before it, unless a new word says that it begins another.
    """
    found: list[labels.Named] = []
    before = None
    for token in tokens:
        if token.start == token.end:  # a blank
            continue
        if token.entity is not None:
            if token.entity == before and not (token.begins and token.start > found[-1].end):
                found[-1] = found[-1]._replace(end=token.end)
            else:
                found.append(labels.Named(token.start, token.end, token.entity))
        before = token.entity
    return found
