"""What becomes of each correction: the latest of an example wins, and every other is counted.

    merged       it is in the dataset
    confirmed    it says what the example says already
    superseded   a later one of the same example counts: `repeated` where that says the same,
                 `conflict` where it says another thing
    blank        it corrects nothing
    rejected     it cannot be used; `reason` says why

Of equal times the one that stands last counts, by file name and line.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import pyarrow as pa

from python_stages.errors import SourceError
from python_stages.feedback.files import Record

_MEND: Final = "mend the files"
_HINTS: Final = {
    "unknown_example": "no example is called so by now: the row is gone, or template, policy or "
    "engine changed its words; take the files out, or raise the share",
    "undeclared_label": "declare the label, or mend the files",
    "label_without_answer": "give the answer too: the label alone is not what is learned",
    "over_token_budget": "shorten the answers, or raise max_tokens",
}
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


def require_usable(verdicts: Sequence[Verdict], max_reject_share: float, dataset: str) -> None:
    """Stop where too many corrections cannot be used; blank ones are none.

    Args:
        verdicts: of every record, once its text is scrubbed.
        max_reject_share: the most that may be rejected, 0 to 1.
        dataset: name of the dataset.

    Raises:
        SourceError: they are more; names the commonest reason.
    """
    said = [one for one in verdicts if one.outcome != "blank"]
    reasons = Counter(one.reason for one in said if one.outcome == "rejected")
    n_rejected = reasons.total()
    if n_rejected > max_reject_share * len(said):
        ((commonest, n_commonest),) = reasons.most_common(1)
        raise SourceError(
            f"{dataset}: {n_rejected} of {len(said)} corrections cannot be used, more than the "
            f"share of {max_reject_share:g} that max_feedback_reject_share allows; {n_commonest} "
            f"for {commonest} ({_HINTS.get(str(commonest), _MEND)})"
        )


def _alone(record: Record, examples: Mapping[str, Known], labels: Collection[str]) -> Verdict:
    """Return what becomes of a record where no other is of the same example."""
    if record.is_blank:
        return Verdict(record, "blank")
    example = examples.get(record.example_id or "")
    if record.fault is not None or example is None:
        return Verdict(record, "rejected", record.fault or "unknown_example")
    found = _correction(record, example, labels)
    if isinstance(found, Correction):
        return Verdict(record, "merged", correction=found)
    return Verdict(record, "rejected", found)


def _correction(record: Record, example: Known, labels: Collection[str]) -> Correction | str:
    """Return what is to stand in the example, or why nothing is."""
    label, answer = record.label, record.answer
    if example.answers_label:
        # either column names the label; the answer is written from it
        said = {one.strip() for one in (label, answer) if one is not None}
        if len(said) > 1:
            return "label_and_answer_differ"
        (label,) = said
        answer = label
    label = example.label if label is None else label
    if label != example.label and label not in labels:
        return "undeclared_label"
    if label != example.label and answer is None:
        # what is learned is the answer, and that would go on saying what it said
        return "label_without_answer"
    return Correction(label, answer)
