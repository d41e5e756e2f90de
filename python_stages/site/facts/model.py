"""What the report says about a fine-tuning job and the model it made."""

from dataclasses import dataclass
from datetime import datetime

from python_stages.jobs.planting import SHADOW
from python_stages.site.facts.verdict import Fact, Verdict


@dataclass(frozen=True, slots=True)
class Point(Fact):
    """A metric at a training step."""

    step: int
    """Training step, from 1."""
    metric: str
    """Name of the metric."""
    value: float
    """A loss in nats, or a share."""


@dataclass(frozen=True, slots=True)
class Score(Fact):
    """How good a model is by one metric, or how much better than another, as in `evaluations`."""

    role: str
    """tuned, previous (the model that it would replace), base, majority or tfidf."""
    compared_with: str | None
    """Model whose number is subtracted; null for the number itself."""
    metric: str
    """Name of the metric."""
    value: float | None
    """The number, or the difference; null where undefined."""
    low: float | None
    """Lower end of its 95 % interval (bootstrap, or Wilson where that has no width)."""
    high: float | None
    """Upper end of the interval."""
    n: int
    """Examples that it is over."""


@dataclass(frozen=True, slots=True)
class ClassScore(Fact):
    """How good the tuned or base model is at a class, as in `evaluation_classes`."""

    role: str
    """Model."""
    label: str
    """Class, if the config declares it."""
    metric: str
    """precision, recall or f1."""
    value: float | None
    """The number; null where undefined, or over too few examples to show."""
    n: int | None
    """Its denominator; null where it is a small count."""


@dataclass(frozen=True, slots=True)
class Confusion(Fact):
    """Examples of a class that were answered with a class, as in `confusion_matrix`."""

    role: str
    """Model."""
    label: str
    """True class."""
    predicted: str
    """Class that was answered; `(none)`: no class; `(rare)`: all that were answered a few times."""
    n: int
    """Number of examples."""


@dataclass(frozen=True, slots=True)
class AuditRow(Fact):
    """A measure of the memorisation audit, as in `memorization_audit`."""

    role: str
    """Model that was attacked: tuned, checkpoint or base."""
    measure: str
    """What was measured."""
    kind: str
    """Kind of canary, or `all`."""
    n_repeats: int | None
    """How often they were planted; 0 for controls; null: planted once beside controls."""
    value: float | None
    """The estimate."""
    low: float | None
    """Lower end of its interval."""
    high: float | None
    """Upper end of its interval."""
    chance: float | None
    """What a model gives that has never seen the canaries; null where that is no number."""
    n: int | None
    """Number of canaries."""


@dataclass(frozen=True, slots=True)
class Audit(Fact):
    """What attacks on a tuned model showed."""

    verdict: str
    """PASS, WARN or FAIL."""
    reasons: tuple[str, ...]
    """A sentence for each reason."""
    epsilon_claimed: float | None
    """Epsilon that training claimed; null where it claimed none."""
    epsilon_shown: float | None
    """The largest lower bound of epsilon that the attacks showed."""
    epsilon_max: float | None
    """The largest that this audit could have shown."""
    rows: tuple[AuditRow, ...]
    """The metrics."""


@dataclass(frozen=True, slots=True)
class Model(Fact):
    """A fine-tuning job and the model it made, as in `fine_tune_jobs`."""

    job_key: str
    """Key of the job."""
    dataset: str
    """Dataset that it is trained on."""
    verdict: Verdict
    """The judgement on this model."""
    state: str
    """How far the job has come."""
    outcome: str | None
    """The provider's last word."""
    backend: str
    """Where it trains."""
    base_model: str
    """Model that is tuned."""
    hyperparameters: str
    """JSON with sorted names."""
    seed: int
    """Seed of the training."""
    n_examples: int
    """Training examples."""
    n_training_tokens: int
    """Estimated tokens of the training split in one epoch."""
    n_billed_tokens: int | None
    """Tokens times epochs; null where the provider chooses the epochs."""
    n_trained_tokens: int | None
    """Tokens that the provider billed; null before it says so."""
    estimated_cost: float | None
    """What the billed tokens cost; null where the price is unknown."""
    currency: str
    """Unit of the cost."""
    fine_tuned_model: str | None
    """Name of the tuned model; null before it exists and after it was deleted."""
    error_code: str | None
    """The provider's code of a failure."""
    parked_reason: str | None
    """Why the job waits for a person."""
    is_current: bool
    """Whether it is trained on the lines that the check passed, or stands for them, which were not
    worth another job."""
    epsilon: float | None
    """Differential privacy that was asked for; null for none."""
    created_at: datetime
    """When the job was first recorded (UTC)."""
    updated_at: datetime
    """When the job last changed (UTC)."""
    curve: tuple[Point, ...]
    """Metrics by training step."""
    scores: tuple[Score, ...]
    """Evaluation beside what has to be beaten."""
    classes: tuple[ClassScore, ...]
    """Evaluation by class; empty where the dataset's counts are private."""
    confusion: tuple[Confusion, ...]
    """What was answered to the examples of each class; empty where the dataset's counts are
    private."""
    audit: Audit | None
    """Attacks for memorisation; null where there were none."""

    @property
    def home(self) -> str:
        """Dataset whose rows it was trained on; the shadow of an audit has a name of its own."""
        return self.dataset.removesuffix(SHADOW)

    @property
    def is_shadow(self) -> bool:
        """Whether it was trained for an audit alone, with planted secrets."""
        return self.home != self.dataset
