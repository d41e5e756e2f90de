"""Examples in, two text-free frames out: one row per example, and one row for the dataset.

Everything that Great Expectations may see is made here: booleans, counts, and codes. A code is the
number of a group (same prompt, same conversation, same id) or the place of a label in the config;
it says which rows belong together and nothing about what they say.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from python_stages.check.contract import FLAGS, Inspection, inspect
from python_stages.check.spec import CheckSpec
from python_stages.errors import StageError

CountPii = Callable[[Sequence[str]], Mapping[str, npt.NDArray[np.int64]]]
# Columns of equal length by name. Arrays, since pandas takes seconds to import and a mere
# question whether there is a PASS should not pay for it.
Frame = Mapping[str, npt.NDArray[np.generic]]

COLUMNS = ("example_id", "split", "label", "messages", "n_tokens")
SPLIT_CODES = {"train": 0, "validation": 1}
PII_PREFIX = "n_pii_"
UNKNOWN = -1
# What the sealed line has around the messages: `{"messages": ` and `}` and the line feed.
_LINE_OVERHEAD_BYTES = len(b'{"messages": }\n')


@dataclass(frozen=True, slots=True)
class Frames:
    """The two frames that are validated, one per suite, and how many labels there are."""

    examples: Frame
    dataset: Frame
    n_labels: int

    def by_suite(self) -> dict[str, Frame]:
        """Return the frames by the name of the suite that judges them."""
        return {"examples": self.examples, "dataset": self.dataset}


def flag_examples(
    batches: Iterable[pa.RecordBatch],
    spec: CheckSpec,
    count_pii: CountPii,
    *,
    reject_share: float,
    n_real_values: int = 0,
) -> Frames:
    """Flag every example and sum up the dataset.

    Args:
        batches: rows with the columns COLUMNS (more are ignored), in any order.
        spec: the dataset's labels, entities and bounds.
        count_pii: texts -> per entity the number of findings in each text.
        reject_share: share of source rows that the ingest rejected, 0 to 1.
        n_real_values: how many values of real sources stand in synthetic texts.

    Raises:
        StageError: a column is missing, or `count_pii` did not answer for every entity and text.
    """
    columns = _Columns({entity: array("q") for entity in spec.pii_entities})
    codes: dict[str, int] = defaultdict(count().__next__) if not spec.labels else {}
    codes |= {label: code for code, label in enumerate(spec.labels)}
    for batch in batches:
        _require_columns(batch)
        inspections = [inspect(text) for text in batch.column("messages").to_pylist()]
        for row, inspection in zip(_rows(batch), inspections, strict=True):
            columns.append(row, inspection, codes, answers=spec.answers)
        columns.append_pii(_count_pii(inspections, spec.pii_entities, count_pii))
    examples = columns.to_frame()
    dataset = _sum_up(examples, reject_share)
    return Frames(examples, dataset | {"n_real_values": np.asarray([n_real_values])}, len(codes))


@dataclass(frozen=True, slots=True)
class _Row:
    example_id: object
    split: object
    label: object
    n_bytes: int
    n_tokens: int


@dataclass(frozen=True, slots=True)
class _Columns:
    """Growing columns; arrays, because a million Python integers weigh ten times as much."""

    n_pii: dict[str, "array[int]"]
    flags: dict[str, "array[int]"] = field(
        default_factory=lambda: {
            name: array("b") for name in (*FLAGS, "is_label_known", "is_answer_label")
        }
    )
    numbers: dict[str, "array[int]"] = field(
        default_factory=lambda: {
            name: array("q") for name in ("split_code", "label_code", "n_tokens", "n_bytes")
        }
    )
    groups: dict[str, "array[int]"] = field(
        default_factory=lambda: {
            name: array("q") for name in ("example_code", "conversation_code", "prompt_code")
        }
    )

    def append(
        self, row: _Row, inspection: Inspection, label_codes: dict[str, int], *, answers: str
    ) -> None:
        """Add one example."""
        for name in FLAGS:
            self.flags[name].append(getattr(inspection, name))
        label_code = _code(row.label, label_codes)
        self.flags["is_label_known"].append(label_code != UNKNOWN)
        # Only the label itself will do: not another case, not a blank more.
        self.flags["is_answer_label"].append(
            inspection.answer is not None and (answers == "text" or inspection.answer == row.label)
        )
        self.numbers["split_code"].append(
            SPLIT_CODES.get(row.split, UNKNOWN) if isinstance(row.split, str) else UNKNOWN
        )
        self.numbers["label_code"].append(label_code)
        self.numbers["n_tokens"].append(row.n_tokens)
        self.numbers["n_bytes"].append(row.n_bytes)
        # Broken JSON has no prompt; its whole text stands in, so that two of them are not one.
        prompt = inspection.prompt if inspection.prompt is not None else repr(inspection.texts)
        self.groups["example_code"].append(_digest(repr(row.example_id)))
        self.groups["conversation_code"].append(_digest(repr((prompt, inspection.texts))))
        self.groups["prompt_code"].append(_digest(prompt))

    def append_pii(self, counts: Mapping[str, npt.NDArray[np.int64]]) -> None:
        """Add the findings of one batch, per entity."""
        for entity, values in counts.items():
            self.n_pii[entity].extend(values.tolist())

    def to_frame(self) -> Frame:
        """Return the frame; the digests become group numbers, since a digest of text is a trace."""
        n_rows = len(self.numbers["split_code"])
        frame: dict[str, npt.NDArray[np.generic]] = {
            "example_ref": np.arange(n_rows, dtype=np.int64)
        }
        frame |= {name: np.asarray(values, dtype=np.bool_) for name, values in self.flags.items()}
        frame |= {name: np.asarray(values, np.int64) for name, values in self.numbers.items()}
        frame |= {
            name: np.unique(np.asarray(values, np.int64), return_inverse=True)[1]
            for name, values in self.groups.items()
        }
        frame |= {
            f"{PII_PREFIX}{entity}": np.asarray(values, np.int64)
            for entity, values in self.n_pii.items()
        }
        return frame


def _require_columns(batch: pa.RecordBatch) -> None:
    if missing := sorted(set(COLUMNS) - set(batch.schema.names)):
        raise StageError(f"check: column {', '.join(missing)} is missing; select it before")
    if not _is_text(batch.schema.field("messages").type):
        raise StageError("check: messages must be JSON text; cast the column to varchar")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _rows(batch: pa.RecordBatch) -> Iterator[_Row]:
    columns = [batch.column(name).to_pylist() for name in COLUMNS]
    for example_id, split, label, messages, n_tokens in zip(*columns, strict=True):
        n_text_bytes = len((messages or "").encode("utf-8", "surrogatepass"))
        yield _Row(
            example_id,
            split,
            label,
            n_text_bytes + _LINE_OVERHEAD_BYTES,
            n_tokens if isinstance(n_tokens, int) else UNKNOWN,
        )


def _code(label: object, codes: dict[str, int]) -> int:
    """Return a label's number; a new one where the data decides which labels there are."""
    if not isinstance(label, str):
        return UNKNOWN
    return codes[label] if isinstance(codes, defaultdict) else codes.get(label, UNKNOWN)


