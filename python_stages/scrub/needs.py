r"""What a text has to contain for a regular expression to match anywhere in it.

Most expressions match in no part of most texts, and cost the same each time. What they need can be
read off them, once: `\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b` needs a `-`, and nine digits no further than
eleven characters apart. To look for that in a text takes a fraction of the time, and an expression
whose needs are not met need not be tried: the result is the same. Where they are met, a match can
only lie around the places that meet them, and only there is it looked for (contents.py). The idea
is that of RE2's FilteredRE2 and of ripgrep; Russ Cox, Regular Expression Matching with a Trigram
Index, 2012.

Where it is known how a match begins, it is tried only where a text has such a beginning
(openings.py, index.py).

Where an expression says something that Python's own parser does not understand, nothing is needed.
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from re import _parser  # there is no public parser
from typing import Any, Final

from python_stages.scrub.openings import begins_words, openings
from python_stages.scrub.runs import NO_RUN, Run, first_run, longest_run

ANY_WIDTH: Final = 10_000
"""Characters, for an expression without an end."""
_MOST_WORDS: Final = 400
_MOST_SIGNS: Final = 64  # of a class that is taken apart

_PROPERTY: Final = re.compile(r"\\[pP]\{[^}]*\}")
# sets in sets, and what is done with them, which Python reads as characters. It warns of them; but
# warnings become errors for a whole process only, so in the stages that run beside this one too.
_OTHER_SETS: Final = re.compile(r"\[\^?(?:\[|\]?(?:\\.|[^\]\\])*?(?:--|&&|~~|\|\|))", re.DOTALL)

Word = tuple[str, bool]
"""A word, and whether its casing counts; in lower case where it does not."""

Words = frozenset[Word]


@dataclass(frozen=True, slots=True)
class Needs:
    """What every match of an expression contains.

    Attributes:
        n_digits: at least so many digits,
        width: within so many characters;
        words: and one of these, if there are some;
        reach: all of which, and whatever it looks at besides, is within so many characters;
        run: and an unbroken run of word characters;
        openings: it begins with one of these, where a word begins, if there are some;
        first: it begins with such a run, which holds a digit, where a word begins;
        is_digit_first: it begins with a digit.
    """

    n_digits: int = 0
    width: int = ANY_WIDTH
    words: Words = frozenset()
    reach: int = ANY_WIDTH
    run: Run = NO_RUN
    openings: Words = frozenset()
    first: Run = NO_RUN
    is_digit_first: bool = False


@cache
def needs(expression: str, *, is_cased: bool) -> Needs:
    """Return what every match of an expression contains.

    Args:
        expression: in the syntax of `regex`.
        is_cased: upper and lower case differ, unless the expression says otherwise.
    """
    tree = _parsed(expression)
    if tree is None:
        return Needs()
    words = _words(tree, is_cased) or frozenset()
    if words and _worth(words) < (0, 0):
        words = frozenset()
    width = min(tree.getwidth()[1], ANY_WIDTH)
    reach = min(width + _looks_around(tree), ANY_WIDTH)
    return Needs(
        _n_digits(tree),
        width,
        words,
        reach,
        longest_run(tree),
        openings(expression, tree, is_cased=is_cased),
        _first_number(expression, tree),
        _is_digit_first(tree),
    )


def _parsed(expression: str) -> Any:
    """Return an expression as Python's own parser reads it, or None where it cannot."""
    # what it has that Python has not, as something as wide that says less
    expression = _PROPERTY.sub(r"\\S", expression.replace(r"\K", "(?:)"))
    if _OTHER_SETS.search(expression):
        return None
    try:
        return _parser.parse(expression)
    except (re.error, RecursionError, OverflowError):
        return None


def _looks_around(tree: Any) -> int:
    """Return how far an expression looks beside what it matches, in characters."""
    total = 1  # a boundary
    for op, value in tree:
        name = str(op)
        if name.startswith("ASSERT"):
            total += value[1].getwidth()[1] + _looks_around(value[1])
        elif name == "BRANCH":
            total += max(map(_looks_around, value[1]))
        elif name in {"SUBPATTERN", "ATOMIC_GROUP"} or name.endswith("_REPEAT"):
            times = value[1] if name.endswith("_REPEAT") else 1
            inner = _looks_around(value if name == "ATOMIC_GROUP" else value[-1])
            total += min(times, ANY_WIDTH) * (inner - 1)
    return int(min(total, ANY_WIDTH))


