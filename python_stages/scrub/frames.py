"""A batch on its way: its distinct texts go out in chunks and come back, and it is put together.

Equal texts go out once; where a rule looks at the row, once for the same row values. What is not
UTF-8 does not go out at all, nor does a text whose row's deny-list cannot be read: it becomes
`[UNREADABLE]`, in columns that are kept, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import numpy as np
import pyarrow as pa

from python_stages.errors import ConfigError
from python_stages.scrub.operators import UNREADABLE
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.row_values import RowValues
from python_stages.scrub.work import Chunk, Scrubbed, chunks

N_MASKED: Final = "n_masked"
N_UNREADABLE: Final = "n_unreadable"

# Places of rows without a text, counted from the end of what became of the texts.
_NULL: Final = -1
_NOT_READ: Final = -2
_NO_TEXT: Final = (Scrubbed(f"[{UNREADABLE}]", 0, is_unreadable=True), Scrubbed(None))
_KEEP: Final = Rule(operators={})

_PLAIN: Final = (
    *(pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating),
    *(pa.types.is_decimal, pa.types.is_temporal),
)
_LISTS: Final = (
    *(pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
    *(pa.types.is_list_view, pa.types.is_large_list_view),
)


@dataclass(frozen=True, slots=True)
class _Column:
    """The distinct texts of a column.

    Attributes:
        texts: each once, or once for the same row values.
        rows: as many row values; empty where the rule asks for none.
        places: index of each row's text, _NULL or _NOT_READ.
    """

    texts: tuple[str, ...]
    rows: tuple[RowValues, ...]
    places: tuple[int, ...]


class Frame:
    """One batch.

    Args:
        batch: what came in, with columns that fit the policy.
        policy: column -> rule.
        schema: of what goes out, the two counts last.
    """

    def __init__(self, batch: pa.RecordBatch, policy: Policy, schema: pa.Schema) -> None:
        self._batch: Final = batch
        self._schema: Final = schema
        self._columns: Final[dict[str, _Column]] = {}
        self._scrubbed: Final[dict[str, list[Scrubbed]]] = {}
        chunks_out: list[Chunk] = []
        for name in schema.names[:-2]:
            rule = policy.rules.get(name, _KEEP)
            if not is_text(batch.schema.field(name).type):
                continue
            if is_active(rule):
                column = _index(batch, name, rule)
                chunks_out += chunks(name, column.texts, column.rows)
                self._columns[name], self._scrubbed[name] = column, []
            elif not _is_readable(batch.column(name)):
                column = _index(batch, name, rule)
                self._columns[name] = column
                self._scrubbed[name] = [Scrubbed(text) for text in column.texts]
        # one at least, so that a batch without texts keeps its place
        self.chunks: Final[Sequence[Chunk]] = chunks_out or [Chunk("", (), ())]
        self._n_back = 0

    @property
    def is_complete(self) -> bool:
        """Whether all chunks are back."""
        return self._n_back == len(self.chunks)

    def add(self, scrubbed: Sequence[Scrubbed]) -> None:
        """Take back what became of the next chunk."""
        chunk = self.chunks[self._n_back]
        self._n_back += 1
        if chunk.texts:
            self._scrubbed[chunk.column].extend(scrubbed)

    def to_batch(self) -> pa.RecordBatch:
        """Return the batch that goes out."""
        n_masked = np.zeros(self._batch.num_rows, dtype=np.int32)
        n_unreadable = np.zeros(self._batch.num_rows, dtype=np.int32)
        arrays: list[pa.Array[Any]] = []
        for field in list(self._schema)[:-2]:
            column = self._columns.get(field.name)
            if column is None:
                arrays.append(self._batch.column(field.name))
                continue
            became = [*self._scrubbed[field.name], *_NO_TEXT]
            rows = [became[place] for place in column.places]
            arrays.append(pa.array([row.text for row in rows], type=field.type))
            n_masked += np.fromiter((row.n_masked for row in rows), np.int32, len(rows))
            n_unreadable += np.fromiter((row.is_unreadable for row in rows), np.int32, len(rows))
        arrays += [pa.array(n_masked), pa.array(n_unreadable)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def is_active(rule: Rule) -> bool:
    """Return whether a rule looks for anything."""
    return bool(rule.operators or rule.deny_from)


def is_text(data_type: pa.DataType) -> bool:
    """Return whether a column of the type holds strings, coded as a dictionary or not."""
    if isinstance(data_type, pa.DictionaryType):
        return is_text(data_type.value_type)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(data_type) for is_kind in kinds)


def distinct_texts(array: "pa.Array[Any]") -> set[str]:
    """Return the texts of a column, each once; what is not UTF-8 is none."""
    return {text for text in read(array) if isinstance(text, str)}


def written(value: object) -> Iterator[str]:
    """Yield a value as people write it, those of a list one by one; nothing of null and NaN."""
    if isinstance(value, list):
        for each in value:
            yield from written(each)
    elif isinstance(value, float | Decimal) and isfinite(value) and value == int(value):
        yield str(int(value))  # of 5551234567.0, nobody writes the last two characters
    elif isinstance(value, datetime) and value.time() == time.min:
        yield str(value.date())
    elif value is not None and value == value:  # noqa: PLR0124  # NaN is not
        yield str(value)


def _index(batch: pa.RecordBatch, name: str, rule: Rule) -> _Column:
    """Read a column, and tell its rows apart by their texts, and by their row values if asked."""
    values = read(batch.column(name))
    rows = list(_row_values(batch, rule)) if rule.deny_from or rule.allow_from else []
    distinct: dict[tuple[str, RowValues | None], int] = {}
    places = []
    for number, text in enumerate(values):
        row = rows[number] if rows else None
        if text is None:
            places.append(_NULL)
        elif isinstance(text, bytes) or (rows and row is None):
            places.append(_NOT_READ)
        else:
            places.append(distinct.setdefault((text, row), len(distinct)))
    return _Column(
        texts=tuple(text for text, _ in distinct),
        rows=tuple(row for _, row in distinct if row is not None),
        places=tuple(places),
    )


def _row_values(batch: pa.RecordBatch, rule: Rule) -> Iterator[RowValues | None]:
    """Yield what each row's other columns say; None if one of its deny values cannot be read."""
    deny = [(entity, _values(batch, name)) for name, entity in rule.deny_from.items()]
    allow = [_values(batch, name) for name in rule.allow_from]
    for number in range(batch.num_rows):
        denied = [(entity, values[number]) for entity, values in deny]
        if any(values is None for _, values in denied):
            yield None
        else:
            yield RowValues(
                deny=tuple((entity, value) for entity, values in denied for value in values or ()),
                allow=tuple(value for values in allow for value in values[number] or ()),
            )


