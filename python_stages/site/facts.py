"""What the report says, as values: the one thing that is gathered, drawn, and written as JSON.

None of it is a value of a row. A breakdown by a property of rows (class, entity, length) holds
`None` where a count is small, see suppress.py; whatever was not measured is `None` or empty, and
the pages say so. The texts under the fields are the descriptions in docs/report.schema.json.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from pydantic import ConfigDict

SCHEMA_VERSION: Final = 1


class Level(StrEnum):
    """How a verdict reads in one word."""

    GOOD = "good"
    """Everything that was promised was shown."""
    OPEN = "open"
    """Nothing is wrong, and something was not measured or not finished."""
    BAD = "bad"
    """Something is wrong: a check failed, or a file is not what was checked."""


class Fact:
    """Base of all facts: pydantic takes their descriptions from the texts under the fields."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Verdict(Fact):
    """A judgement in one sentence, and what it rests on."""

    level: Level
    """good, open or bad."""
    sentence: str
    """The judgement, for people."""
    reasons: tuple[str, ...]
    """What is missing or wrong; empty where the level is good."""


@dataclass(frozen=True, slots=True)
class Stage(Fact):
    """What a stage did to the rows of a dataset, as `build_summary` has it."""

    step: int
    """Number of the stage, in order."""
    state: str
    """State that the rows are in after the stage."""
    detail: str | None
    """Reason or remark that belongs to the number."""
    n_rows: int
    """Number of rows."""


@dataclass(frozen=True, slots=True)
class Reject(Fact):
    """Records of the source that were not taken, by reason."""

    reason: str
    """Column and rule, no value."""
    n_rows: int
    """Number of records."""


@dataclass(frozen=True, slots=True)
class Found(Fact):
    """Personal data that was found and replaced by something that names its kind."""

    column: str
    """Text column of `*_scrubbed`."""
    entity: str
    """Kind of personal data."""
    n: int | None
    """How many; null where it is a small count."""


@dataclass(frozen=True, slots=True)
class Masked(Fact):
    """Personal data that the scrub stage replaced."""

    n_rows: int
    """Rows that were searched."""
    n_replaced: int
    """Replacements in all rows."""
    n_unreadable: int
    """Texts that could not be read, and were left out."""
    found: tuple[Found, ...]
    """By column and entity, as far as the replacement names its kind (placeholder, pseudonym)."""
    n_unnamed: int | None
    """Replacements that name no kind (mask, drop, surrogate, generalise); null where small."""


@dataclass(frozen=True, slots=True)
class Recall(Fact):
    """How many planted values of a kind were masked in a column, as `*_pii_recall` has it."""

    column: str
    """Text column that was planted into."""
    entity: str
    """Kind of personal data."""
    n_planted: int
    """Synthetic values that were planted."""
    n_masked: int
    """Number of them of which nothing was left."""
    recall: float
    """n_masked / n_planted."""
    low: float
    """Lower end of the 95 % interval (Wilson)."""
    high: float
    """Upper end of the 95 % interval (Wilson)."""
    least: float
    """Least recall that is accepted."""
    is_met: bool
    """Whether the recall is at least that."""


@dataclass(frozen=True, slots=True)
class ClassCount(Fact):
    """Examples of a class in a split."""

    label: str
    """Class, if the config declares it; `(other)` for all that it does not declare."""
    split: str
    """train or validation."""
    n: int | None
    """Number of examples; null where it is a small count."""


@dataclass(frozen=True, slots=True)
class TokenBin(Fact):
    """Examples whose estimated length is from `low` to below `high` tokens."""

    low: int
    """Least number of tokens."""
    high: int
    """First number of tokens that is not in it."""
    n: int | None
    """Number of examples; null where it is a small count."""


@dataclass(frozen=True, slots=True)
class Tokens(Fact):
    """How long the examples are."""

    n: int
    """Number of examples."""
    total: int
    """Estimated tokens of all examples."""
    median: float
    """Median of the tokens of an example."""
    p95: float
    """95th percentile of the tokens of an example."""
    budget: int | None
    """Most tokens that an example may have (`max_tokens_per_example`); null where none is set."""
    bins: tuple[TokenBin, ...]
    """The distribution; what is left out is zero."""


