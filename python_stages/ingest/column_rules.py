"""What the cells of a source must be, as SQL: the rules of its columns, read from model config."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from python_stages.errors import ConfigError
from python_stages.ingest.scans import identifier, literal
from python_stages.names import refuse_unknown

_SETTINGS = ("location", "columns", "record_id", "record_key", "record_start")
_TYPES = ("varchar", "bigint", "double", "boolean", "timestamptz")
_UNBOUNDED = ("double", "timestamptz")  # types with values such as nan and infinity
# control characters, and what stands where somebody decoded bytes that were no text (RE2); the
# check of the finished texts (check/contract.py) refuses the same
_DAMAGE = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\x{FFFD}]"


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What a cell of one column must be; checked in the order of the fields below.

    A cell is `missing` (empty), `damaged` (where `is_clean` is asked: it has control characters, or
    U+FFFD in place of bytes that were lost), `invalid` (does not cast to `type`, is not finite, or
    lacks the prefix or pattern), `unknown` (not among the accepted values), `below_min` or
    `above_max`. An empty cell of a column that is not required is good.
    """

    type: str = "varchar"
    is_required: bool = True
    is_clean: bool = False
    starts_with: str | None = None
    pattern: str | None = None
    accepted_values: tuple[str, ...] = ()
    min: str | float | None = None
    max: str | float | None = None

    @classmethod
    def from_config(cls, column: str, config: Mapping[str, Any]) -> "ColumnRule":
        """Read a rule from model config.

        Raises:
            ConfigError: an unknown key or type.
        """
        refuse_unknown(f"column {column}", config, [field.name for field in fields(cls)])
        rule = cls(**{**config, "accepted_values": tuple(config.get("accepted_values", ()))})
        if rule.type not in _TYPES:
            raise ConfigError(f"column {column}: unknown type; known are {', '.join(_TYPES)}")
        return rule

    def faults(self, column: str) -> Iterator[tuple[str, str]]:
        """Yield (reason, SQL condition of a cell with this fault); the first one decides."""
        raw, value = identifier(column), self._value(column)
        guard = "" if self.is_required else f"{raw} <> '' and "
        if self.is_required:
            yield f"{column}_missing", f"coalesce({raw}, '') = ''"
        if self.is_clean:
            yield f"{column}_damaged", f"{guard}regexp_matches({raw}, {literal(_DAMAGE)})"
        if self.type in _UNBOUNDED:
            yield f"{column}_invalid", f"{guard}isfinite({value}) is not true"
        elif self.type != "varchar":
            yield f"{column}_invalid", f"{guard}{value} is null"
        if self.starts_with:
            starts = f"starts_with({raw}, {literal(self.starts_with)})"
            yield f"{column}_invalid", f"{guard}not {starts}"
        if self.pattern:
            matches = f"regexp_full_match({raw}, {literal(self.pattern)})"
            yield f"{column}_invalid", f"{guard}not {matches}"
        if self.accepted_values:
            yield f"{column}_unknown", f"{guard}{raw} not in {self._accepted()}"
        if self.min is not None:
            yield f"{column}_below_min", f"{guard}{value} < {self._bound(self.min)}"
        if self.max is not None:
            yield f"{column}_above_max", f"{guard}{value} > {self._bound(self.max)}"

    def is_good(self, column: str) -> str:
        """Return the SQL condition that no fault holds, with one cast only: every cell pays it."""
        raw = identifier(column)
        good = " and ".join([*self._good_value(self._value(column)), *self._good_text(raw)])
        return (
            good if self.is_required else f"(coalesce({raw}, '') = '' or coalesce({good}, false))"
        )

    def _good_value(self, value: str) -> Iterator[str]:
        """Yield the conditions of a cell that was cast."""
        if self.min is not None and self.max is not None:  # and so it is finite
            yield f"{value} between {self._bound(self.min)} and {self._bound(self.max)}"
            return
        if self.type in _UNBOUNDED:
            yield f"isfinite({value})"
        elif self.type != "varchar":
            yield f"{value} is not null"
        if self.min is not None:
            yield f"{value} >= {self._bound(self.min)}"
        if self.max is not None:
            yield f"{value} <= {self._bound(self.max)}"

    def _good_text(self, raw: str) -> Iterator[str]:
        """Yield the conditions of a cell as it stands in the file."""
        if self.type == "varchar" and "" in (self.accepted_values or ("",)):
            yield f"{raw} <> ''"  # of the other types none is empty
        if self.is_clean:
            yield f"not regexp_matches({raw}, {literal(_DAMAGE)})"
        if self.starts_with:
            yield f"starts_with({raw}, {literal(self.starts_with)})"
        if self.pattern:
            yield f"regexp_full_match({raw}, {literal(self.pattern)})"
        if self.accepted_values:
            yield f"{raw} in {self._accepted()}"

    def _value(self, column: str) -> str:
        return f"try_cast({identifier(column)} as {self.type})"

    def _bound(self, bound: object) -> str:
        return f"{literal(bound)}::{self.type}"

    def _accepted(self) -> str:
        return f"({', '.join(map(literal, self.accepted_values))})"


