"""Load a language model, whichever the configuration names, as a spaCy pipeline.

    ner: sealtune                         # the model that comes with sealtune; the default
    ner: en_core_web_lg                   # an installed spaCy model
    ner: models/ours                      # the folder of one
    ner:
      kind: transformers                  # spacy, transformers or gliner, see KINDS
      path: models/bert                   # a folder; for spacy also a name
      labels: {LABEL_1: PERSON}           # label of the model -> entity, where labels.py errs;
                                          # for gliner all that it is asked for
      threshold: 0.5                      # how sure it must be; not for spacy

Whatever it is, `doc.ents` of the pipeline carry our names. Nothing is downloaded, no code of a
model folder is run, and what would be unpickled is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from python_stages.errors import ConfigError, SealtuneError
from python_stages.scrub.ner import greedy, labels, second_look

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

SHIPPED: Final = "sealtune"
MODEL: Final = Path(__file__).parent / "model"

# Longer than what transformers read at a time: what fails on a text fails at once.
_PROBE: Final = "word " * 600
_KEYS: Final = ("kind", "path", "labels", "threshold")
_RENAMED: Final = "sealtune_renamed"
# Parts of spaCy's own models that name nothing; they take most of the time of a text.
_NEEDLESS: Final = frozenset(
    {
        "attribute_ruler",
        "lemmatizer",
        "morphologizer",
        "parser",
        "sentencizer",
        "senter",
        "tagger",
        "trainable_lemmatizer",
    }
)
_NEEDED: Final = frozenset({"curated_transformer", "ner", "tok2vec", "transformer"})


@dataclass(frozen=True, slots=True)
class Setting:
    """Which model is used.

    Attributes:
        kind: member of KINDS.
        path: of its folder, or the name of a spaCy package, or SHIPPED.
        labels: label of the model -> entity, beyond the usual ones.
        threshold: how sure the model must be (0..1); None for the usual half.
    """

    kind: str
    path: str
    labels: Mapping[str, str] = field(default_factory=dict)
    threshold: float | None = None

    @classmethod
    def read(cls, setting: str | Mapping[str, Any] | None) -> "Setting":
        """Read and check the setting `ner`.

        Raises:
            ConfigError: it has an unknown key, kind or entity, or a value of the wrong type.
        """
        if setting is None:
            return cls("spacy", SHIPPED)
        if isinstance(setting, str):
            setting = {"kind": "spacy", "path": setting}
        elif not isinstance(setting, Mapping):
            raise ConfigError("ner must be the name or path of a model, or a mapping")
        unknown = sorted(str(key) for key in setting if key not in _KEYS)
        if unknown:
            raise ConfigError(
                f"unknown setting {', '.join(unknown)} of ner: the known ones are "
                f"{', '.join(_KEYS)}"
            )
        return cls(
            _kind(setting.get("kind")),
            _path(setting.get("path")),
            _labels(setting.get("labels")),
            _threshold(setting.get("threshold")),
        )


def load(setting: str | Mapping[str, Any] | None = None) -> "Language":
    """Return a pipeline whose `doc.ents` carry our names of entities.

    Args:
        setting: see above; None for the model that comes with sealtune.

    Raises:
        ConfigError: the setting is wrong, the model is not there or cannot be read, names nothing
            that is looked for, or needs an extra that is not installed.
    """
    read = Setting.read(setting)
    try:
        nlp = KINDS[read.kind](read)
        nlp(_PROBE)
    except SealtuneError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"{read.path} could not be read as a {read.kind} model "
            f"({type(error).__name__}: {reason}): check that ner names the right kind and that the "
            "folder is complete"
        ) from error
    return nlp


def folder(setting: Setting) -> Path:
    """Return the folder of a model, from which nothing is run or unpickled.

    Raises:
        ConfigError: there is none, or it holds no tensors but pickled ones, or code of its own.
    """
    found = Path(setting.path).expanduser()
    if not found.is_dir():
        raise ConfigError(
            f"there is no folder {found.absolute()} for the {setting.kind} model of ner: nothing "
            "is downloaded here; where there is a network, `hf download OWNER/NAME --local-dir "
            "FOLDER` fetches one"
        )
    if not any(found.glob("*.safetensors")):
        raise ConfigError(
            f"{found} holds no *.safetensors: other formats are pickles, which can run code when "
            "they are read; have the library that made the model save it as safetensors"
        )
    for file in sorted(found.rglob("*config.json")):
        if '"auto_map"' in file.read_text("utf-8"):
            raise ConfigError(
                f"{file} asks for code that came with the model, which is not run: name a model "
                "that its library knows, or take auto_map out if it knows this one"
            )
    return found


def _spacy(setting: Setting) -> "Language":
    """Return a spaCy model that names entities as we do, without the parts that name nothing."""
    if setting.threshold is not None:
        raise ConfigError("a spaCy model does not say how sure it is: leave out threshold of ner")
    import spacy  # noqa: PLC0415  # takes seconds
    from spacy.language import Language  # noqa: PLC0415  # the same

    # others with thinc's BLIS, not numpy: faster, but its last digits depend on the batch
    nlp = spacy.load(_source(setting.path))
    factories = {name: nlp.get_pipe_meta(name).factory for name in nlp.pipe_names}
    if set(factories.values()) <= _NEEDLESS | _NEEDED:  # another part may read what they write
        for name, factory in factories.items():
            if factory in _NEEDLESS:
                nlp.remove_pipe(name)
    named = [
        label
        for name in nlp.pipe_names
        if "doc.ents" in nlp.get_pipe_meta(name).assigns
        for label in nlp.pipe_labels[name]
    ]
    ours = labels.ours(named, setting.labels)
    if any(ours.get(label) != label for label in named):
        Language.factory(_RENAMED, func=_renamed)
        nlp.add_pipe(_RENAMED, config={"labels": ours})
    return _ours(nlp) if setting.path == SHIPPED else nlp


def _ours(nlp: "Language") -> "Language":
    """Return the model of this project as it is meant to be used."""
    from python_stages.scrub.ner import exact  # noqa: PLC0415  # imports thinc

    return second_look.add_to(greedy.put_into(exact.use(nlp)))


def _source(path: str) -> str | Path:
    """Return what spaCy loads: the name of a package that is installed, or a folder."""
    from spacy.util import is_package  # noqa: PLC0415  # takes seconds

    if path == SHIPPED:
        if (MODEL / "config.cfg").is_file():
            return MODEL
        raise ConfigError(
            f"the language model that comes with sealtune is not at {MODEL}: train it with "
            "`make ner`, or name another one under ner"
        )
    if is_package(path):
        return path
    found = Path(path).expanduser()
    if (found / "config.cfg").is_file():
        return found
    raise ConfigError(
        f"no spaCy model {path} is installed, and {found.absolute()} is no folder of one: nothing "
        "is downloaded here; install the package with pip, or name the folder that to_disk wrote "
        f"(for a model of another library, say its kind: {', '.join(KINDS)})"
    )


def _renamed(nlp: "Language", name: str, labels: dict[str, str]) -> "Renamed":  # noqa: ARG001  # spaCy's contract
    return Renamed(labels)


class Renamed:
    """Part of a pipeline: entities that others named, in our names; those we have not are dropped.

    Args:
        labels: label of the model -> entity.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels: Final = labels

    def __call__(self, doc: "Doc") -> "Doc":
        """Rename the entities of a document."""
        return labels.name(
            doc,
            [
                labels.Named(entity.start_char, entity.end_char, self._labels[entity.label_])
                for entity in doc.ents
                if entity.label_ in self._labels
            ],
        )


