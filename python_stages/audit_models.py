"""What models/outcomes/memorization_audit calls: train a shadow, attack it, write down what came.

Every job of a dataset that succeeded on the lines as they are now is audited, once: what is in the
relation already is not asked again. A shadow job is submitted through the ledger before it is
attacked, so that an interrupted audit goes on with the one that it has.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import pyarrow as pa

from python_stages import keys, settings
from python_stages.audit import AuditSettings, Report, Row
from python_stages.errors import LedgerError, value_free
from python_stages.hooks import fingerprint_splits, sealed_contents
from python_stages.jobs.attacks import Audit, Target, attacked_models
from python_stages.jobs.chat import ran_at
from python_stages.jobs.hooks import ledger_path, submit_job
from python_stages.jobs.ledger import Ledger, LedgerRow
from python_stages.jobs.planting import Planted, shadow_spec
from python_stages.jobs.settings import JobSettings
from python_stages.seal import fingerprint_dataset

_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("dataset", pa.string()),
    ("job_key", pa.string()),
    ("attacked_job_key", pa.string()),
    ("model_role", pa.string()),
    ("model", pa.string()),
    ("step", pa.int64()),
    ("measure", pa.string()),
    ("kind", pa.string()),
    ("n_repeats", pa.int64()),
    ("value", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("chance", pa.float64()),
    ("most", pa.float64()),
    ("n", pa.int64()),
    ("verdict", pa.string()),
    ("reasons", pa.string()),
    ("claimed_epsilon", pa.float64()),
    ("claimed_delta", pa.float64()),
    ("privacy_unit", pa.string()),
    ("audited_at", pa.timestamp("us", tz="UTC")),
    ("run_hash", pa.string()),
]
AUDIT_SCHEMA: Final = pa.schema(_COLUMNS)
Say = Callable[[str], None]


def memorization_audit(
    session: duckdb.DuckDBPyConnection,
    examples: duckdb.DuckDBPyRelation,
    audit_settings: duckdb.DuckDBPyRelation,
    this: str,
    say: Say,
    *,
    is_new: bool,
) -> pa.Table:
    """Audit every job that is not audited yet; rows of AUDIT_SCHEMA.

    Args:
        session: dbt's connection.
        examples: rows of all datasets: dataset, example_id, split, messages, fingerprint.
        audit_settings: rows of dataset, job and audit, the last two as JSON.
        this: the relation that is built, quoted for SQL.
        say: takes a line for the log.
        is_new: whether it is built from nothing; else it keeps the jobs that are not returned.
    """
    with value_free("audit"):
        rows: list[dict[str, Any]] = []
        if jobs := succeeded():
            ring = keys.load(settings.keys_folder())
            known = frozenset() if is_new else _known(session, this)
            for dataset, job, audit in audit_settings.fetchall():
                wanted, now = read_settings(json.loads(job), json.loads(audit))
                if not wanted.is_on(now.backend):
                    continue
                of_dataset = examples.filter(
                    duckdb.ColumnExpression("dataset") == duckdb.ConstantExpression(dataset)
                )
                by_split = fingerprint_splits(of_dataset, ring)
                for row in auditable(jobs, dataset, by_split, now, ring):
                    one = Audit.of(row, wanted, now, ring)
                    if (row.key, one.run_hash) not in known:
                        rows += audit_job(one, by_split, ring, say)
        return pa.Table.from_pylist(rows, schema=AUDIT_SCHEMA)


def audit_now(
    examples: duckdb.DuckDBPyRelation,
    job: LedgerRow,
    job_config: Mapping[str, Any],
    audit_config: Mapping[str, Any],
    say: Say,
) -> pa.Table:
    """Audit one job, whether or not builds do; rows of AUDIT_SCHEMA.

    Args:
        examples: as of `memorization_audit`.
        job: the job.
        job_config: what `JobSettings` takes.
        audit_config: what `AuditSettings` takes; `enabled` is not heeded.
        say: takes a line for a person.

    Raises:
        LedgerError: the job has no tuned model, or was trained on other lines, or elsewhere.
    """
    wanted, now = read_settings(job_config, audit_config or {"enabled": True})
    ring = keys.load(settings.keys_folder())
    of_dataset = examples.filter(
        duckdb.ColumnExpression("dataset") == duckdb.ConstantExpression(job.dataset)
    )
    by_split = fingerprint_splits(of_dataset, ring)
    found = [row.key for row in auditable(succeeded(), job.dataset, by_split, now, ring)]
    if job.key not in found:
        raise LedgerError(
            "this job cannot be audited: it has no tuned model, or the lines or the backend are "
            "others by now; build with the settings that it had"
        )
    rows = audit_job(Audit.of(job, wanted, now, ring), by_split, ring, say)
    return pa.Table.from_pylist(rows, schema=AUDIT_SCHEMA)


def read_settings(
    job: Mapping[str, Any], audit: Mapping[str, Any] | None
) -> tuple[AuditSettings, JobSettings]:
    """Return how a dataset's jobs are audited, and run; a dataset that says nothing is not."""
    return AuditSettings.from_config(audit or {"enabled": False}), JobSettings.from_config(job)


