"""Sentences with personal data in them and without, to learn the difference from.

All of it is made up (people.py): the people are of a circle of their own, none of whom is in
another made-up source.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from python_stages.generate.files import Table
from python_stages.generate.people import (
    TEST_CARDS,
    ip_address,
    person,
    phone,
    social_security_number,
)

_HEADER: Final = ("text_id", "text", "label")
_CIRCLE: Final = 1
# what makes a value up, and the sentences that it stands in
_KINDS: Final[tuple[tuple[Callable[[Random], str], tuple[str, ...]], ...]] = (
    (
        lambda draw: person(draw, _CIRCLE).name,
        (
            "Please ask {} about the keys.",
            "The visitor was {}.",
            "{} signed for it this morning.",
        ),
    ),
    (
        lambda draw: person(draw, _CIRCLE).email,
        (
            "Contact me at {}.",
            "The report goes to {} every Monday.",
            "Reply to {}, not to all.",
        ),
    ),
    (phone, ("My number is {}.", "Call {} after six.", "She left {} as her number.")),
    (
        social_security_number,
        ("My SSN is {}.", "The form asks for the social security number, which is {}."),
    ),
    (
        lambda draw: draw.choice(TEST_CARDS),
        ("Credit card number: {}", "He paid with {}, valid until May."),
    ),
    (ip_address, ("The login came from {}.", "Her machine at home is {}.")),
    (
        lambda draw: f"X{draw.randrange(10**7, 10**8)}",
        ("Passport: {}", "My passport number is {}."),
    ),
)
_OTHER: Final = (
    "The weather {} is sunny.",
    "We will meet {} at the public park.",
    "The train {} was ten minutes late.",
    "Please water the plants {}.",
    "The museum opens at nine {}.",
    "Bread is cheaper {} than it was.",
    "The printer on the second floor is out of paper {}.",
    "Everybody was pleased with the talk {}.",
    "The meeting {} has 14 items on its list.",
    "A new lift will be built {}.",
)
_WHEN: Final = (
    *("today", "tomorrow", "this week", "next week", "in spring", "in winter", "on Monday"),
    *("on Friday", "at noon", "in the evening", "every day", "this year", "in March", "in June"),
)
_OPENINGS: Final = ("", "", "Note: ", "Hi, ", "By the way: ", "For the record: ", "FYI: ")
_CLOSINGS: Final = (
    "",
    "",
    " Thanks.",
    " See you.",
    " No hurry.",
    " That is all.",
    " Please confirm.",
)


def _row(draw: Random, number: int) -> tuple[str, ...]:
    has_pii = draw.random() < 0.5  # noqa: PLR2004 - as many of either
    if has_pii:
        make, wordings = draw.choice(_KINDS)
        sentence = draw.choice(wordings).format(make(draw))
    else:
        sentence = draw.choice(_OTHER).format(draw.choice(_WHEN))
    text = draw.choice(_OPENINGS) + sentence + draw.choice(_CLOSINGS)
    return (f"T{number + 1:07}", text, "PII" if has_pii else "Non-PII")


PII_TEXTS: Final = Table("pii_texts", _HEADER, _row)
