"""Personal data out of texts, by a policy per column.

    scrub             the stage: record batches in, the same rows out, scrubbed and counted
    collect_real      what comes before where there are surrogates: which values they must not be
    frames.py         a batch on its way; work.py is what is done with a piece of it
    pool.py           on one core, on all of them (workers.py), or on a Ray cluster (ray_pool.py)
    planted.py        planted values: how many would be found in these very texts
    evaluate/         scores on labelled texts
    row_values.py     what the row's own columns say about its text; mentions.py, folding.py: how
    engine.py         finds what is to be replaced
    normalize.py      what a text says under its disguises
    windows.py        long texts, piece by piece
    presidio.py       Presidio without network or logs
    operators.py      replaces: pseudonym.py, surrogate.py (real_values.py), generalise.py
    reversal.py       what pseudonyms stand for, sealed, where somebody asks for it
    version.py        which engine it is
    policy.py         what is personal in which column; presets.py
    recognizers/      the entities there are, and what recognises them
    ner/              the language model

Rows are neither lost nor reordered, and nothing passes unread: a text that cannot be read becomes
`[UNREADABLE]`, and is counted.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Final

import pyarrow as pa

from python_stages.errors import ConfigError
from python_stages.scrub.engine import Engine, Finding
from python_stages.scrub.frames import (
    N_MASKED,
    N_UNREADABLE,
    Frame,
    distinct_texts,
    is_active,
    is_text,
)
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.pool import Executor, Inline
from python_stages.scrub.pseudonym import Pseudonyms
from python_stages.scrub.real_values import RealValues
from python_stages.scrub.reversal import ReversalMap
from python_stages.scrub.work import Chunk, Collecting, Scrubbing, Search

__all__ = ["Engine", "Finding", "Policy", "Rule", "collect_real", "scrub", "scrubbed_schema"]

# keys, classes and keyed hashes: scrubbing would merge them
_NOT_PROSE: Final = frozenset({"row_id", "label", "input_hmac"})


def scrub(
    batches: Iterable[pa.RecordBatch],
    policy: Policy,
    *,
    engine: Engine | None = None,
    key: bytes | None = None,
    executor: Executor | None = None,
    real: RealValues | None = None,
    reversals: ReversalMap | None = None,
) -> Iterator[pa.RecordBatch]:
    """Replace what the policy names in every column; equal texts of a batch are read once.

    Args:
        batches: any columns; each text column but row_id, label and input_hmac needs a rule.
        policy: column -> rule.
        engine: built for `policy.entities`, for what is done in this process; by default it is made
            when the first text comes.
        key: of pseudonyms and surrogates, `KeyRing.hmac_key(f"{dataset}.pseudonym")`; needed where
            `policy.needs_key`.
        executor: where to work, see `pool.executor`; by default in this process.
        real: what `collect_real` returned for the same rows; needed where `policy.has_surrogates`.
        reversals: takes what pseudonyms and surrogates stand for; by default nobody is told.

    Returns:
        The same rows in order, without the columns that are dropped, and for each row `n_masked`
        (int32, replacements) and `n_unreadable` (int32, texts that could not be read).

    Raises:
        ConfigError: rules and columns do not fit, a key or the real values are missing, nothing
            could be reversed, or the engine lacks an entity.
        StageError: a text could not be scrubbed, or workers died over it.
    """
    if policy.has_surrogates and real is None:
        raise ConfigError(
            "surrogates need to know first which values are real: collect them with collect_real"
        )
    if reversals is not None and not policy.needs_key:
        raise ConfigError(
            "there is nothing to reverse: the policy has neither pseudonyms nor surrogates, so "
            "leave the reversal map out, or choose such an operator"
        )
    frames: deque[Frame] = deque()
    work = Scrubbing(Search(policy, engine), key, real, is_recorded=reversals is not None)
    with closing((executor or Inline()).map(_chunks(batches, policy, frames), work)) as results:
        for done in results:
            if reversals is not None:
                reversals.update(done.reversals)
            frames[0].add(done.texts)
            if frames[0].is_complete:
                yield frames.popleft().to_batch()


def collect_real(
    batches: Iterable[pa.RecordBatch],
    policy: Policy,
    *,
    key: bytes,
    engine: Engine | None = None,
    executor: Executor | None = None,
) -> RealValues:
    """Return what occurs in rows that are to be scrubbed, and so may be no surrogate.

    That is all that would be replaced, whatever by; what deny-lists hold; and short texts of
    columns in which nothing is sought. Every text is read as `scrub` will read it, so that a policy
    with surrogates takes about twice as long.

    Args:
        batches: the rows.
        policy: as `scrub` will get it.
        key: as `scrub` will get it.
        engine: built for `policy.entities`, for what is done in this process.
        executor: where to work; by default in this process.

    Raises:
        ConfigError, StageError: as `scrub`.
    """
    real = RealValues(Pseudonyms(key, policy.dataset))
    chunks = (
        chunk
        for batch in _beside(batches, policy, real)
        for chunk in Frame(batch, policy, scrubbed_schema(batch.schema, policy)).chunks
    )
    work = Collecting(Search(policy, engine), key)
    with closing((executor or Inline()).map(chunks, work)) as results:
        for hashes in results:
            real.update(hashes)
    return real


def scrubbed_schema(schema: pa.Schema, policy: Policy) -> pa.Schema:
    """Return the schema of what `scrub` makes of batches.

    Raises:
        ConfigError: rules and columns do not fit.
    """
    _check_columns(schema, policy)
    fields = []
    for field in schema:
        rule = policy.rules.get(field.name)
        is_coded = is_text(field.type) and pa.types.is_dictionary(field.type)
        if rule is None or not rule.is_dropped:
            fields.append(field.with_type(pa.string()) if is_coded else field)
    counts = [pa.field(name, pa.int32()) for name in (N_MASKED, N_UNREADABLE)]
    return pa.schema([*fields, *counts]).with_metadata(schema.metadata)


def _chunks(
    batches: Iterable[pa.RecordBatch], policy: Policy, frames: deque[Frame]
) -> Iterator[Chunk]:
    """Yield what is to be scrubbed, and append for every batch the frame that takes it back."""
    for batch in batches:
        frame = Frame(batch, policy, scrubbed_schema(batch.schema, policy))
        frames.append(frame)
        yield from frame.chunks


def _beside(
    batches: Iterable[pa.RecordBatch], policy: Policy, real: RealValues
) -> Iterator[pa.RecordBatch]:
    """Let batches through, and remember the texts of columns in which nothing is sought."""
    for batch in batches:
        for column in batch.schema:
            rule = policy.rules.get(column.name)
            is_read = column.name in _NOT_PROSE or (rule is not None and is_active(rule))
            if is_text(column.type) and not is_read:
                for text in distinct_texts(batch.column(column.name)):
                    real.add_cell(text)
        yield batch


def _check_columns(schema: pa.Schema, policy: Policy) -> None:
    """Raise ConfigError unless rules and columns fit."""
    dropped = {name for name, rule in policy.rules.items() if rule.is_dropped}
    named = {name for name in schema.names if name in dropped}
    prose = {field.name for field in schema if not _is_safe(field.type)} - _NOT_PROSE
    policy.check_columns(prose | named, schema.names)
    for field in schema:
        rule = policy.rules.get(field.name)
        if rule and is_active(rule) and not is_text(field.type):
            raise ConfigError(
                f"column {field.name} holds {field.type}, which is no text: make it text, or say "
                "operator: drop, or operator: keep if it may pass as it is"
            )
    if taken := sorted({N_MASKED, N_UNREADABLE} & set(schema.names)):
        raise ConfigError(f"column {', '.join(taken)} is what this stage adds: rename or drop it")


def _is_safe(data_type: pa.DataType) -> bool:
    """Return whether a column of the type cannot hold text."""
    safe = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_temporal,
        pa.types.is_null,
    )
    return any(is_safe(data_type) for is_safe in safe)
