"""The loss of each row's answer, and of nothing else; no loss of transformers' own.

The loss that `labels=` gives is a mean over the batch, in which a row's gradient depends on how
long the others' answers are: under differential privacy no row may.
"""

from typing import Any, NamedTuple

import numpy as np
import torch

from python_stages.training.dataset import Batch
from python_stages.training.engine import Tally


class Rows(NamedTuple):
    """Rows as the base reads them, padded on the left.

    Args:
        tokens: (rows, width).
        is_real: (rows, width), False at padding.
        targets: (rows, window) what follows each of the last positions.
        is_target: (rows, window) whether the loss counts it.
    """

    tokens: Any
    is_real: Any
    targets: Any
    is_target: Any

    @classmethod
    def of_batch(cls, batch: Batch, n_rows: int, device: str) -> "Rows":
        """Return the first rows of a batch; those that only fill it up are left out."""
        parts = (
            np.where(batch.is_real, batch.tokens, 0),
            batch.is_real,
            np.where(batch.is_target, batch.targets, 0),
            batch.is_target,
        )
        return cls(*(torch.from_numpy(part[:n_rows]).to(device) for part in parts))

    @classmethod
    def of(cls, tokens: np.ndarray, is_real: np.ndarray, device: str = "cpu") -> "Rows":
        """Return rows of which every token but the first is to be learnt."""
        is_target = is_real[:, 1:] & is_real[:, :-1]
        parts = (tokens[:, :-1], is_real[:, :-1], tokens[:, 1:], is_target)
        return cls(*(torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in parts))


def last_logits(model: Any, rows: Rows) -> Any:
    """Return (rows, window, vocabulary): what follows each of the last positions."""
    positions = (rows.is_real.long().cumsum(-1) - 1).clamp(min=0)
    found = model(
        input_ids=rows.tokens.long(),
        attention_mask=rows.is_real.long(),
        position_ids=positions,
        use_cache=False,
    )
    return found.logits[:, -rows.targets.shape[1] :]


def row_losses(model: Any, rows: Rows) -> Any:
    """Return (rows,) the mean loss of each row's answer, in nats per token."""
    return _sums(model, rows)[0]


def tally(model: Any, rows: Rows) -> tuple[Any, Tally]:
    """Return the sum of the rows' losses, to differentiate, and the tally."""
    losses, n_correct, n_tokens = _sums(model, rows)
    total = losses.sum()
    counted = Tally(float(total.detach()), int(n_correct), int(n_tokens), len(losses))
    return total, counted


def _sums(model: Any, rows: Rows) -> tuple[Any, Any, Any]:
    logits = last_logits(model, rows).float()
    targets = rows.targets.long()
    each = -torch.log_softmax(logits, -1).gather(-1, targets[..., None])[..., 0]
    n_tokens = rows.is_target.sum(1)
    losses = torch.where(rows.is_target, each, 0.0).sum(1) / n_tokens.clamp(min=1)
    is_correct = (logits.argmax(-1) == targets) & rows.is_target
    return losses, is_correct.sum(), n_tokens.sum()
