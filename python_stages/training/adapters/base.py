"""The model of a folder with low-rank adapters on it (Hu et al., 2106.09685).

The folder's weights stay as they are; what is trained, kept and published is two small matrices for
every linear layer. They fit no other base: the folder's hash is kept with them.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from python_stages.errors import ConfigError
from python_stages.training.bases import Base

RANK: Final = 8
_ALPHA: Final = 16


def model_of(base: Base, seed: int = 0) -> Any:
    """Return the base with fresh adapters, which change nothing yet: a function of base and seed.

    Raises:
        ConfigError: the folder's weights cannot be read.
    """
    if base.folder is None:
        raise ConfigError(f"the preset {base.name} takes no adapters")
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base.folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError):
        raise ConfigError(
            f"the weights of the base model {base.name} cannot be read: save them as safetensors, "
            "in one folder with config.json"
        ) from None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tuned = get_peft_model(
            model,
            LoraConfig(
                task_type="CAUSAL_LM",
                r=RANK,
                lora_alpha=_ALPHA,
                lora_dropout=0.0,
                target_modules="all-linear",
            ),
        )
    return tuned.to(device()).eval()


def device() -> str:
    """Return where to compute."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def adapter_arrays(model: Any) -> dict[str, np.ndarray]:
    """Return the adapters' weights."""
    return {name: p.detach().cpu().numpy() for name, p in trained(model).items()}


def set_adapters(model: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Put weights into the adapters.

    Raises:
        ConfigError: they are of another base.
    """
    own = trained(model)
    if own.keys() != arrays.keys() or any(
        own[n].shape != array.shape for n, array in arrays.items()
    ):
        raise ConfigError("the adapters were trained on another base model: they do not fit")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(torch.from_numpy(np.array(arrays[name])))


def trained(model: Any) -> dict[str, Any]:
    """Return the parameters that are trained, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


@cache
def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of a base's weights and configuration."""
    digests = {}
    for path in sorted([*folder.glob("*.safetensors"), folder / "config.json"]):
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()