@dataclass(frozen=True, slots=True)
class IngestSpec:
    """A dataset's source: where it lies, and what its records must be.

    `record_id` is a column whose repeats are counted, though they are no fault. `record_key` are
    columns that different records do not share: repeats of whole records are looked for among
    those that agree in them (default: all columns, which is right but slower). `record_start` is a
    regular expression for what a record begins with; it says that a record may span lines inside
    of quotes, and is the empty text where anything may begin one. None: a record is one line.
    """

    dataset: str
    location: str
    columns: Mapping[str, ColumnRule]
    record_id: str | None = None
    record_key: tuple[str, ...] = ()
    record_start: str | None = None
    config_hash: str = ""  # of the config as dbt has it; rows judged by other rules are not kept

    @classmethod
    def from_config(cls, dataset: str, config: Mapping[str, Any]) -> "IngestSpec":
        """Read the spec from the config of a `*_ingested` model.

        Raises:
            ConfigError: something is missing or unknown.
        """
        refuse_unknown(f"ingest of {dataset}", config, _SETTINGS)
        if not config.get("location") or not config.get("columns"):
            raise ConfigError(
                f"{dataset}: the config of the ingested model needs location and columns"
            )
        rules = {
            name: ColumnRule.from_config(name, rule or {})
            for name, rule in config["columns"].items()
        }
        record_id = config.get("record_id")
        record_key = tuple(config.get("record_key") or rules)
        if not set(record_key) | ({record_id} - {None}) <= set(rules):
            raise ConfigError(
                f"{dataset}: record_id and record_key take columns of: {', '.join(rules)}"
            )
        # macros/kept_records.sql makes the same hash of the same config
        text = json.dumps(config, sort_keys=True)
        config_hash = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        start = _record_start(dataset, config.get("record_start"))
        location = str(config["location"])
        return cls(dataset, location, rules, record_id, record_key, start, config_hash)

    @property
    def is_multiline(self) -> bool:
        """Whether a record may span lines, inside of quotes."""
        return self.record_start is not None

    def is_good_sql(self) -> str:
        """Return the SQL condition that is true for a good record only."""
        return " and ".join(rule.is_good(name) for name, rule in self.columns.items()) or "true"

    def reason_sql(self) -> str:
        """Return the SQL expression that is null for a good record, else its first reason."""
        whens = " ".join(
            f"when {condition} then {literal(reason)}"
            for name, rule in self.columns.items()
            for reason, condition in rule.faults(name)
        )
        if not whens:
            return "null::varchar"
        is_bad = f"({self.is_good_sql()}) is not true"
        return f"case when {is_bad} then case {whens} else 'unexplained' end end"

    def key_sql(self) -> str:
        """Return the SQL list of the columns in which only repeats agree."""
        return ", ".join(map(identifier, self.record_key))

    def columns_sql(self) -> str:
        """Return the SQL list of all columns."""
        return ", ".join(map(identifier, self.columns))


def _record_start(dataset: str, pattern: Any) -> str | None:
    try:
        re.compile(pattern or "")
    except (re.error, TypeError):
        raise ConfigError(f"{dataset}: record_start must be a regular expression") from None
    return None if pattern is None else str(pattern)
