"""Any provider that speaks the OpenAI API, through the unmodified `openai` client.

What leaves: the decrypted lines, streamed from memory, over https (plain http on this machine
only), to the configured address and nowhere else (redirects are not followed). What comes back into
errors and ledger: status codes, machine-readable codes and ids, never the provider's prose, which
may quote a line of the data or the key.

Creating is tried once: the client sends no idempotency key, so that a repeated POST could make a
second job. Reading, cancelling and deleting are retried with backoff. What is different at a host
is data (`quirks`), and so is what it demands (`rules`).
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import openai

from python_stages.backends.addresses import is_loopback, normalised_url
from python_stages.backends.answers import identifier, job_event, job_status
from python_stages.backends.asking import asked, is_missing
from python_stages.backends.base import (
    METADATA_KEY,
    BackendIdentity,
    Content,
    JobEvent,
    JobSpec,
    JobStatus,
    RemoteFile,
)
from python_stages.backends.file_rules import check_content
from python_stages.backends.host_rules import check_quirks, check_quota
from python_stages.backends.job_request import job_request
from python_stages.backends.preflight import Finding, Place, check_settings, describe, require
from python_stages.backends.quirks import Quirks, quirks_of
from python_stages.backends.remote_files import RemoteFiles, each_once
from python_stages.backends.rules import RulePack, load_pack
from python_stages.backends.waiting import Waiting
from python_stages.errors import BackendError, ConfigError

LIFETIME_SECONDS: Final = range(3_600, 2_592_000 + 1)

# At DEBUG the client logs bodies of requests, which may hold a signed address.
logging.getLogger("openai").setLevel(logging.WARNING)

_N_RETRIES: Final = 4
_MAX_EVENTS: Final = 50_000
_FILE_WAIT: Final = Waiting(seconds=900, every_seconds=5)


class CompatibleBackend:
    """A provider behind a base URL.

    Args:
        base_url: e.g. `https://host/v1`; plain http is refused except to this machine.
        api_key: the provider's key, or what returns a fresh token, handed in by the caller.
        expires_after_seconds: lifetime of uploads at the provider, one hour to 30 days; None sends
            no such wish.
        timeout_seconds: longest wait for a single read or write on the connection.
        name: the backend's name in job key and ledger.
        quirks: what is different there; None looks the host up.
        pack: what it demands; None for what every host demands.
        data_residency: region that the data may not leave, or None.
        file_wait: how long an upload may take to be processed, where a job has to wait for it.

    Raises:
        ConfigError: the address or the lifetime cannot be.
        BackendError: there is no key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | Callable[[], str] | None,
        expires_after_seconds: int | None = None,
        timeout_seconds: float = 120.0,
        name: str = "compatible",
        quirks: Quirks | None = None,
        pack: RulePack | None = None,
        data_residency: str | None = None,
        file_wait: Waiting = _FILE_WAIT,
    ) -> None:
        url = normalised_url(base_url)
        if not api_key:
            raise BackendError(
                f"the provider needs a key: set SEALTUNE_{name.upper()}_API_KEY or SEALTUNE_API_KEY"
            )
        if expires_after_seconds is not None and expires_after_seconds not in LIFETIME_SECONDS:
            raise ConfigError("expires_after_seconds must lie between 3600 and 2592000 (30 days)")
        self._identity = BackendIdentity(name, url)
        self._quirks = quirks or quirks_of(url)
        self._pack = pack or load_pack("compatible")
        self._data_residency = data_residency
        self._file_wait = file_wait
        self._client = openai.OpenAI(
            base_url=url,
            api_key=api_key,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(
                timeout=timeout_seconds,
                # A redirect could carry the rows to a host nobody configured.
                follow_redirects=False,
                # A proxy from the environment must not see what is meant for this machine.
                trust_env=not is_loopback(url),
            ),
        )
        self._patient = self._client.with_options(max_retries=_N_RETRIES)
        self._files = RemoteFiles(self._client, self._patient, self._quirks, expires_after_seconds)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def identity(self) -> BackendIdentity:
        """Which provider this is."""
        return self._identity

    def preflight(self, spec: JobSpec) -> str:
        """Refuse, before a byte is sent, a job that the provider would refuse.

        Returns:
            Every rule with its limit, what was found, its source and date; a line each.

        Raises:
            ConfigError: a rule of the provider, the budget, the region or the consent is against
                it.
            BackendError: the provider takes no jobs from this key.
        """
        found = self.check(spec)
        require(found, self._identity.name)
        return describe(found)

    def check(self, spec: JobSpec) -> tuple[Finding, ...]:
        """Return what was found about each rule: settings first, then the lines, then the account.

        Each of the three is looked at only where nothing before it was refused, so that the lines
        are decrypted and the provider is asked for a job that may be sent at all.
        """
        found: tuple[Finding, ...] = ()
        for look in (self._check_settings, self._check_content, self._check_account):
            found += look(spec)
            if not all(finding.passed for finding in found):
                break
        return found

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to the provider; only chunks of it are ever in memory."""
        return self._files.upload(name, content)

    def find_files(self, name: str) -> tuple[RemoteFile, ...]:
        """Return every file of this exact name."""
        return tuple(file for file in self._files.list() if file.name == name)

    def has_file(self, file_id: str) -> bool:
        """Say whether the provider still holds a file."""
        return self._files.has(file_id)

    def delete_file(self, file_id: str) -> None:
        """Delete a file; a file that is gone already is no error."""
        self._files.delete(file_id)

    def read_file(self, file_id: str) -> bytes:
        """Return the content of a result file, at most 64 MiB of it."""
        return self._files.read(file_id)

    def create(
        self, spec: JobSpec, key: str, *, training_file_id: str, validation_file_id: str | None
    ) -> JobStatus:
        """Create the job, with its key in the metadata."""
        wanted = self._request(spec, key) | {"training_file": training_file_id}
        if validation_file_id is not None and self._quirks.takes_validation:
            wanted["validation_file"] = validation_file_id
        if self._quirks.waits_for_file:
            for name in ("training_file", "validation_file"):
                if name in wanted:
                    self._files.await_processed(wanted[name], self._file_wait)
        job = asked(
            "creating the job",
            lambda: self._client.fine_tuning.jobs.create(**wanted),
            is_creating=True,
        )
        status = self._status(job)
        return status if self._quirks.keeps_metadata else replace(status, key=key)

    def find_jobs(self, key: str) -> tuple[JobStatus, ...]:
        """Return every job of this key, in whatever state.

        Filtered here as well, because a host that does not know the filter ignores it. Where jobs
        keep no metadata, a job is known by its training file, whose name ends in the key's start.
        """
        quirks = self._quirks
        wanted = (
            {METADATA_KEY: key}
            if quirks.keeps_metadata and quirks.filters_metadata
            else openai.omit
        )
        listed = asked(
            "listing jobs",
            lambda: list(
                each_once(self._patient.fine_tuning.jobs.list(metadata=wanted, limit=100))
            ),
        )
        jobs = tuple(map(self._status, listed))
        if quirks.keeps_metadata:
            return tuple(job for job in jobs if job.key == key)
        ours = {file.file_id for file in self._files.list() if f"-{key[:8]}." in file.name}
        return tuple(replace(job, key=key) for job in jobs if job.training_file_id in ours)

    def status(self, job_id: str) -> JobStatus:
        """Return a job as it stands now."""
        return self._status(
            asked("looking up the job", lambda: self._patient.fine_tuning.jobs.retrieve(job_id))
        )

    def cancel(self, job_id: str) -> JobStatus:
        """Cancel a job and return it; one that has ended already is returned as it is."""
        status = self.status(job_id)
        if status.state != "running":
            return status
        try:
            cancelled = asked(
                "cancelling the job", lambda: self._patient.fine_tuning.jobs.cancel(job_id)
            )
        except BackendError:
            # It may have ended between the two requests; then there is nothing left to cancel.
            status = self.status(job_id)
            if status.state == "running":
                raise
            return status
        return self._status(cancelled)

    def events(self, job_id: str, after: str | None = None) -> tuple[JobEvent, ...]:
        """Return what happened to a job, oldest first, behind the event of id `after`.

        The API's own cursor leads to older events; what is newer is above it in the list.
        """

        def read() -> list[JobEvent]:
            newer: list[JobEvent] = []
            listed = self._patient.fine_tuning.jobs.list_events(job_id, limit=100)
            for event in islice(each_once(listed), _MAX_EVENTS):
                if event.id == after and self._quirks.events_newest_first:
                    break
                if event.id == after:
                    newer.clear()
                else:
                    newer.append(job_event(event))
            return newer

        found = asked("listing events", read)
        return tuple(reversed(found) if self._quirks.events_newest_first else found)

    def checkpoints(self, job_id: str) -> tuple[tuple[str, int], ...]:
        """Return model name and step of a job's checkpoints; none where the host has no such."""
        try:
            listed = asked(
                "listing checkpoints",
                lambda: list(self._patient.fine_tuning.jobs.checkpoints.list(job_id, limit=100)),
            )
        except BackendError:
            return ()
        found = [(one.fine_tuned_model_checkpoint, one.step_number) for one in listed]
        return tuple(sorted(found, key=lambda one: one[1]))

    def result_files(self, job_id: str) -> tuple[str, ...]:
        """Return the ids of the files with a job's metrics; none while it runs."""
        return self.status(job_id).result_file_ids

    def delete_model(self, name: str) -> None:
        """Delete a tuned model; a model that is gone already is no error.

        Raises:
            BackendError: this host deletes no models by its API.
        """
        if not self._quirks.deletes_models:
            raise BackendError("this host deletes no models by its API: delete it in its console")
        is_missing("deleting a model", lambda: self._patient.models.delete(identifier(name)))

    def has_model(self, name: str) -> bool:
        """Say whether the provider still holds a model."""
        return not is_missing(
            "looking up a model", lambda: self._patient.models.retrieve(identifier(name))
        )

    def what_stays(self) -> str:
        """Say what the provider keeps after everything was deleted, with source and date."""
        return self._pack.what_stays

    def _place(self) -> Place:
        """Say where the data would go, as far as that can be known without asking."""
        url = self._identity.base_url
        return Place(
            backend=self._identity.name,
            is_this_machine=is_loopback(url),
            wanted_region=self._data_residency,
            regions=self._quirks.residency,
        )

    def _check_settings(self, spec: JobSpec) -> tuple[Finding, ...]:
        found = check_settings(spec, self._pack, self._place())
        return found + check_quirks(spec, self._quirks)

    def _check_content(self, spec: JobSpec) -> tuple[Finding, ...]:
        return check_content(spec, self._pack)

    def _check_account(self, spec: JobSpec) -> tuple[Finding, ...]:
        """Ask whether the key is taken, and where the provider has quotas, what is left of them."""
        asked(
            "reaching the fine-tuning service",
            lambda: self._patient.fine_tuning.jobs.list(limit=1).data,
        )
        if not self._pack.counts_files:
            return ()
        return check_quota(spec, self._pack, self._files.list())

    def _request(self, spec: JobSpec, key: str) -> dict[str, Any]:
        """Return the body of the request for a job, less its files."""
        return job_request(spec, key, self._quirks, self._extra(spec))

    def _extra(self, spec: JobSpec) -> dict[str, Any]:
        """Return what this provider takes beyond the API that the client knows."""
        del spec  # every provider takes another part of it
        return {}

    def _status(self, job: Any) -> JobStatus:
        return job_status(job, self._quirks.phases)
