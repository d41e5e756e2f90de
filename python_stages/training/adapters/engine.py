"""The steps of training adapters, as `loop` asks for them; state and weights are numpy arrays."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch

from python_stages.errors import ConfigError
from python_stages.training import checkpoint
from python_stages.training.adapters import base as bases
from python_stages.training.adapters.losses import Rows, tally
from python_stages.training.adapters.private import NoisyOptimizer, hooked
from python_stages.training.bases import Base
from python_stages.training.batches import Part
from python_stages.training.dataset import Dataset
from python_stages.training.engine import Tally
from python_stages.training.plan import Plan
from python_stages.training.privacy import Mechanism
from python_stages.training.storage import Start, Storage

_LARGEST_NORM: Final = 1.0  # of a batch's gradient, without differential privacy
_ROWS_AT_ONCE: Final = 8  # whose activations and gradients are in memory
_MOMENTS: Final = ("exp_avg", "exp_avg_sq", "step")


class TorchEngine:
    """Trains the adapters of a base.

    Args:
        base: a folder.
        plan: how the training goes.
        seed: of the fresh adapters.

    Raises:
        ConfigError: the base cannot be read, or not be trained privately.
    """

    def __init__(self, base: Base, plan: Plan, seed: int) -> None:
        self._base = base
        self._plan = plan
        self._model = bases.model_of(base, seed)
        self._parameters = bases.trained(self._model)
        self._adam = torch.optim.Adam(self._parameters.values(), lr=plan.learning_rate)
        self._is_private = plan.epsilon is not None
        self._wrapped = hooked(self._model) if self._is_private else self._model
        self._noisy: NoisyOptimizer | None = None

    def plain_step(self, dataset: Dataset, parts: list[Part], rate: float) -> Tally:
        """Make one step without differential privacy."""
        self._model.train()
        self._adam.zero_grad()
        tallies = []
        for rows in self._rows(dataset, parts):
            total, counted = tally(self._model, rows)
            total.backward()
            tallies.append(counted)
        found = _sum(tallies)
        for p in self._parameters.values():
            p.grad /= found.n_rows
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), _LARGEST_NORM)
        self._set_rate(rate)
        self._adam.step()
        self._model.eval()
        return found

    def noisy_step(
        self,
        dataset: Dataset,
        parts: list[Part],
        mechanism: Mechanism,
        *,
        rate: float,
        noise_seed: np.ndarray,
    ) -> None:
        """Make one step on clipped gradients and noise."""
        noisy = self._noisy or NoisyOptimizer(self._adam, mechanism, self._plan.batch_size)
        self._noisy = noisy
        self._wrapped.train()
        for rows in self._rows(dataset, parts):
            tally(self._wrapped, rows)[0].backward()
            noisy.accumulate()
        self._set_rate(rate)
        noisy.noisy_step(noise_seed)
        self._wrapped.eval()

    def look(self, dataset: Dataset, part: Part) -> Tally:
        """Return the tally of rows."""
        with torch.no_grad():
            return _sum([tally(self._model, rows)[1] for rows in self._rows(dataset, [part])])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return adapters and moments."""
        found = {f"params.{n}": a for n, a in bases.adapter_arrays(self._model).items()}
        for name, p in self._parameters.items():
            for key, value in self._adam.state.get(p, {}).items():
                found[f"{key}.{name}"] = np.asarray(value.detach().cpu())
        return found

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up adapters and moments."""
        own = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
        bases.set_adapters(self._model, own)
        for name, p in self._parameters.items():
            if f"step.{name}" in arrays:
                self._adam.state[p] = {
                    key: torch.from_numpy(np.array(arrays[f"{key}.{name}"])) for key in _MOMENTS
                }

    def begin_with(self, start: Start) -> None:
        """Take up published adapters, with moments that know nothing."""
        found = checkpoint.read_adapters(start.storage, start.name)
        if found is None or found[1:] != (self._base.name, self._fingerprint()):
            raise ConfigError("the model to begin with has another base: train anew")
        bases.set_adapters(self._model, found[0])

    def publish(self, storage: Storage, name: str) -> None:
        """Keep the adapters for publication, with the name and the hash of their base."""
        checkpoint.write_adapters(
            storage, name, bases.adapter_arrays(self._model), self._base.name, self._fingerprint()
        )

    def _fingerprint(self) -> str:
        if self._base.folder is None:
            raise ConfigError(f"the preset {self._base.name} takes no adapters")
        return bases.fingerprint(self._base.folder)

    def _rows(self, dataset: Dataset, parts: list[Part]) -> Any:
        """Yield the rows of parts, a few at a time."""
        for part in parts:
            for start in range(0, len(part.rows), _ROWS_AT_ONCE):
                chosen = part.rows[start : start + _ROWS_AT_ONCE]
                batch = dataset.batch(chosen, part.layout, len(chosen))
                yield Rows.of_batch(batch, len(chosen), bases.device())

    def _set_rate(self, rate: float) -> None:
        for group in self._adam.param_groups:
            group["lr"] = rate


def _sum(tallies: list[Tally]) -> Tally:
    return Tally(*(sum(values) for values in zip(*tallies, strict=True)))
