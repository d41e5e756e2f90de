"""Court cases that cite others, in the columns of a public set of Australian federal cases.

The outcome is how an earlier case was treated; the words that tell it are among many that do not.
Firms, judges and citations are made up. Outcomes are as uneven as in the real file, where half are
`cited` and some occur a handful of times.
"""

from random import Random
from typing import Final

from python_stages.generate.files import Table
from python_stages.generate.people import person

_HEADER: Final = ("case_id", "case_outcome", "case_title", "case_text")
# outcome -> per mille, how it is told
_OUTCOMES: Final = {
    "cited": (420, ("The rule is well known: see {case}.", "Reference may be made to {case}.")),
    "referred to": (
        160,
        ("Counsel drew attention to {case}, and so do I.", "The primary judge referred to {case}."),
    ),
    "considered": (
        130,
        (
            "I have considered at length what was said in {case}.",
            "The reasons in {case} deserve consideration.",
        ),
    ),
    "followed": (
        120,
        (
            "I see no reason to depart from {case}, and follow it.",
            "This Court should follow {case}.",
        ),
    ),
    "applied": (
        120,
        (
            "Applying the test of {case}, the application fails.",
            "The principle of {case} applies without change.",
        ),
    ),
    "distinguished": (25, ("The facts of {case} were different, and it is distinguished.",)),
    "affirmed": (15, ("The decision in {case} was right, and is affirmed.",)),
    "related": (10, ("The proceeding is related to {case}.",)),
}
_FIRMS: Final = (
    "Harrow Mills",
    "Blue Gum Holdings",
    "Tidewater",
    "Corvan Foods",
    "Ashlar",
    "Penrith Quarries",
)
_ENDINGS: Final = ("Pty Ltd", "Ltd", "Pty Ltd (No 2)")
_SENTENCES: Final = (
    "The respondent filed no evidence, and the applicant relied on two affidavits.",
    "Costs ordinarily follow the event, unless there is some special or unusual feature.",
    "The discretion is to be exercised judicially, having regard to all the circumstances.",
    "It was submitted that the notice was out of time, and that no extension should be granted.",
    "The Tribunal's reasons are not to be read with an eye keenly attuned to error.",
    "Two questions arise: whether there was a contract, and, if there was, what its terms were.",
    "The rejection of the offer was, in the light of what was then known, not unreasonable.",
    "I am satisfied that the pleading discloses an arguable case.",
    "Nothing in the Act, on its proper construction, leads to another conclusion.",
)
_LONG_SHARE: Final = 0.03


def _row(draw: Random, number: int) -> tuple[str, ...]:
    weights = [share for share, _ in _OUTCOMES.values()]
    outcome = draw.choices(tuple(_OUTCOMES), weights)[0]
    judge = person(draw)
    year = draw.randrange(1985, 2010)
    case = (
        f"{draw.choice(_FIRMS)} {draw.choice(_ENDINGS)} v {person(draw).last} "
        f"[{year}] FCA {draw.randrange(1, 2000)}"
    )
    told = draw.choice(_OUTCOMES[outcome][1]).format(case=case)
    n_sentences = draw.randrange(250, 400) if draw.random() < _LONG_SHARE else draw.randrange(2, 7)
    sentences = [draw.choice(_SENTENCES) for _ in range(n_sentences)]
    sentences.insert(draw.randrange(2), told)
    sentences.append(f"So it was put by {judge.last} J at [{draw.randrange(1, 90)}].")
    return (f"Case{number + 1}", outcome, case, " ".join(sentences))


LEGAL: Final = Table("legal", _HEADER, _row)
