"""When changed lines are worth a new job: `retrain_when` in a dataset's job settings."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown


@dataclass(frozen=True, slots=True)
class RetrainWhen:
    """Thresholds; a job is submitted where one of them is reached. None: never for this reason.

    Args:
        drift_psi: population stability index of labels, lengths or words, whichever moved most.
        feedback: corrections that were merged since.
        changed_share: examples that were added, removed or relabelled since, of those trained on.
    """

    drift_psi: float | None = None
    feedback: int | None = None
    changed_share: float | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the thresholds.

        Raises:
            ConfigError: one is unknown or no number above 0, or there is none.
        """
        names = [known.name for known in fields(cls)]
        refuse_unknown("retrain_when", config, names)
        found = cls(**config)
        given = {name: value for name, value in asdict(found).items() if value is not None}
        for name, value in given.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (is_number and value > 0):
                raise ConfigError(f"retrain_when: {name} must be a number above 0")
        if not given:
            raise ConfigError(
                f"retrain_when without a threshold would never train again: give {', '.join(names)}"
            )
        return found
