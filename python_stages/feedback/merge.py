"""What becomes of each correction: the latest of an example wins, and every other is counted.

    merged       it is in the dataset
    confirmed    it says what the example says already
    superseded   a later one of the same example counts: `repeated` where that says the same,
                 `conflict` where it says another thing
    blank        it corrects nothing
    rejected     it cannot be used; `reason` says why

Of equal times the one that stands last counts, by file name and line.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import pyarrow as pa

from python_stages.feedback.files import Record

Outcome = Literal["merged", "confirmed", "superseded", "blank", "rejected"]

_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("example_id", pa.string()),
    ("outcome", pa.string()),
    ("reason", pa.string()),
    ("label", pa.string()),
    ("assistant_text", pa.string()),
    ("n_masked", pa.int32()),
    ("corrected_by_hmac", pa.string()),
    ("corrected_at", pa.timestamp("us", tz="UTC")),
    ("file_name", pa.string()),
    ("line_number", pa.int64()),
    ("policy_hash", pa.string()),
]
FEEDBACK_SCHEMA: Final = pa.schema(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Known:
    """An example that may be corrected.

    Attributes:
        label: its label.
        answers_label: whether its answer is its label.
    """

    label: str
    answers_label: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to stand in the example; its answer is not scrubbed yet.

    Attributes:
        label: its label.
        answer: its answer, None where that stays as it is.
    """

    label: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a record.

    Attributes:
        record: the record.
        outcome: see above.
        reason: why it is rejected or superseded, else None.
        correction: what it says, of `merged` alone.
    """

    record: Record
    outcome: Outcome
    reason: str | None = None
    correction: Correction | None = None

    def rejected(self, reason: str) -> "Verdict":
        """Return the same record, refused."""
        return replace(self, outcome="rejected", reason=reason, correction=None)


def judge(
    records: Sequence[Record], examples: Mapping[str, Known], labels: Collection[str]
) -> list[Verdict]:
    """Return what becomes of every record, in order.

    Args:
        records: in the order of file name and line.
        examples: those there are, by id.
        labels: the labels that an example may have.
    """
    verdicts = [_alone(record, examples, labels) for record in records]
    usable: defaultdict[str, list[int]] = defaultdict(list)
    for place, verdict in enumerate(verdicts):
        if verdict.correction is not None:
            usable[verdict.record.example_id or ""].append(place)
    for places in usable.values():
        last = max(places, key=lambda place: (verdicts[place].record.at, place))
        for place in places:
            if place != last:
                is_same = verdicts[place].correction == verdicts[last].correction
                verdicts[place] = replace(
                    verdicts[place],
                    outcome="superseded",
                    reason="repeated" if is_same else "conflict",
                    correction=None,
                )
    return verdicts


def _alone(record: Record, examples: Mapping[str, Known], labels: Collection[str]) -> Verdict:
    """Return what becomes of a record where no other is of the same example."""
    verdict = Verdict(record, "merged")
    if record.fault is not None:
        return verdict.rejected(record.fault)
    if record.is_blank:
        return Verdict(record, "blank")
    example = examples.get(record.example_id or "")
    if example is None:
        return verdict.rejected("unknown_example")
    label, answer = record.label, record.answer
    if example.answers_label:
        # either column names the label; the answer is written from it
        said = {one.strip() for one in (label, answer) if one is not None}
        if len(said) > 1:
            return verdict.rejected("label_and_answer_differ")
        (label,), answer = said, None
    label = example.label if label is None else label
    if label != example.label and label not in labels:
        return verdict.rejected("undeclared_label")
    if example.answers_label:
        answer = label
    return replace(verdict, correction=Correction(label, answer))
