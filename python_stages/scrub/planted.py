"""Planted personal data: how much of it the policy finds, on the user's own text.

A detector's score on somebody else's texts says little about these. So every build takes some of
the texts that it is about to scrub, writes synthetic values into copies of them (plants/), in the
words that people use, and scrubs the copies with the same policy and engine. What comes back is
counted and thrown away: no copy leaves this module.

A value counts as masked only if a finding covers every letter and digit of it, and nothing of the
text that comes out is the value; half a name is a miss. Whether it was taken for the right entity
does not matter, as long as it is gone.

Few values say little: where some of them are missed and the recall is too low by that, ten times as
many more are planted, and all count. What is missed once in a thousand does not stop a build by
chance, and what is missed often does.

Which texts, which values and where they stand follow from a key, so that a rebuild measures the
same. Names come from Faker, as do those that the shipped model learnt from: for unusual names the
recall of names is too good to be true, and the model card says what to expect.
"""

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from random import Random
from typing import Any, Final

import pyarrow as pa

from python_stages.scrub.engine import Engine
from python_stages.scrub.frames import read, written
from python_stages.scrub.operators import Replacer
from python_stages.scrub.plants.copies import Copy, Plant, capacity, holds, piece_of, plant
from python_stages.scrub.plants.spec import PlantSpec, least_recalls
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.row_values import RowValues
from python_stages.scrub.settle import Finding, covers

__all__ = ["RECALL_SCHEMA", "PlantSpec", "interval", "least_recalls", "measure", "sample"]

Row = Mapping[str, tuple[str, ...]]
"""What stands in each column of a row, as people write it: one text, some of a list, or none."""

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("dataset", pa.string(), nullable=False),
    pa.field("column_name", pa.string(), nullable=False),
    pa.field("entity", pa.string(), nullable=False),
    pa.field("n_planted", pa.int64(), nullable=False),
    pa.field("n_masked", pa.int64(), nullable=False),
    pa.field("recall", pa.float64(), nullable=False),
    pa.field("recall_low", pa.float64(), nullable=False),
    pa.field("recall_high", pa.float64(), nullable=False),
    pa.field("min_recall", pa.float64(), nullable=False),
    pa.field("is_met", pa.bool_(), nullable=False),
]
RECALL_SCHEMA: Final = pa.schema(_FIELDS)

_TIMES_MORE: Final = 10
_Z_95: Final = 1.959964  # two-sided 95 % of the normal distribution


