"""What is personal in which column: decided by people, column by column, and written down.

A detector alone masks merchants and dates as readily as card numbers. The policy says for each text
column which entities are looked for and what becomes of them:

    user_text:
      entities: [identifiers, PERSON]   # groups and entities of recognizers/catalogue.py
      operator: placeholder             # for each of them, see OPERATORS
      operators: {PERSON: pseudonym}    # where an entity or a group differs
      min_score: 0.4
      deny_from: {customer: PERSON}     # what the row's own columns hold is replaced in its text
      allow_from: [merchant]            # what these columns hold is nobody's name
      locale: de_DE                     # how dates are read and surrogates look; guessed without it
    notes: {preset: hipaa_safe_harbor}  # presets.py; operator, operators and entities change it
    system_text: {operator: keep}       # a column that needs no scrubbing still has to be named
    customer: {operator: drop}          # a column that shall not come out at all
    ner: sealtune                       # no column: the language model, see ner/loading.py
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from python_stages.errors import ConfigError
from python_stages.scrub.presets import PRESETS
from python_stages.scrub.recognizers import ENTITIES, GROUPS

OPERATORS: Final = (
    "keep",  # not looked for
    "mask",  # ****, as long as the value
    "placeholder",  # [PERSON]
    "pseudonym",  # [PERSON_3f9a…], the same for the same value everywhere
    "surrogate",  # another name, number, address of the same form, the same for the same value
    "generalise",  # the month of a date, the country of a city; else a placeholder
    "generalise:year",  # as HIPAA allows: the year of a date, an age up to 89
    "drop",  # out of the text, or the whole column
)
KEYED: Final = frozenset({"pseudonym", "surrogate"})
MIN_SCORE: Final = 0.4

_KNOWN: Final = (
    "entities",
    "operator",
    "operators",
    "min_score",
    "preset",
    "deny_from",
    "allow_from",
    "locale",
)
_NER: Final = "ner"
# What a column of this name holds, where deny_from lists columns without saying it.
_HINTS: Final = {
    "EMAIL_ADDRESS": ("email", "e_mail", "mail"),
    "PHONE_NUMBER": ("phone", "mobile", "fax"),
    "IBAN_CODE": ("iban",),
    "STREET_ADDRESS": ("address", "street"),
    "USERNAME": ("username", "user_name", "login", "handle"),
    "PERSON": ("name",),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one column.

    Attributes:
        operators: entity -> operator, for all that is looked for; never `keep`.
        min_score: findings below it stay (0..1).
        deny_from: column -> entity: what stands in these columns of the row is replaced.
        allow_from: columns whose values are not replaced.
        is_dropped: the column does not come out.
        locale: such as `de_DE`; empty where it is to be guessed.
        default: operator of entities that only `deny_from` names; never `keep`.
    """

    operators: Mapping[str, str]
    min_score: float = MIN_SCORE
    deny_from: Mapping[str, str] = field(default_factory=dict)
    allow_from: tuple[str, ...] = ()
    is_dropped: bool = False
    locale: str = ""
    default: str = "placeholder"

    def operator(self, entity: str) -> str:
        """Return what becomes of a finding."""
        return self.operators.get(entity, self.default)

    @property
    def named(self) -> set[str]:
        """Return every operator that may be applied."""
        return {*self.operators.values(), *map(self.operator, self.deny_from.values())}


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule for every text column.

    Attributes:
        rules: column -> rule.
        ner: what `ner.loading.load` takes; None for the shipped model.
        dataset: name under which pseudonyms are made; equal names, equal pseudonyms.
    """

    rules: Mapping[str, Rule]
    ner: str | Mapping[str, Any] | None = None
    dataset: str = ""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, dataset: str = "") -> "Policy":
        """Read and check the `scrub` settings of a dataset: column -> rule, and `ner`.

        Raises:
            ConfigError: an entity, operator, preset or setting is unknown, or of the wrong type.
        """
        columns = {column: rule for column, rule in config.items() if column != _NER}
        if not columns:
            raise ConfigError("the scrub settings are empty: name every text column and its rule")
        ner = config.get(_NER)
        if not (ner is None or isinstance(ner, str | Mapping)):
            raise ConfigError("ner must be the name or path of a model, or a mapping")
        return cls({column: _rule(column, rule) for column, rule in columns.items()}, ner, dataset)

    @property
    def entities(self) -> tuple[str, ...]:
        """Return every entity that some rule looks for: what the engine must be built for."""
        return tuple(sorted({entity for rule in self.rules.values() for entity in rule.operators}))

    @property
    def needs_key(self) -> bool:
        """Return whether some operator takes a key, and can be undone by who has the map."""
        return any(not rule.named.isdisjoint(KEYED) for rule in self.rules.values())

    @property
    def has_surrogates(self) -> bool:
        """Return whether some value may become another of its form."""
        return any("surrogate" in rule.named for rule in self.rules.values())

    @property
    def fingerprint(self) -> str:
        """Return the hex SHA-256 of all of it: equal policies, equal fingerprints."""
        return hashlib.sha256(
            json.dumps(asdict(self), sort_keys=True, default=str).encode()
        ).hexdigest()

    def check_columns(self, texts: Iterable[str], columns: Iterable[str]) -> None:
        """Compare the columns that the rules name with those there are.

        Args:
            texts: the columns that hold text, each of which needs a rule.
            columns: all columns, from which deny- and allow-lists may come.

        Raises:
            ConfigError: a rule or list names a column that is not there, or a text has no rule.
        """
        prose, every = sorted(set(texts)), sorted(set(columns))
        if stray := sorted(set(self.rules) - set(prose)):
            raise ConfigError(
                f"the scrub settings name {', '.join(stray)}: the text columns are "
                f"{', '.join(prose)}{suggest(stray, prose)}"
            )
        if bare := sorted(set(prose) - set(self.rules)):
            raise ConfigError(
                f"column {', '.join(bare)} has no scrub settings: add them, "
                "with operator: keep if the column may pass as it is"
            )
        for column, rule in self.rules.items():
            if stray := sorted({*rule.deny_from, *rule.allow_from} - set(every)):
                raise ConfigError(
                    f"deny_from or allow_from of {column} names {', '.join(stray)}: the columns "
                    f"are {', '.join(every)}{suggest(stray, every)}"
                )


def resolve(names: Iterable[str]) -> tuple[str, ...]:
    """Return entities in order, with the groups among them resolved.

    Raises:
        ConfigError: one is unknown.
    """
    resolved: set[str] = set()
    for name in names:
        resolved.update(GROUPS.get(name, (name,)))
    if unknown := sorted(resolved - ENTITIES):
        known = sorted({*ENTITIES, *GROUPS})
        raise ConfigError(
            f"unknown entity {', '.join(unknown)}: the known ones are {', '.join(known)}"
            f"{suggest(unknown, known)}"
        )
    return tuple(sorted(resolved))


def suggest(unknown: Iterable[str], known: Iterable[str]) -> str:
    """Return "; did you mean …?" with the nearest known names, or nothing if none is near."""
    by_lower = {name.lower(): name for name in known}
    nearest = [
        by_lower[match]
        for name in map(str.lower, unknown)
        for match in [
            *(other for other in by_lower if name and other.startswith(name)),
            *difflib.get_close_matches(name, by_lower, n=1),
        ][:1]
    ]
    return f"; did you mean {', '.join(nearest)}?" if nearest else ""


def _rule(column: str, config: Any) -> Rule:
    """Check the settings of one column."""
    known = f"the known settings are {', '.join(_KNOWN)}"
    if not isinstance(config, Mapping):
        raise ConfigError(f"the scrub settings of {column} must be a mapping: {known}")
    if unknown := sorted(map(str, set(config) - set(_KNOWN))):
        raise ConfigError(
            f"unknown scrub setting {', '.join(unknown)} of {column}: {known}"
            f"{suggest(unknown, _KNOWN)}"
        )
    operator = _operator(column, config["operator"]) if "operator" in config else None
    if operator == "drop":
        if set(config) != {"operator"}:
            raise ConfigError(
                f"operator: drop drops all of {column}: leave out its other settings, or write "
                "operators: {ENTITY: drop} to take findings out of its text"
            )
        return Rule(operators={}, is_dropped=True)
    operators = _operators(column, config, operator)
    deny_from = _deny_from(column, config.get("deny_from", {}))
    if not operators and not deny_from and operator != "keep":
        raise ConfigError(
            f"{column} has no entities: list some, for example identifiers, "
            "or say operator: keep to leave the column as it is"
        )
    return Rule(
        operators={entity: name for entity, name in operators.items() if name != "keep"},
        min_score=_min_score(column, config.get("min_score", MIN_SCORE)),
        deny_from=deny_from,
        allow_from=tuple(_texts(column, "allow_from", config.get("allow_from", []))),
        locale=_locale(column, config.get("locale", "")),
        default="placeholder" if operator in (None, "keep") else str(operator),
    )


def _operators(column: str, config: Mapping[str, Any], operator: str | None) -> dict[str, str]:
    """Return the operator of every entity: its own, else the column's, else the preset's."""
    listed = resolve(_texts(column, "entities", config.get("entities", [])))
    operators = dict.fromkeys(listed, "placeholder") | _preset(column, config.get("preset"))
    if operator is not None:
        operators = dict.fromkeys(operators, operator)
    special = config.get("operators", {})
    if not isinstance(special, Mapping):
        raise ConfigError(f"operators of {column} must map entities to operators")
    # an entity by its own name comes last, and so wins over its group
    for name in sorted(special, key=lambda name: name not in GROUPS):
        affected = set(resolve([str(name)])) & set(operators)
        if not affected:
            raise ConfigError(
                f"operators of {column} names {name}, which its entities do not: "
                f"they are {', '.join(sorted(operators)) or 'empty'}"
            )
        operators |= dict.fromkeys(affected, _operator(column, special[name]))
    return dict(sorted(operators.items()))


def _preset(column: str, name: Any) -> dict[str, str]:
    if name is None:
        return {}
    if str(name) not in PRESETS:
        raise ConfigError(
            f"unknown preset of {column}: the known ones are {', '.join(PRESETS)}"
            f"{suggest([str(name)], PRESETS)}"
        )
    return dict(PRESETS[str(name)])


def _operator(column: str, name: Any) -> str:
    if name not in OPERATORS:
        raise ConfigError(
            f"unknown operator of {column}: the known ones are {', '.join(OPERATORS)}"
            f"{suggest([str(name)], OPERATORS)}"
        )
    return str(name)


def _deny_from(column: str, config: Any) -> dict[str, str]:
    """Return column -> entity; of columns in a list, the entity that their name says."""
    if not isinstance(config, Mapping):
        config = {name: _entity_of(name) for name in _texts(column, "deny_from", config)}
    for name, entity in config.items():
        if str(entity) not in ENTITIES:
            raise ConfigError(
                f"deny_from of {column} must say what {name} holds, as in "
                f"{{{name}: PERSON}}: the known ones are {', '.join(sorted(ENTITIES))}"
                f"{suggest([str(entity)], ENTITIES)}"
            )
    return dict(config)


def _entity_of(column: str) -> str | None:
    for entity, words in _HINTS.items():
        if any(word in column.lower() for word in words):
            return entity
    return None


def _texts(column: str, setting: str, value: Any) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{setting} of {column} must be a list of names")
    return value


def _min_score(column: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ConfigError(f"min_score of {column} must be a number above 0 and at most 1")
    return float(value)


def _locale(column: str, value: Any) -> str:
    if value == "":
        return ""
    from faker.config import AVAILABLE_LOCALES  # noqa: PLC0415  # takes half a second

    if str(value) not in AVAILABLE_LOCALES:
        raise ConfigError(
            f"unknown locale of {column}: the known ones are {', '.join(sorted(AVAILABLE_LOCALES))}"
            f"{suggest([str(value)], AVAILABLE_LOCALES)}"
        )
    return str(value)
