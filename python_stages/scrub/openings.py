r"""With which letters every match of a regular expression begins.

Most expressions begin with a word for what they look for (`passport no. ...`, a month, a form of
address), and only where a word begins. There are some hundred such places in a text, and few of
them begin with the same letters: to try an expression there, and nowhere else, is to find the same
in a small part of the time.
"""

import re
import string
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

N_LETTERS: Final = 3
"""Letters by which places are looked up."""

_MOST: Final = 600
_WORD_SIGNS: Final = string.ascii_letters + string.digits
_BOUNDARY: Final = re.compile(r"\(\?<!(\\w|\[(?:\\.|[^\]\\\[])*\])\)")
_TWO_FORMS: Final = "Σσς"  # which of them a capital becomes depends on what follows
_UNCASED: Final = re.compile(r"\(\?[a-zA-Z]*i")


def openings(expression: str, tree: Any, *, is_cased: bool) -> frozenset[tuple[str, bool]]:
    """Return letters, up to three, with one of which every match begins.

    Args:
        expression: in the syntax of `regex`.
        tree: the same, parsed.
        is_cased: upper and lower case differ, unless the expression says otherwise.

    Returns:
        The letters, and whether their casing counts; they are in lower case where it does not.
        Nothing if they are not known, or a match may begin within a word.
    """
    if not begins_words(expression, tree):
        return frozenset()
    is_cased = is_cased and _UNCASED.search(expression) is None
    heads = _heads(tree)
    found = heads.whole | heads.begun
    if any(not head or head[0].isspace() for head in found):
        return frozenset()
    if not is_cased:
        found = frozenset(head.lower() for head in found)
    return frozenset(
        (head, is_cased) for head in found if found.isdisjoint({head[:1], head[:2]} - {head})
    )


def begins_words(expression: str, tree: Any) -> bool:
    """Return whether a match begins only where no letter or digit of ASCII stands before."""
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415  # as Presidio

    before = _BOUNDARY.match(expression)
    # where it is not the first of all, only one of several branches begins so
    if before is None or not tree or str(tree[0][0]) != "ASSERT_NOT":
        return False
    return all(regex.fullmatch(before[1], sign) for sign in _WORD_SIGNS)


@dataclass(frozen=True, slots=True)
class _Heads:
    """With what a part of an expression begins.

    Attributes:
        whole: it may be nothing but one of these;
        begun: or one of these, and anything after it.
    """

    whole: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()

    def then(self, other: "_Heads") -> "_Heads":
        """Return a part followed by another."""
        whole = {head + tail for head in self.whole for tail in other.whole}
        begun = {head + tail for head in self.whole for tail in other.begun}
        if len(whole) + len(begun) + len(self.begun) > _MOST:
            return _ANYTHING
        long = {head for head in whole if len(head) >= N_LETTERS}
        cut = {head[:N_LETTERS] for head in begun | long}
        return _Heads(frozenset(whole - long), self.begun | cut)

    def or_else(self, other: "_Heads") -> "_Heads":
        """Return one of two parts."""
        return _Heads(self.whole | other.whole, self.begun | other.begun)


_NOTHING: Final = _Heads(whole=frozenset({""}))
_ANYTHING: Final = _Heads(begun=frozenset({""}))


def _heads(tree: Any) -> _Heads:
    return reduce(_Heads.then, (_part(str(op), value) for op, value in tree), _NOTHING)


def _part(name: str, value: Any) -> _Heads:
    """Return with what one part of a parsed expression begins."""
    part = _ANYTHING
    if name in {"AT", "ASSERT", "ASSERT_NOT"}:
        part = _NOTHING
    elif name == "LITERAL":
        part = _sign(name, value)
    elif name == "IN":
        part = reduce(_Heads.or_else, (_sign(str(kind), item) for kind, item in value))
    elif name == "BRANCH":
        part = reduce(_Heads.or_else, map(_heads, value[1]))
    elif name in {"SUBPATTERN", "ATOMIC_GROUP"}:
        part = _heads(value if name == "ATOMIC_GROUP" else value[3])
    elif name.endswith("_REPEAT"):
        least, most, inner = value
        part = _heads(inner)
        if most > 1:
            part = _Heads(begun=part.whole | part.begun)
        if not least:
            part = part.or_else(_NOTHING)
    return part


def _sign(name: str, code: Any) -> _Heads:
    """Return a member of a character class, if it has no forms but a capital and a small one."""
    sign = chr(code) if name == "LITERAL" else ""
    is_plain = len(sign.lower()) == len(sign.upper()) == 1 and sign not in _TWO_FORMS
    return _Heads(whole=frozenset({sign})) if is_plain else _ANYTHING
