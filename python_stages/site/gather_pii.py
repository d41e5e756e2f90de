"""Personal data: what was replaced, by column and kind, and the recall of what was planted."""

from typing import Final

from python_stages.scrub.recognizers import ENTITIES
from python_stages.site.facts.dataset import Found, Masked, Recall
from python_stages.site.suppress import suppress
from python_stages.site.warehouse import Warehouse

# how a placeholder and a pseudonym look: [PERSON], [PERSON_3f9a0c1d2e4b5a67]
_MARK: Final = r"\[([A-Z][A-Z0-9_]*?)(?:_[0-9a-f]{16})?\]"
_NO_TEXT: Final = frozenset({"row_id", "label", "policy_hash"})


def masked(vault: Warehouse, dataset: str) -> Masked | None:
    """Count what the scrub stage replaced; what a mark names, by column and kind.

    A mark that stood in the text before is none of ours: those are counted off.
    """
    after, before = f"{dataset}_scrubbed", f"{dataset}_rendered"
    if not vault.has(after) or not {"n_masked", "n_unreadable"} <= set(vault.columns(after)):
        return None
    ((n_rows, n_replaced, n_unreadable),) = vault.rows(
        f"select count(*), coalesce(sum(n_masked), 0), coalesce(sum(n_unreadable), 0) from {after}"
    )
    counts = _marks(vault, after)
    for where, n in (_marks(vault, before) if vault.has(before) else {}).items():
        counts[where] = counts.get(where, 0) - n
    found = sorted(((n, *where) for where, n in counts.items() if n > 0), reverse=True)
    unnamed = max(0, int(n_replaced) - sum(n for n, _, _ in found))
    # together they are n_replaced, which is shown
    *shown, n_unnamed = suppress([*(n for n, _, _ in found), unnamed])
    return Masked(
        n_rows=int(n_rows),
        n_replaced=int(n_replaced),
        n_unreadable=int(n_unreadable),
        found=tuple(
            Found(column, entity, n) for (_, column, entity), n in zip(found, shown, strict=True)
        ),
        n_unnamed=n_unnamed,
    )


def _marks(vault: Warehouse, relation: str) -> dict[tuple[str, str], int]:
    """Return how many marks of each kind stand in each text column."""
    types = vault.rows(
        "select column_name from information_schema.columns where table_catalog = 'vault' "
        "and table_name = ? and data_type = 'VARCHAR' order by ordinal_position",
        [relation],
    )
    counts: dict[tuple[str, str], int] = {}
    for (column,) in types:
        if column in _NO_TEXT:
            continue
        rows = vault.rows(
            f'with marks as (select unnest(regexp_extract_all("{column}", ?, 1)) as entity '
            f"from {relation}) select entity, count(*) from marks group by all",
            [_MARK],
        )
        # what stands in brackets in a text may be anything; a kind that we know is no value
        counts |= {(column, entity): int(n) for entity, n in rows if entity in ENTITIES}
    return counts


def recalls(vault: Warehouse, dataset: str) -> tuple[Recall, ...]:
    """Return the recall of planted personal data, the lowest first."""
    relation = f"{dataset}_pii_recall"
    if not vault.has(relation):
        return ()
    rows = vault.rows(
        "select column_name, entity, n_planted, n_masked, recall, recall_low, recall_high, "
        f"min_recall, is_met from {relation} "
        "order by is_met, recall, recall_low, entity, column_name"
    )
    return tuple(Recall(*row) for row in rows)
