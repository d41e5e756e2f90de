"""Places that train: one protocol, and a way to open the one that is configured."""

from collections.abc import Iterator
from contextlib import contextmanager

from python_stages.backends.base import Backend
from python_stages.backends.plan import PlanBackend
from python_stages.errors import ConfigError


@contextmanager
def open_backend(
    name: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    expires_after_seconds: int | None = None,
) -> Iterator[Backend | PlanBackend]:
    """Open a backend by name and close it at the end.

    Args:
        name: `plan` or `compatible`.
        base_url: address of the provider's API, e.g. `https://host/v1`; not used by `plan`.
        api_key: the provider's key, from `settings.api_key()`; not used by `plan`.
        expires_after_seconds: lifetime of uploaded files at the provider (1 hour to 30 days), or
            None where the provider knows no such thing.

    Raises:
        ConfigError: the name is unknown, or an option cannot be.
        BackendError: a key is needed and missing.
    """
    if name == "plan":
        yield PlanBackend()
        return
    if name != "compatible":
        raise ConfigError("this backend is unknown: use plan or compatible")
    if not base_url:
        raise ConfigError("backend compatible needs an address: set base_url")
    # Importing the client takes over a second, which a build that only plans should not pay.
    from python_stages.backends.compatible import CompatibleBackend  # noqa: PLC0415 - see above

    backend = CompatibleBackend(
        base_url, api_key=api_key, expires_after_seconds=expires_after_seconds
    )
    try:
        yield backend
    finally:
        backend.close()
