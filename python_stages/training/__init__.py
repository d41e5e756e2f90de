"""A trainer of small language models, with and without differential privacy; no network, no dbt.

    settings.py       what a job asks for, and which requests would void its guarantee
    presets.py        the sizes of model
    bases.py          those, and folders with models of the user's own
    results.py        what a training tells: events, metrics, checkpoints, the privacy report
    tokenizer.py      text <-> tokens; vocabulary/ is trained on public text alone
    chat_format.py    conversations -> tokens, with marks that no text can forge
    dataset.py        lines -> rows: fitted to the context, deduplicated, capped per person
    batches.py        which rows make up which step, a function of its number
    engine.py         what the loop knows of a model that is trained
    model.py          the model
    pretrained/       weights of public text that a preset begins with
    clipping.py       the sum of clipped per-example gradients
    privacy.py        how much noise, from which randomness, and the report about it
    steps.py          the compiled functions of training
    makers.py         a base's encoder and engine
    loop.py           train: from lines to checkpoints
    checkpoint.py     states and weights as safetensors, wherever the caller keeps them
    asking.py         what may be asked of a model
    adapters/         a base of the user's own, with adapters by PyTorch (an extra)
    decode.py         load: a trained model that answers, streams and scores

Names are taken from here; JAX is loaded when `train` or `load` is first looked up.
"""

import importlib
from typing import TYPE_CHECKING, Any

from python_stages.training.bases import base_names
from python_stages.training.presets import PRESETS
from python_stages.training.results import (
    Checkpoint,
    DataCounts,
    PrivacyReport,
    TrainEvent,
    TrainResult,
)
from python_stages.training.settings import TrainSettings
from python_stages.training.storage import FolderStorage, MemoryStorage, Start, Storage

if TYPE_CHECKING:
    from python_stages.training.decode import (
        Completion,
        TokenLogprob,
        TrainedModel,
        load,
        load_base,
    )
    from python_stages.training.loop import train

__all__ = [
    "PRESETS",
    "Checkpoint",
    "Completion",
    "DataCounts",
    "FolderStorage",
    "MemoryStorage",
    "PrivacyReport",
    "Start",
    "Storage",
    "TokenLogprob",
    "TrainEvent",
    "TrainResult",
    "TrainSettings",
    "TrainedModel",
    "base_names",
    "load",
    "load_base",
    "train",
]

_LAZY = {
    "Completion": "decode",
    "TokenLogprob": "decode",
    "TrainedModel": "decode",
    "load": "decode",
    "load_base": "decode",
    "train": "loop",
}


def __getattr__(name: str) -> Any:
    """Import what needs JAX when it is asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
