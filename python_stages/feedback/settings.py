"""How a dataset takes corrections: `feedback` in the config of its `*_feedback` model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown

_ANY: Final = "any"
_MAX_REJECT_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """Where the files lie, which labels there may be, and how many may be rejected.

    Attributes:
        folder: None for none.
        labels: those that are declared; None for those that the rows have.
        max_reject_share: share of all but the blank ones.
    """

    folder: Path | None
    labels: frozenset[str] | None
    max_reject_share: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the settings.

        Raises:
            ConfigError: one is wrong, or the folder is not there.
        """
        refuse_unknown("feedback", config, ["folder", "labels", "max_reject_share"])
        labels = config.get("labels", _ANY)
        if labels != _ANY and not isinstance(labels, list):
            raise ConfigError("feedback: labels must be a list, or any")
        share = config.get("max_reject_share", _MAX_REJECT_SHARE)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ConfigError("feedback: max_reject_share must be a number from 0 to 1")
        folder = config.get("folder")
        path = None if folder is None else Path(str(folder)).expanduser()
        if path is not None and not path.is_dir():
            raise ConfigError(
                f"there is no folder {path} with feedback; make it, or leave the var feedback out"
            )
        return cls(path, None if labels == _ANY else frozenset(map(str, labels)), share)
