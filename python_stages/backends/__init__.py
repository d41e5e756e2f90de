"""Places that train: one protocol, and a way to open the one that is configured.

    base.py, values.py     what a backend is asked, and the values that pass
    plan.py                tokens, cost and files; nothing is sent
    compatible.py          any host that speaks the OpenAI API
    openai_api.py          OpenAI's own: regions, parts (parts.py), last days
    azure.py               Azure OpenAI: Blob storage (azure_blob.py), deployments (azure_deploy.py)
    local/                 a server on this machine that really trains
    preflight.py           what is found out before a byte leaves: in the settings
    file_rules.py          … in the lines; host_rules.py: … at the host
    rules/                 what providers demand and how hosts differ, as data; rules.py, quirks.py
    asking.py, answers.py  requests that end in a sentence, answers without prose
    upload.py, remote_files.py, job_request.py   streams up, files there, the request for a job
    addresses.py, settling.py, waiting.py

Importing this loads no client and no cloud SDK; opening a backend loads those of that one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from python_stages import settings
from python_stages.backends.azure_settings import AzureSettings
from python_stages.backends.base import Backend
from python_stages.backends.plan import PlanBackend
from python_stages.errors import ConfigError

if TYPE_CHECKING:
    from python_stages.backends.compatible import CompatibleBackend


@contextmanager
def open_backend(
    name: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    expires_after_seconds: int | None = None,
    data_residency: str | None = None,
    quirks: str | None = None,
    azure: AzureSettings | None = None,
) -> Iterator[Backend | PlanBackend]:
    """Open a backend by name and close it at the end.

    Args:
        name: `plan`, `local`, `compatible`, `openai` or `azure`.
        base_url: address of the provider's API; not needed by `plan`, `local` and `openai`.
        api_key: the provider's key; None for the environment's.
        expires_after_seconds: lifetime of uploaded files at the provider (1 hour to 30 days), or
            None where the provider knows no such thing.
        data_residency: region that the data may not leave, or None.
        quirks: name of an entry of rules/hosts.yml, or None to go by the host.
        azure: what `azure` needs besides.

    Raises:
        ConfigError: the name is unknown, or an option cannot be.
        BackendError: a key is needed and missing.
    """
    if name == "plan":
        yield PlanBackend()
        return
    if name == "local":
        backend = _local(expires_after_seconds)
    elif name == "openai":
        backend = _openai(base_url, api_key, expires_after_seconds, data_residency)
    elif name == "compatible":
        backend = _compatible(base_url, api_key, expires_after_seconds, data_residency, quirks)
    elif name == "azure":
        backend = _azure(base_url, api_key, data_residency, azure or AzureSettings())
    else:
        raise ConfigError("this backend is unknown: use plan, local, compatible, openai or azure")
    try:
        yield backend
    finally:
        backend.close()


# Importing the client takes over a second, which a build that only plans should not pay; Azure's
# SDKs may not be there at all. So each backend is imported where it is opened.


def _local(expires_after_seconds: int | None) -> "CompatibleBackend":
    from python_stages.backends.local.backend import LocalBackend  # noqa: PLC0415 - see above
    from python_stages.backends.local.places import Places  # noqa: PLC0415 - see above

    places = Places(settings.vault_folder(), settings.keys_folder())
    return LocalBackend(places, expires_after_seconds=expires_after_seconds)


def _openai(
    base_url: str | None,
    api_key: str | None,
    expires_after_seconds: int | None,
    data_residency: str | None,
) -> "CompatibleBackend":
    from python_stages.backends.openai_api import OpenAIBackend  # noqa: PLC0415 - see above

    return OpenAIBackend(
        api_key=api_key or settings.api_key("openai"),
        base_url=base_url,
        data_residency=data_residency,
        expires_after_seconds=expires_after_seconds,
    )


def _compatible(
    base_url: str | None,
    api_key: str | None,
    expires_after_seconds: int | None,
    data_residency: str | None,
    quirks: str | None,
) -> "CompatibleBackend":
    if not base_url:
        raise ConfigError("backend compatible needs an address: set base_url")
    from python_stages.backends.compatible import CompatibleBackend  # noqa: PLC0415 - see above
    from python_stages.backends.quirks import quirks_of  # noqa: PLC0415 - see above

    return CompatibleBackend(
        base_url,
        api_key=api_key or settings.api_key("compatible"),
        expires_after_seconds=expires_after_seconds,
        quirks=quirks_of(base_url, quirks),
        data_residency=data_residency,
    )


def _azure(
    base_url: str | None, api_key: str | None, data_residency: str | None, wanted: AzureSettings
) -> "CompatibleBackend":
    if not base_url:
        raise ConfigError("backend azure needs an address: base_url: https://NAME.openai.azure.com")
    from python_stages.backends.azure import open_azure  # noqa: PLC0415 - see above

    return open_azure(base_url, api_key or settings.api_key("azure"), data_residency, wanted)
