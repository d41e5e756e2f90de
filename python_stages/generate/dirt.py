"""Broken records with one known reason each, and harmless oddities that must be kept.

A record is one physical line, ended by a line feed. Its reasons come in the order in which a reader
meets them: the structure of the line first, then its columns from left to right. Each broken record
here is a good row with one thing broken, so exactly one reason is true of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from python_stages.generate.draws import Draws, Stream
from python_stages.generate.tables import HEADER

Change = Callable[[list[str], int], str]

_COLUMN: Final = {name: index for index, name in enumerate(HEADER)}
_TEXTS: Final = tuple(_COLUMN[name] for name in ("merchant", "city", "device"))
_LAST_UNQUOTED: Final = _COLUMN["weekend_transaction"]
_VELOCITY: Final = _COLUMN["velocity_last_hour"]


def fields(line: str) -> list[str]:
    """Split a good line into its 24 fields; only the velocity is quoted, with commas inside."""
    *unquoted, rest = line.split(",", _VELOCITY)
    return [*unquoted, *rest.rsplit(",", 1)]


def _replaced(column: int, *values: str) -> Change:
    """Put one of the values into a column."""

    def change(row: list[str], choice: int) -> str:
        row[column] = values[choice % len(values)]
        return ",".join(row)

    return change


def _other_year(year: str) -> Change:
    def change(row: list[str], _: int) -> str:
        row[_COLUMN["timestamp"]] = year + row[_COLUMN["timestamp"]][4:]
        return ",".join(row)

    return change


def _inserted(*texts: str) -> Change:
    """Put one of the texts behind the second character of a text field."""

    def change(row: list[str], choice: int) -> str:
        column = _TEXTS[choice % len(_TEXTS)]
        row[column] = row[column][:2] + texts[choice % len(texts)] + row[column][2:]
        return ",".join(row)

    return change


def _unterminated_quote(row: list[str], choice: int) -> str:
    """Take the velocity's closing quote away, or open one in front of an earlier field."""
    if choice % 2:
        row[_VELOCITY] = row[_VELOCITY].removesuffix('"')
    else:
        column = choice // 2 % (_LAST_UNQUOTED + 1)
        row[column] = '"' + row[column]
    return ",".join(row)