def sample(batches: Iterable[pa.RecordBatch], n_rows: int, key: bytes) -> list[Row]:
    """Return some rows, drawn by a keyed hash of what they hold; the order of rows does not matter.

    Args:
        batches: any columns; memory holds one batch and the sample.
        n_rows: how many, at most.
        key: 32 bytes; another one draws other rows.
    """

    def hashed() -> Iterator[tuple[bytes, Row]]:
        for batch in batches:
            columns = [read(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                row = {
                    name: () if isinstance(value, bytes) else tuple(written(value))
                    for name, value in zip(batch.schema.names, values, strict=True)
                }
                yield _digest(key, repr(sorted(row.items()))), row

    drawn = heapq.nsmallest(n_rows, hashed(), key=lambda one: one[0])
    return list(dict(drawn).values())


def measure(
    rows: Sequence[Row],
    policy: Policy,
    engine: Engine,
    spec: PlantSpec,
    *,
    key: bytes,
    pseudonym_key: bytes | None = None,
) -> pa.Table:
    """Plant, scrub and count; one row per column and entity of the policy.

    Args:
        rows: the user's own, as `sample` drew them.
        policy: column -> rule.
        engine: built for `policy.entities`.
        spec: how much is planted.
        key: says what and where; 32 bytes.
        pseudonym_key: of pseudonyms and surrogates, where the policy needs one.

    Returns:
        A table of RECALL_SCHEMA; it holds no text. Without rows it is empty, which is no proof.

    Raises:
        ConfigError: nothing can be planted for an entity of the policy.
    """
    replacer = Replacer(pseudonym_key, policy.dataset)
    least = least_recalls(spec.min_recall)
    measured = []
    for column, rule in policy.rules.items():
        # where all are null, what would come is measured beside nothing
        hosts = [row for row in rows if row.get(column)] or [
            {**row, column: ("",)} for row in rows[:1]
        ]
        if not hosts:
            continue
        few = math.ceil(spec.n_planted / list(policy.rules.values()).count(rule))
        planted = Counter(dict.fromkeys(rule.operators, few))
        masked = _masked(_copies(column, rule, hosts, planted, key), rule, engine, replacer)
        if doubtful := [one for one in planted if masked[one] / few < least[one]]:
            more = Counter(dict.fromkeys(doubtful, _TIMES_MORE * few))
            again = _digest(key, "more")
            masked += _masked(_copies(column, rule, hosts, more, again), rule, engine, replacer)
            planted += more
        for entity, n_planted in planted.items():
            recall = masked[entity] / n_planted
            low, high = interval(masked[entity], n_planted)
            measured.append(
                {
                    "dataset": policy.dataset,
                    "column_name": column,
                    "entity": entity,
                    "n_planted": n_planted,
                    "n_masked": masked[entity],
                    "recall": recall,
                    "recall_low": low,
                    "recall_high": high,
                    "min_recall": least[entity],
                    "is_met": recall >= least[entity],
                }
            )
    return pa.Table.from_pylist(measured, schema=RECALL_SCHEMA)


def interval(n_masked: int, n_planted: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a recall (Wilson 1927, score interval)."""
    share, z2 = n_masked / n_planted, _Z_95**2
    middle = share + z2 / (2 * n_planted)
    half = _Z_95 * math.sqrt(share * (1 - share) / n_planted + z2 / (4 * n_planted**2))
    scale = 1 + z2 / n_planted
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def is_masked(copy: Copy, planted: Plant, found: Sequence[Finding], scrubbed: str) -> bool:
    """Return whether nothing of a planted value is left but separators.

    Args:
        copy: what was scrubbed.
        planted: one of its plants.
        found: what was found in the copy.
        scrubbed: what came out.
    """
    value = copy.text[planted.start : planted.end]
    return covers(found, copy.text, planted.start, planted.end) and not holds(value, scrubbed)


def _copies(
    column: str, rule: Rule, hosts: Sequence[Row], planted: Counter[str], key: bytes
) -> Iterator[Copy]:
    """Yield copies of a column's texts in which entities of the rule are planted so often."""
    draw = Random(_digest(key, column))  # noqa: S311  # to be repeated, not to be secret
    waiting = list(planted.elements())
    draw.shuffle(waiting)
    for row in cycle(hosts):
        if not waiting:
            return
        host = piece_of(row[column][0], draw)
        here = [waiting.pop() for _ in range(min(capacity(host), len(waiting)))]
        yield plant(host, here, draw, rule, _row_values(row, rule))


def _masked(made: Iterable[Copy], rule: Rule, engine: Engine, replacer: Replacer) -> Counter[str]:
    """Scrub copies; return how many of the values in them were masked, by entity."""
    copies = list(made)
    found = engine.spans(
        [copy.text for copy in copies],
        rule.operators,
        rule.min_score,
        rows=[copy.row for copy in copies] if rule.deny_from or rule.allow_from else None,
    )
    masked: Counter[str] = Counter()
    for copy, spans in zip(copies, found, strict=True):
        scrubbed, _ = replacer.replace(copy.text, spans, rule)
        masked.update(
            planted.entity for planted in copy.plants if is_masked(copy, planted, spans, scrubbed)
        )
    return masked


def _row_values(row: Row, rule: Rule) -> RowValues:
    return RowValues(
        deny=tuple(
            (entity, value)
            for name, entity in rule.deny_from.items()
            for value in row.get(name, ())
        ),
        allow=tuple(value for name in rule.allow_from for value in row.get(name, ())),
    )


def _digest(key: bytes, text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=16).digest()
