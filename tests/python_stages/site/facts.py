"""A report of every kind of fact, for tests that need no vault."""

from datetime import UTC, datetime

from python_stages.site.facts.change_log import ChangeLog, Corrections, Retraining, Version
from python_stages.site.facts.dataset import (
    Check,
    ClassCount,
    Dataset,
    Flow,
    Found,
    Masked,
    Passage,
    Recall,
    Reject,
    SealedFile,
    Stage,
    Stop,
    TokenBin,
    Tokens,
)
from python_stages.site.facts.model import (
    Audit,
    AuditRow,
    ClassScore,
    Confusion,
    Model,
    Point,
    Score,
)
from python_stages.site.facts.noise import Noise, NoisyColumn, PrivateCounts
from python_stages.site.facts.report import SCHEMA_VERSION, Change, Measure, Report
from python_stages.site.facts.verdict import Level, Verdict
from python_stages.site.suppress import SMALL

JOB_KEY = "0123456789ab" * 5
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UNKNOWN = Verdict(Level.OPEN, "not judged", ())

SEALED = SealedFile(
    path="notes/train-ab.sealed",
    split="train",
    n_rows=80,
    n_bytes=4096,
    fingerprint="ab" * 32,
    recipients=("owner",),
    signer="owner",
    is_verified=True,
    is_current=True,
    problem=None,
)
CHECK = Check(
    suite="examples",
    expectation="expect_column_values_to_be_in_set",
    column="is_json",
    description="messages are JSON",
    is_success=True,
    n_checked=100,
    n_failed=0,
)
RECALL = Recall("user_text", "PERSON", 30, 29, 29 / 30, 0.83, 0.99, 0.9, True)  # noqa: FBT003 - the same


def flow(column: str, privacy: str, *passages: Passage) -> Flow:
    """Return the way of a column through as many stages as there are passages."""
    names = ("raw", "stg_notes", "notes_sampled", "notes_rendered", "notes_scrubbed")
    chain = (*names, "notes_examples", "notes_sealed")
    stops = [Stop("raw", Passage.RAW, (column,))]
    for name, passage in zip(chain[1:], passages, strict=True):
        stops.append(Stop(name, passage, () if passage is Passage.ABSENT else ("text",)))
    return Flow("raw", column, privacy, is_synthetic=False, stops=tuple(stops))


R, S, A = Passage.RAW, Passage.SCRUBBED, Passage.ABSENT
CHANGE_LOG = ChangeLog(
    versions=(
        Version(2, NOW, 100, 8, 6, None, 0.01, 0.02, 0.12, "moderate"),
        Version(1, NOW, 98, None, None, None, None, None, None, None),
    ),
    corrections=(Corrections("merged", None, 3), Corrections("rejected", "unknown_example", 1)),
    retrainings=(
        Retraining(
            NOW,
            JOB_KEY,
            is_retrained=False,
            reason="not retrained: drift 0.12 of 0.2; measured from job abababababab",
            is_current=True,
        ),
    ),
    in_use=JOB_KEY,
)
NOISE = Noise(
    mechanism="discrete Laplace",
    unit="One row.",
    columns=(
        NoisyColumn("age", True, 1.25, 0.0, 120.0, 110, 2, 2.5),  # noqa: FBT003 - the same
        NoisyColumn("weight", False, None, None, None, 100, 1, 0.5),  # noqa: FBT003 - the same
    ),
    counts=PrivateCounts(True, 0.25, 3, 0.75),  # noqa: FBT003 - the same
    epsilon_total=3.75,
    not_covered=("weight: as it is.", "The other columns."),
)
DATASET = Dataset(
    name="notes",
    description="Notes of a clinic.",
    verdict=UNKNOWN,
    stages=(
        Stage(0, "read", None, 103),
        Stage(1, "rejected", "age: not bigint", 3),
        Stage(1, "kept", None, 100),
        Stage(10, "sealed", None, 100),
    ),
    rejects=(Reject("age: not bigint", 3),),
    masked=Masked(
        100, 57, 0, (Found("user_text", "PERSON", 50), Found("user_text", "IBAN_CODE", None)), None
    ),
    recalls=(RECALL,),
    classes=(
        ClassCount("flu", "train", 60),
        ClassCount("flu", "validation", 20),
        ClassCount("rare", "train", None),
        ClassCount("rare", "validation", 0),
    ),
    tokens=Tokens(100, 5000, 50.0, 70.0, 512, (TokenBin(40, 50, 40), TokenBin(50, 60, None))),
    n_duplicates=0,
    is_split_disjoint=True,
    checks=(CHECK,),
    n_expectations=1,
    sealed=(SEALED,),
    fingerprint="cd" * 32,
    flows=(
        flow("name", "direct", R, A, A, A, A, A),
        flow("note", "free_text", R, R, R, S, S, S),
        flow("age", "quasi", R, R, R, R, R, R),
    ),
    change_log=CHANGE_LOG,
    noise=NOISE,
)
MODEL = Model(
    job_key=JOB_KEY,
    dataset="notes",
    verdict=UNKNOWN,
    state="FILES_DELETED",
    outcome="succeeded",
    backend="local",
    base_model="nano",
    hyperparameters='{"epsilon": 8.0, "n_epochs": 3}',
    seed=7,
    n_examples=80,
    n_training_tokens=4000,
    n_billed_tokens=12000,
    n_trained_tokens=None,
    estimated_cost=None,
    currency="USD",
    fine_tuned_model="ft:nano:local:notes:1",
    error_code=None,
    parked_reason=None,
    is_current=True,
    epsilon=8.0,
    created_at=NOW,
    updated_at=NOW,
    curve=(Point(1, "train_loss", 3.0), Point(2, "train_loss", 1.0), Point(2, "valid_loss", 1.5)),
    scores=(
        Score("tuned", None, "accuracy", 0.8, 0.7, 0.9, 20),
        Score("base", None, "accuracy", 0.0, 0.0, 0.2, 20),
        Score("tuned", "base", "accuracy", 0.8, 0.7, 0.9, 20),
    ),
    classes=(
        ClassScore("tuned", "flu", "recall", 0.9, 18),
        ClassScore("tuned", "rare", "f1", None, None),
    ),
    confusion=(
        Confusion("tuned", "flu", "flu", 16),
        Confusion("tuned", "flu", "(rare)", 2),
        Confusion("tuned", "cold", "flu", 5),
    ),
    audit=Audit(
        verdict="PASS",
        reasons=("with 400 canaries, an epsilon up to 4.2 could have been shown",),
        epsilon_claimed=8.0,
        epsilon_shown=0.4,
        epsilon_max=4.2,
        rows=(
            AuditRow("tuned", "exposure_bits", "digits", 0, 1.1, 0.4, 2.0, 1.0, 20),
            AuditRow("tuned", "exposure_bits", "digits", 16, 1.9, 0.9, 3.0, 1.0, 20),
        ),
    ),
)
REPORT = Report(
    schema_version=SCHEMA_VERSION,
    project="sealtune",
    written_at=NOW,
    built_at=NOW,
    small_count=SMALL,
    verdict=UNKNOWN,
    datasets=(DATASET,),
    models=(MODEL,),
    changes=(Change("notes", "sealed", 90.0, 100.0),),
    history=(Measure(NOW, "notes", "sealed", 100.0),),
)
