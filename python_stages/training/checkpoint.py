"""States and weights as safetensors: named arrays and text, nothing that a reader would execute.

A state (`state-000120.safetensors`) is all that a training needs to go on as if it had never been
interrupted; weights (`step-000120.safetensors`) are what is published. Both are written under a new
name before an older one is deleted: a kill between the two leaves one that is whole.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from python_stages.errors import ConfigError, StageError
from python_stages.training.presets import ModelShape
from python_stages.training.results import Checkpoint, StepMetrics
from python_stages.training.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "sealtune-1"
ADAPTERS_FORMAT: Final = "sealtune-adapters-1"
_STATE: Final = "state-"
_WEIGHTS: Final = "step-"
_SUFFIX: Final = ".safetensors"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is, without its arrays.

    Args:
        digest: of settings and rows; only the same may go on.
        step: steps done.
        metrics: of those steps.
        checkpoints: published so far.
        secret: randomness of a private training, in hex; None without, and once it is over.
        best_loss: least validation loss so far.
        n_worse: epochs since.
        is_over: whether nothing is left to do.
        n_cut: rows whose prompt lost its middle; with noise under differential privacy.
        n_too_long: rows left out since their answer does not fit; likewise.
    """

    digest: str
    step: int = 0
    metrics: tuple[StepMetrics, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    secret: str | None = None
    best_loss: float | None = None
    n_worse: int = 0
    is_over: bool = False
    n_cut: int = 0
    n_too_long: int = 0

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Progress":
        """Return what `to_json` wrote."""
        data = json.loads(text)
        data["metrics"] = tuple(StepMetrics(**row) for row in data["metrics"])
        data["checkpoints"] = tuple(Checkpoint(**row) for row in data["checkpoints"])
        return cls(**data)


def weights_name(step: int) -> str:
    """Return the name of the weights after a step."""
    return f"{_WEIGHTS}{step:06d}{_SUFFIX}"


def write_weights(
    storage: Storage, name: str, params: "Mapping[str, Any]", shape: ModelShape
) -> None:
    """Keep weights for publication; they hold the model and its sizes, nothing else."""
    sizes = {field.name: str(getattr(shape, field.name)) for field in fields(shape)}
    storage.write(name, _to_bytes(params, {"format": FORMAT, **sizes}))


def read_weights(storage: Storage, name: str) -> tuple[Arrays, ModelShape]:
    """Return weights and the sizes of their model.

    Raises:
        StageError: there are none of that name, or they are not what the trainer writes.
    """
    arrays, metadata = _from_bytes(storage, name)
    try:
        shape = ModelShape(
            **{field.name: int(metadata[field.name]) for field in fields(ModelShape)}
        )
    except (KeyError, ValueError):
        raise StageError(f"checkpoint {name} does not say the sizes of its model") from None
    return arrays, shape


def write_adapters(
    storage: Storage, name: str, arrays: "Mapping[str, Any]", base: str, fingerprint: str
) -> None:
    """Keep adapters for publication, and which base they are for."""
    metadata = {"format": ADAPTERS_FORMAT, "base": base, "fingerprint": fingerprint}
    storage.write(name, _to_bytes(arrays, metadata))


def read_adapters(storage: Storage, name: str) -> tuple[Arrays, str, str] | None:
    """Return adapters, their base's name and its fingerprint; None if the weights are a preset's.

    Raises:
        StageError: there are none of that name, or they are not what the trainer writes.
    """
    arrays, metadata = _from_bytes(storage, name)
    if metadata["format"] != ADAPTERS_FORMAT:
        return None
    return arrays, metadata["base"], metadata["fingerprint"]


def write_state(storage: Storage, arrays: "Mapping[str, Any]", progress: Progress) -> None:
    """Keep a state, then drop the older ones."""
    name = f"{_STATE}{progress.step:06d}{_SUFFIX}"
    storage.write(name, _to_bytes(arrays, {"format": FORMAT, "progress": progress.to_json()}))
    for other in storage.names():
        if other.startswith(_STATE) and other != name:
            storage.delete(other)


def read_state(storage: Storage, digest: str) -> tuple[Arrays, Progress] | None:
    """Return the latest state, or None if there is none.

    Raises:
        ConfigError: it is of other settings or other rows.
        StageError: it is not what the trainer writes.
    """
    names = sorted(name for name in storage.names() if name.startswith(_STATE))
    if not names:
        return None
    arrays, metadata = _from_bytes(storage, names[-1])
    progress = Progress.from_json(metadata["progress"])
    if progress.digest != digest:
        raise ConfigError(
            "the interrupted training had other settings, another seed or other rows: what came of "
            "going on would be a model, and a guarantee, of neither; start in an empty storage"
        )
    return arrays, progress


def clear(storage: Storage) -> None:
    """Drop every state and checkpoint."""
    for name in storage.names():
        if name.startswith((_STATE, _WEIGHTS)):
            storage.delete(name)


def _to_bytes(arrays: "Mapping[str, Any]", metadata: dict[str, str]) -> bytes:
    """Return the same bytes for the same arrays; `save` writes metadata in an order by chance."""
    from safetensors.numpy import save  # noqa: PLC0415 - settings and results need none

    data = save({name: np.asarray(array) for name, array in arrays.items()}, metadata)
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return data[:8] + text.ljust(start - 8) + data[start:]


def _from_bytes(storage: Storage, name: str) -> tuple[Arrays, dict[str, str]]:
    from safetensors import SafetensorError  # noqa: PLC0415 - as above
    from safetensors.numpy import load  # noqa: PLC0415 - as above

    try:
        data = storage.read(name)
    except (KeyError, OSError):
        raise StageError(f"there is no checkpoint {name}") from None
    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata: dict[str, str] = header["__metadata__"]
    except (SafetensorError, ValueError, KeyError):
        raise StageError(f"checkpoint {name} is not what the trainer writes") from None
    if metadata.get("format") not in (FORMAT, ADAPTERS_FORMAT):
        raise StageError(f"checkpoint {name} is of another version: train again")
    return arrays, metadata
