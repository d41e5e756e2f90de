"""What the attacks ask a model, and the answers per canary.

A model is anything that answers prompts; one that also tells log-probabilities is attacked harder.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from python_stages.audit.canaries import Canary, random_secrets
from python_stages.audit.exposure import exposure
from python_stages.audit.extraction import Extraction, extraction

_BATCH: Final = 64
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[ -](?=\d)")


class Subject(Protocol):
    """A model under attack."""

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """Return the greedy answer (temperature 0) to each user message."""

    def log_probabilities(
        self, prompts: Sequence[str], answers: Sequence[str]
    ) -> NDArray[np.float64] | None:
        """Return the (n,) natural log-probability of each whole answer; None: it does not tell."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """One canary after the attacks.

    Attributes:
        canary: which.
        extraction: whether the greedy answer gives the secret away.
        guess: the one secret of those it could have had that the answer names first, or where they
            are few, names alone; None: there is none.
        log_probability: of the planted answer, or None where the model does not tell.
        exposure: bits, or None likewise.
        n_others: secrets that its own was ranked among.
    """

    canary: Canary
    extraction: Extraction
    guess: str | None
    log_probability: float | None
    exposure: float | None
    n_others: int = 0


def attack(
    canaries: Sequence[Canary],
    subject: Subject,
    *,
    n_others: int = 255,
    n_ranked: int | None = None,
    seed: int = 0,
) -> Iterator[Attacked]:
    """Attack a model with every canary, controls too; yields them in order.

    Args:
        canaries: from `canaries.plant`.
        subject: the model.
        n_others: random secrets that each one's rank is taken among; 0 takes no rank.
        n_ranked: how many of those that the coin decided over are ranked, the first ones; repeated
            ones always are; None: all.
        seed: of the random secrets; the same for every model, so that they compare.
    """
    once = [one.canary_id for one in canaries if one.n_repeats <= 1]
    unranked = frozenset() if n_ranked is None else frozenset(once[n_ranked:])
    remaining = iter(canaries)
    while batch := list(islice(remaining, _BATCH)):
        answers = subject.answers([canary.prompt for canary in batch])
        ranked = {one.canary_id for one in batch} - unranked if n_others else frozenset()
        secrets = [
            [one.secret, *(random_secrets(one, n_others, seed) if one.canary_id in ranked else [])]
            for one in batch
        ]
        scores = subject.log_probabilities(
            [one.prompt for one, mine in zip(batch, secrets, strict=True) for _ in mine],
            [one.answer_with(s) for one, mine in zip(batch, secrets, strict=True) for s in mine],
        )
        ends = np.cumsum([len(mine) for mine in secrets])
        for canary, answer, mine, end in zip(batch, answers, secrets, ends, strict=True):
            own = None if scores is None else scores[end - len(mine) : end]
            yield Attacked(
                canary=canary,
                extraction=extraction(canary, answer),
                guess=_guess(canary, answer),
                log_probability=None if own is None else float(own[0]),
                exposure=(
                    None if own is None or len(own) == 1 else exposure(float(own[0]), own[1:])
                ),
                n_others=len(mine) - 1,
            )


def _guess(canary: Canary, answer: str) -> str | None:
    if canary.candidates:
        said = answer.casefold()
        named = [one for one in canary.candidates if one.casefold() in said]
        return named[0] if len(named) == 1 else None
    # a number of the secret's length, however it is grouped; the first, so that it is one guess
    digits = _BETWEEN_DIGITS.sub("", answer)
    found = re.search(rf"(?<!\d)\d{{{len(canary.secret)}}}(?!\d)", digits)
    return found.group() if found else None
