"""Where each column of a source goes, and where it stops."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from python_stages.site.artifacts import Node
from python_stages.site.facts.dataset import Flow, Passage, Stop
from python_stages.site.lineage import Column, Lineage

RED: Final = ("direct", "free_text")
"""Classes that may not be in a sealed line as the source has them."""
CLASSES: Final = (*RED, "sensitive", "quasi", "none")
# scrubbing looks for what identifies: a date, an amount or a country in a text stays there
_KEPT: Final = frozenset({"sensitive", "quasi", "none"})
# the barest first
_BARE: Final = (Passage.RAW, Passage.NOISED, Passage.SCRUBBED)
STATES: Final = ("drawn", "sampled", "rendered", "scrubbed", "examples", "sealed")

# by origin, how it is in a column
_Spread = Mapping[Column, Passage]


def of_dataset(lineage: Lineage, dataset: str) -> tuple[Flow, ...]:
    """Return the flow of every column of the sources that a dataset's models read."""
    manifest = lineage.manifest
    models = manifest.models()
    chain = [one for one in _chain(dataset) if one in models]
    ids = {parent for one in models.values() if one.folder == dataset for parent in one.parents}
    sources = [one for one in manifest.nodes("source") if one.unique_id in ids]
    spread = _spread(
        lineage,
        {
            (one.name, name)
            for one in sources
            for name in one.columns
            if _privacy(one, name) in _KEPT
        },
    )
    found = [
        Flow(
            source=source.name,
            column=column,
            privacy=_privacy(source, column),
            is_synthetic=bool(source.meta.get("synthetic")),
            stops=(
                Stop(source.name, Passage.RAW, (column,)),
                *(_stop(one, (source.name, column), spread[one]) for one in chain),
            ),
        )
        for source in sources
        for column in source.columns
    ]
    rank = {name: i for i, name in enumerate(CLASSES)}
    return tuple(sorted(found, key=lambda one: (rank.get(one.privacy, 0), one.column)))


def reached_raw(flows: Sequence[Flow]) -> list[str]:
    """Return the columns that reach the sealed lines though they may not."""
    return [
        one.column
        for one in flows
        if (one.privacy in RED or one.privacy not in CLASSES)
        and not one.is_synthetic
        and one.stops[-1].model.endswith("_sealed")
        # noise is as good as its epsilon, which may be any
        and one.stops[-1].passage in {Passage.RAW, Passage.NOISED}
    ]


def _chain(dataset: str) -> list[str]:
    return [f"stg_{dataset}", *(f"{dataset}_{state}" for state in STATES)]


def _privacy(source: Node, column: str) -> str:
    """Return what the source calls a column; one that it says nothing of is called nothing."""
    meta = source.columns[column].get("config", {}).get("meta") or {}
    return str(meta.get("privacy") or "undeclared")


def _spread(lineage: Lineage, kept: AbstractSet[Column]) -> dict[str, dict[str, _Spread]]:
    """Return how every origin is in every column; raw where it comes raw on any way, then noised.

    Args:
        lineage: what the columns are made of.
        kept: origins that scrubbing leaves as they are.
    """
    models = lineage.manifest.models()
    spread: dict[str, dict[str, _Spread]] = {}
    for relation, made in lineage.made.items():  # in order
        cleaned, noised = _cleaned(models[relation]), _noised(models[relation])
        spread[relation] = {}
        for column, above in made.items():
            found: dict[Column, Passage] = {}
            for one in above:
                upstream = spread.get(one[0])
                arriving = {one: Passage.RAW} if upstream is None else upstream.get(one[1], {})
                for origin, passage in arriving.items():
                    is_clean = column in cleaned and origin not in kept
                    now = Passage.SCRUBBED if is_clean else passage
                    if now is Passage.RAW and one[1] in noised:
                        now = Passage.NOISED
                    found[origin] = min(now, found.get(origin, now), key=_BARE.index)
            spread[relation][column] = found
    return spread


def _cleaned(node: Node) -> frozenset[str]:
    """Return the columns from which a scrub stage takes what its policy names."""
    policy = node.meta.get("scrub") if node.name.endswith("_scrubbed") else None
    return frozenset(
        column
        for column, rule in (policy or {}).items()
        if isinstance(rule, Mapping)
        and (rule.get("entities") or rule.get("preset") or rule.get("operators"))
        and rule.get("operator") != "keep"
    )


def _noised(node: Node) -> frozenset[str]:
    """Return the columns that a rendered model reads with noise on their values."""
    is_rendered = node.name.endswith("_rendered")
    asked = node.meta.get("render", {}).get("noise") if is_rendered else None
    return frozenset(asked or {})


def _stop(model: str, origin: Column, spread: Mapping[str, _Spread]) -> Stop:
    columns = {name: found[origin] for name, found in spread.items() if origin in found}
    if not columns:
        return Stop(model, Passage.ABSENT, ())
    return Stop(model, min(columns.values(), key=_BARE.index), tuple(sorted(columns)))
