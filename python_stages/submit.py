"""One job for one intent, whatever crashes in between.

Every step that the provider could notice is announced in the ledger first, and is found again at
the provider by a name that only this job has. Recovery therefore never guesses:

    found once            adopt it
    found twice           park the job; a person decides
    not found, announced  the provider may be slow to list it: look until the settle window is over,
                          then do it again, once
    not found             do it

A request that got no answer is settled the same way in the run that made it. What the provider
refused outright (4xx but 408 and 409) took no effect, and the announcement is taken back.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Final, NoReturn

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
from python_stages.ledger import Ledger, LedgerRow, State

_UNFINISHED: Final = frozenset({State.INTENT, State.FILE_UPLOADED, State.SUBMITTING})


class Step(StrEnum):
    """Points between two steps, where a crash may fall; given to the `checkpoint` hook."""

    PREFLIGHT_DONE = "preflight_done"
    INTENT_SAVED = "intent_saved"
    UPLOAD_ANNOUNCED = "upload_announced"
    UPLOADED = "uploaded"
    FILE_SAVED = "file_saved"
    FILES_SAVED = "files_saved"
    JOB_ANNOUNCED = "job_announced"
    JOB_CREATED = "job_created"
    JOB_SAVED = "job_saved"


def submit(
    spec: JobSpec,
    backend: Backend | PlanBackend,
    ledger: Ledger,
    *,
    settling: Settling | None = None,
    lock_wait_seconds: float = 0.0,
    checkpoint: Callable[[Step], None] | None = None,
) -> LedgerRow:
    """Bring the job of this spec into being exactly once, and return where it stands.

    Args:
        spec: the job as wanted; its contents are opened only when they must be uploaded.
        backend: where to, from `backends.open_backend`.
        ledger: the open ledger.
        settling: how long to look for what an earlier run may have done.
        lock_wait_seconds: how long to wait for another submitter.
        checkpoint: called between the steps; what it raises is a crash there.

    Returns:
        The row: PLANNED with the plan backend, else JOB_CREATED or what `refresh` made of it.

    Raises:
        LockedError: another submitter is at work.
        AmbiguousJobError: two things at the provider match; the job is parked.
        BackendError: the provider refused or did not answer; build again to resume.
    """
    with ledger.submitter(wait_seconds=lock_wait_seconds):
        if isinstance(backend, PlanBackend):
            return _record_plan(spec, backend, ledger)
        return _Submission(
            spec, backend, ledger, settling or Settling(), checkpoint or _no_crash
        ).run()


def adopt(key: str, job_id: str, backend: Backend, ledger: Ledger) -> LedgerRow:
    """Resolve a parked job: a person says which of the provider's jobs it is.

    Raises:
        LedgerError: the ledger has no such job waiting, or the provider's job is not one of its.
    """
    with ledger.submitter():
        row = _unfinished(key, ledger)
        status = backend.status(job_id)
        if status.key != key:
            raise LedgerError("that job was not made for this key: choose one of those listed")
        return ledger.save(_with_job(row, status), "job_adopted_by_person")


def unpark(key: str, ledger: Ledger) -> LedgerRow:
    """Let a parked job go on, once a person has removed what was too much at the provider.

    Raises:
        LedgerError: the ledger has no such job waiting.
    """
    with ledger.submitter():
        row = _unfinished(key, ledger)
        return ledger.save(replace(row, parked_reason=None), "unparked_by_person")


class _Submission:
    """One run of `submit`, under the ledger's lock."""

    def __init__(
        self,
        spec: JobSpec,
        backend: Backend,
        ledger: Ledger,
        settling: Settling,
        checkpoint: Callable[[Step], None],
    ) -> None:
        self._spec = spec
        self._backend = backend
        self._ledger = ledger
        self._settling = settling
        self._checkpoint = checkpoint
        self._key = job_key(spec, backend.identity)

    def run(self) -> LedgerRow:
        """Go on from wherever the ledger says an earlier run has come."""
        row = self._ledger.get(self._key)
        if row is not None and row.parked_reason is not None:
            raise AmbiguousJobError(row.parked_reason)
        if row is None:
            row = self._intend()
        elif row.state is State.SUBMITTING:
            row = self._settle_job(row)
        elif row.state is State.FILE_UPLOADED:
            row = self._forget_gone_files(row)
        if row.state is State.INTENT:
            row = self._upload_files(row)
        if row.state is State.FILE_UPLOADED:
            row = self._create_job(row)
        return row

    def _intend(self) -> LedgerRow:
        self._backend.preflight(self._spec)
        self._checkpoint(Step.PREFLIGHT_DONE)
        row = self._ledger.save(
            _new_row(self._spec, self._backend.identity, State.INTENT), "intended"
        )
        self._checkpoint(Step.INTENT_SAVED)
        return row

    def _upload_files(self, row: LedgerRow) -> LedgerRow:
        """INTENT -> FILE_UPLOADED, or JOB_CREATED where a job is known to the provider already.

        The job is looked for first: a lost ledger must not send the rows a second time.
        """
        found = self._backend.find_jobs(self._key)
        if found:
            return self._adopt_job(row, found)
        for split, content in self._spec.splits:
            if _file_id(row, split) is None:
                row = self._ensure_file(row, split, content)
        row = self._ledger.save(replace(row, state=State.FILE_UPLOADED), "files_uploaded")
        self._checkpoint(Step.FILES_SAVED)
        return row

    def _ensure_file(self, row: LedgerRow, split: Split, content: Content) -> LedgerRow:
        name = self._spec.file_name(split, self._key)

        def find() -> tuple[RemoteFile, ...]:
            return self._backend.find_files(name)

        found = self._settling.look(find) if row.is_upload_in_doubt else find()
        event = "file_adopted"
        if not found:
            event = "file_uploaded"
            row = self._ledger.save(replace(row, is_upload_in_doubt=True), f"uploading_{split}")
            self._checkpoint(Step.UPLOAD_ANNOUNCED)
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
            self._checkpoint(Step.UPLOADED)
        file = self._the_one_file(row, found, content)
        row = self._ledger.save(
            replace(_with_file_id(row, split, file.file_id), is_upload_in_doubt=False), event
        )
        self._checkpoint(Step.FILE_SAVED)
        return row

    def _the_one_file(
        self, row: LedgerRow, found: tuple[RemoteFile, ...], content: Content
    ) -> RemoteFile:
        if len(found) > 1:
            ids = ", ".join(file.file_id for file in found)
            self._park(row, f"files {ids} match: delete all but one there, then unpark")
        file = found[0]
        if file.n_bytes not in {None, content.n_bytes}:
            self._park(row, f"file {file.file_id} has another size: delete it there, then unpark")
        return file

    def _forget_gone_files(self, row: LedgerRow) -> LedgerRow:
        """FILE_UPLOADED -> INTENT where a file has expired since an earlier run uploaded it."""
        ids = tuple(_file_id(row, split) for split, _ in self._spec.splits)
        gone = [file_id for file_id in ids if file_id and not self._backend.has_file(file_id)]
        if not gone:
            return row
        training_id, validation_id = (
            None if file_id in gone else file_id
            for file_id in (row.training_file_id, row.validation_file_id)
        )
        return self._ledger.save(
            replace(
                row,
                state=State.INTENT,
                training_file_id=training_id,
                validation_file_id=validation_id,
            ),
            "files_gone",
        )

    def _settle_job(self, row: LedgerRow) -> LedgerRow:
        """SUBMITTING -> JOB_CREATED where the job is there, else back to FILE_UPLOADED."""
        found = self._settling.look(lambda: self._backend.find_jobs(self._key))
        if found:
            return self._adopt_job(row, found)
        row = self._ledger.save(replace(row, state=State.FILE_UPLOADED), "job_absent")
        return self._forget_gone_files(row)

    def _create_job(self, row: LedgerRow) -> LedgerRow:
        """FILE_UPLOADED -> SUBMITTING -> JOB_CREATED."""
        found = self._backend.find_jobs(self._key)
        if found:
            return self._adopt_job(row, found)
        training_file_id = row.training_file_id
        if training_file_id is None:
            raise LedgerError("the ledger lost the id of an uploaded file: restore it from backup")
        row = self._ledger.save(replace(row, state=State.SUBMITTING), "submitting")
        self._checkpoint(Step.JOB_ANNOUNCED)
        try:
            created = self._backend.create(
                self._spec,
                self._key,
                training_file_id=training_file_id,
                validation_file_id=row.validation_file_id,
            )
        except UnknownOutcomeError:
            found = self._settling.look(lambda: self._backend.find_jobs(self._key))
            if not found:
                raise
            return self._adopt_job(row, found)
        except BackendError:
            self._ledger.save(replace(row, state=State.FILE_UPLOADED), "job_refused")
            raise
        self._checkpoint(Step.JOB_CREATED)
        row = self._ledger.save(_with_job(row, created), "job_created")
        self._checkpoint(Step.JOB_SAVED)
        return row

    def _adopt_job(self, row: LedgerRow, found: tuple[JobStatus, ...]) -> LedgerRow:
        if len(found) > 1:
            ids = ", ".join(status.job_id for status in found)
            self._park(row, f"jobs {ids} match: cancel all but one there, then adopt that one")
        row = self._ledger.save(_with_job(row, found[0]), "job_adopted")
        self._checkpoint(Step.JOB_SAVED)
        return row

    def _park(self, row: LedgerRow, reason: str) -> NoReturn:
        self._ledger.save(replace(row, parked_reason=reason), "parked")
        raise AmbiguousJobError(reason)


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
    )


def _with_job(row: LedgerRow, status: JobStatus) -> LedgerRow:
    return replace(
        row,
        state=State.JOB_CREATED,
        job_id=status.job_id,
        training_file_id=row.training_file_id or status.training_file_id,
        validation_file_id=row.validation_file_id or status.validation_file_id,
        is_upload_in_doubt=False,
        parked_reason=None,
        outcome=status.state,
    )


def _file_id(row: LedgerRow, split: Split) -> str | None:
    return row.training_file_id if split == "train" else row.validation_file_id


def _with_file_id(row: LedgerRow, split: Split, file_id: str) -> LedgerRow:
    if split == "train":
        return replace(row, training_file_id=file_id)
    return replace(row, validation_file_id=file_id)


def _unfinished(key: str, ledger: Ledger) -> LedgerRow:
    row = ledger.get(key)
    if row is None or row.state not in _UNFINISHED:
        raise LedgerError("the ledger has no job of this key that waits: check the key")
    return row


def _no_crash(_step: Step) -> None:
    """Go on."""
