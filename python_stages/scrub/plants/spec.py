"""How much is planted, and how much of it must be masked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown
from python_stages.scrub.policy import resolve
from python_stages.scrub.recognizers.catalogue import ENTITIES, GROUPS, NER_ENTITIES

_STRUCTURED_RECALL: Final = 0.99
_PROSE_RECALL: Final = 0.9
_PROSE: Final = frozenset({*NER_ENTITIES, *GROUPS["names"], *GROUPS["addresses"], *GROUPS["dates"]})


@dataclass(frozen=True, slots=True)
class PlantSpec:
    """How much is planted, and how much of it must be masked.

    Attributes:
        n_planted: values per entity and rule; columns that share a rule share them.
        min_recall: entity or group -> least share that must be masked, 0 to 1, where it is not the
            default: 0.9 for names, addresses and dates, 0.99 for everything with a structure.
    """

    n_planted: int = 60
    min_recall: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if type(self.n_planted) is not int or self.n_planted < 1:
            raise ConfigError("planted: n_planted must be a whole number from 1")
        least_recalls(self.min_recall)

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | None) -> Self:
        """Read the `planted` settings: n_planted and min_recall.

        Raises:
            ConfigError: a setting or an entity is unknown, or of the wrong type.
        """
        config = config or {}
        refuse_unknown("planted", config, ("n_planted", "min_recall"))
        return cls(config.get("n_planted", 60), config.get("min_recall") or {})


def least_recalls(settings: Mapping[str, float]) -> dict[str, float]:
    """Return the least recall of every entity.

    Args:
        settings: entity or group -> share; an entity by its own name wins over its groups, and of
            two groups the stricter.

    Raises:
        ConfigError: an entity is unknown, or a share is none.
    """
    if not isinstance(settings, Mapping):
        raise ConfigError("min_planted_recall must map entities or groups to shares from 0 to 1")
    least = {
        entity: _PROSE_RECALL if entity in _PROSE else _STRUCTURED_RECALL for entity in ENTITIES
    }
    by_group: dict[str, float] = {}
    for name, share in settings.items():
        # every comparison with NaN is false, so it is refused too
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ConfigError(f"min_planted_recall of {name} must be a number from 0 to 1")
        for entity in resolve([name]):
            if name in GROUPS:
                by_group[entity] = max(share, by_group.get(entity, 0.0))
    named = {name: share for name, share in settings.items() if name not in GROUPS}
    return least | by_group | named
