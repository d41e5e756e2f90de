"""One job for one intent, whatever crashes in between: the steps forward.

Every step that the provider could notice is announced in the ledger first; where an announcement is
found, recovery.py says what became of it before the step is done once more.

No answer to `create` but a job is proof that there is no job: a timeout, a reset, a 5xx, but also a
403 or 404 may come from something between us and the provider that swallowed its answer. All of
them leave the announcement standing, and the next run looks until the settle window is over before
it creates anew. A file is another matter: it costs nothing, and the end of the job sweeps every
file of its name, so a plain refusal of an upload (4xx but 408 and 409) is believed.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from python_stages.backends.base import (
    Backend,
    BackendIdentity,
    Content,
    JobSpec,
    JobStatus,
    RemoteFile,
    Split,
    UnknownOutcomeError,
    estimate,
    job_key,
)
from python_stages.backends.plan import PlanBackend
from python_stages.backends.settling import Settling
from python_stages.errors import AmbiguousJobError, BackendError, LedgerError, SealtuneError
from python_stages.jobs.ledger import UNFINISHED, Ledger, LedgerRow, State
from python_stages.jobs.recovery import (
    adopt_job,
    find_files,
    find_jobs,
    forget_gone_files,
    settle_submission,
    short,
    the_file,
    with_job,
)


def submit(
    spec: JobSpec,
    backend: Backend | PlanBackend,
    ledger: Ledger,
    *,
    access: str = "{}",
    settling: Settling | None = None,
    lock_wait_seconds: float = 0.0,
    say: Callable[[str], None] = lambda _: None,
) -> LedgerRow:
    """Bring the job of this spec into being exactly once, and return where it stands.

    Args:
        spec: the job as wanted; its contents are opened only when they must be uploaded.
        backend: where to, from `backends.open_backend`.
        ledger: the open ledger.
        access: what opens the backend again, for the ledger to keep.
        settling: how long to look for what an earlier run may have done.
        lock_wait_seconds: how long to wait for another submitter.
        say: takes, line by line, which rules the job was held against.

    Returns:
        The row: PLANNED with the plan backend, else JOB_CREATED or what `refresh` made of it.

    Raises:
        LockedError: another submitter is at work.
        AmbiguousJobError: several things at the provider match; the job is parked.
        BackendError: the provider refused or did not answer; build again to resume.
    """
    with ledger.submitter(wait_seconds=lock_wait_seconds):
        if isinstance(backend, PlanBackend):
            return _record_plan(spec, backend, ledger)
        return _Submission(spec, backend, ledger, settling or Settling(), access).run(say)


class _Submission:
    """One run of `submit`, under the ledger's lock."""

    def __init__(
        self, spec: JobSpec, backend: Backend, ledger: Ledger, settling: Settling, access: str
    ) -> None:
        self._spec = spec
        self._backend = backend
        self._ledger = ledger
        self._settling = settling
        self._access = access
        self._key = job_key(spec, backend.identity)

    def run(self, say: Callable[[str], None]) -> LedgerRow:
        """Go on from wherever the ledger says an earlier run has come."""
        known = self._ledger.get(self._key)
        row = known or self._intend(say)
        if row.access != self._access:
            row = self._ledger.save(replace(row, access=self._access), "reached_otherwise")
        if row.parked_reason is not None:
            raise AmbiguousJobError(row.parked_reason)
        if row.state is State.SUBMITTING:
            row = settle_submission(row, self._backend, self._ledger, self._settling)
        if row.state is State.FILE_UPLOADED:
            row = forget_gone_files(row, self._backend, self._ledger)
        if known is not None and row.state in UNFINISHED:
            # limits and consent may have changed since the run that intended the job
            self._backend.preflight(self._spec)
        if row.state is State.INTENT:
            row = self._upload_files(row)
        if row.state is State.FILE_UPLOADED:
            row = self._create_job(row)
        return row

    def _intend(self, say: Callable[[str], None]) -> LedgerRow:
        """-> INTENT; nothing has left this machine before the preflight has passed."""
        self._require_parent()
        for line in self._backend.preflight(self._spec).splitlines():
            say(line)
        row = _new_row(self._spec, self._backend.identity, State.INTENT)
        return self._ledger.save(replace(row, access=self._access), "intended")

    def _require_parent(self) -> None:
        """Refuse a job whose start the provider has no more; a ledger that deleted it knows so."""
        parent, name = self._spec.parent_key, self._spec.base_model
        if parent is not None and not self._backend.has_model(name):
            raise BackendError(
                f"{self._spec.dataset}: the model that this job would start from is not at the "
                f"provider any more, nothing was sent: note that with `sealtune jobs cleanup "
                f"{short(parent)} --delete-model`, and the model before it is taken, or set "
                "start_from: base_model"
            )

    def _upload_files(self, row: LedgerRow) -> LedgerRow:
        """INTENT -> FILE_UPLOADED, or JOB_CREATED where a job is known to the provider already.

        The job is looked for first: a lost ledger must not send the rows a second time.
        """
        found = self._find_jobs()
        if found:
            return adopt_job(row, found, self._ledger)
        for split, content in self._spec.splits:
            if _file_id(row, split) is None:
                row = self._ensure_file(row, split, content)
        return self._ledger.save(replace(row, state=State.FILE_UPLOADED), "files_uploaded")

    def _ensure_file(self, row: LedgerRow, split: Split, content: Content) -> LedgerRow:
        name = self._spec.file_name(split, self._key)

        def find() -> tuple[RemoteFile, ...]:
            return find_files(name, self._backend)

        found = self._settling.look(find) if row.is_upload_in_doubt else find()
        event = "file_adopted"
        if not found:
            event = "file_uploaded"
            row = self._ledger.save(replace(row, is_upload_in_doubt=True), f"uploading_{split}")
            try:
                found = (self._backend.upload(name, content),)
            except UnknownOutcomeError:
                found = self._settling.look(find)
                if not found:
                    raise
            except SealtuneError:
                # Refused, or cut off by a seal that failed at its end: half a body is no file.
                self._ledger.save(replace(row, is_upload_in_doubt=False), "upload_refused")
                raise
        file = the_file(row, found, content.n_bytes, self._ledger)
        row = replace(_with_file_id(row, split, file.file_id), is_upload_in_doubt=False)
        return self._ledger.save(row, event)

    def _create_job(self, row: LedgerRow) -> LedgerRow:
        """FILE_UPLOADED -> SUBMITTING -> JOB_CREATED."""
        found = self._find_jobs()
        if found:
            return adopt_job(row, found, self._ledger)
        training_file_id = row.training_file_id
        if training_file_id is None:
            raise LedgerError("the ledger lost the id of an uploaded file: restore it from backup")
        row = self._ledger.save(replace(row, state=State.SUBMITTING), "submitting")
        try:
            created = self._backend.create(
                self._spec,
                self._key,
                training_file_id=training_file_id,
                validation_file_id=row.validation_file_id,
            )
        except UnknownOutcomeError:
            found = self._settling.look(self._find_jobs)
            if not found:
                raise
            return adopt_job(row, found, self._ledger)
        except BackendError:
            # the request is over, so the window is counted from here
            refused = replace(row, in_doubt_until=self._settling.end())
            self._ledger.save(refused, "job_refused")
            raise
        return self._ledger.save(with_job(row, created), "job_created")

    def _find_jobs(self) -> tuple[JobStatus, ...]:
        return find_jobs(self._key, self._backend, self._ledger)


