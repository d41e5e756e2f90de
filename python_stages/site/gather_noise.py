"""Noise that was drawn for a dataset, what it spent, and what it does not cover."""

from collections.abc import Iterator
from typing import Any, Final

from python_stages.drawn_noise import OTHER, asked_counts, counts_of, draws_of
from python_stages.noise import ColumnNoise, count_epsilon, noisy_columns
from python_stages.site.artifacts import Manifest
from python_stages.site.facts.dataset import ClassCount
from python_stages.site.facts.noise import Noise, NoisyColumn, PrivateCounts
from python_stages.site.warehouse import Warehouse

_MECHANISM: Final = "discrete Laplace (OpenDP), epsilon by OpenDP's privacy maps"
_UNIT: Final = (
    "One row: nobody who sees its noisy values can tell, beyond epsilon, which values within the "
    "bounds it had, nor from noisy counts whether its example is there, or twice that where "
    "another row is drawn in its place. Of a person with k rows it is k times that."
)
_UNCOVERED: Final = (
    "The other columns, the rest of the text, which rows there are, and which values are missing.",
    "Why records were rejected, and how many.",
    "What training makes of the examples: its own epsilon is on the model's page.",
    "Lines that were sealed before noise was asked for, and draws that are lost with a vault.",
)
_STALE: Final = "{}: noise is not asked for any more, so its values are given as they are."
_COUNTS: Final = (
    "Beside noisy counts: totals of stages and splits, lengths, the metrics of models, and the "
    "number of rows per class that is drawn (`sample_per_class`)."
)


def of_dataset(vault: Warehouse, manifest: Manifest, name: str) -> Noise | None:
    """Read what noise a dataset has or had; None where there never was any."""
    asked = noisy_columns(manifest.meta(name, "rendered").get("render", {}).get("noise"))
    columns = tuple(_columns(vault, name, {one.column: one for one in asked}))
    counts = _private_counts(vault, manifest, name)
    if not columns and counts is None:
        return None
    stale = [_STALE.format(one.column) for one in columns if not one.is_current]
    return Noise(
        mechanism=_MECHANISM,
        unit=_UNIT,
        columns=columns,
        counts=counts,
        epsilon_total=_spent(vault, name) + (counts.epsilon_spent if counts else 0.0),
        not_covered=(*stale, *_UNCOVERED, *([_COUNTS] if counts else [])),
    )


def asked_epsilon(manifest: Manifest, name: str) -> float | None:
    """Return the epsilon of a dataset's counts; None where exact ones are shown."""
    return count_epsilon(manifest.meta(name, "checked").get("check", {}).get("private_counts"))


def noisy_classes(
    vault: Warehouse, name: str, labels: frozenset[str], epsilon: float, fingerprint: str | None
) -> tuple[ClassCount, ...]:
    """Return the noisy counts of the lines that were checked; none where none were drawn.

    A count below zero is shown as zero, which costs nothing.
    """
    if fingerprint is None or not vault.has(counts_of(name)):
        return ()
    rows = vault.rows(
        f'select label, split, greatest(n_noisy, 0) from "{counts_of(name)}" '
        "where dataset_fingerprint = ? and asked = ? order by split, label = ?, label",
        [fingerprint, asked_counts(labels, epsilon), OTHER],
    )
    return tuple(ClassCount(label, split, int(n)) for label, split, n in rows)


def _columns(vault: Warehouse, name: str, asked: dict[str, ColumnNoise]) -> Iterator[NoisyColumn]:
    """Yield the columns that noise is asked for, or was drawn for."""
    drawn: dict[str, tuple[Any, ...]] = {}
    if vault.has(draws_of(name)):
        rows = vault.rows(
            "select column_name, sum(n), max(n) from (select column_name, row_id, count(*) as n "
            f'from "{draws_of(name)}" group by all) group by all'
        )
        drawn = {column: tuple(rest) for column, *rest in rows}
    for column in sorted({*asked, *drawn}):
        noise = asked.get(column)
        n, most = drawn.get(column, (0, 0))
        yield NoisyColumn(
            column=column,
            is_current=noise is not None,
            epsilon=noise.epsilon if noise else None,
            lower=float(noise.lower) if noise else None,
            upper=float(noise.upper) if noise else None,
            n_draws=int(n),
            most_draws=int(most),
            epsilon_spent=_spent(vault, name, column),
        )


def _spent(vault: Warehouse, name: str, column: str | None = None) -> float:
    """Return the most that a record can have been spent on, over all draws of one column or all.

    That is what the row with the most was spent on, and besides one draw in each build that drew
    for rows that are gone: a row is named after what it holds, so a record that was changed may
    have been one of them each time.
    """
    if not vault.has(draws_of(name)):
        return 0.0
    sampled = f"{name}_sampled"
    rows = f'from "{sampled}"' if vault.has(sampled) else f'from "{draws_of(name)}" limit 0'
    ((spent,),) = vault.rows(
        f"""
        with drawn as (
            select * from "{draws_of(name)}" where column_name = coalesce(?, column_name)
        ),
        now as (
            select row_id {rows}
        ),
        of_rows as (
            select sum(epsilon) as spent from drawn semi join now using (row_id) group by row_id
        ),
        of_builds as (
            select max(epsilon) as spent from drawn anti join now using (row_id)
            group by column_name, drawn_at
        )
        select
            coalesce((select max(spent) from of_rows), 0)
            + coalesce((select sum(spent) from of_builds), 0)
        """,
        [column],
    )
    return float(spent)


def _private_counts(vault: Warehouse, manifest: Manifest, name: str) -> PrivateCounts | None:
    epsilon = asked_epsilon(manifest, name)
    n_draws, spent = 0, 0.0
    if vault.has(counts_of(name)):
        ((n_draws, spent),) = vault.rows(
            "select count(*), coalesce(sum(epsilon), 0) from (select any_value(epsilon) as epsilon "
            f'from "{counts_of(name)}" group by dataset_fingerprint, asked)'
        )
    if epsilon is None and not n_draws:
        return None
    return PrivateCounts(epsilon is not None, epsilon, int(n_draws), float(spent))
