"""Models under attack, made of arithmetic: what they have memorised is known exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from python_stages.audit import Canary

KEY = bytes(range(32))


@dataclass(frozen=True)
class Memory:
    """Answers with the secret where a canary was planted often enough, and gives scores.

    Attributes:
        canaries: what it was trained on, and controls.
        says_from: planted that often, it says the secret; a number too high: never.
        score_of: log-probability of an answer: canary it belongs to, whether it is the planted one.
    """

    canaries: Sequence[Canary]
    says_from: int = 1_000
    score_of: Callable[[Canary, bool], float] | None = None

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """Return the secret where it was planted often enough."""
        by_prompt = {canary.prompt: canary for canary in self.canaries}
        known = [by_prompt[prompt] for prompt in prompts]
        return [
            canary.answer if canary.n_repeats >= self.says_from else "I do not know."
            for canary in known
        ]

    def log_probabilities(
        self, prompts: Sequence[str], answers: Sequence[str]
    ) -> NDArray[np.float64] | None:
        """Return a score each, or None where it has none."""
        if self.score_of is None:
            return None
        by_prompt = {canary.prompt: canary for canary in self.canaries}
        return np.array(
            [
                self.score_of(by_prompt[prompt], answer == by_prompt[prompt].answer)
                for prompt, answer in zip(prompts, answers, strict=True)
            ]
        )
