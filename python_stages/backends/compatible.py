"""Any provider that speaks the OpenAI API, through the unmodified `openai` client.

What leaves: the decrypted lines, streamed from memory, over https (plain http on this machine
only), to the configured address and nowhere else (redirects are not followed). What comes back into
errors and ledger: status codes, machine-readable codes and ids, never the provider's prose, which
may quote a line of the data or the key.

Creating is tried once: the client sends no idempotency key, so that a repeated POST could make a
second job. Reading and deleting are retried with backoff.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

import openai
from openai.types.file_create_params import ExpiresAfter

from python_stages.backends.base import (
    METADATA_KEY,
    BackendIdentity,
    Content,
    JobSpec,
    JobState,
    JobStatus,
    RemoteFile,
    UnknownOutcomeError,
    is_loopback,
    normalised_url,
)
from python_stages.backends.upload import UploadStream
from python_stages.errors import BackendError, ConfigError

if TYPE_CHECKING:
    from openai.types.fine_tuning import SupervisedHyperparametersParam

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
MAX_SUFFIX_CHARACTERS: Final = 64
LIFETIME_SECONDS: Final = range(3_600, 2_592_000 + 1)

_HYPERPARAMETERS: Final = frozenset({"n_epochs", "batch_size", "learning_rate_multiplier"})
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,255}")
_ERROR_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_IN_DOUBT_STATUSES: Final = frozenset({408, 409})
_MEDIA_TYPE: Final = "application/jsonl"
_N_RETRIES: Final = 4
_ENDS: Final[dict[str, JobState]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
_HINTS: Final = {
    400: "check base_model, hyperparameters and suffix against what the provider offers",
    401: "check SEALTUNE_API_KEY",
    403: (
        "this key may not fine-tune there (OpenAI's own fine-tuning is winding down). Set base_url "
        "to another OpenAI-compatible host, such as an own server or Azure, or set backend to plan"
    ),
    404: "check base_url (it usually ends in /v1) and whether this host offers fine-tuning",
    413: "the file is too large for this host: lower the sample size",
    429: "rate limit or quota reached: check the account's billing, then build again later",
}

_Item = TypeVar("_Item", bound=openai.BaseModel)
_Answer = TypeVar("_Answer")


class CompatibleBackend:
    """A provider behind a base URL.

    Args:
        base_url: e.g. `https://host/v1`; plain http is refused except to this machine.
        api_key: the provider's key, handed in by the caller.
        expires_after_seconds: lifetime of uploads at the provider, one hour to 30 days; None sends
            no such wish, for hosts that do not know it.
        timeout_seconds: longest wait for a single read or write on the connection.

    Raises:
        ConfigError: the address or the lifetime cannot be.
        BackendError: there is no key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        expires_after_seconds: int | None = None,
        timeout_seconds: float = 120.0,
    ) -> None:
        url = normalised_url(base_url)
        if not api_key:
            raise BackendError("the provider needs a key: set SEALTUNE_API_KEY")
        if expires_after_seconds is not None and expires_after_seconds not in LIFETIME_SECONDS:
            raise ConfigError("expires_after_seconds must lie between 3600 and 2592000 (30 days)")
        self._identity = BackendIdentity("compatible", url)
        self._expires_after_seconds = expires_after_seconds
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

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def identity(self) -> BackendIdentity:
        """Which provider this is."""
        return self._identity

    def preflight(self, spec: JobSpec) -> None:
        """Refuse, before a byte is sent, a job that the provider would refuse."""
        unknown = sorted(set(spec.hyperparameters) - _HYPERPARAMETERS)
        if unknown:
            raise ConfigError(f"backend compatible has no hyperparameter {unknown[0]}: remove it")
        if spec.suffix is not None and len(spec.suffix) > MAX_SUFFIX_CHARACTERS:
            raise ConfigError(f"suffix is longer than {MAX_SUFFIX_CHARACTERS} characters")
        if any(content.n_bytes > MAX_FILE_BYTES for _, content in spec.splits):
            raise ConfigError("a split is larger than 512 MiB: lower the sample size")
        _asked(
            "reaching the fine-tuning service",
            lambda: self._patient.fine_tuning.jobs.list(limit=1).data,
        )

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to the provider; only chunks of it are ever in memory."""
        lifetime = self._expires_after_seconds
        expires_after = (
            openai.omit if lifetime is None else ExpiresAfter(anchor="created_at", seconds=lifetime)
        )
        with content.open() as chunks:
            # The client reads any binary stream; its annotation asks for an opened file.
            stream = cast("BinaryIO", UploadStream(chunks, content.n_bytes))
            file = _asked(
                "uploading a file",
                lambda: self._client.files.create(
                    file=(name, stream, _MEDIA_TYPE),
                    purpose="fine-tune",
                    expires_after=expires_after,
                ),
                is_creating=True,
            )
        return _remote_file(file)

    def find_files(self, name: str) -> tuple[RemoteFile, ...]:
        """Return every file of this exact name (the API can filter by purpose only)."""
        listed = _asked(
            "listing files",
            lambda: _each_once(self._patient.files.list(purpose="fine-tune")),
        )
        return tuple(file for file in map(_remote_file, listed) if file.name == name)

    def has_file(self, file_id: str) -> bool:
        """Say whether the provider still holds a file."""
        return not _is_missing("looking up a file", lambda: self._patient.files.retrieve(file_id))

    def delete_file(self, file_id: str) -> None:
        """Delete a file; a file that is gone already is no error."""
        _is_missing("deleting a file", lambda: self._patient.files.delete(file_id))

    def create(
        self, spec: JobSpec, key: str, *, training_file_id: str, validation_file_id: str | None
    ) -> JobStatus:
        """Create the job, with its key in the metadata."""
        job = _asked(
            "creating the job",
            lambda: self._client.fine_tuning.jobs.create(
                model=spec.base_model,
                training_file=training_file_id,
                validation_file=validation_file_id or openai.omit,
                seed=spec.seed,
                suffix=spec.suffix or openai.omit,
                method={
                    "type": "supervised",
                    "supervised": {
                        # preflight let no other name through than the three the API has.
                        "hyperparameters": cast(
                            "SupervisedHyperparametersParam", dict(spec.hyperparameters)
                        )
                    },
                },
                metadata={
                    METADATA_KEY: key,
                    "sealtune_dataset": spec.dataset,
                    "sealtune_fingerprint": spec.dataset_fingerprint,
                },
            ),
            is_creating=True,
        )
        return _job_status(job)

    def find_jobs(self, key: str) -> tuple[JobStatus, ...]:
        """Return every job whose metadata holds the key, in whatever state.

        Filtered here as well, because a host that does not know the filter ignores it.
        """
        wanted = {METADATA_KEY: key}
        listed = _asked(
            "listing jobs",
            lambda: _each_once(self._patient.fine_tuning.jobs.list(metadata=wanted, limit=100)),
        )
        return tuple(status for status in map(_job_status, listed) if status.key == key)

    def status(self, job_id: str) -> JobStatus:
        """Return a job as it stands now."""
        job = _asked("looking up the job", lambda: self._patient.fine_tuning.jobs.retrieve(job_id))
        return _job_status(job)


def _each_once(items: Iterable[_Item]) -> list[_Item]:
    """Return the items of a paged list, up to where a host that ignores the cursor repeats it."""
    by_id: dict[str, _Item] = {}
    for item in items:
        item_id = str(getattr(item, "id", ""))
        if item_id in by_id:
            break
        by_id[item_id] = item
    return list(by_id.values())


def _remote_file(file: Any) -> RemoteFile:
    """Read a file; a host that is only nearly compatible may leave out its size."""
    file_id = _identifier(getattr(file, "id", None))
    return RemoteFile(file_id, str(file.filename), file.bytes)


def _job_status(job: Any) -> JobStatus:
    """Read a job; a host that is only nearly compatible may leave out anything but the id."""
    job_id = _identifier(getattr(job, "id", None))
    return JobStatus(
        job_id=job_id,
        state=_ENDS.get(job.status, "running"),
        key=(job.metadata or {}).get(METADATA_KEY),
        training_file_id=_identifier(job.training_file) if job.training_file else None,
        validation_file_id=_identifier(job.validation_file) if job.validation_file else None,
        fine_tuned_model=_identifier(job.fine_tuned_model) if job.fine_tuned_model else None,
        n_trained_tokens=job.trained_tokens,
        error_code=_error_code(job.error.code) if job.error else None,
    )


def _identifier(value: object) -> str:
    """Return an id or model name, refusing what could be anything else: it goes into the ledger."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise UnknownOutcomeError("the provider answered without a proper id: check base_url")
    return value


