"""What a dataset asks for: noise per column, and on the counts of its classes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from importlib.util import find_spec
from typing import Any, Final

from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown

_KNOWN: Final = ("epsilon", "lower", "upper", "step")
# what a double holds exactly, so that no step is lost on the way to a column and back
_MOST_STEPS: Final = 2**53
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ColumnNoise:
    """Noise on every value of a column: local differential privacy.

    Args:
        column: its name.
        epsilon: what a draw may spend.
        lower: least value, which smaller ones become; public, so never read off the data.
        upper: greatest value, which greater ones become.
        step: values are rounded to its multiples before noise is added; 0.01 keeps cents.
    """

    column: str
    epsilon: float
    lower: Decimal
    upper: Decimal
    step: Decimal

    @classmethod
    def from_config(cls, column: str, config: object) -> "ColumnNoise":
        """Read and check what is asked for a column.

        Raises:
            ConfigError: a setting is unknown, missing, no number, or contradicts another.
        """
        where = f"render: noise of {column}"
        if not isinstance(config, Mapping):
            raise ConfigError(f"{where} must be a map of {', '.join(_KNOWN)}")
        refuse_unknown(where, config, _KNOWN)
        asked = cls(
            column=column,
            epsilon=_epsilon(config.get("epsilon"), where),
            lower=_number(config.get("lower"), f"{where}: lower"),
            upper=_number(config.get("upper"), f"{where}: upper"),
            step=_number(config.get("step", _CENT), f"{where}: step"),
        )
        if asked.step <= 0:
            raise ConfigError(f"{where}: step must be above 0")
        low, high = asked.bounds
        if low >= high:
            raise ConfigError(f"{where}: lower must be below upper by at least one step")
        if max(abs(low), abs(high), high - low) > _MOST_STEPS:
            raise ConfigError(f"{where}: there are too many steps; take a larger step")
        return asked

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the bounds in steps, rounded inward."""
        low = (self.lower / self.step).to_integral_value(ROUND_CEILING)
        return int(low), int((self.upper / self.step).to_integral_value(ROUND_FLOOR))

    @property
    def settings(self) -> str:
        """Return all that a draw depends on besides the value, as text without a quote."""
        numbers = (self.lower, self.upper, self.step)
        return " ".join([repr(self.epsilon), *(format(one.normalize(), "f") for one in numbers)])

    def steps(self, value: Decimal) -> int:
        """Return a finite value in steps, clamped to the bounds."""
        low, high = self.bounds
        clamped = min(max(value, low * self.step), high * self.step)
        return int((clamped / self.step).to_integral_value(ROUND_HALF_EVEN))

    def value(self, steps: int) -> Decimal:
        """Return the value of so many steps, clamped to the bounds.

        What comes from a noisy value alone costs nothing, and templates meet no impossible value.
        """
        low, high = self.bounds
        return min(max(steps, low), high) * self.step


def noisy_columns(config: object) -> tuple[ColumnNoise, ...]:
    """Read `noise` of the `render` settings: what is asked per column; nothing where it is None.

    Raises:
        ConfigError: it is no map of columns, or a column's settings are wrong.
    """
    if config is None:
        return ()
    if not isinstance(config, Mapping) or not all(isinstance(name, str) for name in config):
        raise ConfigError("render: noise must map columns to epsilon, lower and upper")
    return tuple(ColumnNoise.from_config(name, config[name]) for name in sorted(config))


def count_epsilon(config: object) -> float | None:
    """Read `private_counts` of the `check` settings: the epsilon of the counts, or None.

    Raises:
        ConfigError: it is no map, a setting is unknown, or epsilon is wrong.
    """
    where = "check: private_counts"
    if config is None:
        return None
    if not isinstance(config, Mapping):
        raise ConfigError(f"{where} must be a map with epsilon")
    refuse_unknown(where, config, ["epsilon"])
    return _epsilon(config.get("epsilon"), where)


def check_asked(models: Mapping[str, Mapping[str, Mapping[str, object]]]) -> None:
    """Check what every model asks for, before anything is built.

    Noise that stands where nobody reads it would silently be none.

    Args:
        models: sections under `meta` by model, each with what stands there under `noise` and
            `private_counts`, or None.

    Raises:
        ConfigError: a setting is wrong, or not where it is read; or OpenDP is missing.
    """
    homes: dict[str, tuple[str, str, Callable[[object], object]]] = {
        "noise": ("render", "_rendered", noisy_columns),
        "private_counts": ("check", "_checked", count_epsilon),
    }
    for model, sections in models.items():
        for setting, (home, state, read) in homes.items():
            if setting in sections:
                raise ConfigError(f"{model}: {setting} stands under meta; move it under {home}")
            asked = sections.get(home, {}).get(setting)
            if asked is not None and not model.endswith(state):
                raise ConfigError(f"{model}: {setting} is read in *{state} alone; move it there")
            if read(asked):
                require_opendp()


def require_opendp() -> None:
    """Refuse to go on where OpenDP is not installed.

    Raises:
        ConfigError: it is not.
    """
    if find_spec("opendp") is None:
        raise ConfigError(
            "differentially private noise needs the extra `opendp`: pip install 'sealtune[opendp]'"
        )


def _epsilon(value: object, where: str) -> float:
    # every comparison with NaN is false, so it is refused too
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ConfigError(f"{where}: epsilon must be a finite number above 0")
    return float(value)


def _number(value: Any, where: str) -> Decimal:
    """Return a number as people write it: 0.1 is a tenth, not the double beside it."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = Decimal(str(value))
        if number.is_finite():
            return number
    raise ConfigError(f"{where} is missing or no number; it is public, so it must be stated")
