"""GLiNER models, made here, tiny; left out without PyTorch. `make test-extras` runs them."""

import json
import random
import shutil
import string
from pathlib import Path
from typing import TYPE_CHECKING, Final

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


@pytest.fixture(scope="module")
def gliner_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a GLiNER on a BERT of one layer to find the names above."""
    gliner = pytest.importorskip("gliner", reason=EXTRAS)
    torch = pytest.importorskip("torch", reason=EXTRAS)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("gliner")
    words = tokenizer(128)
    words.save_pretrained(folder / "words")
    config = gliner.GLiNERConfig(
        model_name=str(folder / "words"),
        encoder_config={
            "model_type": "bert",
            "vocab_size": len(words),
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 128,
        },
        hidden_size=32,
        max_len=60,
        max_width=4,
        dropout=0.0,
        span_mode="markerV0",
        num_rnn_layers=0,
    )
    model = gliner.GLiNER.from_config(config, backbone_from_pretrained=False)
    collate = model.data_collator_class(
        model.config, data_processor=model.data_processor, prepare_labels=True
    )
    rng = random.Random(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(100):
        made = [sentence(rng) for _ in range(8)]
        batch = [
            {"tokenized_text": words, "ner": spans, "ner_labels": ["person", "city"]}
            for words, spans in made
        ]
        loss = model(**collate(batch)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder, safe_serialization=True)
    shutil.rmtree(folder / "words")
    return folder


ASKED: Final = {"person": "PERSON", "city": "LOCATION"}


@pytest.fixture(scope="module")
def asked(gliner_folder: Path) -> "Language":
    return loading.load({"kind": "gliner", "path": str(gliner_folder), "labels": ASKED})


def test_a_gliner_names_what_it_is_asked_for(asked: "Language") -> None:
    assert named(asked, MET) == PEOPLE


def test_a_gliner_finds_a_name_wherever_it_stands_in_a_long_text(asked: "Language") -> None:
    texts = long_texts(random.Random(1))
    assert places(asked, texts) == [[(at, "Clara Schmidt")] for _, at in texts]


def test_a_gliner_reads_past_a_word_longer_than_itself(asked: "Language") -> None:
    assert ("Anna Miller", "PERSON") in named(asked, f"{'x' * 1000} i met Anna Miller in Berlin")


def test_a_gliner_reads_texts_without_words(asked: "Language") -> None:
    assert [doc.ents for doc in asked.pipe(["", " \n "])] == [(), ()]


def test_a_gliner_that_is_less_sure_than_asked_names_nothing(gliner_folder: Path) -> None:
    setting = {"kind": "gliner", "path": str(gliner_folder), "labels": ASKED, "threshold": 1.0}
    assert named(loading.load(setting), MET) == []


def test_more_labels_than_a_gliner_can_read_are_refused(gliner_folder: Path) -> None:
    many = {f"someone whose name is {letter}": "PERSON" for letter in string.ascii_letters}
    setting = {"kind": "gliner", "path": str(gliner_folder), "labels": many}
    assert "52 labels are too many" in refusal(setting)


@pytest.mark.parametrize("missing", ["tokenizer_config.json", "encoder_config"])
def test_a_gliner_that_would_be_completed_from_elsewhere_is_refused(
    missing: str, gliner_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(gliner_folder, tmp_path / "part")
    (folder / missing).unlink(missing_ok=True)
    config = json.loads((folder / "gliner_config.json").read_text("utf-8"))
    config.pop(missing, None)
    (folder / "gliner_config.json").write_text(json.dumps(config), "utf-8")
    assert missing in refusal({"kind": "gliner", "path": str(folder)})


def test_a_gliner_whose_tensors_are_not_all_there_is_refused(
    gliner_folder: Path, tmp_path: Path
) -> None:
    torch_files = pytest.importorskip("safetensors.torch", reason=EXTRAS)
    folder = shutil.copytree(gliner_folder, tmp_path / "part")
    tensors = torch_files.load_file(folder / "model.safetensors")
    torch_files.save_file(dict(list(tensors.items())[1:]), folder / "model.safetensors")
    assert "could not be read" in refusal({"kind": "gliner", "path": str(folder), "labels": ASKED})


def test_a_gliner_whose_way_to_split_words_may_download_is_refused(
    gliner_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(gliner_folder, tmp_path / "part")
    config = json.loads((folder / "gliner_config.json").read_text("utf-8"))
    config["words_splitter_type"] = "stanza"
    (folder / "gliner_config.json").write_text(json.dumps(config), "utf-8")
    assert "stanza" in refusal({"kind": "gliner", "path": str(folder)})
