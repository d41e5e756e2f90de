"""Rows and templates become chat text: a user who asks, an assistant who answers.

Which template a row gets is a keyed hash of its row_id: a rebuild, another batch size or another
machine changes nothing, and nobody without the key can tell which wording a row got. A template
that needs a value which the row lacks (null, blank, or listed in `blank_values`) is not eligible
for the row. Where the label answers it never asks: a template that shows it is refused.

Pure and streaming: record batches in, record batches of RENDERED_SCHEMA out, one at a time, and
beside it the columns that the settings carry on.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from python_stages.errors import ConfigError, StageError
from python_stages.render.spec import Need, RenderSpec
from python_stages.render.wording import (
    FORMATS,
    Kind,
    Template,
    Writer,
    clean,
    clean_lines,
    currencies,
)

RENDERED_SCHEMA: Final = pa.schema(
    [
        ("row_id", pa.string()),
        ("label", pa.string()),
        ("system_text", pa.string()),
        ("user_text", pa.string()),
        ("assistant_text", pa.string()),
    ],
)


def rendered_schema(spec: RenderSpec) -> pa.Schema:
    """Return the schema of what comes out: RENDERED_SCHEMA and the columns carried on, as text."""
    return pa.schema([*RENDERED_SCHEMA, *((name, pa.string()) for name in spec.carry)])


_SHORTEST_KEY: Final = 16  # bytes
_TOO_LARGE: Final = 10**15  # beyond it a double no longer holds cents; infinity and NaN fail too


def render(
    batches: Iterable[pa.RecordBatch],
    spec: RenderSpec,
    key: bytes,
) -> Iterator[pa.RecordBatch]:
    """Put every row into words, one batch at a time.

    Args:
        batches: row_id (unique text), the label column, and the columns that the templates use.
        spec: the wordings.
        key: secret of at least 16 bytes that decides which row gets which wording.

    Raises:
        ConfigError: a column is missing or of a type that its format cannot write.
        StageError: a row has no id, no label, no eligible template, or text that is not UTF-8.
    """
    if len(key) < _SHORTEST_KEY:
        raise ConfigError(f"the key of the render stage is too short: give {_SHORTEST_KEY} bytes")
    for batch in batches:
        _check_columns(batch.schema, spec)
        yield _render_batch(batch, spec, key)


def _render_batch(batch: pa.RecordBatch, spec: RenderSpec, key: bytes) -> pa.RecordBatch:
    """Render one batch whose columns are checked."""
    row_ids = _exact_texts(batch, "row_id")
    labels = _exact_texts(batch, spec.label_column)
    values = {
        need: _values(batch, need, spec)
        for need in frozenset().union(*map(spec.needs, spec.wordings))
    }
    questions, systems_of, answers_of = (
        _Wordings.bound(templates, values, spec)
        for templates in (spec.templates, (spec.system,) if spec.system else (), spec.answers)
    )
    lacking = _lacking(values, batch.num_rows)
    currency_of = values.get((spec.currency_column or "", Kind.TEXT))
    place_of = _texts(batch, spec.locale_column) if spec.locale_column else None

    users: list[str] = []
    systems: list[str | None] = []
    answers: list[str] = []
    for row, row_id in enumerate(row_ids):
        template, instruction, answer = _choices(row_id, key)
        place = place_of[row] if place_of else None
        locale = spec.locales.get(place or "", spec.default_locale)
        currency = currency_of[row] if currency_of else ""
        how = (row, lacking[row], locale, currency)
        description = questions.write(template, *how)
        asked = spec.instructions[instruction % len(spec.instructions)]
        users.append("".join(p if isinstance(p, str) else description for p in asked.pieces))
        systems.append(systems_of.write(0, *how) if spec.system else None)
        answers.append(answers_of.write(answer, *how) if spec.answers else labels[row])

    columns: list[Sequence[str | None]] = [row_ids, labels, systems, users, answers]
    arrays: list[pa.Array[Any]] = [pa.array(column, type=pa.string()) for column in columns]
    arrays += [_as_text(batch, name) for name in spec.carry]
    return pa.RecordBatch.from_arrays(arrays, schema=rendered_schema(spec))


_Bound = list[str | tuple[list[Any], Writer]]  # pieces, each placeholder with its column's values


@dataclass(frozen=True, slots=True)
class _Wordings:
    """Templates in one of which a row is written, bound to the values of a batch.

    Args:
        each: what a template needs, and the template.
        fitting: by what a row lacks, the templates that do without; filled as rows come.
    """

    each: tuple[tuple[frozenset[Need], _Bound], ...]
    fitting: dict[frozenset[Need], list[_Bound]]

    @classmethod
    def bound(
        cls, templates: Iterable[Template], values: Mapping[Need, list[Any]], spec: RenderSpec
    ) -> "_Wordings":
        """Pair every placeholder with its column's values and its writer."""
        return cls(
            tuple(
                (
                    spec.needs(template),
                    [
                        piece
                        if isinstance(piece, str)
                        else (values[piece.column, piece.kind], FORMATS[piece.format].write)
                        for piece in template.pieces
                    ],
                )
                for template in templates
            ),
            {},
        )

    def write(
        self, choice: int, row: int, missing: frozenset[Need], locale: str, currency: str
    ) -> str:
        """Write a row in one of the templates that it holds all values for.

        Raises:
            StageError: there is none.
        """
        if missing not in self.fitting:
            self.fitting[missing] = self._without(missing)
        fitting = self.fitting[missing]
        return "".join(
            [
                piece if isinstance(piece, str) else piece[1](piece[0][row], locale, currency)
                for piece in fitting[choice % len(fitting)]
            ]
        )

    def _without(self, missing: frozenset[Need]) -> list[_Bound]:
        """Return the templates that do without the missing values."""
        fitting = [template for needed, template in self.each if not needed & missing]
        if not fitting:
            names = ", ".join(sorted({column for column, _ in missing}))
            raise StageError(
                f"a row holds no usable {names} and every template needs some of it: "
                "drop such rows, counted, before this stage, or add a template that does without",
            )
        return fitting


