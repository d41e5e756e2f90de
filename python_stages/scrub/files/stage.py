"""A chunk of a file through the stage: as a batch, under names that the stage does not use itself.

A record of JSON may take several rows: each text of it is compared with all values that the record
holds in the columns of its deny- and allow-lists, wherever in the record they stand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import pyarrow as pa

from python_stages.errors import SourceError
from python_stages.scrub import collect_real, scrub, work
from python_stages.scrub.engine import UNREADABLE, Engine
from python_stages.scrub.files.chunks import SURROGATE, Chunk, Texts
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.real_values import Hashes, RealValues

_COUNTS: Final = ("n_masked", "n_unreadable")  # columns that the stage adds
_RESERVED: Final = frozenset({"row_id", "label", *_COUNTS})  # names of which it has its own idea
_COLUMN: Final = "column "  # before names that are taken
_BESIDE: Final = "value "  # before names of columns that we add
_OURS: Final = (_COLUMN, _BESIDE)
_MOST_BESIDE: Final = 1_000  # values of a column in a record


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk as a batch of the stage, and its policy under the names of that batch."""

    batch: pa.RecordBatch
    policy: Policy


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage for parts of one file; sent to workers without its engine, which they make.

    Attributes:
        entities: all that the policy looks for, in whatever columns.
        ner: the language model, as `Policy.ner`.
        key: of pseudonyms and surrogates.
        engine: for this process; made for the first part if there is none.
    """

    entities: tuple[str, ...]
    ner: str | Mapping[str, Any] | None
    key: bytes | None = field(repr=False)
    engine: Engine | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[type["Stage"], tuple[Any, ...]]:
        return Stage, (self.entities, self.ner, self.key)

    def load(self) -> Callable[[], Engine]:
        """Return what returns the engine, made once."""
        return cache(lambda: self.engine or Engine(self.entities, ner=self.ner))


@dataclass(frozen=True, slots=True)
class ScrubPart:
    """The work of scrubbing parts; `real` is needed where the policy has surrogates."""

    stage: Stage
    real: RealValues | None = None

    def start(self) -> Callable[[Part], pa.RecordBatch]:
        """Return what scrubs one part."""
        engine, key = self.stage.load(), self.stage.key

        def scrub_part(part: Part) -> pa.RecordBatch:
            (done,) = scrub([part.batch], part.policy, engine=engine(), key=key, real=self.real)
            return done

        return scrub_part

    def seconds(self, part: Part, /) -> float:
        """Return about how long a part takes on one core."""
        return _seconds(part)


@dataclass(frozen=True, slots=True)
class CollectPart:
    """The work of telling which values of parts are real."""

    stage: Stage

    def start(self) -> Callable[[Part], Hashes]:
        """Return what hashes the values of one part."""
        engine, key = self.stage.load(), self.stage.key or b""
        return lambda part: collect_real(
            [part.batch], part.policy, key=key, engine=engine()
        ).hashes()

    def seconds(self, part: Part, /) -> float:
        """Return about how long a part takes on one core."""
        return _seconds(part)


def part_of(chunk: Chunk, policy: Policy) -> Part | None:
    """Return a chunk as a batch of the stage, or None where it has no texts."""
    texts = dict(chunk.columns)
    beside = _beside(chunk, policy)
    if chunk.is_open:
        texts |= {name: [None] * chunk.n_rows for name in _named(policy) - set(texts)}
    if not texts:
        return None
    batch = pa.RecordBatch.from_pydict(
        {
            _inner(name): pa.array(
                [None if text and SURROGATE.search(text) else text for text in column],
                type=pa.string(),
            )
            for name, column in texts.items()
        }
        | {name: column for names in beside.values() for name, column in names.items()}
    )
    return Part(batch, _translated(policy, beside))


def texts_of(
    chunk: Chunk, policy: Policy, done: pa.RecordBatch
) -> tuple[dict[str, Texts], int, int]:
    """Return the columns that a chunk is written with, replacements, and unreadable cells.

    Args:
        chunk: what was read.
        policy: by which its part was made.
        done: what became of the part.
    """
    columns: dict[str, Texts] = {}
    n_unreadable = 0
    for name, texts in chunk.columns.items():
        rule = policy.rules.get(name)
        if _inner(name) not in done.schema.names:
            continue
        if rule is None or not (rule.operators or rule.deny_from):
            columns[name] = texts
            continue
        scrubbed = done.column(_inner(name)).to_pylist()
        for row, text in enumerate(texts):
            if text and SURROGATE.search(text):
                scrubbed[row] = f"[{UNREADABLE}]"
                n_unreadable += 1
        columns[name] = scrubbed
    n_masked, n_more = (int(done.column(name).to_numpy().sum()) for name in _COUNTS)
    return columns, n_masked + n_unreadable, n_more + n_unreadable


def _seconds(part: Part) -> float:
    batch = part.batch
    return sum(
        work.seconds(part.policy, name, batch.num_rows, batch.column(name).nbytes)
        for name in set(part.policy.rules) & set(batch.schema.names)
    )


def _beside(chunk: Chunk, policy: Policy) -> dict[str, dict[str, "pa.Array[Any]"]]:
    """Return what deny- and allow-lists are to see of records that take several rows.

    Returns:
        For each column that they name, columns that between them hold in every row all values
        of its record.

    Raises:
        SourceError: they are too many.
    """
    if chunk.records is None:
        return {}
    beside = {}
    for name in sorted(looked_at(policy) & set(chunk.columns)):
        values: dict[int, dict[str, None]] = {record: {} for record in chunk.records}
        for record, text in zip(chunk.records, chunk.columns[name], strict=True):
            if text is not None:
                values[record][text] = None
        n_columns = max(map(len, values.values()), default=0)
        if n_columns > _MOST_BESIDE:
            raise SourceError(
                f"a record holds more than {_MOST_BESIDE:,} values of {name}, which deny_from or "
                "allow_from names: make its parts records of their own, as in json lines"
            )
        listed = {record: [_utf8(text) for text in here] for record, here in values.items()}
        beside[name] = {
            f"{_BESIDE}{number} of {name}": pa.array(
                [
                    listed[record][number] if number < len(listed[record]) else None
                    for record in chunk.records
                ],
                type=pa.binary(),
            ).view(pa.string())
            for number in range(n_columns)
        }
    return beside


def _utf8(text: str) -> bytes:
    """Return a text for Arrow; what is not UTF-8 makes every text beside it unreadable."""
    return text.encode("utf-8", errors="surrogatepass")


def _translated(policy: Policy, beside: Mapping[str, Iterable[str]]) -> Policy:
    """Return the policy for columns under the names that they have inside the stage."""

    def seen(name: str) -> Iterable[str]:
        return beside.get(name, (_inner(name),))

    rules = {
        _inner(name): replace(
            rule,
            deny_from={
                other: entity for from_, entity in rule.deny_from.items() for other in seen(from_)
            },
            allow_from=tuple(other for from_ in rule.allow_from for other in seen(from_)),
        )
        for name, rule in policy.rules.items()
    }
    kept = {name: Rule(operators={}) for names in beside.values() for name in names}
    return replace(policy, rules=rules | kept)


def _named(policy: Policy) -> set[str]:
    """Return every column that a rule is for, or looks at."""
    return set(policy.rules) | looked_at(policy)


def looked_at(policy: Policy) -> set[str]:
    """Return every column that a deny- or an allow-list names."""
    return {name for rule in policy.rules.values() for name in (*rule.deny_from, *rule.allow_from)}


def _inner(name: str) -> str:
    """Return a name that the stage has no use of its own for: it lets row_id and label pass."""
    return f"{_COLUMN}{name}" if name in _RESERVED or name.startswith(_OURS) else name
