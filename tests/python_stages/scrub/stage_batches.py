"""Batches for the stage, a policy for them, and what came out."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from python_stages.scrub import Policy

CANARY = b"canary\xff\xfe"


def policy_of(columns: Mapping[str, Any] | None = None, **rule: Any) -> Policy:
    """Return a policy that looks for identifiers in the column `text`."""
    rules = {"text": {"entities": ["identifiers"]} | rule, **(columns or {})}
    return Policy.from_config(rules, dataset="tickets")


def batch_of(*texts: str | bytes | None, **columns: list[Any]) -> pa.RecordBatch:
    """Return rows with a row_id, a text, and other columns; what is bytes need not be UTF-8."""
    rows: dict[str, pa.Array[Any]] = {"row_id": strings(str(n) for n in range(len(texts)))}
    rows |= {"text": strings(texts)}
    rows |= {name: strings(values) for name, values in columns.items()}
    return pa.RecordBatch.from_pydict(rows)


def strings(values: Iterable[Any]) -> "pa.Array[Any]":
    """Return a column; of strings where all are null."""
    values = list(values)
    if any(isinstance(value, bytes) for value in values):
        raw = [value.encode() if isinstance(value, str) else value for value in values]
        return pa.array(raw, type=pa.binary()).view(pa.string())
    return pa.array(values) if any(values) else pa.array(values, type=pa.string())


def texts_of(batches: Iterable[pa.RecordBatch]) -> list[str | None]:
    """Return the column `text` of all batches."""
    return [text for batch in batches for text in batch["text"].to_pylist()]
