"""Rule packs: what a provider demands of a job, as data, each rule with its source and date.

A pack is a file in `rules/`. Code knows how to check a rule by its name; the limit, where it was
read and when is in the pack, so that a provider's next change is a change of data. A name that no
code checks is refused when the pack is read: a rule that nobody checks would be a false promise.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from python_stages.backends.packs import read_yaml
from python_stages.errors import ConfigError

Limit = int | str | bool | date | tuple[str, ...]

# Every rule that some code checks, and what its limit is.
KINDS: Final[Mapping[str, type]] = {
    # settings
    "methods": tuple,
    "hyperparameters_supervised": tuple,
    "hyperparameters_dpo": tuple,
    "suffix_form": str,
    "file_bytes": int,
    "single_upload_bytes": int,
    "part_bytes": int,
    "tokens_times_epochs": int,
    "last_day_for_jobs": date,
    # lines
    "byte_order_mark": str,
    "utf8": bool,
    "json_lines": bool,
    "line_bytes": int,
    "roles": tuple,
    "last_message": str,
    "weights": bool,
    "special_tokens": str,
    "min_examples": int,
    "example_tokens": int,
    "disjoint_splits": bool,
    # account
    "files_per_account": int,
    "stored_bytes": int,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand.

    Args:
        rule_id: its name.
        limit: what is demanded; a number is the most (`min_examples`: the least) there may be.
        source: page that says so.
        checked_on: day of the last look at it, or at an excerpt.
    """

    rule_id: str
    limit: Limit
    source: str
    checked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRule:
    """What is known of a base model; dated names such as `gpt-4.1-mini-2025-04-14` are meant too.

    Args:
        name: how the model's name begins.
        last_day_for_jobs: last day on which it can be tuned, or None where nothing was announced.
        shut_down: day from which neither it nor what was tuned from it answers, or None.
        example_tokens: most tokens of one example; what is longer is cut from its end.
        source: page that says so.
        checked_on: day of the last look at it, or at an excerpt.
    """

    name: str
    last_day_for_jobs: date | None = None
    shut_down: date | None = None
    example_tokens: int | None = None
    source: str
    checked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePack:
    """All that is known of a provider's demands.

    Args:
        name: name of the pack, which is its file's.
        rules: by their names.
        models: what is known of base models.
        regions: region -> hosts or places that keep data in it.
        what_stays: a sentence: what the provider keeps after deletion, with source and date.
    """

    name: str
    rules: Mapping[str, Rule]
    models: tuple[ModelRule, ...]
    regions: Mapping[str, tuple[str, ...]]
    what_stays: str

    @property
    def counts_files(self) -> bool:
        """Whether some rule is about the files that lie at the provider already."""
        return not {"files_per_account", "stored_bytes"}.isdisjoint(self.rules)

    def model(self, base_model: str) -> ModelRule | None:
        """Return what is known of a model: the rule with the longest name that it begins with."""
        name = base_model.removeprefix("ft:")
        known = [rule for rule in self.models if _is_version_of(name, rule.name)]
        return max(known, key=lambda rule: len(rule.name), default=None)

    def number(self, rule_id: str) -> int | None:
        """Return the limit of a rule that is a number, or None where there is no such rule."""
        rule = self.rules.get(rule_id)
        return rule.limit if rule is not None and isinstance(rule.limit, int) else None


@functools.cache
def load_pack(name: str) -> RulePack:
    """Read a pack.

    Raises:
        ConfigError: there is no such pack, or it is malformed.
    """
    return parse_pack(name, read_yaml(f"{name}.yml"))


def parse_pack(name: str, content: Mapping[str, Any]) -> RulePack:
    """Return the pack that a file's content describes.

    Raises:
        ConfigError: a rule has no source or date, or is one that no code checks.
    """
    rules = {rule_id: _rule(name, rule_id, entry) for rule_id, entry in content["rules"].items()}
    stays = content["what_stays"]
    return RulePack(
        name=name,
        rules=rules,
        models=tuple(ModelRule(**entry) for entry in content.get("models", ())),
        regions={region: tuple(of) for region, of in content.get("regions", {}).items()},
        what_stays=f"{stays['text']} ({stays['source']}, as of {stays['checked_on']})",
    )


def _rule(pack: str, rule_id: str, entry: Mapping[str, Any]) -> Rule:
    given: Any = entry.get("limit")
    limit: Any = tuple(given) if isinstance(given, list) else given
    # type() and not isinstance(): true is no number, and a moment is no day
    if type(limit) is not KINDS.get(rule_id):
        raise ConfigError(f"rules {pack}: {rule_id} is no rule that can be checked")
    if not entry.get("source") or not isinstance(entry.get("checked_on"), date):
        raise ConfigError(f"rules {pack}: {rule_id} says not where and when it was read")
    if rule_id in {"suffix_form", "special_tokens"}:
        re.compile(limit)
    return Rule(rule_id, limit, entry["source"], entry["checked_on"])


def _is_version_of(name: str, known: str) -> bool:
    """Say whether a name is a known one, or that with a date or a tuned model's tail behind it."""
    return bool(re.fullmatch(rf"{re.escape(known)}(-\d{{4}}-\d{{2}}-\d{{2}})?(:.*|\.ft-.*)?", name))
