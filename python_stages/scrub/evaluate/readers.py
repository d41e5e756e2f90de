"""Labelled sets as others write them, read into texts with labelled spans.

    conll      a token and its tag per line (first and last column; tab or space; BIO, IOB, BIOES
               or bare labels are told apart), an empty line between sentences; the text of a
               sentence is its tokens joined by single spaces
    presidio   presidio-research: a list of {full_text, spans: [{entity_type, start_position,
               end_position}]}; all other keys are left unread
    jsonl      a line per document: {text, spans: [{start, end, label}]}, or [start, end, label]

JSON is read by its keys, so a list may stand where lines are expected and the other way round; an
annotation that names a value and no place ({entity, label}) stands for every place of the value.
A folder is read file by file, in order of name.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from python_stages.errors import ConfigError, SourceError

FORMATS: Final = ("auto", "conll", "presidio", "jsonl")

_CONLL_ENDINGS: Final = frozenset({".conll", ".bio", ".iob", ".iob2", ".tsv"})
_JSON_ENDINGS: Final = frozenset({".json", ".jsonl", ".ndjson"})
_TAG: Final = re.compile(r"O|([BIESLU])-(.+)")
_BARE: Final = re.compile(r"[A-Z][A-Z_-]+")
_TEXT_KEYS: Final = ("full_text", "text", "source_text")
_SPAN_KEYS: Final = ("spans", "entities", "labels", "label", "NER", "ner", "privacy_mask")
_LABEL_KEYS: Final = ("entity_type", "label", "entity", "type")
_START_KEYS: Final = ("start", "start_position", "start_offset")
_END_KEYS: Final = ("end", "end_position", "end_offset")
_TRIPLE: Final = 3


@dataclass(frozen=True, slots=True)
class Label:
    """A labelled part of a text: the set's own name for it, and where it is, in characters."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A text and its labels."""

    text: str
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Documents, and how many annotations were left out: their value is not in their text."""

    documents: tuple[Document, ...]
    n_left_out: int


def read(path: Path, form: str = "auto") -> LabelledSet:
    """Read a file or a folder of files.

    Args:
        path: the file, or a folder whose files end like one of the formats.
        form: one of FORMATS; `auto` looks at the first character of each file.

    Raises:
        ConfigError: the format is unknown.
        SourceError: a file is missing, not utf-8, not of the format, or labels what is not there.
    """
    if form not in FORMATS:
        raise ConfigError(f"unknown format of a labelled set: the known ones are {_list(FORMATS)}")
    n_left_out = 0
    documents: list[Document] = []
    for file in _files(path):
        content = _content(file)
        is_json = form in {"presidio", "jsonl"} or (
            form == "auto" and file.suffix not in _CONLL_ENDINGS and content.lstrip()[:1] in "[{"
        )
        if is_json:
            for where, record in _records(file.name, content):
                document, n_unplaced = _document(where, record)
                documents.append(document)
                n_left_out += n_unplaced
        else:
            documents += _sentences(file.name, content)
    if not documents:
        raise SourceError(f"{path.name} holds no documents: is it the right file?")
    return LabelledSet(tuple(documents), n_left_out)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    endings = _CONLL_ENDINGS | _JSON_ENDINGS
    files = sorted(file for file in path.iterdir() if file.suffix in endings)
    if not files:
        raise SourceError(f"{path.name} holds no file that ends in {_list(sorted(endings))}")
    return files


def _content(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{file.name} is not utf-8: convert it first") from None


def _sentences(name: str, content: str) -> Iterator[Document]:
    """Yield the sentences of a CoNLL file."""
    words: list[tuple[str, str]] = []
    # Only line feeds end a line: tokens of tweets hold every other separator of Unicode.
    for number, line in enumerate(content.split("\n"), start=1):
        columns = re.split(r"\t" if "\t" in line else r"[ \t]+", line.strip(" \r\n"))
        if not "".join(columns).strip():
            if words:
                yield _sentence(words)
            words = []
        elif columns[0] == "-DOCSTART-" or (columns[0] == "#" and "\t" not in line):
            continue  # a marker, or a comment
        elif len(columns) > 1 and (columns[-1] == "" or _is_tag(columns[-1])):
            words.append((columns[0], columns[-1] or "O"))
        else:
            raise SourceError(f"line {number} of {name} is not a token and a tag such as B-PER")
    if words:
        yield _sentence(words)


def _is_tag(word: str) -> bool:
    # Bare labels count in capitals only: the last word of a line of prose must not pass for one.
    return bool(_TAG.fullmatch(word) or _BARE.fullmatch(word))


def _sentence(words: Iterable[tuple[str, str]]) -> Document:
    """Join words by single spaces, and the tags of a run by one label."""
    pieces: list[str] = []
    labels: list[Label] = []
    place, open_label = 0, ""
    for word, tag in words:
        match = _TAG.fullmatch(tag)
        prefix, name = (match[1], match[2] or "") if match else ("I", tag)
        if name and name == open_label and prefix in {"I", "E", "L"}:
            labels[-1] = Label(name, labels[-1].start, place + len(word))
        elif name:
            labels.append(Label(name, place, place + len(word)))
        open_label = "" if prefix in {"E", "L", "S", "U"} else name
        pieces.append(word)
        place += len(word) + 1
    return Document(" ".join(pieces), tuple(labels))


def _records(name: str, content: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what to call each object of a JSON list or of JSON lines, and the object."""
    if content.lstrip().startswith("["):
        values = _parsed(name, content)
        places = (f"document {number} of {name}" for number in range(1, len(values) + 1))
    else:
        lines = [(n, line) for n, line in enumerate(content.split("\n"), start=1) if line.strip()]
        values = [_parsed(f"line {n} of {name}", line) for n, line in lines]
        places = (f"line {n} of {name}" for n, _ in lines)
    for where, value in zip(places, values, strict=True):
        if not isinstance(value, Mapping):
            raise SourceError(f"{where} is not an object with a text")
        yield where, value