def _record_plan(spec: JobSpec, backend: PlanBackend, ledger: Ledger) -> LedgerRow:
    """Write the plan down, and nothing where it stands there already."""
    planned = _new_row(spec, backend.identity, State.PLANNED)
    known = ledger.get(planned.key)
    if known is not None and known == replace(
        planned, created_at=known.created_at, updated_at=known.updated_at
    ):
        return known
    return ledger.save(planned, "planned")


def _new_row(spec: JobSpec, identity: BackendIdentity, state: State) -> LedgerRow:
    key = job_key(spec, identity)
    expected = estimate(spec)
    validation = spec.validation
    return LedgerRow(
        key=key,
        state=state,
        dataset=spec.dataset,
        dataset_fingerprint=spec.dataset_fingerprint,
        backend=identity.name,
        base_url=identity.base_url,
        base_model=spec.base_model,
        hyperparameters=json.dumps(dict(spec.hyperparameters), sort_keys=True),
        seed=spec.seed,
        suffix=spec.suffix,
        n_examples=spec.n_examples,
        n_training_tokens=spec.n_training_tokens,
        n_billed_tokens=expected.n_billed_tokens,
        price_per_million_tokens=expected.price_per_million,
        currency=expected.currency,
        estimated_cost=expected.cost,
        training_file_name=spec.file_name("train", key),
        training_n_bytes=spec.training.n_bytes,
        validation_file_name=None if validation is None else spec.file_name("validation", key),
        validation_n_bytes=None if validation is None else validation.n_bytes,
        parent_key=spec.parent_key,
    )


def _file_id(row: LedgerRow, split: Split) -> str | None:
    return row.training_file_id if split == "train" else row.validation_file_id


def _with_file_id(row: LedgerRow, split: Split, file_id: str) -> LedgerRow:
    if split == "train":
        return replace(row, training_file_id=file_id)
    return replace(row, validation_file_id=file_id)
