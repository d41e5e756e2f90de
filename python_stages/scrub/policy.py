"""What is personal in which column: decided by people, column by column, and written down.

A detector alone masks merchants and dates as readily as card numbers. The policy says for each text
column which entities are looked for and what becomes of them:

    user_text:
      entities: [identifiers, URL]    # groups and entities of recognizers.py
      operator: placeholder           # [CREDIT_CARD]; or mask: ****; or keep: not looked for
      operators: {URL: keep}          # where an entity differs
      min_score: 0.4
    system_text: {operator: keep}     # a column that needs no scrubbing still has to be named
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from python_stages.errors import ConfigError
from python_stages.scrub.engine import expand

OPERATORS: Final = ("placeholder", "mask", "keep")
MIN_SCORE: Final = 0.4

_KNOWN: Final = ("entities", "operator", "operators", "min_score")


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one column: entity -> `placeholder` or `mask`, from some score on."""

    operators: Mapping[str, str]
    min_score: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule for every text column."""

    rules: Mapping[str, Rule]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Policy":
        """Read and check the `scrub` settings of a dataset: column -> rule.

        Raises:
            ConfigError: an entity, operator or setting is unknown, or of the wrong type.
        """
        if not config:
            raise ConfigError("the scrub settings are empty: name every text column and its rule")
        return cls({column: _rule(column, rule) for column, rule in config.items()})

    @property
    def entities(self) -> tuple[str, ...]:
        """Return every entity that some rule looks for: what the engine must be built for."""
        return tuple(sorted({entity for rule in self.rules.values() for entity in rule.operators}))


def _rule(column: str, config: Any) -> Rule:
    """Check the settings of one column."""
    if not isinstance(config, Mapping):
        raise ConfigError(f"the scrub settings of {column} must be a mapping: {_known()}")
    unknown = sorted(set(config) - set(_KNOWN))
    if unknown:
        raise ConfigError(f"unknown scrub setting {', '.join(unknown)} of {column}: {_known()}")
    default = _operator(column, config.get("operator", "placeholder"))
    entities = expand(_texts(column, config.get("entities", [])))
    special = _special(column, config.get("operators", {}))
    stray = sorted(set(special) - set(entities))
    if stray:
        raise ConfigError(
            f"operators of {column} names {', '.join(stray)}, which its entities do not: "
            f"they are {', '.join(entities) or 'empty'}",
        )
    if not entities and default != "keep":
        raise ConfigError(
            f"{column} has no entities: list some, for example identifiers, "
            "or say operator: keep to leave the column as it is",
        )
    operators = {entity: special.get(entity, default) for entity in entities}
    return Rule(
        operators={entity: name for entity, name in operators.items() if name != "keep"},
        min_score=_min_score(column, config.get("min_score", MIN_SCORE)),
    )


def _special(column: str, config: Any) -> dict[str, str]:
    if not isinstance(config, Mapping):
        raise ConfigError(f"operators of {column} must map entities to operators")
    return {
        entity: _operator(column, name)
        for group, name in config.items()
        for entity in expand([str(group)])
    }


def _operator(column: str, name: Any) -> str:
    if name not in OPERATORS:
        raise ConfigError(
            f"unknown operator of {column}: the known ones are {', '.join(OPERATORS)}",
        )
    return str(name)


def _texts(column: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"entities of {column} must be a list of names")
    return value


def _min_score(column: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ConfigError(f"min_score of {column} must be a number above 0 and at most 1")
    return float(value)


def _known() -> str:
    return f"the known settings are {', '.join(_KNOWN)}"
