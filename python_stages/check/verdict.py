"""The verdict: one row per expectation, and what counts as a PASS."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from python_stages.check.counts import (
    count_checked,
    count_failures,
    describe_findings,
    describe_shortfalls,
)
from python_stages.check.flags import Frame
from python_stages.check.suites import Rule
from python_stages.errors import NotCheckedError, StageError

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("suite", pa.string(), nullable=False),
    pa.field("expectation", pa.string(), nullable=False),
    pa.field("column", pa.string()),
    pa.field("description", pa.string(), nullable=False),
    pa.field("is_success", pa.bool_(), nullable=False),
    pa.field("n_checked", pa.int64(), nullable=False),
    # null: nobody but Great Expectations can judge this rule, or its column is not there
    pa.field("n_failed", pa.int64()),
    pa.field("suite_hash", pa.string(), nullable=False),
    pa.field("n_expectations", pa.int64(), nullable=False),
    pa.field("dataset_fingerprint", pa.string(), nullable=False),
]
VERDICT_SCHEMA = pa.schema(_FIELDS)


def judge(
    rules: Sequence[Rule],
    held: Mapping[str, bool],
    frames: Mapping[str, Frame],
    parameters: Mapping[str, Any],
    *,
    suite_hash: str,
    dataset_fingerprint: str,
) -> pa.Table:
    """Turn outcomes into verdict rows; a rule passes if Great Expectations and our count agree.

    The second judge makes `mostly` and other loosening in a suite without effect.

    Raises:
        StageError: outcomes and rules are not one to one, so something was skipped.
    """
    if held.keys() != {rule.expectation_id for rule in rules}:
        raise StageError(
            f"check: {len(held)} of {len(rules)} expectations came back; nothing may be skipped, "
            "run write_suites again"
        )
    rows = []
    for rule in rules:
        frame, kwargs = frames[rule.suite], rule.resolve(parameters)
        n_failed = _count_failures(rule, kwargs, frame)
        rows.append(
            {
                "suite": rule.suite,
                "expectation": rule.kind,
                "column": rule.column,
                "description": _describe(rule, kwargs, frame),
                "is_success": held[rule.expectation_id] and n_failed == 0,
                "n_checked": count_checked(kwargs, frame),
                "n_failed": n_failed,
                "suite_hash": suite_hash,
                "n_expectations": len(rules),
                "dataset_fingerprint": dataset_fingerprint,
            }
        )
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def require_pass(verdict: pa.Table, *, dataset_fingerprint: str, suite_hash: str) -> None:
    """Return if the verdict is a full PASS for exactly this dataset and these suites.

    Args:
        verdict: rows of a `*_checked` relation, as `check` made them.
        dataset_fingerprint: fingerprint of the lines about to be sealed.
        suite_hash: `hash_suites` of today's suites and config.

    Raises:
        NotCheckedError: there is none; the message names the failed expectations.
    """
    if not set(verdict.column_names) >= _JUDGED:
        raise NotCheckedError("what is recorded is no verdict; build the *_checked model again")
    rows = verdict.select(sorted(_JUDGED)).to_pylist()
    if not rows:
        raise NotCheckedError("no check was recorded; build the *_checked model first")
    if any(row["dataset_fingerprint"] != dataset_fingerprint for row in rows):
        raise NotCheckedError("the check was of other lines; build the *_checked model again")
    if any(row["suite_hash"] != suite_hash for row in rows):
        raise NotCheckedError("the rules have changed since the check; build *_checked again")
    names = [_name(row) for row in rows]
    if any(row["n_expectations"] != len(rows) for row in rows) or len(set(names)) != len(rows):
        raise NotCheckedError("the check is incomplete; build the *_checked model again")
    # `is not True`: a null is no success
    failed = [name for name, row in zip(names, rows, strict=True) if row["is_success"] is not True]
    if failed:
        raise NotCheckedError(
            f"{len(failed)} of {len(rows)} expectations failed: {', '.join(sorted(failed))}; "
            "see the *_checked model for counts"
        )


_JUDGED = frozenset(VERDICT_SCHEMA.names) - {"description", "n_checked", "n_failed"}


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['suite']}.{row['expectation']}({row['column'] or ''})"


def _describe(rule: Rule, kwargs: Mapping[str, Any], frame: Frame) -> str:
    if findings := describe_findings(kwargs, frame):
        return f"{rule.description} (rows with {findings})"
    if shortfalls := describe_shortfalls(rule.column, frame):
        return f"{rule.description} ({shortfalls})"
    return rule.description


def _count_failures(rule: Rule, kwargs: Mapping[str, Any], frame: Frame) -> int | None:
    try:
        return count_failures(rule.kind, kwargs, frame)
    except KeyError:
        return None
