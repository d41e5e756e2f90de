"""Private trainings, one of them with a planted fault, and their audit."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from python_stages.audit import CanarySpec, Report, attack, plant, report, training_lines
from python_stages.generate.canaries import CANARIES
from python_stages.training import (
    MemoryStorage,
    TrainSettings,
    load,
    load_base,
    steps,
    train,
)
from python_stages.training.asking import Sampling

SPEC = CanarySpec(n_once=400, repeats=(), n_per_group=0)
N_CHATS = 200


@dataclass(frozen=True)
class Trained:
    """A model in this process, as the audit attacks it."""

    model: Any

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """Return the greedy answers."""
        asked = [[{"role": "user", "content": prompt}] for prompt in prompts]
        return [one.text for one in self.model.generate(asked, Sampling(48))]

    def log_probabilities(
        self, prompts: Sequence[str], answers: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return the log-probability of each answer."""
        asked = [[{"role": "user", "content": prompt}] for prompt in prompts]
        scored = self.model.score(asked, answers)
        return np.array([sum(token.logprob for token in one.tokens) for one in scored])


def audited(epsilon: float, seed: int, *, n_epochs: int) -> Report:
    """Train on chats and canaries with differential privacy, and audit what came out.

    Args:
        epsilon: what is asked for, and claimed.
        seed: of the weights and the canaries.
        n_epochs: how often each row is seen, about.
    """
    canaries = plant(SPEC, seed.to_bytes(32))
    lines = [*_chats(), *training_lines(canaries)]
    random.Random(seed).shuffle(lines)
    settings = TrainSettings(preset="pico", epsilon=epsilon, seed=seed, n_epochs=n_epochs)
    storage = MemoryStorage()
    result = train(settings, lines, storage=storage)
    assert result is not None
    assert result.privacy is not None
    base = list(attack(canaries, Trained(load_base("pico")), n_others=0))
    tuned = list(attack(canaries, Trained(load(storage, result.final_checkpoint)), n_others=0))
    claim = result.privacy
    return report(tuned, base=base, epsilon=claim.epsilon, delta=claim.delta, covers_copies=True)


@contextmanager
def noise_switched_off() -> Iterator[None]:
    """Leave the noise out of every step; the report claims the epsilon all the same."""
    step = steps.noisy_step

    def silent(state: Any, plan: Any, mechanism: Any, *more: Any, **named: Any) -> Any:
        return step(state, plan, replace(mechanism, noise_multiplier=0.0), *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "noisy_step", silent)
        yield


def _chats() -> Iterator[bytes]:
    draw = random.Random(3)
    for number in range(N_CHATS):
        _, question, answer = CANARIES.row(draw, number)
        messages = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
        yield json.dumps({"messages": messages}).encode()
