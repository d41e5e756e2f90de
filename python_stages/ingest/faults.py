"""Which records of a file are broken, and where a record lies: by lines, or by quotes."""

import re
from collections.abc import Iterator, Sequence

from python_stages.ingest.column_rules import IngestSpec
from python_stages.ingest.json_lines import broken_json_lines, locate_json_lines
from python_stages.ingest.lines import Line, broken_lines, locate
from python_stages.ingest.records import RecordShape, judged_records, locate_records
from python_stages.ingest.sources import SourceFile


def broken(file: SourceFile, spec: IngestSpec) -> Iterator[tuple[Line, str]]:
    """Yield what is no record of a file of lines, in order, with the reason."""
    if file.is_json:
        yield from broken_json_lines(file.path)
    elif spec.is_multiline:
        judged = judged_records(file.path, _shape(file, spec))
        yield from ((record, reason) for record, reason in judged if reason)
    else:
        yield from broken_lines(file.path, len(file.columns), _used(file, spec))


def n_records(file: SourceFile, spec: IngestSpec, n_read: int) -> int:
    """Return how many records a file with faults has, of which `n_read` is a first count.

    A quote astray spoils a count of line ends outside of quotes; lines are lines.
    """
    if not file.is_csv or not spec.is_multiline:
        return n_read
    return sum(1 for _ in judged_records(file.path, _shape(file, spec)))


def located(
    file: SourceFile, spec: IngestSpec, ordinals: Sequence[int], skip: Sequence[int]
) -> dict[int, Line]:
    """Map the ordinals of records of a file of lines to where they lie; see `lines.locate`."""
    if file.is_json:
        return locate_json_lines(file.path, ordinals, skip)
    if spec.is_multiline:
        return locate_records(file.path, _shape(file, spec), ordinals, skip)
    return locate(file.path, ordinals, skip)


def _used(file: SourceFile, spec: IngestSpec) -> frozenset[int]:
    return frozenset(file.columns.index(name) for name in spec.columns)


def _shape(file: SourceFile, spec: IngestSpec) -> RecordShape:
    start = re.compile((spec.record_start or "").encode())
    return RecordShape(len(file.columns), _used(file, spec), start)
