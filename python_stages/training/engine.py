"""What a training changes, step by step: the loop knows no more of a model than this.

`steps.JaxEngine` trains the presets, `adapters.engine.TorchEngine` the adapters of a base of the
user's own; rows, sampling, accounting, checkpoints and resuming are the same for both.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from python_stages.training.batches import Part
    from python_stages.training.dataset import Dataset
    from python_stages.training.privacy import Mechanism
    from python_stages.training.storage import Start, Storage


class Tally(NamedTuple):
    """Sums over rows; numbers, or arrays of one number each.

    Args:
        loss: of the rows' mean losses.
        n_correct: tokens of answers that were the likeliest.
        n_tokens: tokens of answers.
        n_rows: rows.
    """

    loss: Any
    n_correct: Any
    n_tokens: Any
    n_rows: Any

    def means(self) -> tuple[float, float]:
        """Return the mean loss of a row and the share of tokens that were the likeliest."""
        return float(self.loss / self.n_rows), float(self.n_correct / self.n_tokens)


class Engine(Protocol):
    """A model that is being trained."""

    def plain_step(self, dataset: "Dataset", parts: "list[Part]", rate: float) -> Tally:
        """Make one step on the rows of `parts`, without differential privacy."""

    def noisy_step(
        self,
        dataset: "Dataset",
        parts: "list[Part]",
        mechanism: "Mechanism",
        *,
        rate: float,
        noise_seed: "np.ndarray",
    ) -> None:
        """Make one step on clipped gradients and noise; nothing else of the rows is looked at.

        Args:
            dataset: the rows.
            parts: the step's rows; none is a step too.
            mechanism: how much is clipped, and how much noise is added, once.
            rate: learning rate.
            noise_seed: two 32-bit numbers, used for no other step.
        """

    def look(self, dataset: "Dataset", part: "Part") -> Tally:
        """Return the tally of rows, changing nothing."""

    def arrays(self) -> "dict[str, np.ndarray]":
        """Return everything that a training needs to go on, as named arrays."""

    def restore(self, arrays: "Mapping[str, np.ndarray]") -> None:
        """Take up what `arrays` gave, of the same sizes."""

    def begin_with(self, start: "Start") -> None:
        """Take up weights that were published, of the same sizes, before the first step.

        Raises:
            ConfigError: they are of another base.
            StageError: there are none, or they are not what the trainer writes.
        """

    def publish(self, storage: "Storage", name: str) -> None:
        """Keep the weights for publication."""
