"""What every backend is asked to do.

A backend is a place that trains. `plan` only computes what would be sent; everything else speaks
the OpenAI API for files and fine-tuning jobs. The values that pass here are in `values`.
"""

from typing import Protocol

from python_stages.backends.addresses import is_loopback, normalised_url
from python_stages.backends.values import (
    METADATA_KEY,
    BackendIdentity,
    Content,
    Estimate,
    HyperparameterValue,
    JobEvent,
    JobSpec,
    JobState,
    JobStatus,
    Method,
    RemoteFile,
    Split,
    estimate,
    job_key,
)
from python_stages.errors import BackendError

__all__ = [
    "METADATA_KEY",
    "Backend",
    "BackendIdentity",
    "Content",
    "Estimate",
    "HyperparameterValue",
    "JobEvent",
    "JobSpec",
    "JobState",
    "JobStatus",
    "Method",
    "RemoteFile",
    "Split",
    "UnknownOutcomeError",
    "estimate",
    "is_loopback",
    "job_key",
    "normalised_url",
]


class UnknownOutcomeError(BackendError):
    """A request that creates something got no answer; it may or may not have taken effect."""


class Backend(Protocol):
    """A provider that files and jobs are sent to.

    Every method raises BackendError with a sentence when the provider refuses. `upload` and
    `create` are tried once and raise UnknownOutcomeError when they may have taken effect;
    everything else is safe to repeat and is retried.
    """

    @property
    def identity(self) -> BackendIdentity:
        """Which provider this is."""

    def preflight(self, spec: JobSpec) -> str:
        """Refuse, before a byte is sent, a job that the provider would refuse.

        Returns the rules that were looked at and what was found, as a table for people.
        """

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to the provider."""

    def find_files(self, name: str) -> tuple[RemoteFile, ...]:
        """Return every file of this exact name."""

    def has_file(self, file_id: str) -> bool:
        """Say whether the provider still holds a file."""

    def delete_file(self, file_id: str) -> None:
        """Delete a file; a file that is gone already is no error."""

    def create(
        self, spec: JobSpec, key: str, *, training_file_id: str, validation_file_id: str | None
    ) -> JobStatus:
        """Create the job, with its key in the metadata."""

    def find_jobs(self, key: str) -> tuple[JobStatus, ...]:
        """Return every job whose metadata holds the key, in whatever state."""

    def status(self, job_id: str) -> JobStatus:
        """Return a job as it stands now."""

    def cancel(self, job_id: str) -> JobStatus:
        """Cancel a job and return it; one that has ended already is returned as it is."""

    def events(self, job_id: str, after: str | None = None) -> tuple[JobEvent, ...]:
        """Return what happened to a job, oldest first, behind the event of id `after`."""

    def result_files(self, job_id: str) -> tuple[str, ...]:
        """Return the ids of the files with a job's metrics; none while it runs."""

    def read_file(self, file_id: str) -> bytes:
        """Return the content of a result file, at most 64 MiB of it."""

    def delete_model(self, name: str) -> None:
        """Delete a tuned model; a model that is gone already is no error."""

    def has_model(self, name: str) -> bool:
        """Say whether the provider still holds a model."""

    def what_stays(self) -> str:
        """Say what the provider keeps after everything was deleted, with source and date."""
