"""A GLiNER model (Zaratiana et al. 2024, arXiv:2311.08526) as a spaCy pipeline.

GLiNER finds what it is asked for in words: `labels` of the configuration are questions, and take
the place of those below. It cuts off without an error what does not fit the model, so texts are
read in windows that overlap by a quarter, and a finding counts where it begins in the middle.

Presidio's recogniser for GLiNER adds every entity of a policy to the questions, from phone numbers
to passports; it looks for the model on the network, and leaves tensors that are missing random.

PyTorch and gliner are imported inside: they are an extra, and take seconds.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from python_stages.errors import ConfigError
from python_stages.scrub.ner import labels

if TYPE_CHECKING:
    from spacy.language import Language

THRESHOLD: Final = 0.5
LABELS: Final[Mapping[str, str]] = {
    "person": "PERSON",
    "city": "LOCATION",
    "region": "LOCATION",
    "country": "LOCATION",
    "street address": "STREET_ADDRESS",
    "organization": "ORGANIZATION",
    "nationality": "NRP",
    "religion": "NRP",
    "political group": "NRP",
}

_FACTORY: Final = "sealtune_gliner"
_MOST_TOKENS: Final = 512  # of a window, questions included
_SPECIAL_TOKENS: Final = 8  # around questions and text, generously
_WORDS: Final = "whitespace"  # other ways to split words download models
_FILES: Final = ("model.safetensors", "gliner_config.json", "tokenizer_config.json")


def load(folder: Path, settled: Mapping[str, str], threshold: float | None) -> "Language":
    """Return a pipeline that splits English words and names what the model finds.

    Args:
        folder: as `save_pretrained` writes it.
        settled: question -> entity; those of LABELS if there are none.
        threshold: how sure the model must be (0..1).

    Raises:
        ConfigError: the extra is missing, the folder is not complete, or the questions leave no
            room for a text.
    """
    sure = THRESHOLD if threshold is None else threshold
    config = {"folder": str(folder), "labels": dict(settled or LABELS), "threshold": sure}
    return labels.pipeline(_FACTORY, _create, config)


def _create(
    nlp: "Language",  # noqa: ARG001  # spaCy's contract
    name: str,  # noqa: ARG001  # the same
    folder: str,
    labels: dict[str, str],
    threshold: float,
) -> "PromptNames":
    try:
        from gliner import GLiNER  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise ConfigError(
            "a GLiNER model needs the extra `gliner`: pip install 'sealtune[gliner]'"
        ) from error
    _check(Path(folder))
    # Strict: a tensor that the file lacks is an error, not random.
    model = GLiNER.from_pretrained(folder, local_files_only=True, map_location="cpu", strict=True)
    return PromptNames(model, labels, threshold)


def _check(folder: Path) -> None:
    """Check that all the model needs is in its folder, so that nothing is looked for elsewhere."""
    missing = [file for file in _FILES if not (folder / file).is_file()]
    config = {} if missing else json.loads((folder / "gliner_config.json").read_text("utf-8"))
    if missing or not config.get("encoder_config"):
        raise ConfigError(
            f"{folder} lacks {', '.join(missing) or 'the encoder_config in gliner_config.json'}, "
            "which gliner would look for elsewhere: where there is a network, "
            "GLiNER.from_pretrained(NAME).save_pretrained(FOLDER, safe_serialization=True) "
            "writes a complete folder"
        )
    if config.get("words_splitter_type", _WORDS) != _WORDS:
        raise ConfigError(
            f"{folder} splits words by {config['words_splitter_type']}, which may download a "
            f"model: only models with words_splitter_type {_WORDS} are read"
        )


@dataclass(frozen=True, slots=True)
class _Window:
    """What is read of a text, and where in it a finding must begin; in characters."""

    start: int
    end: int
    core_start: int
    core_end: int


class PromptNames(labels.Reader):
    """Part of a pipeline: sets the entities that a GLiNER model finds.

    Args:
        model: a GLiNER.
        asked: question -> entity.
        threshold: how sure the model must be (0..1).

    Raises:
        ConfigError: the questions leave no room for a text.
    """

    def __init__(self, model: Any, asked: Mapping[str, str], threshold: float) -> None:
        self._model: Final = model
        self._asked: Final = asked
        self._threshold: Final = threshold
        self._tokenizer: Final = model.data_processor.transformer_tokenizer
        encoder = model.config.encoder_config
        positions = getattr(encoder, "max_position_embeddings", None) or _MOST_TOKENS
        most = min(_MOST_TOKENS, self._tokenizer.model_max_length, positions)
        questions = sum(self._sizes(list(asked))) + len(asked)
        self._n_words: Final = model.config.max_len
        self._n_tokens: Final = most - questions - _SPECIAL_TOKENS
        if self._n_tokens < most // 4:
            raise ConfigError(
                f"{len(asked)} labels are too many for a model that reads {most} tokens at a time: "
                "ask for fewer"
            )

    def read(self, texts: Sequence[str]) -> list[list[labels.Named]]:
        """Return what is named in each text."""
        windows = [(index, one) for index, text in enumerate(texts) for one in self._windows(text)]
        found: list[list[labels.Named]] = [[] for _ in texts]
        if not windows:
            return found
        read = self._model.inference(
            [texts[index][window.start : window.end] for index, window in windows],
            list(self._asked),
            threshold=self._threshold,
        )
        for (index, window), entities in zip(windows, read, strict=True):
            for entity in entities:
                start, end = window.start + entity["start"], window.start + entity["end"]
                if window.core_start <= start < window.core_end:
                    found[index].append(labels.Named(start, end, self._asked[entity["label"]]))
        return found

    def _windows(self, text: str) -> Iterator[_Window]:
        """Yield what to read of a text: whole words, as many as the model takes."""
        words = [(start, end) for _, start, end in self._model.data_processor.words_splitter(text)]
        sizes = self._sizes([text[start:end] for start, end in words])
        first = core = 0
        while first < len(words):
            last, n_tokens = first + 1, sizes[first]
            while (
                last < len(words)
                and last - first < self._n_words
                and n_tokens + sizes[last] <= self._n_tokens
            ):
                n_tokens += sizes[last]
                last += 1
            is_end = last == len(words)
            overlap = 0 if is_end else (last - first) // 4
            next_core = last - overlap // 2
            core_end = len(text) if is_end else words[next_core][0]
            yield _Window(words[first][0], words[last - 1][1], words[core][0], core_end)
            first, core = last - overlap, next_core

    def _sizes(self, words: list[str]) -> list[int]:
        """Return of how many tokens each word is."""
        if not words:
            return []
        return [len(ids) for ids in self._tokenizer(words, add_special_tokens=False)["input_ids"]]
