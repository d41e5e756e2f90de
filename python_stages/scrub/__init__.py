"""Personal data out of texts, by a policy per column.

    scrub             the stage: record batches in, the same rows out, scrubbed and counted
    frames.py         a batch on its way; work.py is what is done with a piece of it
    pool.py           on one core, on all of them (workers.py), or on a Ray cluster (ray_pool.py)
    planted.py        planted values: how many would be found in these very texts
    evaluate/         scores on labelled texts
    row_values.py     what the row's own columns say about its text; mentions.py, folding.py: how
    engine.py         finds what is to be replaced
    normalize.py      what a text says under its disguises
    windows.py        long texts, piece by piece
    presidio.py       Presidio without network or logs
    operators.py      replaces: pseudonym.py, surrogate.py, generalise.py
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
from python_stages.scrub.frames import N_MASKED, N_UNREADABLE, Frame, is_active, is_text
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.pool import Executor, Inline
from python_stages.scrub.work import Chunk, Scrubbing

__all__ = ["Engine", "Finding", "Policy", "Rule", "scrub", "scrubbed_schema"]

_NOT_PROSE: Final = frozenset({"row_id", "label"})  # keys and classes: scrubbing would merge them


def scrub(
    batches: Iterable[pa.RecordBatch],
    policy: Policy,
    *,
    engine: Engine | None = None,
    key: bytes | None = None,
    executor: Executor | None = None,
) -> Iterator[pa.RecordBatch]:
    """Replace what the policy names in every column; equal texts of a batch are read once.

    Args:
        batches: any columns; each text column but row_id and label needs a rule.
        policy: column -> rule.
        engine: built for `policy.entities`, for what is done in this process; by default it is made
            when the first text comes.
        key: of pseudonyms and surrogates, `KeyRing.hmac_key(f"{dataset}.pseudonym")`; needed where
            `policy.needs_key`.
        executor: where to work, see `pool.executor`; by default in this process.

    Returns:
        The same rows in order, without the columns that are dropped, and for each row `n_masked`
        (int32, replacements) and `n_unreadable` (int32, texts that could not be read).

    Raises:
        ConfigError: rules and columns do not fit, a key is missing, or the engine lacks an entity.
        StageError: a text could not be scrubbed, or workers died over it.
    """
    frames: deque[Frame] = deque()
    work = Scrubbing(policy, key, engine)
    with closing((executor or Inline()).map(_chunks(batches, policy, frames), work)) as results:
        for scrubbed in results:
            frames[0].add(scrubbed)
            if frames[0].is_complete:
                yield frames.popleft().to_batch()


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
