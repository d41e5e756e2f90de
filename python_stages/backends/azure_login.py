"""Who asks at Azure: a key, or tokens of Entra ID, fetched anew before the old one ends."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from python_stages.errors import BackendError, ConfigError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.identity import DefaultAzureCredential

# What the v1 API takes tokens for
# (https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle).
SCOPE: Final = "https://cognitiveservices.azure.com/.default"


def missing_extra(what: str) -> ConfigError:
    """Return the error that names the extra which brings the SDKs."""
    return ConfigError(f"{what} needs Azure's SDKs: pip install 'sealtune[azure]'")


def default_credential() -> "DefaultAzureCredential":
    """Return the credential of whoever is logged in: environment, managed identity, az login.

    Raises:
        ConfigError: the extra `azure` is not installed.
    """
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise missing_extra("Entra ID") from None
    return DefaultAzureCredential()


def token_provider(credential: "TokenCredential", scope: str = SCOPE) -> Callable[[], str]:
    """Return what gives a valid token whenever it is called.

    The SDK keeps a token until shortly before it ends; its errors quote tenants and requests, so
    that a sentence of ours takes their place.

    Raises:
        ConfigError: the extra `azure` is not installed.
    """
    try:
        from azure.identity import get_bearer_token_provider  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise missing_extra("Entra ID") from None
    fetch = get_bearer_token_provider(credential, scope)

    def token() -> str:
        try:
            return fetch()
        except Exception:  # noqa: BLE001 - each credential fails in its own way; none may be quoted
            failure = BackendError("entra id gave no token: run az login, or set auth: key")
        raise failure

    return token
