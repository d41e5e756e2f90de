"""The suites as files: which rules there are, what their parameters stand for, and their hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from python_stages.check.spec import CheckSpec
from python_stages.errors import StageError

DEFAULT_FOLDER: Final = Path("expectations")
# One suite per frame: a row per example, one row for the dataset, a row per planted entity.
SUITES: Final = ("examples", "dataset", "recall")


@dataclass(frozen=True, slots=True)
class _Folders:
    suites: str = "suites"
    validation_definitions: str = "validation_definitions"
    checkpoints: str = "checkpoints"


FOLDERS: Final = _Folders()


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation of a suite: its place, its words, and its arguments before parameters."""

    suite: str
    expectation_id: str
    kind: str
    column: str | None
    description: str
    kwargs: Mapping[str, Any]

    def resolve(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments with every `$PARAMETER` filled in.

        Raises:
            StageError: the suite asks for a parameter that CheckSpec does not have.
        """
        resolved = {}
        for name, value in self.kwargs.items():
            if isinstance(value, dict) and "$PARAMETER" in value:
                if value["$PARAMETER"] not in parameters:
                    raise StageError(
                        f"check: {self.kind} asks for an unknown parameter; correct it"
                    )
                resolved[name] = parameters[value["$PARAMETER"]]
            else:
                resolved[name] = value
        return resolved


def load_rules(folder: Path = DEFAULT_FOLDER) -> tuple[Rule, ...]:
    """Read every rule of every suite under `folder`.

    Raises:
        StageError: a suite is missing, unreadable, empty, or holds an expectation twice.
    """
    rules = [
        Rule(
            suite=suite,
            expectation_id=expectation["id"],
            kind=expectation["type"],
            column=expectation["kwargs"].get("column"),
            description=expectation.get("description") or "",
            kwargs=expectation["kwargs"],
        )
        for suite in SUITES
        for expectation in _load(folder, suite)["expectations"]
    ]
    if len({rule.expectation_id for rule in rules}) != len(rules):
        raise StageError("check: two expectations share an id; run write_suites again")
    return tuple(rules)


def hash_suites(spec: CheckSpec, folder: Path = DEFAULT_FOLDER) -> str:
    """Return the SHA-256 (hex) of the suites' canonical JSON and of all thresholds.

    A PASS is worth what was asked: another rule, bound, label or entity gives another hash.

    Raises:
        StageError: a suite is missing or unreadable.
    """
    asked = {"suites": {suite: _load(folder, suite) for suite in SUITES}, "spec": asdict(spec)}
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _load(folder: Path, suite: str) -> dict[str, Any]:
    try:
        loaded = json.loads((folder / FOLDERS.suites / f"{suite}.json").read_text("utf-8"))
        if not loaded["expectations"]:
            raise StageError(f"check: suite {suite} is empty; run write_suites")
        for expectation in loaded["expectations"]:
            expectation["id"], expectation["type"], expectation["kwargs"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StageError(
            f"check: suite {suite} is missing or broken; run python -m "
            "python_stages.check.write_suites"
        ) from None
    return dict(loaded)
