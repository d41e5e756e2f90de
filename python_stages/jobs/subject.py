"""A tuned model as the audit attacks it: through the API that anybody would use."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from python_stages.errors import BackendError
from python_stages.jobs.predict import Sampling, predict

if TYPE_CHECKING:
    from python_stages.backends.chat import ChatClient

_MAX_TOKENS: Final = 64  # no canary's answer is longer
_SAMPLING: Final = Sampling(_MAX_TOKENS)
_SCORED_AT_ONCE: Final = 4


class ChatSubject:
    """A model behind a chat API; an `audit.Subject`.

    Args:
        client: where it answers.
        model: its name there.
        tells: whether the host tells log-probabilities of given answers, as the local server does.
        n_at_once: prompts under way at the same time.
    """

    def __init__(
        self, client: "ChatClient", model: str, *, tells: bool, n_at_once: int = 4
    ) -> None:
        self._client = client
        self._model = model
        self._tells = tells
        self._n_at_once = n_at_once

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """Return the greedy answer to each user message; one that a provider refuses is empty.

        Raises:
            BackendError: it did not answer them all, and what is missing may be what leaks.
        """
        conversations = [[{"role": "user", "content": prompt}] for prompt in prompts]
        found = predict(
            conversations,
            lambda messages: self._client.ask(self._model, messages, _SAMPLING),
            n_at_once=self._n_at_once,
        )
        texts = []
        for answer in found:
            if answer.failure is not None and answer.failure.reach != "prompt":
                raise BackendError(
                    f"the audit got no answer ({answer.failure.code}): build again to go on"
                )
            texts.append(answer.text or "")
        return texts

    def log_probabilities(
        self, prompts: Sequence[str], answers: Sequence[str]
    ) -> NDArray[np.float64] | None:
        """Return the (n,) natural log-probability of each answer, or None; raises as `answers`."""
        if not self._tells:
            return None

        def scored(prompt: str, group: Sequence[str]) -> tuple[float, ...]:
            return self._client.score(self._model, [{"role": "user", "content": prompt}], group)

        pairs = zip(prompts, answers, strict=True)
        groups = [(p, [a for _, a in group]) for p, group in groupby(pairs, key=itemgetter(0))]
        # the host computes one while others are written and read
        with ThreadPoolExecutor(_SCORED_AT_ONCE) as pool:
            found = list(pool.map(scored, *zip(*groups, strict=True)))
        return np.array([score for scores in found for score in scores], dtype=np.float64)
