"""Lines become rows of tokens: fitted to the context, deduplicated, capped per person.

Rows lie in flat arrays, a few bytes per token, and are laid out for the model a batch at a time, in
one of a few fixed layouts: each is compiled once.
"""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from python_stages.errors import ConfigError, StageError
from python_stages.training.chat_format import Encoded, Mark, Message
from python_stages.training.results import DataCounts

Rows = npt.NDArray[np.int64]
# each conversation as tokens; None where the answer alone does not fit
Encoder = Callable[[Sequence[Sequence[Message]]], list[Encoded | None]]

_LINES_AT_ONCE: Final = 2_000
_MAX_LAYOUTS: Final = 3
_WIDTHS: Final = tuple(size for power in range(4, 15) for size in (2**power, 3 * 2 ** (power - 1)))
_WINDOWS: Final = (2, 4, 8, 32, 128, 512)


class Layout(NamedTuple):
    """Sizes that a row is laid out in.

    Args:
        width: positions, the prompt's and the answer's.
        window: how many of the last ones hold all that is to be learnt.
    """

    width: int
    window: int


class Batch(NamedTuple):
    """Rows as the model reads them, right-aligned.

    Args:
        tokens: (rows, width).
        is_real: (rows, width), False at padding.
        targets: (rows, window), the token after each of the last positions.
        is_target: (rows, window), True where the loss counts.
        is_example: (rows,), False at rows that only fill the batch.
    """

    tokens: npt.NDArray[np.int32]
    is_real: npt.NDArray[np.bool_]
    targets: npt.NDArray[np.int32]
    is_target: npt.NDArray[np.bool_]
    is_example: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of tokens.

    Args:
        tokens: all rows' tokens, one after the other.
        is_target: for each token whether the loss counts it.
        starts: (rows + 1,) where each row begins.
        layouts: the layouts in use.
        layout_of: (rows,) which of them a row takes.
    """

    tokens: npt.NDArray[np.uint32]
    is_target: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]
    layouts: tuple[Layout, ...]
    layout_of: npt.NDArray[np.int8]

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return len(self.starts) - 1

    def n_tokens(self, rows: Rows) -> int:
        """Return how many tokens these rows have together."""
        return int(np.sum(self.starts[rows + 1] - self.starts[rows]))

    def digest(self) -> str:
        """Return the SHA-256 of all rows, in their order."""
        found = hashlib.sha256()
        for array in (self.starts, self.tokens, self.is_target):
            found.update(array.tobytes())
        return found.hexdigest()

    def batch(self, rows: Rows, layout: Layout, size: int) -> Batch:
        """Lay out rows, filled up with empty ones to a fixed number.

        Args:
            rows: at most `size` row numbers, which fit the layout.
            layout: the sizes.
            size: rows of the batch.
        """
        width, window = layout
        batch = Batch(
            np.full((size, width), Mark.PADDING, np.int32),
            np.zeros((size, width), np.bool_),
            np.full((size, window), Mark.PADDING, np.int32),
            np.zeros((size, window), np.bool_),
            np.arange(size) < len(rows),
        )
        for i, row in enumerate(rows):
            tokens = self.tokens[self.starts[row] : self.starts[row + 1]]
            is_target = self.is_target[self.starts[row] : self.starts[row + 1]]
            n = len(tokens) - 1
            batch.tokens[i, width - n :] = tokens[:-1]
            batch.is_real[i, width - n :] = True
            n_asked = min(n, window)
            batch.targets[i, window - n_asked :] = tokens[-n_asked:]
            batch.is_target[i, window - n_asked :] = is_target[-n_asked:]
        return batch


def read(
    lines: Iterable[bytes],
    encode: Encoder,
    *,
    deduplicate: bool,
    max_rows_per_person: int | None = None,
) -> tuple[Dataset, DataCounts]:
    """Return the rows of JSONL lines, in their order, and what became of the lines.

    A person's rows are deduplicated and capped without a look at anybody else's, and only then
    compared with the others': so what one person gives changes at most that person's rows.

    Args:
        lines: each an object with `messages` and, for the cap, `metadata.subject`.
        encode: makes rows of conversations.
        deduplicate: keep one of the rows whose tokens are all the same.
        max_rows_per_person: keep so many of a person's rows, by their hash.

    Raises:
        StageError: a line is not of that form; it is named by its number.
        ConfigError: a cap is asked for and a row names no person.
    """
    rows: list[Encoded] = []
    subjects: list[str | None] = []
    n_lines = n_too_long = 0
    for encoded, subject in _encoded(lines, encode):
        n_lines += 1
        if encoded is None:
            n_too_long += 1
            continue
        rows.append(encoded)
        subjects.append(subject)
    digests = [_digest(row) for row in rows]
    kept = list(range(len(rows)))
    n_over_cap = 0
    if max_rows_per_person is not None:
        own = _unique(kept, [(subjects[i], digests[i]) for i in kept]) if deduplicate else kept
        kept = _capped(own, digests, subjects, max_rows_per_person)
        n_over_cap = len(own) - len(kept)
    if deduplicate:
        kept = _unique(kept, [digests[i] for i in kept])
    counts = DataCounts(
        n_lines=n_lines,
        n_rows=len(kept),
        n_duplicates=len(rows) - n_over_cap - len(kept),
        n_over_cap=n_over_cap,
        n_too_long=n_too_long,
        n_cut=sum(rows[i].n_cut > 0 for i in kept),
    )
    return _pack([rows[i] for i in kept]), counts


def _encoded(
    lines: Iterable[bytes], encode: Encoder
) -> Iterator[tuple[Encoded | None, str | None]]:
    """Yield each line's conversation and the person it names."""
    numbered = enumerate(lines, start=1)
    while chunk := list(itertools.islice(numbered, _LINES_AT_ONCE)):
        parsed = [_parse(line, number) for number, line in chunk if line.strip()]
        try:
            encoded = encode([messages for messages, _ in parsed])
        except StageError as error:
            first, last = chunk[0][0], chunk[-1][0]
            raise StageError(f"between lines {first} and {last}: {error}") from None
        yield from zip(encoded, (subject for _, subject in parsed), strict=True)