def _values(batch: pa.RecordBatch, name: str) -> list[tuple[str, ...] | None]:
    """Return what each row of a column says, lists flattened; None where it is not UTF-8.

    Raises:
        ConfigError: the column holds neither texts, numbers, dates nor lists of such.
    """
    array = batch.column(name)
    if not _is_plain(array.type):
        raise ConfigError(
            f"column {name} cannot be denied or allowed in texts: it has to hold texts, numbers, "
            "dates, or lists of such; cast it",
        )
    return [None if isinstance(value, bytes) else tuple(written(value)) for value in read(array)]


def _is_plain(data_type: pa.DataType) -> bool:
    """Return whether values of a type are written in one way, or are lists of such."""
    if isinstance(data_type, pa.DictionaryType):
        return _is_plain(data_type.value_type)
    if any(is_kind(data_type) for is_kind in _LISTS):
        return _is_plain(data_type.field(0).type)
    if isinstance(data_type, pa.BaseExtensionType):
        return data_type.extension_name == "arrow.uuid"
    return is_text(data_type) or any(is_kind(data_type) for is_kind in _PLAIN)


def read(array: "pa.Array[Any]") -> list[Any]:
    """Return the values of a column, and bytes for those that are not UTF-8."""
    try:
        return array.to_pylist()
    except UnicodeDecodeError:
        return [_read_one(scalar) for scalar in array]


def _read_one(scalar: "pa.Scalar[Any]") -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return b""


def _is_readable(array: "pa.Array[Any]") -> bool:
    """Return whether all strings of a column are UTF-8."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