def _too_many_columns(row: list[str], choice: int) -> str:
    """Add fields at the end, or an unquoted comma inside the merchant."""
    if choice % 2:
        return ",".join([*row, *["left over"] * (1 + choice // 2 % 3)])
    row[_COLUMN["merchant"]] += ", Inc."
    return ",".join(row)


def _missing_columns(row: list[str], choice: int) -> str:
    """Cut the record off behind one of its first 23 columns."""
    return ",".join(row[: 1 + choice % (len(HEADER) - 1)])


def _negative_amount(row: list[str], choice: int) -> str:
    amount = row[_COLUMN["amount"]]
    return _replaced(_COLUMN["amount"], f"-{amount}", "0.0")(row, choice)


# Values that do not cast to the column's type, or are not of its form.
_INVALID: Final[Mapping[str, tuple[str, ...]]] = {
    "card_number": ("4111-XXXX", "unreadable"),
    "timestamp": ("2024-13-45 10:00:00.000000+00:00", "2024-10-32 25:61:00+00:00"),
    "amount": ("12.5x", "twelve"),
    "card_present": ("maybe",),
    "distance_from_home": ("x", "far"),
    "high_risk_merchant": ("somewhat",),
    "transaction_hour": ("noon",),
    "weekend_transaction": ("almost",),
    "velocity_last_hour": ("\"{'total': 12.5}\"", '"[]"'),
    "is_fraud": ("perhaps",),
}

# Bytes go through latin-1 when a line is written, so \xe9 alone becomes a byte that is not UTF-8.
_CHANGES: Final[Mapping[str, Change]] = {
    "unterminated_quote": _unterminated_quote,
    "too_many_columns": _too_many_columns,
    "missing_columns": _missing_columns,
    "invalid_encoding": _inserted("\xe9", "\xff\xfe", "\xc3("),
    "stray_carriage_return": _inserted("\r"),
    "nul_byte": _inserted("\x00"),
    **{f"{name}_missing": _replaced(column, "") for name, column in _COLUMN.items()},
    **{f"{name}_invalid": _replaced(_COLUMN[name], *bad) for name, bad in _INVALID.items()},
    "timestamp_below_min": _other_year("1970"),
    "timestamp_above_max": _other_year("2999"),
    "merchant_category_unknown": _replaced(_COLUMN["merchant_category"], "Casino", "Lottery"),
    "amount_below_min": _negative_amount,
    "amount_above_max": _replaced(_COLUMN["amount"], "9.9e12", "250000000.0"),
    "currency_unknown": _replaced(_COLUMN["currency"], "XXX", "ZZZ"),
    "transaction_hour_above_max": _replaced(_COLUMN["transaction_hour"], "27", "24"),
}
REPEATED_ROW: Final = "repeated_row"
REASONS: Final = (*_CHANGES, REPEATED_ROW)


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken record to put into a block.

    Args:
        after: index of the good row that it follows.
        reason: one of REASONS.
        line: a good line of its own, which will be broken.
    """

    after: int
    reason: str
    line: str


def reason_order(seed: int) -> list[str]:
    """Return all reasons in a seeded order, so that few records still are of many kinds."""
    return [
        REASONS[i] for i in np.argsort(Draws(seed, Stream.REASONS).below(1 << 62, len(REASONS)))
    ]


def mix(
    good: Sequence[str], broken: Sequence[Broken], draws: Draws
) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the block's lines, and the index and reason of each broken one.

    Args:
        good: lines without line ends.
        broken: in rising order of `after`.
        draws: where repeats come from, how things break, and the places of as many oddities.
    """
    choices = draws.below(1 << 62, 2 * len(broken)).tolist()
    kept = list(good)
    blank_after = _add_oddities(kept, draws.below(len(good), len(broken)).tolist())
    lines: list[str] = []
    truth: list[tuple[int, str]] = []
    waiting = list(zip(broken, choices[::2], choices[1::2], strict=True))[::-1]
    for index, line in enumerate(kept):
        lines.append(line)
        while waiting and waiting[-1][0].after == index:
            record, choice, source = waiting.pop()
            truth.append((len(lines), record.reason))
            if record.reason == REPEATED_ROW:
                lines.append(kept[source % (index + 1)])
            else:
                lines.append(_CHANGES[record.reason](fields(record.line), choice))
        if index in blank_after:
            lines.append("")
    return lines, truth


def _add_oddities(lines: list[str], places: Sequence[int]) -> set[int]:
    """Make the lines at these places odd but good; return after which ones a blank line goes."""
    blank_after = set()
    for turn, index in enumerate(dict.fromkeys(places)):
        row = fields(lines[index])
        match turn % 5:
            case 0 if index:
                row[0] = fields(lines[index - 1])[0]
            case 1:
                timestamp = row[_COLUMN["timestamp"]]
                row[_COLUMN["timestamp"]] = timestamp.split(".")[0].split("+")[0] + "+00:00"
            case 2:
                row[_COLUMN["merchant"]] = '"Barnes, Noble ""&"" Co"'
            case 3:
                row[_COLUMN["merchant"]] = f'"{row[_COLUMN["merchant"]]}, Inc."'
            case _:
                blank_after.add(index)
        lines[index] = ",".join(row)
    return blank_after


def decoded(text: bytes) -> list[str]:
    """Return the lines of good rows, without line ends."""
    return text.decode("ascii").splitlines()


def encoded(lines: Sequence[str]) -> bytes:
    """Return the lines as bytes, each ended by a line feed."""
    return "".join(chain.from_iterable((line, "\n") for line in lines)).encode("latin-1")
