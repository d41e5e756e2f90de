"""The whole report: datasets, models, and what became of them over builds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from python_stages.site.facts.dataset import Dataset
from python_stages.site.facts.model import Model
from python_stages.site.facts.verdict import Fact, Verdict

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Change(Fact):
    """A number of the last build beside the build before it."""

    dataset: str
    """Dataset that it is of."""
    measure: str
    """What was counted or measured."""
    before: float | None
    """Number of the build before; null where it had none."""
    after: float | None
    """Number of the last build; null where it has none."""


@dataclass(frozen=True, slots=True)
class Measure(Fact):
    """A number of a build, as in `build_history`."""

    built_at: datetime
    """When the build began (UTC)."""
    dataset: str
    """Dataset that it is of."""
    measure: str
    """What was counted or measured."""
    value: float
    """The number."""


@dataclass(frozen=True, slots=True)
class Report(Fact):
    """The whole report."""

    schema_version: int
    """Version of this format; another major change gives another number."""
    project: str
    """Name of the dbt project."""
    written_at: datetime
    """When this report was written (UTC)."""
    built_at: datetime | None
    """When the last recorded build began (UTC); null where none was recorded."""
    small_count: int
    """Counts in breakdowns that are above zero and below this are left out."""
    verdict: Verdict
    """The judgement on all datasets and models."""
    datasets: tuple[Dataset, ...]
    """Datasets of the project, by name."""
    models: tuple[Model, ...]
    """Jobs and models, the newest first."""
    changes: tuple[Change, ...]
    """What is not as it was in the build before."""
    history: tuple[Measure, ...]
    """Numbers of the last builds, oldest first."""
