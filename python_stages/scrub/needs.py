r"""What a text has to contain for a regular expression to match anywhere in it.

Most expressions match in no part of most texts, and cost the same each time. What they need can be
read off them, once: `\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b` needs a `-`, and nine digits no further than
eleven characters apart. To look for that in a text takes a fraction of the time, and an expression
whose needs are not met need not be tried: the result is the same. Where they are met, a match can
only lie around the places that meet them, and only there is it looked for (contents.py). The idea
is that of RE2's FilteredRE2 and of ripgrep; Russ Cox, Regular Expression Matching with a Trigram
Index, 2012.

Where an expression says something that Python's own parser does not understand, nothing is needed.
"""

import re
from dataclasses import dataclass
from functools import cache
from re import _parser  # type: ignore[attr-defined]  # there is no public parser
from typing import Any, Final

from python_stages.scrub.runs import NO_RUN, Run, longest_run

ANY_WIDTH: Final = 10_000
"""Characters, for an expression without an end."""
_MOST_WORDS: Final = 400

_PROPERTY: Final = re.compile(r"\\[pP]\{[^}]*\}")
# sets in sets, and what is done with them, which Python reads as characters. It warns of them; but
# warnings become errors for a whole process only, so in the stages that run beside this one too.
_OTHER_SETS: Final = re.compile(r"\[\^?(?:\[|\]?(?:\\.|[^\]\\])*?(?:--|&&|~~|\|\|))", re.DOTALL)

Words = frozenset[tuple[str, bool]]
"""Words, and whether their casing counts; in lower case where it does not."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What every match of an expression contains.

    Attributes:
        n_digits: at least so many digits,
        width: within so many characters;
        words: and one of these, if there are some;
        reach: all of which, and whatever it looks at besides, is within so many characters;
        run: and an unbroken run of word characters.
    """

    n_digits: int = 0
    width: int = ANY_WIDTH
    words: Words = frozenset()
    reach: int = ANY_WIDTH
    run: Run = NO_RUN


@cache
def needs(expression: str, *, is_cased: bool) -> Needs:
    """Return what every match of an expression contains.

    Args:
        expression: in the syntax of `regex`.
        is_cased: upper and lower case differ, unless the expression says otherwise.
    """
    # what it has that Python has not, as something as wide that says less
    expression = _PROPERTY.sub(r"\\S", expression.replace(r"\K", "(?:)"))
    if _OTHER_SETS.search(expression):
        return Needs()
    try:
        tree = _parser.parse(expression)
    except (re.error, RecursionError, OverflowError):
        return Needs()
    words = _words(tree, is_cased) or frozenset()
    if words and _worth(words) < (0, 0):
        words = frozenset()
    width = min(tree.getwidth()[1], ANY_WIDTH)
    reach = min(width + _looks_around(tree), ANY_WIDTH)
    return Needs(_n_digits(tree), width, words, reach, longest_run(tree))


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


def _words(tree: Any, is_cased: bool) -> Words | None:  # noqa: FBT001  # passed down, as it is
    """Return words of which every match contains one: the rarest such, or None."""
    best: Words | None = None
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