def succeeded() -> tuple[LedgerRow, ...]:
    """Return the jobs that have a tuned model, oldest first; reads the ledger and nothing else."""
    if not ledger_path().exists():
        return ()
    with Ledger(ledger_path()) as ledger:
        return tuple(
            row for row in ledger.jobs() if row.outcome == "succeeded" and row.fine_tuned_model
        )


def auditable(
    jobs: Sequence[LedgerRow],
    dataset: str,
    by_split: Mapping[str, str],
    now: JobSettings,
    ring: keys.KeyRing,
) -> Iterator[LedgerRow]:
    """Yield a dataset's jobs that were trained on these lines, where jobs are sent today."""
    fingerprint = fingerprint_dataset(by_split, ring.hmac_key("fingerprint"))
    for row in jobs:
        is_of = row.dataset == dataset and row.dataset_fingerprint == fingerprint
        if is_of and ran_at(row, now):
            yield row


def audit_job(
    one: Audit, by_split: Mapping[str, str], ring: keys.KeyRing, say: Say
) -> list[dict[str, Any]]:
    """Audit one job; rows of AUDIT_SCHEMA, none where it was to hold the canaries and does not.

    Args:
        one: the audit.
        by_split: fingerprints of the sealed splits that it was trained on.
        ring: the keys.
        say: takes a line for the log.

    Raises:
        BackendError: the shadow job failed, or a model does not answer.
        LedgerError: the shadow's model was deleted.
    """
    job = one.job
    if one.planted.is_in(job):
        attacked = job
    elif one.wanted.plant_in == "job":
        return []
    else:
        say(f"{job.dataset}: the audit trains a shadow of job {job.key[:12]}, with canaries")
        contents = sealed_contents(job.dataset, by_split, ring)
        spec = shadow_spec(job, contents, one.planted, one.now)
        attacked = submit_job(spec, replace(one.now, wait_for_jobs=True), say)
    if not attacked.fine_tuned_model:
        raise LedgerError(
            f"the model of the shadow job {attacked.key[:12]} was deleted: give the audit another "
            "n_once, which makes another shadow, or set enabled: false"
        )
    found = list(attacked_models(one, attacked))
    for target, came in found:
        if target.role == "tuned":
            say(f"{job.dataset}: audit {came.verdict}: {'; '.join(came.reasons)}")
    at = datetime.now(UTC)
    common = {
        "dataset": job.dataset,
        "job_key": job.key,
        "attacked_job_key": attacked.key,
        "audited_at": at,
        "run_hash": one.run_hash,
    }
    return [common | row for target, came in found for row in _rows(target, came, one.planted)]


def _rows(target: Target, came: Report, planted: Planted) -> Iterator[dict[str, Any]]:
    """Yield the verdict on a model, and every measure."""
    of_model = {
        "model_role": target.role,
        "model": target.model,
        "step": target.step,
        "claimed_epsilon": target.claim.epsilon,
        "claimed_delta": target.claim.delta,
        "privacy_unit": target.claim.unit,
    }
    shown = Row(
        "all",
        None,
        "verdict",
        came.epsilon_shown,
        None,
        None,
        len(planted.canaries),
        most=came.max_epsilon,
    )
    verdict = {"verdict": came.verdict.value, "reasons": "; ".join(came.reasons)}
    yield of_model | _measure(shown) | verdict
    for row in came.rows:
        yield of_model | _measure(row)


def _measure(row: Row) -> dict[str, Any]:
    found = asdict(row)
    return {**found, "measure": found.pop("metric")}


def _known(session: duckdb.DuckDBPyConnection, this: str) -> frozenset[tuple[str, str]]:
    rows = session.execute(
        f"select distinct job_key, run_hash from {this}"  # noqa: S608 - dbt's own name of the relation
    ).fetchall()
    return frozenset((job_key, run_hash) for job_key, run_hash in rows)