def _lacking(values: Mapping[Need, list[Any]], n_rows: int) -> list[frozenset[Need]]:
    """Return for each row what it has no value for."""
    lacking: list[frozenset[Need]] = [frozenset()] * n_rows
    for need, column in values.items():
        for row, value in enumerate(column):
            if value is None:
                lacking[row] |= {need}
    return lacking


def _choices(row_id: str, key: bytes) -> tuple[int, int, int]:
    """Choose template, instruction and answer by HMACs; 128 bits leave a bias below 2**-120."""
    digest = hmac.digest(key, row_id.encode(), "sha256")
    answer = hmac.digest(key, b"answer\0" + row_id.encode(), "sha256")
    return (
        int.from_bytes(digest[:16]),
        int.from_bytes(digest[16:]),
        int.from_bytes(answer[:16]),
    )


def _values(batch: pa.RecordBatch, need: Need, spec: RenderSpec) -> list[Any]:
    """Return a column as Python values of one kind; None where the row does not hold one."""
    column, kind = need
    if kind is Kind.TEXT:
        blank = spec.blank_values.get(column, frozenset())
        texts = _texts(batch, column)
        if column == spec.currency_column:
            return [text if text in currencies() else None for text in texts]
        return [None if text in blank else text for text in texts]
    if kind is Kind.LINES:
        return [clean_lines(text) or None if text else None for text in _raw_texts(batch, column)]
    if kind is Kind.NUMBER:
        numbers: list[Any] = batch.column(column).to_pylist()
        return [n if n is not None and abs(n) < _TOO_LARGE else None for n in numbers]
    # A cast from an instant to a bare timestamp gives its UTC wall clock, whatever the session's
    # time zone was when the batch was made.
    return batch.column(column).cast(pa.timestamp("us"), safe=False).to_pylist()


def _texts(batch: pa.RecordBatch, column: str) -> list[str | None]:
    """Return a column as clean text; None where it is null or blank."""
    texts = _raw_texts(batch, column)
    cleaned = {text: clean(text) or None if text else None for text in set(texts)}  # most repeat
    return [cleaned[text] for text in texts]


def _exact_texts(batch: pa.RecordBatch, column: str) -> list[str]:
    """Return a column exactly as it is; every row must hold text."""
    texts = [text for text in _raw_texts(batch, column) if text and not text.isspace()]
    if len(texts) < batch.num_rows:
        raise StageError(
            f"{batch.num_rows - len(texts)} rows of a batch have no {column}: "
            "drop them, counted, before this stage",
        )
    return texts


def _raw_texts(batch: pa.RecordBatch, column: str) -> list[str | None]:
    texts: list[str | None] = _as_text(batch, column).to_pylist()
    return texts


def _as_text(batch: pa.RecordBatch, column: str) -> "pa.Array[Any]":
    try:
        texts = pc.cast(batch.column(column), pa.string())
        texts.validate(full=True)
    except (UnicodeDecodeError, pa.ArrowInvalid):
        raise StageError(
            f"column {column} holds bytes that are not utf-8: clean them before this stage",
        ) from None
    return texts


def _check_columns(schema: pa.Schema, spec: RenderSpec) -> None:
    """Raise ConfigError unless the batch holds what the templates read."""
    absent = sorted(spec.columns - set(schema.names))
    if absent:
        raise ConfigError(
            f"templates or settings name {', '.join(absent)}: "
            f"the available columns are {', '.join(sorted(schema.names))}",
        )
    for template in spec.wordings:
        for place in template.placeholders:
            if not _holds(schema.field(place.column).type, place.kind):
                raise ConfigError(
                    f"format {place.format} cannot write column {place.column}: "
                    f"it must hold {place.kind.value}",
                )


def _holds(arrow_type: pa.DataType, kind: Kind) -> bool:
    """Return whether values of the type are of the kind; a column of nulls alone is of any."""
    if pa.types.is_null(arrow_type):
        return True
    if kind is Kind.NUMBER:
        numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
        return any(is_numeric(arrow_type) for is_numeric in numeric)
    if kind is Kind.MOMENT:
        return pa.types.is_timestamp(arrow_type) or pa.types.is_date(arrow_type)
    return not pa.types.is_nested(arrow_type) and not pa.types.is_binary(arrow_type)
