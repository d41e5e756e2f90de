"""What tests of language models share: names to find, tiny tokenizers, and no network."""

import random
import socket
import string
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from python_stages.errors import ConfigError
from python_stages.scrub.ner import loading

if TYPE_CHECKING:
    from spacy.language import Language

EXTRAS: Final = "PyTorch is not installed: make test-extras"
FIRST: Final = ("Anna", "Ben", "Clara")
LAST: Final = ("Miller", "Schmidt", "Lopez")
PLACES: Final = ("Berlin", "Lagos")
FILLER: Final = ("i", "met", "in", "the", "office", "and", "then", "spoke", "about", "a", "long")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail what so much as looks for a network, even if it then makes do without."""
    tried = []

    def refuse(*args: Any, **_: Any) -> None:
        tried.append(args)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert tried == []


def named(nlp: "Language", text: str) -> list[tuple[str, str]]:
    return [(entity.text, entity.label_) for entity in nlp(text).ents]


def refusal(setting: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        loading.load(setting)
    return str(raised.value)


MET: Final = "i met Anna Miller, then Ben Lopez in Berlin."
PEOPLE: Final = [("Anna Miller", "PERSON"), ("Ben Lopez", "PERSON"), ("Berlin", "LOCATION")]


def long_texts(rng: random.Random) -> list[tuple[str, int]]:
    """Return texts of several windows with one name, wherever it stands, and its place."""
    made = []
    for before in range(0, 130, 9):
        start = "".join(f"{rng.choice(FILLER)} " for _ in range(before))
        end = "".join(f" {rng.choice(FILLER)}" for _ in range(130 - before))
        made.append((f"{start}Clara Schmidt{end}", len(start)))
    return made


def places(nlp: "Language", texts: list[tuple[str, int]]) -> list[list[tuple[int, str]]]:
    return [
        [(entity.start_char, entity.text) for entity in doc.ents]
        for doc in nlp.pipe([text for text, _ in texts])
    ]


def tokenizer(n_tokens: int) -> Any:
    """Return a WordPiece tokenizer that knows a few words, and every letter."""
    transformers = pytest.importorskip("transformers", reason=EXTRAS)
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    letters = (*string.ascii_letters, *("##" + letter for letter in string.ascii_letters))
    words = [*special, *FIRST, *LAST, *PLACES, *FILLER, *letters, *string.punctuation]
    return transformers.BertTokenizerFast(
        vocab={word: index for index, word in enumerate(dict.fromkeys(words))},
        do_lower_case=False,
        model_max_length=n_tokens,
    )


def sentence(rng: random.Random) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Return 60 words, and the persons and places in them: first word, last word, which."""
    words: list[str] = []
    spans = []
    while len(words) < 59:
        drawn = rng.random()
        if drawn < 0.15:
            spans.append((len(words), len(words) + 1, "person"))
            words += [rng.choice(FIRST), rng.choice(LAST)]
        elif drawn < 0.25:
            spans.append((len(words), len(words), "city"))
            words.append(rng.choice(PLACES))
        else:
            words.append(rng.choice((*FILLER, ",", ".")))
    return words + ["."] * (60 - len(words)), spans
