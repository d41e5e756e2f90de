"""A trainer whose process dies in the middle, as one does that asks for too much memory."""

import os
from typing import Any

from python_stages.training import PRESETS, TrainSettings

__all__ = ["PRESETS", "TrainSettings", "train"]


def train(*_: Any, storage: Any, **__: Any) -> None:
    """Write something, then die."""
    storage.write("state", b"x")
    os._exit(9)