def _digest(text: str) -> int:
    """Return 64 bits of a digest; two alike (1 in 10^7 at a million rows) can only fail a check."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _count_pii(
    inspections: Sequence[Inspection], entities: Sequence[str], count_pii: CountPii
) -> dict[str, npt.NDArray[np.int64]]:
    """Count findings per entity and example; a text that recurs, as system prompts do, once."""
    places: dict[str, int] = {}
    owners, texts = array("q"), array("q")
    for owner, inspection in enumerate(inspections):
        for text in inspection.texts:
            owners.append(owner)
            texts.append(places.setdefault(text, len(places)))
    nothing = np.zeros(0, dtype=np.int64)
    found = count_pii(list(places)) if places else dict.fromkeys(entities, nothing)
    counts = {}
    for entity in entities:
        if entity not in found:
            raise StageError(f"check: nothing was counted for {entity}; is it a known entity?")
        per_text = np.asarray(found[entity])
        if per_text.shape != (len(places),):
            raise StageError(f"check: {entity} was not counted in every text; nothing is released")
        if (per_text < 0).any():
            raise StageError(f"check: {entity} was counted below zero; nothing is released")
        per_example = np.zeros(len(inspections), dtype=np.int64)
        np.add.at(per_example, np.asarray(owners, np.int64), per_text[np.asarray(texts, np.int64)])
        counts[entity] = per_example
    return counts


def _sum_up(examples: Frame, reject_share: float) -> dict[str, npt.NDArray[np.generic]]:
    split, n_bytes = examples["split_code"], examples["n_bytes"]
    totals: dict[str, npt.NDArray[np.generic]] = {"reject_share": np.asarray([reject_share])}
    for name, code in SPLIT_CODES.items():
        totals[f"n_{name}"] = np.asarray([np.count_nonzero(split == code)], np.int64)
        totals[f"n_{name}_bytes"] = np.asarray([n_bytes[split == code].sum()], np.int64)
    return totals
