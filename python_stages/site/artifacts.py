"""What dbt's manifest says: which datasets there are, their settings, and where each is described.

A dataset is a folder of models/ with a model `<folder>_examples`. Its models are found by name, so
one that lacks a stage is shown without it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from python_stages.errors import ConfigError

DOCS = "dbt/index.html"


@dataclass(frozen=True, slots=True)
class Node:
    """A model, source or test of the project."""

    unique_id: str
    name: str
    kind: str  # model, source or test
    raw: Mapping[str, Any]

    @property
    def href(self) -> str:
        """Where dbt's documentation describes it, relative to the site's folder."""
        return f"{DOCS}#!/{self.kind}/{self.unique_id}"

    @property
    def meta(self) -> Mapping[str, Any]:
        """Settings under `config: meta:`."""
        return self.raw["config"].get("meta") or {}

    @property
    def columns(self) -> Mapping[str, Any]:
        """Columns by name, as the YAML describes them."""
        return self.raw.get("columns") or {}

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of what it reads."""
        return tuple((self.raw.get("depends_on") or {}).get("nodes") or ())

    @property
    def folder(self) -> str:
        """The folder of models/ that it lies in; empty where it lies in none."""
        fqn = self.raw["fqn"]
        return str(fqn[1]) if len(fqn) > 2 else ""  # noqa: PLR2004 - project, folder, name

    @property
    def summary(self) -> str:
        """The first paragraph of its description."""
        return " ".join(str(self.raw.get("description") or "").partition("\n\n")[0].split())


@dataclass(frozen=True, slots=True)
class Manifest:
    """dbt's manifest, as far as the site asks it."""

    project: str
    raw: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `manifest.json`.

        Raises:
            ConfigError: there is none, or it is none.
        """
        try:
            raw = json.loads(path.read_text("utf-8"))
            return cls(str(raw["metadata"]["project_name"]), raw)
        except (OSError, ValueError, KeyError, TypeError):
            raise ConfigError(
                f"{path} is no manifest of dbt; run make site, or dbt docs generate --static"
            ) from None

    def nodes(self, kind: str) -> Iterator[Node]:
        """Yield the models, sources or tests of this project."""
        for section in ("nodes", "sources"):
            for unique_id, one in self.raw[section].items():
                if one["resource_type"] == kind and one["package_name"] == self.project:
                    yield Node(unique_id, one["name"], kind, one)

    def models(self) -> dict[str, Node]:
        """Return the models by name."""
        return {one.name: one for one in self.nodes("model")}

    def tests_of(self, model: str) -> tuple[Node, ...]:
        """Return the tests of a model, by name."""
        wanted = f"model.{self.project}.{model}"
        found = (one for one in self.nodes("test") if one.raw.get("attached_node") == wanted)
        return tuple(sorted(found, key=lambda one: one.name))

    def datasets(self) -> tuple[str, ...]:
        """Return the names of the datasets, sorted."""
        models = self.models().values()
        return tuple(sorted(one.folder for one in models if one.name == f"{one.folder}_examples"))

    def description(self, dataset: str) -> str:
        """Return what the sources say that a dataset's models read."""
        sources = {one.unique_id: one for one in self.nodes("source")}
        read = [
            parent
            for model in self.models().values()
            if model.folder == dataset
            for parent in model.parents
        ]
        return " ".join(sources[one].summary for one in dict.fromkeys(read) if one in sources)

    def meta(self, dataset: str, state: str) -> Mapping[str, Any]:
        """Return the settings of `<dataset>_<state>`; empty where there is no such model."""
        model = self.models().get(f"{dataset}_{state}")
        return model.meta if model else {}