def _parsed(where: str, content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise SourceError(f"{where} is not json: is the format right?") from None


def _document(where: str, record: Mapping[str, Any]) -> tuple[Document, int]:
    """Return the document of an object, and the number of annotations that have no place."""
    text = _first(record, _TEXT_KEYS)
    if not isinstance(text, str):
        raise SourceError(f"{where} has no text: one of {_list(_TEXT_KEYS)} must be a string")
    labels: list[Label] = []
    n_unplaced = 0
    annotations = _first(record, _SPAN_KEYS) or []
    if not isinstance(annotations, list):
        raise SourceError(f"the annotations of {where} are not a list")
    for annotation in annotations:
        found = list(_labels(where, text, annotation))
        n_unplaced += not found
        labels += found
    return Document(text, tuple(dict.fromkeys(labels))), n_unplaced


def _labels(where: str, text: str, annotation: Any) -> Iterator[Label]:
    """Yield the labels of one annotation; none if its value is not in the text."""
    if isinstance(annotation, list) and len(annotation) == _TRIPLE:
        start, end, name = annotation
    elif isinstance(annotation, Mapping):
        start, end = _first(annotation, _START_KEYS), _first(annotation, _END_KEYS)
        name = _first(annotation, _LABEL_KEYS)
        if start is None and end is None:
            # Without a place, `entity` is the value and `label` its name.
            yield from _places(text, annotation.get("entity"), annotation.get("label"))
            return
    else:
        raise SourceError(f"an annotation of {where} is neither an object nor [start, end, label]")
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(name, str)):
        raise SourceError(f"an annotation of {where} needs start, end and label")
    if not 0 <= start < end <= len(text):
        raise SourceError(f"an annotation of {where} lies outside its text")
    yield Label(name, start, end)


def _places(text: str, value: Any, name: Any) -> Iterator[Label]:
    """Yield a label for every place of a value, as whole words; asterisks around it are markup."""
    if not isinstance(value, str) or not isinstance(name, str):
        return
    for wording in (value, value.strip("*")):
        places = list(re.finditer(rf"(?<!\w){re.escape(wording)}(?!\w)", text)) if wording else []
        if places:
            yield from (Label(name, *place.span()) for place in places)
            return


def _first(record: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
