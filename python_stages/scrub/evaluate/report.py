"""A set's scores as JSON for programs and as tables for people; values only when asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from python_stages.scrub.evaluate.scores import Kind, Scores
from python_stages.scrub.evaluate.span_f2 import THRESHOLDS

if TYPE_CHECKING:
    from rich.console import RenderableType

_DIGITS: Final = 4
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What was scored, and what could not be: annotations without a place, entities unknown to us.

    Args:
        scores: the counts.
        looked_for: the entities that the engine was asked for.
        n_left_out: annotations whose value is not in their text.
    """

    scores: Scores
    looked_for: tuple[str, ...]
    n_left_out: int

    def as_json(self) -> dict[str, Any]:
        """Return the scores; null where there is nothing to divide by."""
        scores = self.scores
        return {
            "span_f2": _by_threshold([counts.f2 for counts in scores.spans]),
            "char_recall": _rounded(scores.char_recall),
            "char_precision": _rounded(scores.char_precision),
            "clean_documents": _rounded(scores.clean_documents),
            "entities": {
                entity: {
                    "n": score.n_labelled,
                    "recall": _rounded(score.recall),
                    "precision": _rounded(score.precision),
                }
                for entity, score in sorted(scores.entities.items())
            },
            "false_person_per_100": _rounded(scores.false_person_per_100),
            "span_recall": _by_threshold([counts.recall for counts in scores.spans]),
            "span_precision": _by_threshold([counts.precision for counts in scores.spans]),
            "n_documents": scores.n_documents,
            "n_documents_labelled": scores.n_documents_labelled,
            "n_set_aside": scores.n_set_aside,
            "n_left_out": self.n_left_out,
            "looked_for": list(self.looked_for),
        }

    def tables(self) -> list["RenderableType"]:
        """Return the scores as rich tables."""
        from rich.table import Table  # noqa: PLC0415  # help need not load it

        scores = self.scores
        whole = Table("score", "value", box=None, pad_edge=False)
        for threshold, counts in zip(THRESHOLDS, scores.spans, strict=True):
            whole.add_row(f"span F2 at IoU {threshold}", _shown(counts.f2))
        whole.add_row("character recall", _shown(scores.char_recall))
        whole.add_row("character precision", _shown(scores.char_precision))
        whole.add_row("documents fully clean", _shown(scores.clean_documents))
        whole.add_row("false persons per 100 empty", _shown(scores.false_person_per_100))
        whole.add_row("documents (with labels)", _of(scores))
        whole.add_row("predictions set aside", f"{scores.n_set_aside:,}")
        if self.n_left_out:
            whole.add_row("annotations left out", f"{self.n_left_out:,}")
        each = Table("entity", "n", "recall", "precision", box=None, pad_edge=False)
        for entity, score in sorted(scores.entities.items()):
            numbers = (_shown(score.recall), _shown(score.precision))
            each.add_row(entity, f"{score.n_labelled:,}", *numbers)
        return [whole, each]

    def errors(self, n_kinds: int, *, show: bool) -> "RenderableType":
        """Return the commonest kinds of errors as a rich table, with examples if `show`."""
        from rich.markup import escape  # noqa: PLC0415  # help need not load it
        from rich.table import Table  # noqa: PLC0415  # the same

        table = Table("n", "error", box=None, pad_edge=False)
        if show:
            table.add_column("examples")
        for kind, number in self.scores.errors.most_common(n_kinds):
            examples = " | ".join(list(dict.fromkeys(self.scores.examples[kind]))[:_EXAMPLES])
            table.add_row(f"{number:,}", _sentence(kind), *([escape(examples)] if show else []))
        return table


def _sentence(kind: Kind) -> str:
    instead = f" by {kind.instead}" if kind.instead else ""
    return f"{kind.entity} {kind.what}{instead}: {kind.shape}"


def _of(scores: Scores) -> str:
    return f"{scores.n_documents:,} ({scores.n_documents_labelled:,})"


def _by_threshold(values: list[float | None]) -> dict[str, float | None]:
    return {str(t): _rounded(value) for t, value in zip(THRESHOLDS, values, strict=True)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"  # noqa: RUF001  # a dash is no number
