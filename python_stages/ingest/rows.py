"""The rows of a `*_ingested` relation: what became of every record, without a value of any."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from python_stages.ingest.column_rules import IngestSpec
from python_stages.ingest.sources import SourceFile

_COLUMNS: dict[str, pa.DataType] = {
    "dataset": pa.string(),
    "outcome": pa.string(),  # read, kept or rejected
    "reason": pa.string(),
    "n_rows": pa.int64(),
    "file_path": pa.string(),
    "line_number": pa.int64(),  # 1-based; in Parquet the 1-based row number
    "byte_start": pa.int64(),  # of the line; in .csv.gz offsets count decompressed bytes
    "byte_end": pa.int64(),  # behind its line end
    "record_hmac": pa.string(),
    "file_bytes": pa.int64(),
    "modified_ns": pa.int64(),
    "config_hash": pa.string(),
}
INGESTED_SCHEMA = pa.schema(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejected record; `start` and `end` are None in Parquet, which has no lines."""

    path: Path
    reason: str
    number: int
    start: int | None
    end: int | None
    record_hmac: str


def report(
    spec: IngestSpec,
    files: Sequence[SourceFile],
    n_read: Sequence[int],
    rejections: Sequence[Rejection],
    n_repeated_ids: int,
) -> list[dict[str, Any]]:
    """Return the rows of INGESTED_SCHEMA."""
    n_kept = sum(n_read) - len(rejections) - n_repeated_ids
    kept: list[dict[str, Any]] = [{"outcome": "kept", "n_rows": n_kept}]
    if n_repeated_ids:
        reason = f"repeated_{spec.record_id}"
        kept.append({"outcome": "kept", "reason": reason, "n_rows": n_repeated_ids})
    rows = [
        *(
            {
                "outcome": "read",
                "n_rows": n,
                "file_path": str(file.path),
                "file_bytes": file.n_bytes,
                "modified_ns": file.modified_ns,
                "config_hash": spec.config_hash,
            }
            for file, n in zip(files, n_read, strict=True)
        ),
        *kept,
        *(
            {
                "outcome": "rejected",
                "reason": rejection.reason,
                "n_rows": 1,
                "file_path": str(rejection.path),
                "line_number": rejection.number,
                "byte_start": rejection.start,
                "byte_end": rejection.end,
                "record_hmac": rejection.record_hmac,
            }
            for rejection in sorted(rejections, key=lambda r: (r.path, r.number))
        ),
    ]
    return [{"dataset": spec.dataset, **row} for row in rows]