def _transformers(setting: Setting) -> "Language":
    from python_stages.scrub.ner import transformers_model  # noqa: PLC0415  # an optional extra

    return transformers_model.load(folder(setting), setting.labels, setting.threshold)


def _gliner(setting: Setting) -> "Language":
    from python_stages.scrub.ner import gliner_model  # noqa: PLC0415  # an optional extra

    return gliner_model.load(folder(setting), setting.labels, setting.threshold)


KINDS: Final[Mapping[str, Callable[[Setting], "Language"]]] = {
    "spacy": _spacy,
    "transformers": _transformers,
    "gliner": _gliner,
}


def _kind(kind: Any) -> str:
    if isinstance(kind, str) and kind in KINDS:
        return kind
    raise ConfigError(f"unknown kind {kind} of ner: the known ones are {', '.join(KINDS)}")


def _path(path: Any) -> str:
    if isinstance(path, str) and path.strip():
        return path
    raise ConfigError("path of ner must be the folder of a model")


def _labels(given: Any) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(
        isinstance(text, str) for pair in given.items() for text in pair
    ):
        raise ConfigError("labels of ner must be a mapping: label of the model -> entity")
    labels.check(given)
    return dict(given)


def _threshold(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise ConfigError("threshold of ner must be a number from 0 to 1")
    return float(given)
