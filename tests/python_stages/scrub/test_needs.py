"""What an expression needs is in every text that it matches."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.scrub.contents import Contents
from python_stages.scrub.index import Index
from python_stages.scrub.needs import Needs, needs
from python_stages.scrub.runs import NO_RUN, Run

EXPRESSIONS = (
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
    r"(?:card|pass)(?:word)? ?[0-9]{2,4}",
    r"[A-Z]{2}\d{2}(?: \w{4}){2}",
    r"(?i:no|nr)\.? ?(?:12|34)[0-9]",
    r"a(?:b(?:c|de)|f)?[0-9]+(?=x|yy)",
    r"(?<=id )[0-9]{2}|(?:ab|cd){2}",
    r"[A-Z]{2}[0-9]{3}[A-Z]?(?:-?[0-9a-f]){2}",
    r"(?:[a-f][0-9] ?){2,3}",
    r"(?:[A-F]{2,5}\.){1,3}(?:[a-c]|[0-9])",
    r"[0-9]{2}([-.])[0-9]{2}\1[A-F]",
    r"(?<!\w)(?:a(?:bc?)?|de|[fx]y)[0-9]",
    r"\b[A-F]{1,2}[0-9]{2}",
)
TEXTS = st.text("0123456789-abcdefxyZN. ", max_size=40) | st.from_regex(
    "|".join(f"(?:{e})" for e in EXPRESSIONS).replace(r"\b", "")
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
            Needs(9, 11, frozenset((f"-{n}", False) for n in range(10)), 12, Run(4, 4, 0)),
        ),
        (
            r"(?:visa|amex) ?\d{4,6}",
            Needs(4, 11, frozenset({("visa", False), ("amex", False)}), 13, Run(4, 4, 0)),
        ),
        (
            r"J(?:an|une?)",
            Needs(0, 4, frozenset({("jan", False), ("jun", False)}), 6, Run(3, 0, 3)),
        ),
        (r"[A-Z]{2}[0-9]{6,8}[A-Z]?", Needs(6, 11, frozenset(), 12, Run(8, 6, 2))),
        (
            r"(?:[a-z]+\.)+[CD]",
            Needs(0, 10_000, frozenset({(".c", False), (".d", False)}), 10_000, Run(1, 0, 1)),
        ),
        (r"[0-9]{2}-?[0-9]{3}", Needs(5, 6, frozenset(), 7, Run(3, 3, 0))),
        (r"\p{Sc}+", Needs()),
        (r"[[a-z]--[aeiou]]{3}", Needs()),
        (r"[\w--\d]{3}", Needs()),
        (r"--[0-9]{2}", Needs(2, 4, frozenset({("--", False)}), 5, Run(2, 2, 0))),
        (r"(?<name>unknown to python)", Needs()),
    ],
)
def test_needs_are_read_off_an_expression(expression: str, expected: Needs) -> None:
    found = needs(expression, is_cased=False)
    assert replace(found, first=NO_RUN, is_digit_first=False) == expected


@given(TEXTS, st.sampled_from(EXPRESSIONS))
def test_a_text_that_matches_meets_the_needs(text: str, expression: str) -> None:
    need = needs(expression, is_cased=False)
    if re.search(expression, text, re.IGNORECASE):
        assert Contents(text).meets(need)
        (places,) = Index([need]).met(Contents(text)).values()
        found = re.search(rf"(?={expression})", text, re.IGNORECASE)
        assert places is None or (found and found.start() in places)


@pytest.mark.parametrize(
    ("expression", "is_cased", "expected"),
    [
        (r"(?<!\w)J(?:an|une?)", True, {("Jan", True), ("Jun", True)}),
        (r"(?<![\w-])(?i:no|Nr\.?)[0-9]", True, {("no", False), ("nr", False)}),
        (r"(?<!\w)(?:x )?[a-z]", False, set()),
        (r"(?<!\w)x|y", False, set()),
        (r"(?<![a-z])Jan", False, set()),
        (r"Jan", False, set()),
    ],
)
def test_letters_are_known_where_a_match_begins_a_word(
    expression: str, *, is_cased: bool, expected: set[tuple[str, bool]]
) -> None:
    assert needs(expression, is_cased=is_cased).openings == expected


@given(st.lists(TEXTS, max_size=4), st.lists(st.integers(0, 900), min_size=4, max_size=4))
def test_all_matches_lie_in_the_regions(plants: list[str], gaps: list[int]) -> None:
    text = "".join(" " * gap + plant for plant, gap in zip(plants, gaps, strict=False))
    for expression in EXPRESSIONS:
        need = needs(expression, is_cased=False)
        contents = Contents(text)
        regions = contents.regions(need) if contents.meets(need) else []
        for match in re.finditer(expression, text, re.IGNORECASE):
            assert any(start <= match.start() and match.end() <= end for start, end in regions)


def test_a_letter_that_lower_case_does_not_show_meets_every_word() -> None:
    assert Contents("pa\u017f\u017fword").meets(needs("password", is_cased=False))
    assert not Contents("past word").meets(needs("password", is_cased=False))
