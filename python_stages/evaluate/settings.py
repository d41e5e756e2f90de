"""How a dataset's models are evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """How a dataset's models are evaluated; `evaluate` in the config of its `*_sealed` model.

    Args:
        base: whether the base model is asked too, where the provider serves it.
        max_examples: validation examples at most, the first by their id; 0 asks nothing.
        max_tokens: tokens of an answer at most; None takes what the longest answer of the examples
            can need: no vocabulary of bytes needs more tokens than a text has bytes.
        seed: seed of the answers.
        n_at_once: prompts under way at the same time.
    """

    base: bool = True
    max_examples: int = 500
    max_tokens: int | None = None
    seed: int = 7
    n_at_once: int = 4

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the settings.

        Raises:
            ConfigError: one is unknown, or no number that it can be.
        """
        refuse_unknown("evaluate", config, [field.name for field in fields(cls)])
        wanted = cls(**config)
        numbers = {
            "max_examples": (wanted.max_examples, 0),
            "max_tokens": (1 if wanted.max_tokens is None else wanted.max_tokens, 1),
            "seed": (wanted.seed, 0),
            "n_at_once": (wanted.n_at_once, 1),
        }
        for name, (value, least) in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"evaluate: {name} must be a whole number >= {least}")
        if not isinstance(wanted.base, bool):
            raise ConfigError("evaluate: base must be true or false")
        return wanted
