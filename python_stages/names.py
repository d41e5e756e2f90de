"""Names that people type: one that nobody knows is an error that says which was meant.

dbt takes any `--vars` and any key under `meta`, and a misspelled one changes nothing, silently.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from rapidfuzz import fuzz, process

from python_stages.errors import ConfigError

# sections under `config: meta:` of models that a stage reads
SECTIONS: Final = (
    "audit",
    "bootstrap",
    "check",
    "evaluate",
    "feedback",
    "fit",
    "ingest",
    "job",
    "planted",
    "render",
    "scrub",
    "scrub_on",
    "scrub_reversal",
    "subject",
)
_NEAR: Final = 75  # of 100; below that a name is another name


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was meant, or None where none is near."""
    found = process.extractOne(name.lower(), list(known), scorer=fuzz.ratio, score_cutoff=_NEAR)
    return None if found is None else str(found[0])


def refuse_unknown(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a setting that nobody reads.

    Args:
        where: whose settings they are, as the error begins.
        given: names that were given.
        known: names that are read.

    Raises:
        ConfigError: one is not known; says which was meant, or which there are.
    """
    known = list(known)
    if unknown := sorted(set(map(str, given)) - set(known)):
        meant = nearest(unknown[0], known)
        hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
        raise ConfigError(f"{where}: unknown setting {unknown[0]}; {hint}")


def require_vars(given: Iterable[str], project: Path) -> None:
    """Refuse a var that dbt_project.yml does not list and that is no location of a dataset.

    Args:
        given: names in `--vars`.
        project: folder of dbt_project.yml.

    Raises:
        ConfigError: one is neither.
    """
    file = project / "dbt_project.yml"
    if not file.is_file():  # dbt says so itself
        return
    listed = (yaml.safe_load(file.read_text("utf-8")) or {}).get("vars") or {}
    known = {name for name, value in listed.items()}
    known |= {name for value in listed.values() if isinstance(value, Mapping) for name in value}
    # what `sealtune new` writes reads its location from a var with a default, which nobody lists
    known |= {f"{one.parent.name}_csv" for one in project.glob("models/*/*__sources.yml")}
    for name in sorted(set(given) - known):
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else "see the vars in dbt_project.yml"
        raise ConfigError(f"unknown var {name}; {hint}")


def require_sections(models: Mapping[str, Iterable[str]]) -> None:
    """Refuse a key under `meta` that is nearly the name of a section.

    Keys that are nothing like a section are the project's own affair.

    Args:
        models: keys under `meta`, by model.

    Raises:
        ConfigError: one is misspelled.
    """
    for model, sections in models.items():
        for name in sections:
            meant = None if name in SECTIONS else nearest(name, SECTIONS)
            if meant:
                raise ConfigError(
                    f"{model}: unknown setting {name} under meta; did you mean {meant}?"
                )


def check_settings(models: Mapping[str, Any]) -> str:
    """Return "ok" where every model's `meta` is spelled right; what macros/check_settings asks."""
    require_sections({name: list(keys) for name, keys in models.items()})
    return "ok"
