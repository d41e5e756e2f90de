"""Clipped per-example gradients of the adapters by Opacus, and the noise on their sum.

Opacus hooks into layers, and hooks can be wrong without a word: some architectures give gradients
of the wrong rows or none. So before a private row is seen, the gradients of made-up rows are
compared with those of one row at a time, and a base that fails is refused.

Sampling, sigma and accounting are those of the presets (`privacy`). The noise is not torch's own,
whose generator on a processor is seeded by 32 bits.
"""

from typing import Any, Final

import numpy as np
import torch
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer

from python_stages.errors import ConfigError
from python_stages.training.adapters.base import trained
from python_stages.training.adapters.losses import Rows, row_losses
from python_stages.training.privacy import Mechanism

_TOLERANCE: Final = 1e-3
_CHECK_ROWS: Final = 3
_CHECK_TOKENS: Final = 12


class NoisyOptimizer(DPOptimizer):  # type: ignore[misc]  # opacus ships no types
    """Opacus's optimizer with noise from a counter-based generator and a key of its caller.

    Args:
        optimizer: makes the update.
        mechanism: how much is clipped and added.
        batch_size: expected rows of a step.
    """

    def __init__(self, optimizer: Any, mechanism: Mechanism, batch_size: int) -> None:
        super().__init__(
            optimizer,
            noise_multiplier=mechanism.noise_multiplier,
            max_grad_norm=mechanism.clip_norm,
            expected_batch_size=batch_size,
            loss_reduction="sum",
        )
        self._batch_size = batch_size

    def noisy_step(self, noise_seed: np.ndarray) -> None:
        """Add noise to what was accumulated, divide by the expected rows, and update once."""
        random = np.random.Generator(np.random.Philox(int.from_bytes(noise_seed.tobytes())))
        deviation = self.noise_multiplier * self.max_grad_norm
        for p in self.params:
            total = torch.zeros_like(p) if p.summed_grad is None else p.summed_grad
            noise = torch.from_numpy(random.standard_normal(tuple(p.shape)) * deviation)
            p.grad = (total + noise.to(total)) / self._batch_size
        self.original_optimizer.step()
        self._is_last_step_skipped = False
        self.zero_grad(set_to_none=True)

    def accumulate(self) -> None:
        """Clip the gradients of the rows just seen, and add them up."""
        self.clip_and_accumulate()
        for p in self.params:
            p.grad_sample = p.grad = None


def hooked(model: Any) -> Any:
    """Return the model with hooks that keep each row's gradients.

    Raises:
        ConfigError: those gradients are not what one row at a time gives.
    """
    wrapped = GradSampleModule(model, batch_first=True, loss_reduction="sum", strict=False)
    if not are_gradients_right(wrapped):
        raise ConfigError(
            "the gradients of single rows come out wrong for this base model, so that no epsilon "
            "would hold: choose another architecture, such as Llama's, or train without epsilon"
        )
    return wrapped


def are_gradients_right(wrapped: Any) -> bool:
    """Return whether per-example gradients equal those of one row at a time, on made-up rows."""
    parameters = trained(wrapped)
    before = {name: p.detach().clone() for name, p in parameters.items()}
    random = np.random.default_rng(0)
    n_tokens = next(wrapped.parameters()).shape[0]  # the first is the embedding
    tokens = random.integers(0, n_tokens, (_CHECK_ROWS, _CHECK_TOKENS))
    is_real = np.arange(_CHECK_TOKENS) >= np.arange(_CHECK_ROWS)[:, None]  # padding on the left
    try:
        with torch.no_grad():  # half of a fresh adapter is zero, and so would its gradients be
            for p in parameters.values():
                p.copy_(torch.from_numpy(random.normal(0, 0.05, tuple(p.shape))))
        together = example_gradients(wrapped, Rows.of(tokens, is_real))
        alone = [
            _gradients(wrapped, Rows.of(tokens[i : i + 1], is_real[i : i + 1]))
            for i in range(_CHECK_ROWS)
        ]
        return all(
            found is not None and _are_close(found, torch.stack([one[name] for one in alone]))
            for name, found in together.items()
        )
    finally:
        with torch.no_grad():
            for name, p in parameters.items():
                p.copy_(before[name])


def example_gradients(wrapped: Any, rows: Rows) -> dict[str, Any]:
    """Return (rows, …) what the hooks keep for each parameter; None where they keep nothing."""
    wrapped.train()
    row_losses(wrapped, rows).sum().backward()
    found = {name: getattr(p, "grad_sample", None) for name, p in trained(wrapped).items()}
    wrapped.zero_grad(set_to_none=True)
    wrapped.eval()
    return found


def _gradients(wrapped: Any, row: Rows) -> dict[str, Any]:
    """Return what autograd alone says of one row."""
    parameters = trained(wrapped)
    wrapped.disable_hooks()
    try:
        found = torch.autograd.grad(row_losses(wrapped, row).sum(), list(parameters.values()))
    finally:
        wrapped.enable_hooks()
    return dict(zip(parameters, found, strict=True))


def _are_close(found: Any, wanted: Any) -> bool:
    scale = float(wanted.abs().max()) + 1e-12
    return found.shape == wanted.shape and float((found - wanted).abs().max()) <= _TOLERANCE * scale
