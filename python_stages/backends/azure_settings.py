"""What backend azure is told besides an address, in words of the settings."""

from dataclasses import dataclass
from typing import Final, Literal

from python_stages.errors import ConfigError

TrainingType = Literal["standard", "globalstandard", "developertier"]
Sku = Literal["developer", "standard", "globalstandard"]

_CHOICES: Final = {
    "auth": ("key", "entra"),
    "training_type": ("standard", "globalstandard", "developertier"),
    "deployment_sku": ("developer", "standard", "globalstandard"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSettings:
    """What backend azure needs besides an address.

    Args:
        auth: `key`, or `entra` for a token of whoever is logged in (extra `azure`).
        training_type: standard (in the resource's region), globalstandard or developertier (in any
            region, cheaper).
        blob_container: `https://ACCOUNT.blob.core.windows.net/CONTAINER` to import from; None sends
            files directly.
        subscription_id, resource_group, account: where the resource is, to deploy in and to read
            its region from.
        deployment: name of the deployment of the tuned model; None deploys nothing.
        deployment_sku: developer (a day, any region), standard or globalstandard.
        capacity: thousands of tokens a minute of the deployment.

    Raises:
        ConfigError: a value is none of those.
    """

    auth: Literal["key", "entra"] = "key"
    training_type: TrainingType = "standard"
    blob_container: str | None = None
    subscription_id: str | None = None
    resource_group: str | None = None
    account: str | None = None
    deployment: str | None = None
    deployment_sku: Sku = "standard"
    capacity: int = 1

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"azure: {name} must be one of {', '.join(choices)}")
        if type(self.capacity) is not int or self.capacity < 1:
            raise ConfigError("azure: capacity must be a whole number >= 1")
