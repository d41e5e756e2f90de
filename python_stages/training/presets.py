"""The sizes of model that can be trained, by name."""

from dataclasses import dataclass
from typing import Final

from python_stages.errors import ConfigError
from python_stages.training.tokenizer import N_TOKENS


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a model.

    Args:
        n_layers: number of layers.
        d_model: width of the residual stream.
        n_heads: attention heads; d_model / n_heads must be even.
        d_ff: width of the feed-forward block.
        context: most tokens of a conversation, prompt and answer together.
        n_tokens: size of the vocabulary, marks included.
    """

    n_layers: int
    d_model: int
    n_heads: int
    d_ff: int
    context: int
    n_tokens: int = N_TOKENS

    @property
    def n_params(self) -> int:
        """Return the number of parameters."""
        layer = 4 * self.d_model**2 + 3 * self.d_model * self.d_ff + 2 * self.d_model
        return 2 * self.n_tokens * self.d_model + self.n_layers * layer + self.d_model


PRESETS: Final = {
    "pico": ModelShape(n_layers=1, d_model=64, n_heads=4, d_ff=256, context=256),
    "nano": ModelShape(n_layers=1, d_model=128, n_heads=4, d_ff=256, context=1024),
    "micro": ModelShape(n_layers=4, d_model=128, n_heads=4, d_ff=384, context=512),
    "small": ModelShape(n_layers=6, d_model=256, n_heads=4, d_ff=704, context=1024),
    "medium": ModelShape(n_layers=8, d_model=384, n_heads=6, d_ff=1024, context=2048),
    "large": ModelShape(n_layers=14, d_model=512, n_heads=8, d_ff=1536, context=2048),
}


def preset(name: str) -> ModelShape:
    """Return the sizes of a preset.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in PRESETS:
        raise ConfigError(f"no preset of that name: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
