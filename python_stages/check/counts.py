"""How many rows break a rule: counted from our own arrays, and the arithmetic of our expectations.

Great Expectations would give its counts together with examples of values; these come without.
The same functions are the metrics of our own expectations (expectations.py).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from python_stages.check.flags import PII_PREFIX, SPLIT_CODES, Frame

Parameters = Mapping[str, Any]


def n_rows(frame: Frame) -> int:
    """Return the length of the frame's columns."""
    return len(next(iter(frame.values())))


def n_overlapping(codes: npt.NDArray[Any], split_codes: npt.NDArray[Any]) -> int:
    """Count the rows whose group occurs in more than one split."""
    if not len(codes):
        return 0
    _, places = np.unique(codes, return_inverse=True)
    lowest = np.full(places.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(places.max() + 1, np.iinfo(np.int64).min)
    np.minimum.at(lowest, places, split_codes)
    np.maximum.at(highest, places, split_codes)
    return int(np.count_nonzero((lowest != highest)[places]))


def n_with_findings(frame: Frame, entities: Sequence[str]) -> int:
    """Count the rows in which any of the entities was found.

    Raises:
        KeyError: an entity was not counted at all, which is no zero.
    """
    found = np.zeros(n_rows(frame), dtype=np.bool_)
    for entity in entities:
        found |= frame[f"{PII_PREFIX}{entity}"] != 0
    return int(np.count_nonzero(found))


def class_shares(
    label_codes: npt.NDArray[Any], split_codes: npt.NDArray[Any], n_labels: int
) -> npt.NDArray[np.float64]:
    """Return the share of each configured class in the training split; zeros where it is empty."""
    train = label_codes[(split_codes == SPLIT_CODES["train"]) & (label_codes >= 0)]
    counts = np.bincount(train.astype(np.int64), minlength=n_labels)
    return np.asarray(counts / max(1, counts.sum()), dtype=np.float64)


def n_unlearnable(
    label_codes: npt.NDArray[Any], split_codes: npt.NDArray[Any], n_labels: int
) -> int:
    """Count the configured classes that the training split does not hold."""
    return int(np.count_nonzero(class_shares(label_codes, split_codes, n_labels) == 0))


def n_outside(values: npt.NDArray[Any], least: float | None, most: float | None) -> int:
    """Count the values outside [least, most]; a value that is no number is outside."""
    low = -np.inf if least is None else least
    high = np.inf if most is None else most
    return int(np.count_nonzero(~((values >= low) & (values <= high))))


def count_failures(kind: str, kwargs: Parameters, frame: Frame) -> int:
    """Count the rows (for class rules: the classes) that break one expectation.

    Args:
        kind: type of the expectation, as the suite names it.
        kwargs: its arguments, parameters put in.
        frame: the columns it looks at.

    Raises:
        KeyError: a column is not there, or the type is not known here.
    """
    return _COUNTERS[kind](kwargs, frame)


def count_checked(kwargs: Parameters, frame: Frame) -> int:
    """Count what a rule looks at: classes where it is about classes, rows otherwise."""
    return int(kwargs["n_labels"]) if "n_labels" in kwargs else n_rows(frame)


def describe_findings(kwargs: Parameters, frame: Frame) -> str:
    """Return in how many rows each entity was found, as `PERSON 3, URL 1`; empty where none was."""
    rows = {
        entity: np.count_nonzero(frame.get(f"{PII_PREFIX}{entity}", np.zeros(0)))
        for entity in kwargs.get("entities", ())
    }
    return ", ".join(f"{entity} {count}" for entity, count in rows.items() if count)


def describe_shortfalls(column: str | None, frame: Frame) -> str:
    """Return which entities were masked too rarely, as `PERSON 0.85 of 0.9`; empty for none."""
    if column != "is_met" or "min_recall" not in frame:
        return ""
    rows = zip(frame["entity"], frame["recall"], frame["min_recall"], frame["is_met"], strict=True)
    return ", ".join(
        f"{entity} {share:.3g} of {least:.3g}"
        for entity, share, least, is_met in rows
        if not is_met
    )


def _splits(kwargs: Parameters, frame: Frame) -> int:
    return n_overlapping(frame[kwargs["column"]], frame[kwargs["split_column"]])


def _shares(kwargs: Parameters, frame: Frame) -> int:
    columns = frame[kwargs["column"]], frame[kwargs["split_column"]]
    shares = class_shares(*columns, kwargs["n_labels"])
    return n_outside(shares, kwargs["min_share"], kwargs["max_share"])


def _coverage(kwargs: Parameters, frame: Frame) -> int:
    columns = frame[kwargs["column"]], frame[kwargs["split_column"]]
    return n_unlearnable(*columns, kwargs["n_labels"])


def _in_set(kwargs: Parameters, frame: Frame) -> int:
    return int(np.count_nonzero(~np.isin(frame[kwargs["column"]], kwargs["value_set"])))


def _between(kwargs: Parameters, frame: Frame) -> int:
    return n_outside(frame[kwargs["column"]], kwargs.get("min_value"), kwargs.get("max_value"))


def _repeats(kwargs: Parameters, frame: Frame) -> int:
    column = frame[kwargs["column"]]
    return len(column) - len(np.unique(column))


def _row_count(kwargs: Parameters, frame: Frame) -> int:
    return abs(n_rows(frame) - int(kwargs["value"]))


def _row_count_within(kwargs: Parameters, frame: Frame) -> int:
    return n_outside(np.array([n_rows(frame)]), kwargs.get("min_value"), kwargs.get("max_value"))


def _findings(kwargs: Parameters, frame: Frame) -> int:
    return n_with_findings(frame, kwargs["entities"])


_COUNTERS: dict[str, Callable[[Parameters, Frame], int]] = {
    "expect_class_shares_to_be_within": _shares,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_be_unique": _repeats,
    "expect_labels_to_be_covered": _coverage,
    "expect_personal_data_to_be_absent": _findings,
    "expect_splits_to_be_disjoint": _splits,
    "expect_table_row_count_to_be_between": _row_count_within,
    "expect_table_row_count_to_equal": _row_count,
}
