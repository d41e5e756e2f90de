"""What generators accept: how many rows, which seeds, where to."""

from pathlib import Path

from python_stages.errors import ConfigError

MAX_ROWS = 1_000_000_000
_MAX_SEED = 2**64 - 1


def check_numbers(n_rows: int, seed: int, dirty_rate: float, workers: int) -> None:
    """Raise ConfigError where a number is out of range."""
    if not 0 <= n_rows <= MAX_ROWS:
        raise ConfigError(f"cannot generate that many rows: choose 0 to {MAX_ROWS:,}")
    if not 0 <= seed <= _MAX_SEED:
        raise ConfigError("seed is out of range: choose a whole number from 0 to 2**64 - 1")
    if not 0 <= dirty_rate <= 1:
        raise ConfigError("dirty rate is out of range: choose a share from 0 to 1")
    if workers < 1:
        raise ConfigError("number of workers is out of range: choose at least 1")


def check_folders(*targets: Path | None) -> None:
    """Raise ConfigError where the folder of a file to write does not exist."""
    for target in targets:
        if target and not target.parent.is_dir():
            raise ConfigError(f"the folder of {target.name} does not exist: create it first")
