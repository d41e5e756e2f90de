"""What the report says about a dataset that is built again and again."""

from dataclasses import dataclass
from datetime import datetime

from python_stages.site.facts.verdict import Fact


@dataclass(frozen=True, slots=True)
class Version(Fact):
    """What a version of a dataset changed, as `dataset_versions` has it."""

    number: int
    """Number of the version, from 1."""
    built_at: datetime
    """When the build began that brought it (UTC)."""
    n_examples: int
    """Number of examples."""
    n_added: int | None
    """Examples that the version before had not; null of the first one, and where it is small."""
    n_removed: int | None
    """Examples that only the version before had; null of the first one, and where it is small."""
    n_relabelled: int | None
    """Examples whose question stayed and whose answer did not; null as the others."""
    psi_labels: float | None
    """Population stability index of the classes; null of the first version, and where counts are
    private."""
    psi_lengths: float | None
    """The same of the lengths; null of the first version."""
    psi_words: float | None
    """The same of the words; null of the first version."""
    drift: str | None
    """none, moderate or major; null of the first version, and `not told` where counts are
    private."""


@dataclass(frozen=True, slots=True)
class Corrections(Fact):
    """Corrections of people that came to the same end, as `feedback_merged` has them."""

    outcome: str
    """merged, confirmed, superseded, blank or rejected."""
    reason: str | None
    """Why they are rejected or superseded; null of the others."""
    n: int
    """How many."""


@dataclass(frozen=True, slots=True)
class Retraining(Fact):
    """Whether changed lines were worth a new job, as `retrain_decisions` has it."""

    decided_at: datetime
    """When that was decided (UTC)."""
    job_key: str
    """Job that the lines were compared with."""
    is_retrained: bool
    """Whether a new job was submitted."""
    reason: str
    """How far each threshold was; without numbers where counts of classes are private."""
    is_current: bool
    """Whether it is about the lines that the check of this build passed."""


@dataclass(frozen=True, slots=True)
class ChangeLog(Fact):
    """What changed in a dataset, who corrected it, and which of its models is in use."""

    versions: tuple[Version, ...]
    """Its versions, the newest first."""
    corrections: tuple[Corrections, ...]
    """Corrections of the last build by outcome and reason."""
    retrainings: tuple[Retraining, ...]
    """Decisions on changed lines, the newest first; empty where no threshold is set."""
    in_use: str | None
    """Key of the job whose model was promoted last; null where none was."""
