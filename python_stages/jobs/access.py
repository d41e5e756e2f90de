"""How a job's provider is reached: from the settings of a build, and from the ledger ever after.

The ledger keeps beside the address what else it takes to open the same backend again, so that a job
can be watched, ended and cleaned up when nothing is configured for it any more. Secrets are no part
of it: they come from the environment each time.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

from python_stages.backends import open_backend
from python_stages.backends.azure_settings import AzureSettings
from python_stages.backends.base import Backend
from python_stages.backends.plan import PlanBackend
from python_stages.errors import LedgerError
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.settings import JobSettings


@dataclass(frozen=True, slots=True)
class Access:
    """What opens a backend, besides its name and a secret.

    Args:
        base_url: address of the API as it was configured, or None.
        data_residency: region that the data may not leave, or None.
        quirks: entry of rules/hosts.yml, or None to go by the host.
        azure: what backend azure needs besides.
    """

    base_url: str | None = None
    data_residency: str | None = None
    quirks: str | None = None
    azure: AzureSettings = field(default_factory=AzureSettings)

    @classmethod
    def of_settings(cls, job: JobSettings) -> "Access":
        """Return what a build was configured with."""
        # what may stand behind the address of a container is a signature, which is a secret
        container = (job.azure.blob_container or "").partition("?")[0] or None
        azure = replace(job.azure, blob_container=container)
        return cls(job.base_url, job.data_residency, job.quirks, azure)

    @classmethod
    def of_row(cls, row: LedgerRow) -> "Access":
        """Return what the ledger says; of a job of version 1 that is the address alone.

        Raises:
            LedgerError: it was written by another version of sealtune.
        """
        try:
            known = {"base_url": row.base_url or None} | json.loads(row.access)
            return cls(**known | {"azure": AzureSettings(**known.get("azure", {}))})
        except (TypeError, ValueError):
            raise LedgerError(
                "the ledger says of this job what this sealtune does not know: upgrade it"
            ) from None

    def to_json(self) -> str:
        """Return it as the ledger keeps it."""
        return json.dumps(asdict(self), sort_keys=True)

    @contextmanager
    def opened(
        self, backend: str, *, expires_after_seconds: int | None = None
    ) -> Iterator[Backend | PlanBackend]:
        """Open the backend of this name."""
        with open_backend(
            backend,
            base_url=self.base_url,
            data_residency=self.data_residency,
            quirks=self.quirks,
            azure=self.azure,
            expires_after_seconds=expires_after_seconds,
        ) as opened:
            yield opened


@contextmanager
def provider_of(row: LedgerRow) -> Iterator[Backend]:
    """Open the provider that a job is at.

    Raises:
        LedgerError: the job was only planned.
    """
    with Access.of_row(row).opened(row.backend) as backend:
        if isinstance(backend, PlanBackend):
            raise LedgerError("this job was only planned: nothing of it has left this machine")
        yield backend
