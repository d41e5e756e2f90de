"""What the report says about a dataset: its rows, from the source to sealed files."""

from dataclasses import dataclass
from enum import StrEnum

from python_stages.site.facts.change_log import ChangeLog
from python_stages.site.facts.noise import Noise
from python_stages.site.facts.verdict import Fact, Verdict


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
    """Number of examples; null where it is a small count. With noise where the dataset asks for
    private counts: then zero may be a few."""


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
    NOISED = "noised"
    """With differentially private noise, and nowhere as the source has it."""
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
    """raw, noised, scrubbed or absent."""
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
    change_log: ChangeLog
    """What changed from version to version, and which model is in use."""
    noise: Noise | None = None
    """Differentially private noise; null where there is none."""
