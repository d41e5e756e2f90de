"""Language models: any of them names entities as we do, or says why not; nothing is downloaded.

Every model is made here, tiny. Those of transformers and GLiNER need PyTorch and are left out
without it; `make test-extras` runs them.
"""

import json
import random
import shutil
import socket
import string
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError
from python_stages.scrub.ner import labels, loading, second_look
from python_stages.scrub.ner.generate.labelled import LABELS
from python_stages.scrub.ner.labels import Named
from python_stages.scrub.recognizers.catalogue import NER_ENTITIES

if TYPE_CHECKING:
    from spacy.language import Language

# torch says so of its own; spaCy's neighbour thinc asks for it where torch is installed.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

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


def test_the_entities_of_models_are_those_of_the_catalogue() -> None:
    assert set(LABELS) == set(NER_ENTITIES)


@pytest.mark.parametrize(
    ("label", "entity"),
    [
        ("B-PER", "PERSON"),
        ("I-LOC", "LOCATION"),
        ("S-ORG", "ORGANIZATION"),
        ("first_name", "PERSON"),
        ("GPE", "LOCATION"),
        ("NORP", "NRP"),
        ("U-Street", "STREET_ADDRESS"),
        ("STREET_ADDRESS", "STREET_ADDRESS"),
    ],
)
def test_usual_labels_are_understood(label: str, entity: str) -> None:
    assert labels.ours([label, "O", "MISC", "E-MAIL"], {}) == {label: entity}


def test_a_label_that_is_settled_counts_over_the_usual_meaning() -> None:
    assert labels.ours(["B-ORG", "I-ORG", "PER"], {"org": "PERSON"}) == {
        "B-ORG": "PERSON",
        "I-ORG": "PERSON",
        "PER": "PERSON",
    }


def test_a_settled_label_that_the_model_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(ConfigError, match=r"PERS0N.*its labels are LOC, PER"):
        labels.ours(["B-PER", "I-PER", "LOC"], {"PERS0N": "PERSON"})


def test_a_model_with_no_label_of_ours_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"its labels are LABEL_0, LABEL_1"):
        labels.ours(["LABEL_0", "LABEL_1"], {})


# ── what is named becomes entities ──


@cache
def word_splitter() -> "Language":
    import spacy  # noqa: PLC0415  # takes seconds

    return spacy.blank("en")


@settings(deadline=None)  # the first example imports spaCy
@given(
    st.text("ab .,-\n", min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 10), st.sampled_from(LABELS))),
)
def test_no_word_that_was_named_is_lost_and_none_is_cut(
    text: str, drawn: list[tuple[int, int, str]]
) -> None:
    found = [
        Named(start, min(start + length, len(text)), entity)
        for start, length, entity in drawn
        if start < len(text)
    ]
    doc = labels.name(word_splitter().make_doc(text), found)

    touched = {
        token.i
        for token in doc
        for one in found
        if text[max(one.start, token.idx) : min(one.end, token.idx + len(token))].strip()
    }
    assert {token.i for entity in doc.ents for token in entity} >= touched
    assert [entity.start for entity in doc.ents] == sorted(entity.start for entity in doc.ents)


def test_what_is_named_outside_the_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside"):
        labels.name(word_splitter().make_doc("Anna"), [Named(9, 12, "PERSON")])


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


# ── transformers ──


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


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a BERT of one layer to find the names above."""
    torch = pytest.importorskip("torch", reason=EXTRAS)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # more only wait for each other in a model this small
    folder = tmp_path_factory.mktemp("bert")
    model = classifier(folder, ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-MISC"])
    ids = tokenizer(64).convert_tokens_to_ids
    rng = random.Random(0)  # noqa: S311  # no secret
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


def test_a_token_classifier_names_entities_as_we_do(bert: "Language") -> None:
    assert named(bert, MET) == PEOPLE


def test_a_token_classifier_finds_a_name_wherever_it_stands_in_a_long_text(
    bert: "Language",
) -> None:
    texts = long_texts(random.Random(1))  # noqa: S311  # no secret
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


# ── GLiNER ──


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
    rng = random.Random(0)  # noqa: S311  # no secret
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
    texts = long_texts(random.Random(1))  # noqa: S311  # no secret
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
