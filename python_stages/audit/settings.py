"""How a dataset's jobs are audited."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, Self

from python_stages.audit.canaries import CanarySpec, Kind
from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown

_NUMBERS: Final = {"n_once": 6, "n_per_group": 0, "n_others": 1, "n_ranked": 0}
_SWITCHES: Final = ("base", "checkpoints")


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How a dataset's jobs are audited; `audit` in the config of its `*_sealed` model.

    Args:
        enabled: whether they are; None: where the backend is local, which bills nothing.
        plant_in: `shadow`: a second job, of the same rows and the canaries, is trained and
            attacked, and the tuned model never sees a canary; `job`: the job itself is.
        n_once: canaries of which a coin plants each once or never; 400 for a bound of epsilon that
            is worth naming.
        repeats: how often the canaries of each further group are planted.
        n_per_group: canaries of each such group and kind.
        kinds: `name`, `digits`, `structured`.
        n_others: other secrets that each one is ranked among, where the backend tells
            log-probabilities.
        n_ranked: how many of `n_once` are ranked so; the repeated ones always are.
        base: whether the base model is attacked beside the tuned one.
        checkpoints: whether the checkpoints are, without exposure.
    """

    enabled: bool | None = None
    plant_in: Literal["shadow", "job"] = "shadow"
    n_once: int = 400
    repeats: tuple[int, ...] = (4, 16)
    n_per_group: int = 5
    kinds: tuple[str, ...] = tuple(kind.value for kind in Kind)
    n_others: int = 63
    n_ranked: int = 100
    base: bool = True
    checkpoints: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the settings.

        Raises:
            ConfigError: one is unknown, or not of its kind.
        """
        refuse_unknown("audit", config, [field.name for field in fields(cls)])
        lists = {name: config[name] for name in ("repeats", "kinds") if name in config}
        if not all(isinstance(value, list | tuple) for value in lists.values()):
            raise ConfigError("audit: repeats and kinds are lists")
        wanted = cls(**{**config, **{name: tuple(value) for name, value in lists.items()}})
        wanted._check()
        return wanted

    def _check(self) -> None:
        for name, least in _NUMBERS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"audit: {name} must be a whole number >= {least}")
        if not all(isinstance(n, int) and not isinstance(n, bool) for n in self.repeats):
            raise ConfigError("audit: repeats must be whole numbers")
        if self.enabled not in {None, True, False} or not all(
            isinstance(getattr(self, name), bool) for name in _SWITCHES
        ):
            raise ConfigError("audit: enabled, base and checkpoints must be true or false")
        if self.plant_in not in {"shadow", "job"}:
            raise ConfigError("audit: plant_in is shadow or job")
        _ = self.spec

    @property
    def spec(self) -> CanarySpec:
        """How many canaries of what kind.

        Raises:
            ConfigError: there is no such kind, or there are too few.
        """
        try:
            kinds = tuple(Kind(one) for one in self.kinds)
        except ValueError:
            raise ConfigError(f"audit: kinds are {', '.join(Kind)}") from None
        return CanarySpec(self.n_once, self.repeats, self.n_per_group, kinds)

    def is_on(self, backend: str) -> bool:
        """Say whether the jobs of a backend are audited."""
        return backend == "local" if self.enabled is None else self.enabled
