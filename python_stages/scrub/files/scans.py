"""What was found in a file, by column and entity; values only when asked for."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import RenderableType

_EXAMPLES: Final = 5


@dataclass(slots=True)
class Scan:
    """Findings of a file.

    Attributes:
        values: column and entity -> how often each value was found.
        unread: columns that may hold text and could not be read: name -> type.
        n_rows: rows, or parts of a text, that were read.
    """

    values: dict[tuple[str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    unread: dict[str, str] = field(default_factory=dict)
    n_rows: int = 0

    def add(self, column: str, entity: str, value: str) -> None:
        """Count one finding."""
        self.values[column, entity][value] += 1

    def as_json(self, *, show: bool) -> dict[str, Any]:
        """Return the counts, and with `show` the values and how often each was found."""
        columns: dict[str, dict[str, int]] = defaultdict(dict)
        values: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
        for (column, entity), found in sorted(self.values.items()):
            columns[column][entity] = found.total()
            values[column][entity] = dict(found.most_common())
        answer = {"n_rows": self.n_rows, "columns": columns, "not_looked_into": self.unread}
        return answer | ({"values": values} if show else {})

    def table(self, *, show: bool) -> "RenderableType":
        """Return the counts as a rich table, with `show` beside the commonest values."""
        from rich.markup import escape  # noqa: PLC0415  # help need not load it
        from rich.table import Table  # noqa: PLC0415  # the same

        table = Table("column", "entity", "found", box=None, pad_edge=False)
        if show:
            table.add_column("commonest")
        for (column, entity), found in sorted(
            self.values.items(), key=lambda item: (item[0][0], -item[1].total(), item[0][1])
        ):
            values = " | ".join(value for value, _ in found.most_common(_EXAMPLES))
            shown = [escape(values)] if show else []
            table.add_row(escape(column), entity, f"{found.total():,}", *shown)
        return table
