"""How hosts differ that all say they speak the OpenAI API: data, not branches.

`rules/hosts.yml` names hosts and what is different there, each with source and date. A host that is
not in it is taken to behave like OpenAI's own. The setting `quirks` names an entry for a host of
another name (a gateway, an own server).
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final, Literal

from python_stages.backends.addresses import host_of
from python_stages.backends.packs import read_yaml
from python_stages.errors import ConfigError

_FILE: Final = "hosts.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What is different at a host; the defaults are OpenAI's own ways.

    Args:
        purpose: what training files are uploaded for.
        takes_expiry: whether uploads may carry a lifetime.
        keeps_metadata: whether jobs keep metadata; where not, a job is known by its file's name.
        filters_metadata: whether listing jobs takes a filter (it is never relied on).
        takes_suffix: whether the tuned model's name can be chosen in part.
        takes_seed: whether the training can be seeded.
        takes_validation: whether a validation file is taken.
        hyperparameters_at: inside of `method`, or at the `top` as before 2025.
        hyperparameter_names: names of the API -> names of this host.
        model_prefix: what the host wants in front of every base model.
        phases: the host's words for where a job stands -> ours.
        events_newest_first: the order in which events are listed.
        waits_for_file: whether a file must be processed before a job may name it.
        deletes_models: whether the API can delete a tuned model.
        residency: regions in which the host promises to keep the data.
        source: page that says so.
        checked_on: day of the last look at it, or at an excerpt.
    """

    purpose: str = "fine-tune"
    takes_expiry: bool = True
    keeps_metadata: bool = True
    filters_metadata: bool = True
    takes_suffix: bool = True
    takes_seed: bool = True
    takes_validation: bool = True
    hyperparameters_at: Literal["method", "top"] = "method"
    hyperparameter_names: Mapping[str, str] = field(default_factory=dict)
    model_prefix: str = ""
    phases: Mapping[str, str] = field(default_factory=dict)
    events_newest_first: bool = True
    waits_for_file: bool = False
    deletes_models: bool = True
    residency: tuple[str, ...] = ()
    source: str = ""
    checked_on: date | None = None


@functools.cache
def _entries() -> Mapping[str, tuple[tuple[str, ...], Quirks]]:
    """Return hosts and quirks by the name of their entry."""
    known = {known_field.name for known_field in fields(Quirks)}
    entries = {}
    for name, entry in read_yaml(_FILE).items():
        values: dict[str, Any] = dict(entry)
        hosts = tuple(values.pop("hosts", ()))
        if not {"source", "checked_on"} <= set(values) <= known:
            raise ConfigError(f"{_FILE}: entry {name} has unknown names, or no source and date")
        values["residency"] = tuple(values.get("residency", ()))
        entries[name] = (hosts, Quirks(**values))
    return entries


def quirks_of(base_url: str, name: str | None = None) -> Quirks:
    """Return the quirks of an entry, else of the host of an address, else none.

    Raises:
        ConfigError: there is no entry of this name.
    """
    entries = _entries()
    if name is not None:
        if name not in entries:
            raise ConfigError(f"quirks: no entry of this name; known are {', '.join(entries)}")
        return entries[name][1]
    host = host_of(base_url)
    for hosts, quirks in entries.values():
        if any(host == known or host.endswith(f".{known}") for known in hosts):
            return quirks
    return Quirks()
