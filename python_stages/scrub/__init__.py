"""Identifiers out of texts, by a policy per column.

    scrub             the stage: record batches in, the same batches plus n_masked out
    policy.py         what is personal in which column
    engine.py         finds and replaces; remembers texts, and says nothing about them
    presidio.py       Presidio without models, network or logs
    recognizers.py    the entities there are, and what recognises them

Rows are neither lost nor reordered. A text that cannot be read, or on which a recogniser gives up,
stops the stage: nothing passes unread.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from python_stages.errors import ConfigError, StageError
from python_stages.scrub.engine import Engine, Finding
from python_stages.scrub.policy import Policy, Rule

__all__ = ["Engine", "Finding", "Policy", "Rule", "scrub"]

_NOT_PROSE: Final = frozenset({"row_id", "label"})  # keys and classes: scrubbing would merge them


def scrub(
    batches: Iterable[pa.RecordBatch],
    policy: Policy,
    engine: Engine,
) -> Iterator[pa.RecordBatch]:
    """Replace the identifiers in every column of the policy, one batch at a time.

    Args:
        batches: any columns; each text column but row_id and label needs a rule.
        policy: column -> rule.
        engine: built for `policy.entities`.

    Returns:
        The same columns and rows, in order, and `n_masked` (int32): replacements in the row.

    Raises:
        ConfigError: a text column has no rule, a rule has no text column, or the engine lacks an
            entity.
        StageError: a text cannot be read.
    """
    for batch in batches:
        _check_columns(batch.schema, policy)
        yield _scrub_batch(batch, policy, engine)


def _scrub_batch(batch: pa.RecordBatch, policy: Policy, engine: Engine) -> pa.RecordBatch:
    """Scrub one batch whose columns are checked."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    n_masked = np.zeros(batch.num_rows, dtype=np.int32)
    for name, rule in policy.rules.items():
        if rule.operators:
            columns[name], n_found = _scrub_column(name, columns[name], rule, engine)
            n_masked += n_found
    return pa.RecordBatch.from_arrays(
        [*columns.values(), pa.array(n_masked, type=pa.int32())],
        schema=batch.schema.append(pa.field("n_masked", pa.int32())),
    )


def _scrub_column(
    name: str,
    texts: "pa.Array[Any]",
    rule: Rule,
    engine: Engine,
) -> tuple["pa.Array[Any]", NDArray[np.int32]]:
    """Scrub the distinct texts of a column; return the column and the count per row."""
    try:
        values: list[str | None] = texts.to_pylist()
    except UnicodeDecodeError:
        raise StageError(f"column {name} holds bytes that are not utf-8: clean them") from None
    scrubbed = {
        text: engine.replace(text, rule.operators, rule.min_score)
        for text in dict.fromkeys(values)
        if text is not None
    }
    scrubbed_values = [None if text is None else scrubbed[text][0] for text in values]
    counts = [0 if text is None else scrubbed[text][1] for text in values]
    return pa.array(scrubbed_values, type=texts.type), np.array(counts, dtype=np.int32)


def _check_columns(schema: pa.Schema, policy: Policy) -> None:
    """Raise ConfigError unless rules and text columns match one to one."""
    prose = {field.name for field in schema if not _is_safe(field.type)} - _NOT_PROSE
    stray = sorted(set(policy.rules) - prose)
    if stray:
        raise ConfigError(
            f"the scrub settings name {', '.join(stray)}: "
            f"the text columns are {', '.join(sorted(prose))}",
        )
    bare = sorted(prose - set(policy.rules))
    if bare:
        raise ConfigError(
            f"column {', '.join(bare)} has no scrub settings: add them, "
            "with operator: keep if the column may pass as it is",
        )


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
