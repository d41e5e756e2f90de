"""What a preset begins with: shipped weights that were trained on public text, or fresh ones.

A model that starts from nothing has to learn from the rows themselves which words of a prompt say
anything, and under differential privacy the noise is louder than that lesson. `build.py` teaches it
beforehand, on public text; no row of anybody's, and no label, goes into the shipped weights.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import jax.numpy as jnp

from python_stages.training import checkpoint
from python_stages.training.model import Params, init
from python_stages.training.storage import FolderStorage

if TYPE_CHECKING:
    from python_stages.training.bases import Base

FOLDER: Final = Path(__file__).parent
SHIPPED: Final = frozenset({"nano"})


def weights_name(preset: str) -> str:
    """Return the name of a preset's shipped weights in `FOLDER`."""
    return f"{preset}.safetensors"


def first_params(base: "Base", seed: int) -> Params:
    """Return the parameters of a preset before its first step.

    Args:
        base: a preset.
        seed: of fresh weights; shipped ones are the same for every seed.
    """
    if base.name not in SHIPPED:
        return init(base.shape, seed)
    arrays, shape = checkpoint.read_weights(FolderStorage(FOLDER), weights_name(base.name))
    if shape != base.shape:
        raise ValueError(f"the shipped weights are of another {base.name}: make base")
    return {name: jnp.asarray(array, jnp.float32) for name, array in arrays.items()}
