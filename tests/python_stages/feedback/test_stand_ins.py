"""What a correction repeats of surrogates is kept; what it says of anybody else is not hidden."""

import pytest

from python_stages.feedback.stand_ins import hidden, shown, stand_ins

BEFORE = "Ann Lee of 9 Elm Row, 415 203 7781, ann@lee.example, asks"
AFTER = "Mia Moss of 45 Main Road, 604 555 0100, doe@mail.example, asks"
WORDS = stand_ins([(BEFORE, AFTER)])


@pytest.mark.parametrize(
    "text",
    [
        "Mia Moss called",
        "tell Moss, and Mia's mother",
        "call 604 555 0100.",
        "she lives at 45 Main Road",
        "write to doe@mail.example.",
    ],
)
def test_a_surrogate_is_hidden_and_shown_again(text: str) -> None:
    marked = hidden(text, WORDS)
    assert not any(one in marked for one in ("Mia", "Moss", "604", "Main", "doe@"))
    assert shown(marked, WORDS) == text


@pytest.mark.parametrize(
    "text",
    [
        "call 212 555 9876",
        "call 1 604 555 0100",
        "call 604 555 0100 22",
        "she lives at 12 Main Street, on the Road",
        "write to jane.doe@mail.example",
        "Moss-Smith called",
    ],
)
def test_a_part_of_somebody_else_is_not(text: str) -> None:
    assert hidden(text, WORDS) == text
