"""Files and pipes: what personal data they hold, and the same file without it.

    chunks.py     a part of a file, and what a format must be able to do
    tables.py     text, CSV, Parquet
    records.py    JSON, JSON lines
    headers.py    names of columns that are names, and are there
    stage.py      a chunk through the stage
    scans.py      what was found, as JSON and as a table

A file is read and written a chunk at a time, in the format it came in. A new file has no name until
it is whole, is this user's alone (0600), and never takes the place of another.
"""

import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from python_stages.errors import ConfigError, SourceError
from python_stages.scrub.engine import Engine
from python_stages.scrub.files import headers, stage
from python_stages.scrub.files.chunks import Chunk, Format, Texts
from python_stages.scrub.files.records import Json, JsonLines
from python_stages.scrub.files.scans import Scan
from python_stages.scrub.files.tables import TEXT_COLUMN, Csv, Parquet, Text
from python_stages.scrub.policy import Policy, Rule

__all__ = [
    "FORMATS",
    "TEXT_COLUMN",
    "Format",
    "Scan",
    "Totals",
    "new_file",
    "open_format",
    "scan",
    "scrub_file",
]

FORMATS: Final = ("auto", "text", "lines", "csv", "jsonl", "json", "parquet")

_BY_ENDING: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}


@dataclass(slots=True)
class Totals:
    """What was done: rows written, replacements in them, and cells that could not be read."""

    n_rows: int = 0
    n_masked: int = 0
    n_unreadable: int = 0


def open_format(path: Path | None, form: str = "auto", *, has_header: bool = True) -> Format:
    """Return how a file is read and written.

    Args:
        path: the file, whose ending says its format under `auto`; None for a pipe, which is text.
        form: one of FORMATS.
        has_header: whether the first row of a CSV names its columns.

    Raises:
        ConfigError: the format is unknown.
    """
    if form not in FORMATS:
        raise ConfigError(f"unknown format: the known ones are {', '.join(FORMATS)}")
    if form == "auto":
        form = _BY_ENDING.get(path.suffix.lower(), "text") if path else "text"
    makers: dict[str, Callable[[], Format]] = {
        "text": lambda: Text(by_line=False),
        "lines": lambda: Text(by_line=True),
        "csv": lambda: Csv(has_header=has_header),
        "jsonl": JsonLines,
        "json": Json,
        "parquet": Parquet,
    }
    return makers[form]()


def scan(source: BinaryIO, form: Format, engine: Engine, min_score: float) -> Scan:
    """Count what an engine finds in every column.

    Raises:
        SourceError: the file is not of the format, or its first row is no header.
    """
    result = Scan()
    for chunk in headers.checked(form.read(source), engine):
        result.n_rows += chunk.n_rows
        result.unread.update(chunk.unread)
        for column, texts in chunk.columns.items():
            present = [text for text in texts if text]
            for text, found in zip(
                present, engine.spans(present, min_score=min_score), strict=True
            ):
                for finding in found:
                    result.add(column, finding.entity, text[finding.start : finding.end])
    return result


def scrub_file(  # noqa: PLR0917  # one of each, in the order of the flow
    source: BinaryIO,
    sink: BinaryIO,
    form: Format,
    policy_for: Callable[[Sequence[str]], Policy],
    engine: Engine,
    key: bytes | None,
    named: Collection[str] = (),
) -> Totals:
    """Write a file without what a policy takes out of it.

    Args:
        source: the file.
        sink: what is written, in the same format.
        form: that format.
        policy_for: the policy for text columns of these names.
        engine: built for every entity of the policy.
        key: for pseudonyms and surrogates.
        named: columns that must occur.

    Raises:
        ConfigError: policy and columns do not fit.
        SourceError: the file is not of the format, or holds what cannot be read.
    """
    totals = Totals()
    chunks = headers.checked(form.read(source), engine)
    policy = policy_for(())
    named = {*named, *(stage.looked_at(policy) - set(policy.rules))}
    for chunk in headers.complete(chunks, named):
        policy = policy_for([*chunk.columns, *chunk.unread])
        kept = _kept_unread(chunk, policy)
        policy = replace(policy, rules=_without(policy.rules, chunk.unread))
        columns, n_masked, n_unreadable = stage.scrub_chunk(chunk, policy, engine, key)
        columns |= kept
        form.write(sink, chunk, columns)
        totals.n_rows += chunk.n_rows
        totals.n_masked += n_masked
        totals.n_unreadable += n_unreadable
    form.finish(sink)
    return totals


def _kept_unread(chunk: Chunk, policy: Policy) -> dict[str, Texts]:
    """Return, as columns without texts, what is kept unread; a rule must say so, or say drop."""
    rules = {name: policy.rules.get(name) for name in chunk.unread}
    kept: dict[str, Texts] = {
        name: ()
        for name, rule in rules.items()
        if rule and not (rule.operators or rule.deny_from or rule.is_dropped)
    }
    if refused := [name for name, rule in rules.items() if name not in kept and not _drops(rule)]:
        listed = ", ".join(f"{name} ({chunk.unread[name]})" for name in refused)
        raise SourceError(
            f"cannot look into {listed}: make it text, or name it in a policy with "
            "operator: drop, or operator: keep if it may pass as it is"
        )
    return kept


def _drops(rule: Rule | None) -> bool:
    return rule is not None and rule.is_dropped


def _without(rules: Mapping[str, Rule], names: Iterable[str]) -> dict[str, Rule]:
    left_out = set(names)
    return {name: rule for name, rule in rules.items() if name not in left_out}


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that appears under its name only when the block has ended without error.

    Raises:
        SourceError: something of that name is there, or the folder cannot be written.
    """
    taken = SourceError(f"{path} exists: name a new file, or remove it first")
    if path.exists():
        raise taken
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}.draft")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SourceError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # where a rename would replace a file, a link refuses
    except FileExistsError:
        raise taken from None
    finally:
        draft.unlink(missing_ok=True)
