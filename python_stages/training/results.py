"""What a training tells the world: values without rows in them.

Under differential privacy the numbers that the guarantee does not cover are None: they are computed
from private rows without noise.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

METRIC_COLUMNS: Final = (
    "step",
    "train_loss",
    "train_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
)


@dataclass(frozen=True, slots=True)
class TrainEvent:
    """How far the training is.

    Args:
        step: steps done.
        n_steps: steps there will be; early stopping may end before.
        train_loss: mean loss of the step's rows, nats per token of the answer.
        valid_loss: mean loss of the validation rows, at the end of an epoch.
        valid_token_accuracy: share of their answers' tokens that were the likeliest.
        checkpoint: name of the checkpoint that was just written for publication.
        eta_seconds: time the rest will take at the present pace.
        note: what else is to be told, a sentence; the event then says nothing of a step.
    """

    step: int
    n_steps: int
    train_loss: float | None = None
    valid_loss: float | None = None
    valid_token_accuracy: float | None = None
    checkpoint: str | None = None
    eta_seconds: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One row of the result file."""

    step: int
    train_loss: float
    train_accuracy: float
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that are published.

    Args:
        name: their name in the storage.
        step: steps they have seen.
        valid_loss: as in TrainEvent, or None.
        valid_token_accuracy: as in TrainEvent, or None.
        is_final: whether they are the tuned model.
    """

    name: str
    step: int
    valid_loss: float | None = None
    valid_token_accuracy: float | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class DataCounts:
    """What became of the training lines: n_lines = n_rows + duplicates + over the cap + too long.

    Args:
        n_lines: lines that were given.
        n_rows: rows that are trained on.
        n_duplicates: rows that were the same as another, token by token.
        n_over_cap: rows beyond what one person may have.
        n_too_long: rows whose answer alone does not fit the context.
        n_cut: rows of n_rows whose prompt lost its middle.
    """

    n_lines: int
    n_rows: int
    n_duplicates: int
    n_over_cap: int
    n_too_long: int
    n_cut: int


@dataclass(frozen=True, slots=True)
class PrivacyReport:
    """What is guaranteed, for whom, and what is not.

    Args:
        epsilon: of (epsilon, delta)-differential privacy, as spent; at most what was asked.
        delta: the other half.
        unit: what two neighbouring data sets differ in.
        relation: how they differ.
        accountant: who computed it.
        noise_multiplier: standard deviation of the noise in units of the clip norm.
        sampling_probability: with which each row takes part in a step, independently.
        n_steps: noisy steps.
        clip_norm: largest L2 norm of one row's gradient, as the trainer weights it.
        n_rows: rows after deduplication and cap; treated as public.
        not_covered: what the guarantee does not say, in sentences.
        n_cut: about how many rows' prompts lost their middle to fit the context.
        n_too_long: about how many rows were left out, their answer alone being too long.
        counts_epsilon: what the two counts, which are noisy, spent of epsilon.
    """

    epsilon: float
    delta: float
    unit: str
    relation: str
    accountant: str
    noise_multiplier: float
    sampling_probability: float
    n_steps: int
    clip_norm: float
    n_rows: int
    not_covered: tuple[str, ...]
    n_cut: int | None = None
    n_too_long: int | None = None
    counts_epsilon: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self) | {"not_covered": list(self.not_covered)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "PrivacyReport":
        """Return the report that `to_json` wrote."""
        return cls(**data | {"not_covered": tuple(data["not_covered"])})


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a finished training leaves.

    Args:
        n_steps: steps that were made.
        n_trained_tokens: tokens of all rows of all steps; None under differential privacy.
        final_checkpoint: name of the tuned model.
        checkpoints: every published checkpoint, the final one last.
        metrics_csv: the columns of OpenAI's result file; without rows where it is private.
        counts: what became of the lines; None under differential privacy.
        privacy: the guarantee; None without one.
    """

    n_steps: int
    n_trained_tokens: int | None
    final_checkpoint: str
    checkpoints: tuple[Checkpoint, ...]
    metrics_csv: bytes
    counts: DataCounts | None
    privacy: PrivacyReport | None


def metrics_csv(rows: Sequence[StepMetrics]) -> bytes:
    """Return the result file: steps, and numbers where there are some."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(METRIC_COLUMNS)
    for row in rows:
        values = [getattr(row, name) for name in METRIC_COLUMNS[1:]]
        writer.writerow([row.step, *("" if v is None else f"{v:.5f}" for v in values)])
    return text.getvalue().encode()