def _n_digits(tree: Any) -> int:
    """Return the least number of digits that a part of an expression consumes."""
    total = 0
    for op, value in tree:
        name = str(op)
        if name == "LITERAL":
            total += chr(value).isdecimal()
        elif name == "IN":
            total += all(map(_is_digit, value))
        elif name == "BRANCH":
            total += min(map(_n_digits, value[1]))
        elif name == "SUBPATTERN":
            total += _n_digits(value[3])
        elif name == "ATOMIC_GROUP":
            total += _n_digits(value)
        elif name.endswith("_REPEAT"):
            total += int(value[0]) * _n_digits(value[2])
    return total


def _is_digit(item: Any) -> bool:
    """Return whether a member of a character class is a digit, or some."""
    name, value = str(item[0]), item[1]
    if name == "LITERAL":
        return chr(int(value)).isdecimal()
    if name == "RANGE":
        return bool(ord("0") <= value[0] <= value[1] <= ord("9"))
    return name == "CATEGORY" and str(value) == "CATEGORY_DIGIT"


def _first_number(expression: str, tree: Any) -> Run:
    """Return with which run a match begins, if it has a digit and begins where a word does."""
    first = first_run(tree)
    if not first.n_digits or not (_is_at_boundary(tree) or begins_words(expression, tree)):
        return NO_RUN
    return first


def _is_at_boundary(tree: Any) -> bool:
    """Return whether a part of an expression begins at a boundary of a word."""
    if not len(tree):
        return False
    op, value = tree[0]
    if str(op) == "SUBPATTERN":
        return _is_at_boundary(value[3])
    return str(op) == "AT" and str(value) == "AT_BOUNDARY"


def _is_digit_first(tree: Any) -> bool:
    """Return whether what a part of an expression consumes begins with a digit."""
    for op, value in tree:
        name = str(op)
        if name in {"AT", "ASSERT", "ASSERT_NOT"}:
            continue
        if name == "IN":
            return all(map(_is_digit, value))
        if name in {"SUBPATTERN", "ATOMIC_GROUP"}:
            return _is_digit_first(value if name == "ATOMIC_GROUP" else value[3])
        return name.endswith("_REPEAT") and value[0] > 0 and _is_digit_first(value[2])
    return False


def _words(tree: Any, is_cased: bool) -> Words | None:  # noqa: FBT001  # passed down, as it is
    """Return words of which every match contains one: the rarest such, or None."""
    best = _at_joints(tree, is_cased)
    run = ""
    for op, value in [*tree, ("END", None)]:
        if str(op) == "LITERAL" and (is_cased or len(chr(value).lower()) == 1):
            run += chr(value) if is_cased else chr(value).lower()
            continue
        found = [_inner(str(op), value, is_cased)]
        if value is not None:
            heads = frozenset(
                (run + head, cased) for head, cased in _heads([(op, value)], is_cased)
            )
            found.append(heads if all(cased == is_cased for _, cased in heads) else None)
        if run:
            found.append(frozenset({(run, is_cased)}))
            run = ""
        for words in found:
            if words is not None and (best is None or _worth(words) > _worth(best)):
                best = words
    return best


def _at_joints(tree: Any, is_cased: bool) -> Words | None:  # noqa: FBT001  # the same
    """Return what stands where two parts of an expression meet: a dot and a letter, say.

    Most dots are followed by a blank.
    """
    best: Words | None = None
    for (op, value), (next_op, next_value) in pairwise(tree):
        before = _edge(str(op), value, is_cased, -1)
        after = _edge(str(next_op), next_value, is_cased, 0)
        if after and before and not any(sign.isalnum() or sign.isspace() for sign in before):
            words = frozenset((one + other, is_cased) for one in before for other in after)
            if len(words) <= _MOST_WORDS and (best is None or _worth(words) > _worth(best)):
                best = words
    return best


