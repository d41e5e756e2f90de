"""Where the tuned model of a job answers chats, and with whose key.

What the job's backend was is in the ledger (job_access.py); secrets come from the environment each
time. A model of Azure answers by the name of its deployment; the local server has another address
whenever it is started, and is started here where it does not run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_stages import settings
from python_stages.backends.addresses import is_loopback, normalised_url
from python_stages.jobs.access import Access
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.settings import JobSettings

if TYPE_CHECKING:
    from python_stages.backends.chat import ChatClient


@dataclass(frozen=True, slots=True)
class ChatPlace:
    """Where a model answers, and under which name.

    Args:
        base_url: address of the API.
        model: name that is called.
        api_key: the provider's key, or what gives a fresh one; shown nowhere.
    """

    base_url: str
    model: str
    api_key: str | Callable[[], str] | None = field(repr=False)

    @property
    def stays_here(self) -> bool:
        """Whether prompts stay on this machine."""
        return is_loopback(self.base_url)

    def opened(self, *, timeout_seconds: float = 120.0, n_retries: int = 5) -> "ChatClient":
        """Return a client, to be closed; see ChatClient for arguments and errors."""
        # importing the client takes a second, which help and refusals should not pay
        from python_stages.backends.chat import ChatClient  # noqa: PLC0415 - see above

        return ChatClient(
            self.base_url,
            api_key=self.api_key,
            timeout_seconds=timeout_seconds,
            n_retries=n_retries,
        )


def newest_tuned(jobs: Iterable[LedgerRow], dataset: str) -> LedgerRow | None:
    """Return the newest job of a dataset that has a tuned model.

    Args:
        jobs: rows of the ledger, oldest first.
        dataset: name of the dataset.
    """
    found = [
        row
        for row in jobs
        if row.dataset == dataset and row.outcome == "succeeded" and row.fine_tuned_model
    ]
    return found[-1] if found else None


def ran_at(row: LedgerRow, job: JobSettings) -> bool:
    """Say whether a job ran where the settings send jobs now."""
    then, now = Access.of_row(row), Access.of_settings(job)
    # a job that older versions recorded has the address that was used, though none was configured
    is_same_address = now.base_url is None or _url(then.base_url) == _url(now.base_url)
    is_same_region = then.data_residency == now.data_residency
    return row.backend == job.backend and is_same_address and is_same_region


def chat_place(row: LedgerRow) -> ChatPlace:
    """Return where the tuned model of a job answers.

    Raises:
        BackendError: the local server does not start.
        ConfigError: an extra is not installed.
        KeyFileError: the local server's token cannot be read.
        LedgerError: the row was written by another version of sealtune.
    """
    azure = Access.of_row(row).azure
    model = row.fine_tuned_model or ""
    if row.backend == "local":
        from python_stages.backends.local.launch import ensure_server  # noqa: PLC0415 - heavy
        from python_stages.backends.local.places import Places, read_token  # noqa: PLC0415 - local alone

        places = Places(settings.vault_folder(), settings.keys_folder())
        return ChatPlace(ensure_server(places).base_url, model, read_token(places))
    if row.backend == "azure" and azure.auth == "entra":
        from python_stages.backends.azure_login import (  # noqa: PLC0415 - extra `azure`
            default_credential,
            token_provider,
        )

        token = token_provider(default_credential())
        return ChatPlace(row.base_url, azure.deployment or model, token)
    name = azure.deployment or model if row.backend == "azure" else model
    return ChatPlace(row.base_url, name, settings.api_key(row.backend))


def _url(base_url: str | None) -> str | None:
    return None if base_url is None else normalised_url(base_url)
