"""Deployments of tuned models in Azure: made, waited for until they answer, deleted.

Azure bills a deployment by the hour while it stands (https://learn.microsoft.com/en-us/azure/
ai-foundry/openai/how-to/fine-tuning-deploy, read November 2026). The developer tier costs no
hosting, promises no region and is deleted by Azure after 24 hours.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from python_stages.backends.azure_login import missing_extra
from python_stages.backends.azure_settings import Sku
from python_stages.backends.waiting import Waiting
from python_stages.errors import BackendError, SealtuneError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_SKU_NAMES: Final = {
    "developer": "DeveloperTier",
    "standard": "Standard",
    "globalstandard": "GlobalStandard",
}
_NOT_FOUND: Final = 404
_MODEL_FORMAT: Final = "OpenAI"
_MODEL_VERSION: Final = "1"  # a tuned model has no other


class AzureDeployments:
    """The deployments of one Azure OpenAI resource, through the management API.

    Args:
        subscription_id, resource_group, account: where the resource is.
        credential: Entra ID; the management API takes no keys.
        base_url: address of the management API; None for Azure's.
        poll_seconds: pause between two questions about an operation that runs.
        client_options: further options of the SDK's client, such as `connection_verify`.

    Raises:
        ConfigError: the extra `azure` is not installed.
    """

    def __init__(
        self,
        *,
        subscription_id: str,
        resource_group: str,
        account: str,
        credential: "TokenCredential",
        base_url: str | None = None,
        poll_seconds: float = 10.0,
        **client_options: Any,
    ) -> None:
        try:
            from azure.mgmt.cognitiveservices import (  # noqa: PLC0415 - an optional extra
                CognitiveServicesManagementClient,
            )
        except ImportError:
            raise missing_extra("a deployment") from None
        self._resource = (resource_group, account)
        self._poll_seconds = poll_seconds
        if base_url is not None:
            client_options["credential_scopes"] = [f"{base_url}/.default"]
        self._client = CognitiveServicesManagementClient(
            credential, subscription_id, base_url, **client_options
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def location(self) -> str:
        """Return the Azure region of the resource, e.g. `swedencentral`."""
        found = _asked(
            "looking up the resource", lambda: self._client.accounts.get(*self._resource)
        )
        return str(found.location or "").replace(" ", "").lower()

    def deploy(self, name: str, model: str, *, sku: Sku, capacity: int) -> None:
        """Deploy a tuned model and wait until Azure calls it done; repeating it changes nothing.

        Args:
            name: name of the deployment, by which the model is asked.
            model: name of the tuned model.
            sku: developer, standard or globalstandard.
            capacity: thousands of tokens a minute.
        """
        from azure.mgmt.cognitiveservices.models import (  # noqa: PLC0415 - an optional extra
            Deployment,
            DeploymentModel,
            DeploymentProperties,
        )
        from azure.mgmt.cognitiveservices.models import Sku as ArmSku  # noqa: PLC0415 - the same

        wanted = Deployment(
            sku=ArmSku(name=_SKU_NAMES[sku], capacity=capacity),
            properties=DeploymentProperties(
                model=DeploymentModel(format=_MODEL_FORMAT, name=model, version=_MODEL_VERSION)
            ),
        )
        done = _asked(
            "deploying the model",
            lambda: self._client.deployments.begin_create_or_update(
                *self._resource, name, wanted, polling_interval=self._poll_seconds
            ).result(),
        )
        state = str(done.properties.provisioning_state) if done.properties else ""
        if state != "Succeeded":
            raise BackendError("deploying the model: azure did not finish; see it in the portal")

    def has(self, name: str) -> bool:
        """Say whether there is a deployment of this name."""
        try:
            _asked(
                "looking up the deployment",
                lambda: self._client.deployments.get(*self._resource, name),
            )
        except _GoneError:
            return False
        return True

    def delete(self, name: str) -> None:
        """Delete a deployment and wait for it; one that is gone already is no error."""
        try:
            _asked(
                "deleting the deployment",
                lambda: self._client.deployments.begin_delete(
                    *self._resource, name, polling_interval=self._poll_seconds
                ).result(),
            )
        except _GoneError:
            return


def await_answer(ask: Callable[[], bool], waiting: Waiting) -> None:
    """Wait until a deployment really answers: done is what Azure says before it does.

    Args:
        ask: asks the deployment something and says whether it answered.
        waiting: how long, and how often.

    Raises:
        BackendError: it does not answer in time.
    """
    if not waiting.until(ask):
        raise BackendError("the deployment does not answer yet: ask it again later")


class _GoneError(BackendError):
    """Azure knows no such thing."""


def _asked(action: str, request: Callable[[], Any]) -> Any:
    """Make a request; of what the SDK raises nothing is quoted but status and code."""
    try:
        return request()
    except SealtuneError:
        raise
    except Exception as error:  # noqa: BLE001 - azure.core's errors, and whatever a transport raises
        status = getattr(error, "status_code", None)
        shown = f"status {status}" if isinstance(status, int) else "no answer"
        kind = _GoneError if status == _NOT_FOUND else BackendError
        failure = kind(
            f"{action}: azure refused ({shown}); check subscription_id, resource_group, account, "
            "the role of who is logged in, and the quota of the region"
        )
    raise failure
