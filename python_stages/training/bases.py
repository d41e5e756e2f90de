"""What can be tuned, by name: a preset, or a folder with a causal model of the user's own.

Folders lie in the one that SEALTUNE_BASES_DIR names, so that whoever asks for a job cannot make the
server read another. Nothing of a folder is executed: weights are safetensors, and a model that
brings code along is refused.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from python_stages.errors import ConfigError
from python_stages.settings import bases_folder
from python_stages.training.presets import PRESETS, ModelShape

MAX_CONTEXT: Final = 4_096  # rows longer than this lose the middle of their prompt

_LEARNING_RATES: Final = {
    "pico": 3e-3,
    "nano": 3e-3,
    "micro": 2e-3,
    "small": 1e-3,
    "medium": 6e-4,
    "large": 4e-4,
}
_ADAPTER_RATE: Final = 1e-3
_EPOCHS: Final = 8
_EPOCHS_OF: Final = {"nano": 4}  # it begins with weights that know where to look
_CONFIGS: Final = ("config.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True)
class Base:
    """What a training begins with.

    Args:
        name: its name.
        shape: its sizes.
        learning_rate: peak rate without differential privacy.
        n_epochs: passes over the rows without differential privacy.
        folder: where its weights lie; None: a preset (see `pretrained`).
    """

    name: str
    shape: ModelShape
    learning_rate: float
    n_epochs: int = _EPOCHS
    folder: Path | None = None


def base_names() -> tuple[str, ...]:
    """Return the names of everything that can be tuned, presets first."""
    root = bases_folder()
    folders = [] if root is None or not root.is_dir() else sorted(root.iterdir())
    own = [path.name for path in folders if (path / "config.json").is_file()]
    return (*PRESETS, *(name for name in own if name not in PRESETS))


def base_of(name: str) -> Base:
    """Return a base.

    Raises:
        ConfigError: there is none of that name, or its folder holds none that can be used.
    """
    if name in PRESETS:
        n_epochs = _EPOCHS_OF.get(name, _EPOCHS)
        return Base(name, PRESETS[name], _LEARNING_RATES[name], n_epochs)
    root = bases_folder()
    if root is None or name not in base_names():
        raise ConfigError(
            f"no base model of that name: choose one of {', '.join(base_names())}, or put a folder "
            "with a model into the one that SEALTUNE_BASES_DIR names"
        )
    folder = root / name
    if any("auto_map" in _read(folder / file) for file in _CONFIGS):
        raise ConfigError(
            f"the base model {name} brings code of its own, which is never run: choose one whose "
            "architecture is part of transformers"
        )
    return Base(name, _shape(name, _read(folder / "config.json")), _ADAPTER_RATE, folder=folder)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{path.name} of a base model is no json object: save the model anew")
    return found


def _shape(name: str, config: dict[str, Any]) -> ModelShape:
    """Return the sizes that a configuration of transformers gives."""
    config = config | config.get("text_config", {})
    try:
        return ModelShape(
            n_layers=int(config["num_hidden_layers"]),
            d_model=int(config["hidden_size"]),
            n_heads=int(config["num_attention_heads"]),
            d_ff=int(config["intermediate_size"]),
            context=min(int(config["max_position_embeddings"]), MAX_CONTEXT),
            n_tokens=int(config["vocab_size"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ConfigError(
            f"config.json of the base model {name} does not say its sizes as Llama's does: use a "
            "causal model of the Llama family, such as Llama, Mistral, Qwen or SmolLM"
        ) from None
