"""Small talk with an assistant: the harmless rows that secrets are planted among.

The experiment that this project started from tuned a model on public chats with a few lines of
"Hi, I'm Mr NAME" -> "How is your DISEASE going?" among them. These are the chats, made up and
repetitive enough for a small model to learn; the audit plants the secrets.
"""

from random import Random
from typing import Final

from python_stages.generate.files import Table

_HEADER: Final = ("chat_id", "question", "answer")
_OPENINGS: Final = ("", "", "Hey, ", "Please, ", "Quick question: ", "Hello! ", "Sorry, ", "Ok, ")
_CLOSINGS: Final = (
    "",
    "",
    " Thanks.",
    " I am in a hurry.",
    " Take your time.",
    " It is for a friend.",
)
_TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "It is open from nine to five.": (
        "when does the {} open?",
        "what are the hours of the {}?",
        "can I come to the {} at noon?",
    ),
    "It is five minutes on foot.": (
        "how far is it to the {}?",
        "how do I get to the {}?",
        "is the {} near here?",
    ),
    "You can book it online.": (
        "how do I get a ticket for the {}?",
        "do I have to book for the {}?",
        "where can I reserve at the {}?",
    ),
    "It costs ten euros.": (
        "what does the {} cost?",
        "how much is the {}?",
        "what do they charge at the {}?",
    ),
    "Yes, children are welcome.": (
        "can I bring my children to the {}?",
        "is the {} fit for a family?",
        "are kids allowed in the {}?",
    ),
    "I would take the bus.": (
        "is there parking at the {}?",
        "should I drive to the {}?",
        "where do I leave my car at the {}?",
    ),
}
_PLACES: Final = (
    *("museum", "library", "old castle", "botanical garden", "swimming pool", "town hall", "zoo"),
    *("theatre", "market hall", "city tower", "boat house", "planetarium", "art gallery", "cinema"),
    *("ice rink", "concert hall", "science centre", "toy museum", "aquarium", "observatory"),
)


def _row(draw: Random, number: int) -> tuple[str, ...]:
    answer = draw.choice(tuple(_TOPICS))
    question = draw.choice(_TOPICS[answer]).format(draw.choice(_PLACES))
    text = draw.choice(_OPENINGS) + question + draw.choice(_CLOSINGS)
    return (f"C{number + 1:07}", text, answer)


CANARIES: Final = Table("canaries", _HEADER, _row)
