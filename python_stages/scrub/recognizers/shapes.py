r"""A recogniser as a value: the shape of one entity in text, and what becomes of it in Presidio.

A shape is one or more regular expressions of the `regex` module (Presidio's), each with its score.
Two conventions keep them linear in the length of the text, whatever stands in it: every repetition
is bounded or possessive, and a match can begin only where a word begins. Where a word says what
follows it (`passport no. ...`), the expression has the word, `\K`, and then the value alone.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from presidio_analyzer import PatternRecognizer

START: Final = r"(?<![^\W_])"
"""No letter or digit before; an underscore may stand there, as in `customer_ssn`."""

END: Final = r"(?![^\W_])"

LINK: Final = (
    r"(?>(?:[ \t_-]{0,2}(?:(?:numbers?|num|nbr|no|nr|ids?|code)(?![^\W_])|n[°º]|\#)\.?){0,2}"
    r"(?:[ \t_]{0,3}(?:(?:is|was|are|of|reads)(?![^\W_])|[:=\#–—\-(\"'“‘`|>*_])){0,4}\s{0,3})"
)
"""What may stand between a word and its value: `no. is:`, `_number": "`, ` #`."""


def after(cue: str, value: str, link: str = LINK) -> str:
    r"""Return an expression for a value that follows a word, without the word (`\K`)."""
    return rf"{START}(?i:{cue}){END}(?i:{link})\K{value}"


def with_digits(n_digits: int, value: str) -> str:
    """Return an expression for a value that holds some digits, close to each other."""
    digit = r"(?:[^\W\d_]{0,6}[./-]?[0-9]|[ ][0-9])"
    return rf"(?=(?:[^\W\d_]{{1,2}}[ ])?{digit}{{{n_digits}}}){value}"


NUMBERED: Final = (
    r"(?:[ _-]{0,2}(?:policy[ _-])?(?:(?:ids?|number|num|no|nr|card|code|identifier)(?![^\W_])|n"
    r"[°º])\.?|"
    r"[ ]{0,2}#)" + LINK
)
"""The same behind a word that says too little alone: `customer` needs its `no.` or `id`."""


def choice(words: Iterable[str]) -> str:
    """Return an expression for any of some words, which fails at the first letter that none has."""
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}
    return _branches(tree)


def _branches(tree: dict[str, Any]) -> str:
    """Return the expression of a tree of letters; the longest word wins."""
    ends = [re.escape(letter) + _branches(rest) for letter, rest in sorted(tree.items()) if letter]
    if not ends:
        return ""
    together = ends[0] if len(ends) == 1 and "" not in tree else f"(?:{'|'.join(ends)})"
    return f"{together}?" if "" in tree else together


@dataclass(frozen=True, slots=True)
class Shape:
    """What one entity looks like.

    Args:
        entity: its name.
        patterns: regular expressions and how sure a match is, 0 to 1.
        context: single words, in lower case, that raise a score by 0.35 when one stands within
            five words before a match.
        is_valid: what a match must pass besides (a checksum).
        gate: an expression that every text with a match contains, cheap to search for.
        is_cased: upper and lower case differ.
    """

    entity: str
    patterns: tuple[tuple[str, float], ...]
    context: tuple[str, ...] = ()
    is_valid: Callable[[str], bool] | None = None
    gate: str | None = None
    is_cased: bool = False


def recognizer(shape: Shape) -> "PatternRecognizer":
    """Return Presidio's recogniser of a shape."""
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415  # not needed to parse a project
    from presidio_analyzer import Pattern, PatternRecognizer  # noqa: PLC0415  # takes seconds

    flags = regex.DOTALL | regex.MULTILINE
    is_valid = shape.is_valid
    opening = None if shape.gate is None else regex.compile(shape.gate, regex.IGNORECASE)

    class ShapeRecognizer(PatternRecognizer):
        """Matches of a shape that pass its check."""

        gate = opening

        def analyze(self, text: str, *args: Any, **options: Any) -> list[Any]:
            """Search where the gate is open."""
            if opening is not None and opening.search(text) is None:
                return []
            found: list[Any] = super().analyze(text, *args, **options)
            return found

        def invalidate_result(self, pattern_text: str) -> bool:
            """Return whether a match fails the check; the score of one that passes stays."""
            return is_valid is not None and not is_valid(pattern_text)

    return ShapeRecognizer(
        supported_entity=shape.entity,
        name=f"{shape.entity} by shape",
        patterns=[
            Pattern(f"{shape.entity} {n}", expression, score)
            for n, (expression, score) in enumerate(shape.patterns)
        ],
        context=list(shape.context),
        global_regex_flags=flags if shape.is_cased else flags | regex.IGNORECASE,
    )