def _parse(line: bytes, number: int) -> tuple[list[Any], str | None]:
    try:
        data = json.loads(line)
    except ValueError:
        raise StageError(f"line {number} is not json in utf-8") from None
    messages = data.get("messages") if isinstance(data, dict) else None
    if not isinstance(messages, list) or not messages:
        raise StageError(f"line {number} has no list of messages")
    metadata = data.get("metadata") or {}
    subject = metadata.get("subject") if isinstance(metadata, dict) else None
    return messages, None if subject is None else str(subject)


def _digest(row: Encoded) -> bytes:
    tokens = np.asarray(row.tokens, np.uint32).tobytes()
    return hashlib.sha256(tokens + np.asarray(row.is_target, np.bool_).tobytes()).digest()


def _unique(kept: Sequence[int], keys: Sequence[Any]) -> list[int]:
    """Return the first row of each key."""
    first = {key: row for row, key in zip(reversed(kept), reversed(keys), strict=True)}
    return sorted(first.values())


def _capped(
    kept: Sequence[int], digests: Sequence[bytes], subjects: Sequence[str | None], most: int
) -> list[int]:
    """Return at most so many rows of each person."""
    if any(subjects[row] is None for row in kept):
        raise ConfigError(
            "max_rows_per_person needs to know whose each row is: give every line metadata.subject"
        )
    n_of: Counter[str | None] = Counter()
    chosen = []
    for row in sorted(kept, key=lambda row: digests[row]):
        n_of[subjects[row]] += 1
        if n_of[subjects[row]] <= most:
            chosen.append(row)
    return sorted(chosen)


def _pack(rows: Sequence[Encoded]) -> Dataset:
    lengths = [len(row.tokens) for row in rows]
    firsts = [row.is_target.index(True) for row in rows]
    wanted = [
        Layout(_at_least(n - 1, _WIDTHS), _at_least(n - first, _WINDOWS))
        for n, first in zip(lengths, firsts, strict=True)
    ]
    wanted = [Layout(width, min(width, window)) for width, window in wanted]
    chosen = _merge(Counter(wanted))
    layouts = tuple(sorted(set(chosen.values())))
    return Dataset(
        tokens=np.fromiter(itertools.chain.from_iterable(r.tokens for r in rows), np.uint32),
        is_target=np.fromiter(itertools.chain.from_iterable(r.is_target for r in rows), np.bool_),
        starts=np.cumsum([0, *lengths], dtype=np.int64),
        layouts=layouts,
        layout_of=np.array([layouts.index(chosen[layout]) for layout in wanted], np.int8),
    )


def _at_least(size: int, sizes: Sequence[int]) -> int:
    """Return the smallest of the sizes that is large enough, or the size itself."""
    return next((s for s in sizes if s >= size), size)


def _merge(counts: Counter[Layout]) -> dict[Layout, Layout]:
    """Return for each layout one of a few that holds it, at little cost for all rows together."""
    chosen = {layout: layout for layout in counts}
    groups = Counter(counts)
    while len(groups) > _MAX_LAYOUTS:
        first, second = min(
            itertools.combinations(sorted(groups), 2),
            key=lambda pair: sum(groups[one] * (_cost(_union(*pair)) - _cost(one)) for one in pair),
        )
        union = _union(first, second)
        n_rows = groups.pop(first) + groups.pop(second)
        groups[union] += n_rows
        for layout, now in chosen.items():
            if now in (first, second):
                chosen[layout] = union
    return chosen


def _union(first: Layout, second: Layout) -> Layout:
    return Layout(max(first.width, second.width), max(first.window, second.window))


def _cost(layout: Layout) -> int:
    """Return about how long a row takes: a position of the window costs the whole last layer."""
    return layout.width + 8 * layout.window
