"""Builds before this one: their numbers, and what is no longer as it was."""

from datetime import UTC
from typing import Final

from python_stages.site.facts.report import Change, Measure
from python_stages.site.warehouse import Warehouse

_BUILDS: Final = 30


def measures(vault: Warehouse) -> tuple[Measure, ...]:
    """Return the numbers of the last builds, oldest first."""
    if not vault.has("build_history"):
        return ()
    rows = vault.rows(
        "with recent as (select distinct built_at from build_history order by 1 desc limit ?) "
        "select built_at at time zone 'UTC', dataset, measure, value from build_history "
        "where built_at in (select built_at from recent) order by built_at, dataset, measure",
        [_BUILDS],
    )
    return tuple(Measure(at.replace(tzinfo=UTC), *rest) for at, *rest in rows)


def changes(history: tuple[Measure, ...]) -> tuple[Change, ...]:
    """Return the numbers of the last build that differ from the build before; none at the first."""
    times = sorted({one.built_at for one in history})
    if len(times) == 1 or not times:
        return ()
    before, after = (
        {(one.dataset, one.measure): one.value for one in history if one.built_at == at}
        for at in times[-2:]
    )
    return tuple(
        Change(*key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )
