"""Token classifiers of transformers, made here, tiny; left out without PyTorch.

`make test-extras` runs them.
"""

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from python_stages.scrub.ner import loading
from tests.python_stages.scrub import ner_models
from tests.python_stages.scrub.ner_models import (
    EXTRAS,
    MET,
    PEOPLE,
    long_texts,
    named,
    places,
    refusal,
    sentence,
    tokenizer,
)

if TYPE_CHECKING:
    from spacy.language import Language

# torch says so of its own; spaCy's neighbour thinc asks for it where torch is installed.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
offline = ner_models.offline  # a fixture, for every test here


def letters_and_blanks(*, is_trimmed: bool) -> Any:
    """Return a tokenizer of bytes, as GPT-2 and RoBERTa have: blanks are tokens, too."""
    tokenizers = pytest.importorskip("tokenizers", reason=EXTRAS)
    transformers = pytest.importorskip("transformers", reason=EXTRAS)
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE({byte: index for index, byte in enumerate(["[PAD]", *alphabet])}, [])
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = tokenizers.processors.ByteLevel(trim_offsets=is_trimmed)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]")  # noqa: S106  # no secret


def classifier(folder: Path, by_index: list[str], words: Any = None) -> Any:
    """Return an untrained token classifier, its tokenizer saved to a folder."""
    transformers = pytest.importorskip("transformers", reason=EXTRAS)
    words = words or tokenizer(64)
    words.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        id2label=dict(enumerate(by_index)),
    )
    return transformers.BertForTokenClassification(config)


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a BERT of one layer to find the names above."""
    torch = pytest.importorskip("torch", reason=EXTRAS)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # more only wait for each other in a model this small
    folder = tmp_path_factory.mktemp("bert")
    model = classifier(folder, ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-MISC"])
    ids = tokenizer(64).convert_tokens_to_ids
    rng = random.Random(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(150):
        inputs, targets = [], []
        for _ in range(16):
            words, spans = sentence(rng)
            target = [0] * len(words)
            for first, last, kind in spans:
                target[first : last + 1] = [1, 2] if kind == "person" else [3]
            inputs.append(ids(["[CLS]", *words, "[SEP]"]))
            targets.append([-100, *target, -100])
        loss = model(input_ids=torch.tensor(inputs), labels=torch.tensor(targets)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> "Language":
    return loading.load({"kind": "transformers", "path": str(bert_folder)})


def test_a_token_classifier_names_entities_as_we_do(bert: "Language") -> None:
    assert named(bert, MET) == PEOPLE


def test_a_token_classifier_finds_a_name_wherever_it_stands_in_a_long_text(
    bert: "Language",
) -> None:
    texts = long_texts(random.Random(1))
    assert places(bert, texts) == [[(at, "Clara Schmidt")] for _, at in texts]


def test_a_token_classifier_reads_texts_without_words(bert: "Language") -> None:
    assert [doc.ents for doc in bert.pipe(["", " \n ", "\0"])] == [(), (), ()]


def test_a_word_that_a_token_classifier_names_in_part_counts_as_a_whole(bert: "Language") -> None:
    assert "Millerx" in " ".join(text for text, _ in named(bert, "i met Anna Millerx in Berlin."))


def test_the_labels_of_an_entity_count_together(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason=EXTRAS)
    model = classifier(tmp_path, ["O", "B-CITY", "I-COUNTRY", "I-DATE"])
    with torch.no_grad():  # gives every token these odds
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.35, 0.3, 0.3, 0.05]).log())
    model.save_pretrained(tmp_path)

    setting = {"kind": "transformers", "path": str(tmp_path)}
    assert named(loading.load(setting), "Lagos Berlin") == [("Lagos Berlin", "LOCATION")]
    assert named(loading.load(setting | {"threshold": 0.61}), "Lagos Berlin") == []


@pytest.mark.parametrize("is_trimmed", [True, False])
def test_blanks_around_a_name_do_not_count_to_it(is_trimmed: bool, tmp_path: Path) -> None:  # noqa: FBT001  # pytest's contract
    torch = pytest.importorskip("torch", reason=EXTRAS)
    model = classifier(tmp_path, ["O", "PER"], letters_and_blanks(is_trimmed=is_trimmed))
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, 9.0]))
    model.save_pretrained(tmp_path)

    nlp = loading.load({"kind": "transformers", "path": str(tmp_path)})
    assert named(nlp, "  Anna  Miller \n") == [("Anna  Miller", "PERSON")]


def test_labels_of_a_token_classifier_that_mean_nothing_can_be_settled(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason=EXTRAS)
    model = classifier(tmp_path, ["LABEL_0", "LABEL_1"])
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, 9.0]))
    model.save_pretrained(tmp_path)

    setting = {"kind": "transformers", "path": str(tmp_path)}
    assert "LABEL_0, LABEL_1" in refusal(setting)
    settled = setting | {"labels": {"LABEL_1": "PERSON"}}
    assert named(loading.load(settled), "Anna") == [("Anna", "PERSON")]


def test_a_model_that_was_not_trained_to_find_entities_is_refused(bert_folder: Path) -> None:
    model = classifier(bert_folder, ["O", "PER"])
    folder = shutil.copytree(bert_folder, bert_folder.parent / "headless")
    model.bert.save_pretrained(folder)
    assert "no trained token classifier" in refusal({"kind": "transformers", "path": str(folder)})