@dataclass(frozen=True, slots=True)
class Check(Fact):
    """An expectation and whether it held, as `*_checked` has it."""

    suite: str
    """Suite in expectations/."""
    expectation: str
    """Kind of the expectation."""
    column: str | None
    """Flag or count that it judges; null when it judges a whole frame."""
    description: str
    """The rule in a sentence."""
    is_success: bool
    """Whether it held."""
    n_checked: int | None
    """What was looked at."""
    n_failed: int | None
    """What broke the rule; null when nobody could judge."""


@dataclass(frozen=True, slots=True)
class SealedFile(Fact):
    """A sealed file on disk, verified to the byte while this report was written."""

    path: str
    """Where it lies, below vault/sealed/."""
    split: str
    """train or validation; `metrics_…` for results of a job."""
    n_rows: int | None
    """Lines in it; null where the file could not be verified."""
    n_bytes: int | None
    """Length of the plaintext; null where the file could not be verified."""
    fingerprint: str | None
    """Keyed fingerprint of the lines; null where the file could not be verified."""
    recipients: tuple[str, ...]
    """Who can open it: the name of a recipient of this project, or a key id."""
    signer: str | None
    """Who signed: the name of a trusted signer, or a key id."""
    is_verified: bool
    """Whether signature, manifest and body fit together."""
    is_current: bool
    """Whether it holds the lines that the check of this build passed."""
    problem: str | None
    """Why it could not be verified; null where it could."""


class Passage(StrEnum):
    """How a source's column is in a stage."""

    RAW = "raw"
    """As the source has it, or computed from that."""
    SCRUBBED = "scrubbed"
    """Inside a text from which the scrub stage took what its policy names."""
    ABSENT = "absent"
    """Not at all."""


@dataclass(frozen=True, slots=True)
class Stop(Fact):
    """A column of the source in one of the stages behind it."""

    model: str
    """Source or model."""
    passage: Passage
    """raw, scrubbed or absent."""
    columns: tuple[str, ...]
    """Columns of the model that it is in."""


@dataclass(frozen=True, slots=True)
class Flow(Fact):
    """Where a column of the source goes, by the lineage of every column."""

    source: str
    """Name of the source."""
    column: str
    """Column of it."""
    privacy: str
    """What the source calls it: direct, quasi, sensitive, free_text or none."""
    is_synthetic: bool
    """Whether the source says, by `synthetic` in its meta, that its rows were made up."""
    stops: tuple[Stop, ...]
    """The source and every stage of the dataset, in order."""


@dataclass(frozen=True, slots=True)
class Dataset(Fact):
    """What became of a dataset."""

    name: str
    """Name of the dataset: its folder in models/."""
    description: str
    """What the source says about itself."""
    verdict: Verdict
    """The judgement on this dataset."""
    stages: tuple[Stage, ...]
    """From source to sealed; empty where it was not built."""
    rejects: tuple[Reject, ...]
    """Records that were not taken, the commonest reason first."""
    masked: Masked | None
    """Personal data that was replaced; null where it was not measured."""
    recalls: tuple[Recall, ...]
    """Recall of planted personal data, the lowest first."""
    classes: tuple[ClassCount, ...]
    """Balance of classes and splits."""
    tokens: Tokens | None
    """Length of the examples; null where there are none."""
    n_duplicates: int | None
    """Conversations left out because they agree in every word; null where unknown."""
    is_split_disjoint: bool | None
    """Whether no prompt is in two splits; null where it was not checked."""
    checks: tuple[Check, ...]
    """Every expectation, those that failed first."""
    n_expectations: int | None
    """How many expectations a full check has; null where there was none."""
    sealed: tuple[SealedFile, ...]
    """Sealed files of this dataset that lie in the vault."""
    fingerprint: str | None
    """Keyed fingerprint of the lines that were checked."""
    flows: tuple[Flow, ...]
    """Where each column of the source goes, the most private first."""


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
    """tuned, base, majority or tfidf."""
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
    """Whether it is trained on the lines that the check of this build passed."""
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
    """Evaluation by class."""
    confusion: tuple[Confusion, ...]
    """What was answered to the examples of each class."""
    audit: Audit | None
    """Attacks for memorisation; null where there were none."""


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