def _error_code(value: object) -> str | None:
    """Return a machine-readable code; prose in its place is dropped, it may quote anything."""
    return value if isinstance(value, str) and _ERROR_CODE.fullmatch(value) else None


def _is_missing(action: str, request: Callable[[], object]) -> bool:
    """Make a request about one thing and say whether the provider does not know it."""
    try:
        _asked(action, request)
    except _NotFoundError:
        return True
    return False


class _NotFoundError(BackendError):
    """The provider knows no such thing."""


def _asked(action: str, request: Callable[[], _Answer], *, is_creating: bool = False) -> _Answer:
    """Make a request; turn what the client raises into a sentence without request, key or prose.

    The sentence is raised outside the handler, so that no traceback and no collector of errors can
    follow it to the client's error, which holds the headers and the answer's body.
    """
    try:
        return request()
    except (openai.OpenAIError, json.JSONDecodeError, AttributeError) as error:
        # AttributeError: an answer that is no JSON object reaches us as plain text.
        failure = _failure(action, error, is_creating=is_creating)
    raise failure


def _failure(action: str, error: Exception, *, is_creating: bool) -> BackendError:
    if not isinstance(error, openai.APIStatusError):
        is_silent = isinstance(error, openai.APIConnectionError)
        what = "the provider did not answer" if is_silent else "the provider answered nonsense"
        kind = UnknownOutcomeError if is_creating else BackendError
        return kind(f"{action}: {what}; check base_url and the network, then build again")
    status = error.status_code
    code = _error_code(error.code)
    shown = f"status {status}" if code is None else f"status {status}, {code}"
    fallback = (
        "base_url redirects: set the final address"
        if status < 400  # noqa: PLR2004 - the HTTP boundary between redirects and refusals
        else "the provider has trouble: build again later"
    )
    text = f"{action}: the provider refused ({shown}); {_HINTS.get(status, fallback)}"
    if status == 404:  # noqa: PLR2004 - RFC 9110, not found
        return _NotFoundError(text)
    if is_creating and (status in _IN_DOUBT_STATUSES or status >= 500):  # noqa: PLR2004 - RFC 9110
        return UnknownOutcomeError(text)
    return BackendError(text)
