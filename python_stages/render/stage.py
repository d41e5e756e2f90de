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
    bound = {template: _bind(template, values) for template in spec.wordings}
    needs = {template: spec.needs(template) for template in spec.wordings}
    currency_of = values.get((spec.currency_column or "", Kind.TEXT))
    place_of = _texts(batch, spec.locale_column) if spec.locale_column else None

    eligible: dict[tuple[frozenset[Need], tuple[Template, ...]], list[Template]] = {}

    def fill(row: int, templates: tuple[Template, ...], choice: int) -> str:
        """Write a row in one of the templates that it holds all values for."""
        missing = frozenset([need for need, column in values.items() if column[row] is None])
        if (missing, templates) not in eligible:
            allowed = _eligible({one: needs[one] for one in templates}, missing)
            eligible[missing, templates] = allowed
        fitting = eligible[missing, templates]
        place = place_of[row] if place_of else None
        locale = spec.locales.get(place or "", spec.default_locale)
        currency = currency_of[row] if currency_of else ""
        return "".join(
            piece if isinstance(piece, str) else piece[1](piece[0][row], locale, currency)
            for piece in bound[fitting[choice % len(fitting)]]
        )

    users: list[str] = []
    systems: list[str | None] = []
    answers: list[str] = []
    for row, row_id in enumerate(row_ids):
        template, instruction, answer = _choices(row_id, key)
        description = fill(row, spec.templates, template)
        asked = spec.instructions[instruction % len(spec.instructions)]
        users.append("".join(p if isinstance(p, str) else description for p in asked.pieces))
        systems.append(fill(row, (spec.system,), 0) if spec.system else None)
        answers.append(fill(row, spec.answers, answer) if spec.answers else labels[row])

    columns: list[Sequence[str | None]] = [row_ids, labels, systems, users, answers]
    columns += [_raw_texts(batch, name) for name in spec.carry]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, type=pa.string()) for column in columns],
        schema=rendered_schema(spec),
    )


def _bind(
    template: Template,
    values: Mapping[Need, list[Any]],
) -> list[str | tuple[list[Any], Writer]]:
    """Pair every placeholder with its column's values and its writer."""
    return [
        piece
        if isinstance(piece, str)
        else (values[piece.column, piece.kind], FORMATS[piece.format].write)
        for piece in template.pieces
    ]


def _eligible(
    needs: Mapping[Template, frozenset[Need]], missing: frozenset[Need]
) -> list[Template]:
    """Return the templates that do without the missing values.

    Raises:
        StageError: there is none.
    """
    eligible = [template for template, needed in needs.items() if not needed & missing]
    if not eligible:
        names = ", ".join(sorted({column for column, _ in missing}))
        raise StageError(
            f"a row holds no usable {names} and every template needs some of it: "
            "drop such rows, counted, before this stage, or add a template that does without",
        )
    return eligible


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
    return [clean(text) or None if text else None for text in _raw_texts(batch, column)]


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
    try:
        return pc.cast(batch.column(column), pa.string()).to_pylist()
    except (UnicodeDecodeError, pa.ArrowInvalid):
        raise StageError(
            f"column {column} holds bytes that are not utf-8: clean them before this stage",
        ) from None


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
