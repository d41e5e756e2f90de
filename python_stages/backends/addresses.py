"""Addresses of providers: one spelling each, https unless it is this machine, no credentials."""

from typing import Final
from urllib.parse import urlsplit

from python_stages.errors import ConfigError

_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def normalised_url(base_url: str, *, setting: str = "base_url") -> str:
    """Return a base URL in the one spelling that the job key uses.

    Args:
        base_url: the address.
        setting: where it stands, for the sentence of an error.

    Raises:
        ConfigError: no http(s) URL, plain http to another machine, or a URL that holds credentials
            (it is written into the ledger).
    """
    try:
        parts = urlsplit(base_url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"{setting} is no http(s) address: give one like https://host/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"{setting} holds credentials, a query or a fragment: leave the bare address and put "
            "the key into the environment, see settings.py"
        )
    if parts.scheme == "http" and host not in _LOOPBACK_HOSTS:
        raise ConfigError(f"{setting} is plain http to another machine: use https")
    shown_host = f"[{host}]" if ":" in host else host
    is_default_port = port in {None, 443 if parts.scheme == "https" else 80}
    address = shown_host if is_default_port else f"{shown_host}:{port}"
    return f"{parts.scheme}://{address}{parts.path.rstrip('/')}"


def is_loopback(base_url: str) -> bool:
    """Say whether a base URL stays on this machine."""
    return (urlsplit(base_url).hostname or "").lower() in _LOOPBACK_HOSTS


def host_of(base_url: str) -> str:
    """Return the host of a base URL in lower case, without its port."""
    return (urlsplit(base_url).hostname or "").lower()
