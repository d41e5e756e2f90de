"""Files and pipes: what personal data they hold, and the same file without it.

    chunks.py     a part of a file, and what a format must be able to do
    tables.py     text, CSV, Parquet
    records.py    JSON, JSON lines
    headers.py    names of columns that are names, and are there
    stage.py      a chunk through the stage, here or in a worker
    scans.py      what was found, as JSON and as a table

A file is read and written a chunk at a time, or a few for each worker, in the format it came in. A
new file has no name until it is whole, is this user's alone (0600), and never takes the place of
another.
"""

import os
import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from python_stages.errors import ConfigError, SourceError
from python_stages.scrub.engine import Engine
from python_stages.scrub.files import headers, stage
from python_stages.scrub.files.chunks import Chunk, Format, Texts
from python_stages.scrub.files.records import Json, JsonLines
from python_stages.scrub.files.scans import Scan
from python_stages.scrub.files.tables import TEXT_COLUMN, Csv, Parquet, Text
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.pool import Executor, Inline
from python_stages.scrub.pseudonym import Pseudonyms
from python_stages.scrub.real_values import RealValues

__all__ = [
    "FORMATS",
    "TEXT_COLUMN",
    "Format",
    "Scan",
    "Totals",
    "Wanted",
    "collect",
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file shall be without.

    Attributes:
        policy_for: the policy for text columns of these names.
        engine: built for every entity of the policy.
        key: for pseudonyms and surrogates.
        named: columns that must occur.
        executor: where to work; by default in this process, chunk after chunk.
    """

    policy_for: Callable[[Sequence[str]], Policy]
    engine: Engine
    key: bytes | None = field(default=None, repr=False)
    named: Collection[str] = ()
    executor: Executor = field(default_factory=Inline)

    @property
    def stage(self) -> stage.Stage:
        """Return the stage for parts of the file."""
        return stage.Stage(self.engine.entities, self.policy_for(()).ner, self.key, self.engine)


def collect(source: BinaryIO, form: Format, wanted: Wanted) -> RealValues:
    """Return which values of a file are real: what surrogates must not be.

    For `scrub_file`, the source is to be read anew, by another object of its format.

    Raises:
        ConfigError, SourceError: as `scrub_file`.
    """
    real = RealValues(Pseudonyms(wanted.key or b"", wanted.policy_for(()).dataset))
    parts = (read.part for read in _read(source, form, wanted) if read.part is not None)
    with closing(wanted.executor.map(parts, stage.CollectPart(wanted.stage))) as results:
        for hashes in results:
            real.update(hashes)
    return real


def scrub_file(
    source: BinaryIO,
    sink: BinaryIO,
    form: Format,
    wanted: Wanted,
    real: RealValues | None = None,
) -> Totals:
    """Write a file without what a policy takes out of it.

    Args:
        source: the file.
        sink: what is written, in the same format.
        form: that format.
        wanted: the policy, and how to apply it.
        real: what `collect` returned of the same file, where the policy has surrogates.

    Raises:
        ConfigError: policy and columns do not fit.
        SourceError: the file is not of the format, or holds what cannot be read.
    """
    totals = Totals()
    waiting: deque[_Read] = deque()  # as many as the executor works ahead

    def parts() -> Iterator[stage.Part]:
        for read in _read(source, form, wanted):
            waiting.append(read)
            if read.part is not None:
                yield read.part

    def write(read: _Read, done: pa.RecordBatch | None) -> None:
        columns, n_masked, n_unreadable = (
            ({}, 0, 0) if done is None else stage.texts_of(read.chunk, read.policy, done)
        )
        form.write(sink, read.chunk, {**columns, **read.kept})
        totals.n_rows += read.chunk.n_rows
        totals.n_masked += n_masked
        totals.n_unreadable += n_unreadable

    with closing(wanted.executor.map(parts(), stage.ScrubPart(wanted.stage, real))) as results:
        for done in results:
            while waiting[0].part is None:
                write(waiting.popleft(), None)
            write(waiting.popleft(), done)
    for read in waiting:
        write(read, None)
    form.finish(sink)
    return totals


@dataclass(frozen=True, slots=True)
class _Read:
    """A chunk, its policy, what is kept of it unread, and what the stage is to see of it."""

    chunk: Chunk
    policy: Policy
    kept: Mapping[str, Texts]
    part: stage.Part | None


def _read(source: BinaryIO, form: Format, wanted: Wanted) -> Iterator[_Read]:
    """Yield the chunks of a file, checked."""
    chunks = headers.checked(form.read(source), wanted.engine)
    policy = wanted.policy_for(())
    named = {*wanted.named, *(stage.looked_at(policy) - set(policy.rules))}
    for chunk in headers.complete(chunks, named):
        policy = wanted.policy_for([*chunk.columns, *chunk.unread])
        kept = _kept_unread(chunk, policy)
        policy = replace(policy, rules=_without(policy.rules, chunk.unread))
        yield _Read(chunk, policy, kept, stage.part_of(chunk, policy))


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
