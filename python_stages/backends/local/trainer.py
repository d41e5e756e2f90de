"""The border to the trainer: the one place that knows what `python_stages.training` looks like.

Training and loading import JAX, which takes seconds: the module is looked up inside functions.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from python_stages.backends.local.blobs import JobStorage
from python_stages.training.asking import Model
from python_stages.training.storage import Start

DEFAULT_MODULE: Final = "python_stages.training"


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A checkpoint that a training result publishes, by the trainer's name."""

    name: str
    step: int
    metrics: Mapping[str, float | int]
    is_final: bool


@dataclass(frozen=True, slots=True)
class Trainer:
    """The trainer's functions.

    Args:
        module: name of the module that has them; another one stands in for it in tests.
    """

    module: str = DEFAULT_MODULE

    def base_models(self) -> tuple[str, ...]:
        """Return the names of the sizes that can be tuned."""
        module = self._module()
        # one that stands in for the trainer in tests has sizes of its own alone
        return tuple(module.base_names() if hasattr(module, "base_names") else module.PRESETS)

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings that the trainer would refuse.

        Raises:
            ConfigError: a value is out of its range, or contradicts another.
        """
        self._module().TrainSettings.from_json(settings)

    def train(
        self,
        settings: Mapping[str, Any],
        train_lines: Iterable[bytes],
        validation_lines: Iterable[bytes] | None,
        *,
        storage: JobStorage,
        on_event: Callable[[Any], None],
        should_stop: Callable[[], Literal["stop", "pause"] | None],
        start: Start | None = None,
    ) -> Any:
        """Train, from where the storage says it was; return None where it was stopped."""
        module = self._module()
        # one that stands in for the trainer in tests may know no other beginning
        begin = {} if start is None else {"start": start}
        return module.train(
            module.TrainSettings.from_json(settings),
            train_lines,
            validation_lines,
            storage=storage,
            on_event=on_event,
            should_stop=should_stop,
            resume=True,
            **begin,
        )

    def checkpoints(self, result: Any) -> list[PublishedCheckpoint]:
        """Return what a result publishes, the tuned model last."""
        return [
            PublishedCheckpoint(
                name=one.name,
                step=one.step,
                is_final=one.is_final,
                metrics={
                    name: value
                    for name, value in (
                        ("full_valid_loss", one.valid_loss),
                        ("full_valid_mean_token_accuracy", one.valid_token_accuracy),
                    )
                    if value is not None
                },
            )
            for one in result.checkpoints
        ]

    def privacy_of(self, result: Any) -> dict[str, Any] | None:
        """Return what a result guarantees, or None."""
        return None if result.privacy is None else dict(result.privacy.to_json())

    def load(self, storage: JobStorage, checkpoint: str) -> Model:
        """Load a tuned model."""
        model: Model = self._module().load(storage, checkpoint)
        return model

    def load_base(self, preset: str) -> Model:
        """Load a size that was not tuned: fresh weights, which know nothing."""
        model: Model = self._module().load_base(preset)
        return model

    def _module(self) -> Any:
        return importlib.import_module(self.module)
