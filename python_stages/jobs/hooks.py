"""The job of a sealed dataset, as a build meets it: submitted, waited for, asked after, listed.

A build submits and refreshes its own job in the hook of `*_sealed`, and fails where that fails. All
other jobs are asked after before `fine_tune_jobs` is built; what goes wrong there is said.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from python_stages import keys, progress, settings
from python_stages.backends.base import BackendIdentity, JobSpec, job_key
from python_stages.backends.local.launch import untether
from python_stages.backends.plan import PlanBackend
from python_stages.errors import BackendError, SealtuneError, value_free
from python_stages.ingest.scans import literal
from python_stages.jobs.access import Access
from python_stages.jobs.chat import ran_at
from python_stages.jobs.ledger import Decision, Ledger, LedgerRow, State
from python_stages.jobs.ledger_file import LEDGER
from python_stages.jobs.lineage import key_at, started
from python_stages.jobs.recovery import short
from python_stages.jobs.refresh import is_open, refresh
from python_stages.jobs.results import METRICS_SCHEMA, ResultVault, read_metrics
from python_stages.jobs.retraining import Change, decide, last_trained
from python_stages.jobs.settings import JobSettings
from python_stages.jobs.submit import submit
from python_stages.jobs.watch import Pace, Progress, follow
from python_stages.jobs.watch import lines as lines_of

LOCAL = "local"
_LOCK_WAIT_SECONDS = 600.0


def submit_job(spec: JobSpec, job: JobSettings, say: Callable[[str], None]) -> LedgerRow:
    """Submit a job, or find it submitted; wait for it where that is wished.

    Its result files are left to `refresh_jobs`: without them a build is no failure.

    Args:
        spec: the job.
        job: how it is run.
        say: takes a line for the log.

    Raises:
        BackendError: the provider refused, or the job that was waited for failed or did not end in
            time.
    """
    access = Access.of_settings(job)
    lifetime = job.expires_after_seconds
    if (done := _done_here(spec, job)) is not None:
        return done
    with (
        Ledger(ledger_path()) as ledger,
        access.opened(job.backend, expires_after_seconds=lifetime) as backend,
    ):
        row = submit(
            spec,
            backend,
            ledger,
            access=access.to_json(),
            # dbt builds several datasets at once, and one submitter works at a time
            lock_wait_seconds=_LOCK_WAIT_SECONDS,
            # what stays on this machine is held against the same rules, and nobody has to read them
            say=_nothing if job.backend == "local" else lambda line: say(f"{spec.dataset}: {line}"),
        )
        if isinstance(backend, PlanBackend):
            return row
        if not job.waits:
            untether()
        if job.waits and row.state is State.JOB_CREATED:
            pace = Pace(timeout_seconds=job.wait_timeout_seconds)
            for _, line in lines_of(_told(follow(row, backend, pace))):
                say(f"{row.dataset}: {line}")
        wait = _LOCK_WAIT_SECONDS
        refreshed = refresh(backend, ledger, only=row.key, lock_wait_seconds=wait)
        for failure in refreshed.failures.values():
            raise failure
        row = ledger.get(row.key) or row
        if job.waits and row.outcome in {"failed", "cancelled"}:
            raise BackendError(
                f"{describe_job(row)}; another seed, model or hyperparameter makes another job"
            )
        return row


def job_of(
    spec: JobSpec,
    job: JobSettings,
    change_since: Callable[[str], Change | None],
    may_start_from: Callable[[str], bool] = lambda _: True,
) -> tuple[JobSpec, Decision | None]:
    """Return the job with what it starts from, and whether it is worth it where that is a question.

    None where it is none: every change is a job, or this one was submitted, or none was before.

    Args:
        spec: the job, from its base model.
        job: how it is run.
        change_since: how far the lines are from those of a fingerprint; None where nobody knows.
        may_start_from: whether a model of the lines of a fingerprint may be gone on from.
    """
    rows: tuple[LedgerRow, ...] = ()
    if ledger_path().exists():
        with Ledger(ledger_path()) as ledger:
            rows = ledger.jobs()
    wanted = started(spec, job, rows, may_start_from)
    is_known = any(ran_at(row, job) and key_at(wanted, row) == row.key for row in rows)
    last = None if job.retrain_when is None or is_known else last_trained(spec, job, rows)
    change = None if last is None else change_since(last.dataset_fingerprint)
    if last is None or change is None or job.retrain_when is None:
        return wanted, None
    return wanted, decide(spec, last, job.retrain_when, change)


def note_decision(decision: Decision) -> LedgerRow:
    """Write a decision down; return the job that was trained last."""
    with Ledger(ledger_path()) as ledger:
        with ledger.submitter(wait_seconds=_LOCK_WAIT_SECONDS):
            ledger.decide(decision)
        return ledger.find(decision.key)


def _told(progresses: Iterator[Progress]) -> Iterator[Progress]:
    """Tell how many steps are done, whether or not there is a line to be said."""
    for one in progresses:
        if one.step is not None:
            progress.tell("steps", one.step, one.n_steps)
        yield one


def _done_here(spec: JobSpec, job: JobSettings) -> LedgerRow | None:
    """Return the job where it has succeeded on this machine: no server is started to hear that."""
    if job.backend != LOCAL or not ledger_path().exists():
        return None
    with Ledger(ledger_path()) as ledger:
        row = ledger.get(job_key(spec, BackendIdentity(LOCAL)))
    is_done = row is not None and row.outcome == "succeeded" and not is_open(row, has_results=True)
    return row if is_done else None


def _nothing(line: str) -> None:
    del line


def refresh_jobs(
    ring: keys.KeyRing, jobs: Iterable[Mapping[str, Any]], say: Callable[[str], None]
) -> str:
    """Ask every backend that is configured after its jobs; what goes wrong is said, not raised.

    A backend that is in the ledger only is not asked: its key may be for another one by now.

    Args:
        ring: keys to seal result files with.
        jobs: the `job` config of every `*_sealed` model.
        say: takes a line for the log.
    """
    if not ledger_path().exists():
        return "there are no jobs yet"
    vault = ResultVault(settings.vault_folder(), ring)
    configured = [JobSettings.from_config(config) for config in jobs]
    asked: set[str] = set()
    with Ledger(ledger_path()) as ledger:
        for job in {(job.backend, job.base_url): job for job in configured}.values():
            if any(row.backend == job.backend and is_open(row) for row in ledger.jobs()):
                asked |= _ask(job, ledger, vault, say)
        for row in ledger.jobs():
            if row.parked_reason:
                say(f"warning: {row.dataset}: job {short(row.key)} waits: {row.parked_reason}")
            elif row.outcome == "running" and row.key not in asked:
                say(
                    f"{row.dataset}: job {short(row.key)} was not asked after, as {row.backend} is "
                    f"not configured as it was: `sealtune watch {short(row.key)}` asks"
                )
    return f"asked after {len(asked)} job(s)"


def _ask(
    job: JobSettings, ledger: Ledger, vault: ResultVault, say: Callable[[str], None]
) -> set[str]:
    """Ask one backend after its jobs; return their keys."""
    try:
        with Access.of_settings(job).opened(job.backend) as backend:
            if isinstance(backend, PlanBackend):
                return set()
            wait = _LOCK_WAIT_SECONDS
            refreshed = refresh(backend, ledger, results=vault, lock_wait_seconds=wait)
    except SealtuneError as error:
        say(f"warning: the jobs on {job.backend} are shown as they were: {error}")
        return {row.key for row in ledger.jobs() if row.backend == job.backend}
    for key, failure in refreshed.failures.items():
        say(f"warning: job {short(key)} is shown as far as it is known: {failure}")
    return {row.key for row in refreshed.rows}


def job_metrics() -> pa.Table:
    """Return the metrics of every job whose results are in the vault; rows of METRICS_SCHEMA."""
    with value_free("job metrics"):
        if not ledger_path().exists():
            return METRICS_SCHEMA.empty_table()
        vault = ResultVault(settings.vault_folder(), keys.load(settings.keys_folder()))
        with Ledger(ledger_path()) as ledger:
            return read_metrics(ledger, vault)


def ledger_path() -> Path:
    """Return the file of the ledger."""
    return settings.vault_folder() / LEDGER


_DECISION_COLUMNS = {
    "dataset": "varchar",
    "dataset_fingerprint": "varchar",
    "key": "varchar",
    "is_retrained": "boolean",
    "reason": "varchar",
    "drift_psi": "double",
    "n_feedback": "bigint",
    "changed_share": "double",
    "decided_at": "timestamptz",
}
_LEDGER_COLUMNS = {
    "key": "varchar",
    "dataset": "varchar",
    "state": "varchar",
    "backend": "varchar",
    "base_url": "varchar",
    "base_model": "varchar",
    "hyperparameters": "varchar",
    "seed": "bigint",
    "n_examples": "bigint",
    "n_training_tokens": "bigint",
    "n_billed_tokens": "bigint",
    "n_trained_tokens": "bigint",
    "estimated_cost": "double",
    "currency": "varchar",
    "job_id": "varchar",
    "fine_tuned_model": "varchar",
    "outcome": "varchar",
    "error_code": "varchar",
    "parked_reason": "varchar",
    "dataset_fingerprint": "varchar",
    "parent_key": "varchar",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}


def ledger_sql() -> str:
    """Return the SELECT that lists the jobs of the ledger, none where there is no ledger yet."""
    if not ledger_path().exists():
        return _select((), _LEDGER_COLUMNS)
    with Ledger(ledger_path()) as ledger:
        return _select(ledger.jobs(), _LEDGER_COLUMNS)


def decisions_sql() -> str:
    """Return the SELECT that lists the decisions on lines that changed, the same way."""
    if not ledger_path().exists():
        return _select((), _DECISION_COLUMNS)
    with Ledger(ledger_path()) as ledger:
        return _select(ledger.decisions(), _DECISION_COLUMNS)


def _select(rows: Iterable[LedgerRow | Decision], columns: Mapping[str, str]) -> str:
    """Return the SELECT of rows of the ledger; `key` is called job_key.

    Args:
        rows: what is selected.
        columns: types in SQL by name.
    """
    names = ", ".join("job_key" if name == "key" else name for name in columns)

    def select(row: LedgerRow | Decision | None) -> str:
        cells = (
            "null" if row is None or getattr(row, name) is None else literal(getattr(row, name))
            for name in columns
        )
        typed = zip(cells, columns.values(), strict=True)
        return f"({', '.join(f'{cell}::{kind}' for cell, kind in typed)})"

    values = ", ".join(map(select, tuple(rows) or (None,)))
    # every value is quoted by `literal`
    return f"select * from (values {values}) as jobs({names}) where job_key is not null"  # noqa: S608 - see above


def describe_job(row: LedgerRow) -> str:
    """Return where a job stands, in one line for a log."""
    cost = (
        "price unknown"
        if row.estimated_cost is None
        else (f"about {row.estimated_cost:,.2f} {row.currency}")
    )
    tokens = f"{row.n_training_tokens:,} tokens an epoch"
    state = row.outcome or row.state
    if row.error_code:
        state = f"{state} ({row.error_code})"
    return (
        f"{row.dataset}: job {row.key[:12]} on {row.backend} is {state}: {row.base_model}, "
        f"{row.n_examples:,} examples, {tokens}, {cost}"
    )
