"""Language models: any of them names entities as we do, or says why not; nothing is downloaded."""

import json
import shutil
import sys
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from python_stages.scrub.ner import loading, second_look
from python_stages.scrub.recognizers.catalogue import NER_ENTITIES
from tests.python_stages.scrub import ner_models
from tests.python_stages.scrub.ner_models import FIRST, LAST, PLACES, named, refusal

# torch says so of its own; spaCy's neighbour thinc asks for it where torch is installed.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
offline = ner_models.offline  # a fixture, for every test here


# ── settings ──


@pytest.mark.parametrize(
    ("setting", "wrong", "known"),
    [
        ({"kind": "spacy", "path": "x", "model": "y"}, "model", "kind, path, labels, threshold"),
        ({"kind": "flair", "path": "x"}, "flair", "spacy, transformers, gliner"),
        ({"kind": ["spacy"], "path": "x"}, "spacy", "spacy, transformers, gliner"),
        ({"path": "x"}, "None", "spacy, transformers, gliner"),
        ({"kind": "spacy"}, "path", "folder"),
        ({"kind": "spacy", "path": "x", "labels": {"PER": "HUMAN"}}, "HUMAN", "PERSON, LOCATION"),
        ({"kind": "spacy", "path": "x", "labels": ["PER"]}, "labels", "mapping"),
        ({"kind": "gliner", "path": "x", "threshold": 2}, "threshold", "0 to 1"),
        ({"kind": "gliner", "path": "x", "threshold": True}, "threshold", "0 to 1"),
        ({"kind": "spacy", "path": "x", "threshold": 0.5}, "threshold", "leave out"),
        (["en_core_web_sm"], "ner", "mapping"),
        ("", "path", "folder"),
    ],
)
def test_a_wrong_setting_is_refused_with_those_that_are_known(
    setting: Any, wrong: str, known: str
) -> None:
    message = refusal(setting)
    assert wrong in message
    assert known in message


# ── spaCy ──


@pytest.fixture(scope="module")
def spacy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a spaCy model with names of its own, among parts that name nothing."""
    import spacy  # noqa: PLC0415  # takes seconds
    from spacy.training import Example  # noqa: PLC0415  # the same
    from thinc.api import fix_random_seed  # noqa: PLC0415  # the same

    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("ner")
    made = []
    for person, place in product((*FIRST, *LAST), PLACES):
        text = f"On Monday {person} flew to {place}."
        parts = (("Monday", "DATE"), (person, "PERSON"), (place, "GPE"))
        spans = [(text.index(part), text.index(part) + len(part), label) for part, label in parts]
        made.append(Example.from_dict(nlp.make_doc(text), {"entities": spans}))
    nlp.initialize(lambda: made)
    for _ in range(30):
        nlp.update(made)
    folder = tmp_path_factory.mktemp("spacy") / "model"
    nlp.to_disk(folder)
    return folder


TEXT: Final = "On Monday Anna flew to Lagos."


def test_a_spacy_folder_names_entities_as_we_do_and_drops_the_rest(spacy_folder: Path) -> None:
    nlp = loading.load(str(spacy_folder))
    assert named(nlp, TEXT) == [("Anna", "PERSON"), ("Lagos", "LOCATION")]


def test_labels_of_a_spacy_model_can_be_settled(spacy_folder: Path) -> None:
    setting = {"kind": "spacy", "path": str(spacy_folder), "labels": {"DATE": "NRP"}}
    assert ("Monday", "NRP") in named(loading.load(setting), TEXT)


def test_many_texts_are_named_as_each_alone(spacy_folder: Path) -> None:
    nlp = loading.load(str(spacy_folder))
    texts = [TEXT, "", "On Monday Ben flew to Berlin."]
    many = [[(entity.text, entity.label_) for entity in doc.ents] for doc in nlp.pipe(texts)]
    assert many == [named(nlp, text) for text in texts]


def test_parts_that_name_nothing_are_left_out(spacy_folder: Path) -> None:
    assert loading.load(str(spacy_folder)).pipe_names[0] == "ner"


def test_parts_beside_one_that_may_read_them_stay(spacy_folder: Path, tmp_path: Path) -> None:
    import spacy  # noqa: PLC0415  # takes seconds

    nlp = spacy.load(spacy_folder)
    ruler: Any = nlp.add_pipe("entity_ruler", config={"overwrite_ents": True})
    ruler.add_patterns([{"label": "ORG", "pattern": "Acme"}])
    nlp.to_disk(tmp_path)

    nlp = loading.load(str(tmp_path))
    assert "sentencizer" in nlp.pipe_names
    assert ("Acme", "ORGANIZATION") in named(nlp, "Acme")


def test_an_installed_package_is_loaded_by_its_name(
    spacy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "tiny_names"
    meta = json.loads((spacy_folder / "meta.json").read_text("utf-8"))
    shutil.copytree(spacy_folder, package / f"{meta['lang']}_{meta['name']}-{meta['version']}")
    (package / "meta.json").write_text(json.dumps(meta), "utf-8")
    (package / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n\n\n"
        "def load(**overrides):\n    return load_model_from_init_py(__file__, **overrides)\n",
        "utf-8",
    )
    distribution = tmp_path / "tiny_names-0.0.0.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Name: tiny-names\nVersion: 0.0.0\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert ("Anna", "PERSON") in named(loading.load("tiny_names"), TEXT)


def test_a_spacy_model_that_is_not_there_is_not_downloaded() -> None:
    message = refusal("en_core_web_lg_of_nobody")
    assert "en_core_web_lg_of_nobody" in message
    assert "pip" in message
    assert "transformers, gliner" in message


def test_a_package_that_is_no_model_is_refused() -> None:
    assert "numpy could not be read as a spacy model" in refusal("numpy")


def test_a_broken_folder_is_refused(spacy_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(spacy_folder, tmp_path / "broken")
    (folder / "ner" / "model").write_bytes(b"\0")
    assert "complete" in refusal(str(folder))


def test_the_shipped_model_names_as_we_do() -> None:
    nlp = loading.load()
    assert set(nlp.pipe_labels["ner"]) <= set(NER_ENTITIES)
    assert nlp.pipe_names == loading.load("sealtune").pipe_names == ["ner", second_look.NAME]


def test_without_the_shipped_model_it_is_said_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MODEL", tmp_path)
    assert "make ner" in refusal(None)


# ── folders of other libraries ──


@pytest.mark.parametrize("kind", ["transformers", "gliner"])
def test_a_folder_that_is_not_there_is_not_downloaded(kind: str) -> None:
    assert "there is no folder" in refusal({"kind": kind, "path": "nobody/nothing"})


@pytest.mark.parametrize("kind", ["transformers", "gliner"])
def test_pickles_are_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").touch()
    assert "pickles" in refusal({"kind": kind, "path": str(tmp_path)})


@pytest.mark.parametrize("kind", ["transformers", "gliner"])
def test_code_that_came_with_a_model_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "tokenizer").mkdir()
    config = {"auto_map": {"AutoModel": "code.Model"}}
    (tmp_path / "tokenizer" / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    assert "which is not run" in refusal({"kind": kind, "path": str(tmp_path)})


@pytest.mark.parametrize(("kind", "module"), [("transformers", "torch"), ("gliner", "gliner")])
def test_a_missing_extra_is_named(
    kind: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "model.safetensors").touch()
    assert f"pip install 'sealtune[{kind}]'" in refusal({"kind": kind, "path": str(tmp_path)})