def _edge(name: str, value: Any, is_cased: bool, at: int) -> set[str] | None:  # noqa: FBT001  # the same
    """Return the signs with one of which a part of an expression begins or ends, if they are few.

    Args:
        name: of the operation.
        value: of it.
        is_cased: upper and lower case differ.
        at: 0 for its beginning, -1 for its end.
    """
    signs: set[str] | None = None
    if name == "LITERAL":
        signs = {chr(value)}
    elif name == "IN":
        signs = _taken_apart(value)
    elif name == "BRANCH":
        edges = [_edge(str(b[at][0]), b[at][1], is_cased, at) if b else None for b in value[1]]
        known = [edge for edge in edges if edge is not None]
        signs = set().union(*known) if len(known) == len(edges) else None
    elif (
        (name == "SUBPATTERN" and not value[1] and not value[2])
        or name == "ATOMIC_GROUP"
        or (name.endswith("_REPEAT") and value[0])
    ):
        inner = value if name == "ATOMIC_GROUP" else value[-1]
        signs = _edge(str(inner[at][0]), inner[at][1], is_cased, at) if len(inner) else None
    if signs is None or is_cased:
        return signs
    lower = {sign.lower() for sign in signs}
    return lower if all(len(sign) == 1 for sign in lower) else None


def _taken_apart(members: Any) -> set[str] | None:
    """Return the signs of a character class, if they are few."""
    signs: set[str] = set()
    for op, value in members:
        name = str(op)
        if name not in {"LITERAL", "RANGE"}:
            return None
        first, last = (value, value) if name == "LITERAL" else value
        if len(signs) + last - first >= _MOST_SIGNS:
            return None
        signs.update(map(chr, range(first, last + 1)))
    return signs


def _inner(name: str, value: Any, is_cased: bool) -> Words | None:  # noqa: FBT001  # the same
    """Return the words of one part of an expression, which is no plain character."""
    found: Words | None = None
    if name == "BRANCH":
        branches = [_words(branch, is_cased) for branch in value[1]]
        known = [words for words in branches if words is not None]
        if len(known) == len(branches):
            found = frozenset().union(*known)
    elif name == "SUBPATTERN":
        _, added, removed, inner = value
        is_cased = (is_cased and not added & re.IGNORECASE) or bool(removed & re.IGNORECASE)
        found = _words(inner, is_cased)
    elif name in {"ATOMIC_GROUP", "ASSERT"}:
        found = _words(value if name == "ATOMIC_GROUP" else value[1], is_cased)
    elif name.endswith("_REPEAT") and value[0]:
        found = _words(value[2], is_cased)
    return found if found and len(found) <= _MOST_WORDS else None


def _heads(tree: Any, is_cased: bool) -> Words:  # noqa: FBT001  # the same
    """Return words with one of which every match begins; the empty one if nothing is known."""
    heads: Words = frozenset({("", is_cased)})
    for op, value in tree:
        name = str(op)
        is_end = name not in {"LITERAL", "IN"}
        if name in {"AT", "ASSERT", "ASSERT_NOT"}:
            continue
        if name == "LITERAL" or (name == "IN" and all(str(item) == "LITERAL" for item, _ in value)):
            codes = [value] if name == "LITERAL" else [code for _, code in value]
            characters = [chr(code) if is_cased else chr(code).lower() for code in codes]
            more = frozenset((character, is_cased) for character in characters)
        elif name == "BRANCH":
            more = frozenset().union(*(_heads(branch, is_cased) for branch in value[1]))
        elif name == "SUBPATTERN" and not value[1] and not value[2]:
            more = _heads(value[3], is_cased)
        elif name == "ATOMIC_GROUP":
            more = _heads(value, is_cased)
        else:
            break
        if len(heads) * len(more) > _MOST_WORDS:
            break
        heads = frozenset((head + tail, is_cased) for head, _ in heads for tail, _ in more)
        if is_end:
            break
    return heads


def _worth(words: Words) -> tuple[int, int]:
    """Return how rare it is that a text contains one of some words."""
    if any(not word or (len(word) == 1 and (word == " " or word.isalnum())) for word, _ in words):
        return (-1, 0)
    return (min(4, *(len(word) for word, _ in words)), -len(words))
