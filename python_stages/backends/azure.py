"""Azure OpenAI: the v1 API with the plain client, files by way of Blob storage, deployments.

The v1 API takes no api-version and the same requests as OpenAI's; what Azure adds goes into
`extra_body` (https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle, read
November 2026). A tuned model answers only where it is deployed: by the deployment's name.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

import openai
from openai.types import FileObject

from python_stages import settings
from python_stages.backends.addresses import host_of, is_loopback, normalised_url
from python_stages.backends.answers import remote_file
from python_stages.backends.asking import NotFoundError, asked
from python_stages.backends.azure_blob import BlobContainer
from python_stages.backends.azure_deploy import AzureDeployments, await_answer
from python_stages.backends.azure_login import default_credential, token_provider
from python_stages.backends.azure_settings import AzureSettings, Sku, TrainingType
from python_stages.backends.base import Content, JobSpec, RemoteFile
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.preflight import Place
from python_stages.backends.quirks import quirks_of
from python_stages.backends.rules import load_pack
from python_stages.backends.waiting import Waiting
from python_stages.errors import BackendError, ConfigError

_TRAINING_TYPES: Final = {
    "standard": "Standard",
    "globalstandard": "GlobalStandard",
    "developertier": "DeveloperTier",
}
_HOSTS: Final = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
_V1_PATH: Final = "/openai/v1"
_FILE_WAIT: Final = Waiting(seconds=1_800, every_seconds=10)
_ANSWER_WAIT: Final = Waiting(seconds=1_800, every_seconds=15)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait at Azure.

    Args:
        file: for an upload to be processed.
        answer: for a deployment to answer.
    """

    file: Waiting = _FILE_WAIT
    answer: Waiting = _ANSWER_WAIT


class Closeable(Protocol):
    """What holds connections."""

    def close(self) -> None:
        """Close them."""


class AzureBackend(CompatibleBackend):
    """Fine-tuning in an Azure OpenAI resource.

    Args:
        base_url: `https://RESOURCE.openai.azure.com`, with or without `/openai/v1`.
        api_key: a key of the resource, or None to ask as `credential`.
        credential: Entra ID; its tokens are fetched anew before they end.
        training_type: standard trains in the resource's region; globalstandard and developertier
            train in any region, for less.
        container: where files go through, or None to send them directly.
        deployments: the resource in the management API, or None to do without.
        data_residency: region that the data may not leave, or None.
        expires_after_seconds: not known to Azure, which keeps files until they are deleted.
        waits: how long to wait for files and answers.
        timeout_seconds: longest wait for a single read or write on the connection.
        today: the day to hold shutdown dates against; None for today, UTC.
        owned: what is closed with the backend, such as a credential that was made for it.

    Raises:
        ConfigError: this is no address of an Azure OpenAI resource.
        BackendError: there is neither key nor credential.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        credential: Any = None,
        training_type: TrainingType = "standard",
        container: BlobContainer | None = None,
        deployments: AzureDeployments | None = None,
        data_residency: str | None = None,
        expires_after_seconds: int | None = None,
        waits: Waits | None = None,
        timeout_seconds: float = 120.0,
        today: date | None = None,
        owned: tuple[Closeable, ...] = (),
    ) -> None:
        if training_type not in _TRAINING_TYPES:
            raise ConfigError(f"training_type must be one of {', '.join(_TRAINING_TYPES)}")
        self._waits = waits or Waits()
        super().__init__(
            _v1_url(base_url),
            api_key=token_provider(credential) if credential is not None else api_key,
            expires_after_seconds=expires_after_seconds,
            timeout_seconds=timeout_seconds,
            name="azure",
            quirks=quirks_of(base_url, "azure"),
            pack=load_pack("azure"),
            data_residency=data_residency,
            file_wait=self._waits.file,
        )
        self._training_type = training_type
        self._container = container
        self._deployments = deployments
        self._today = today
        self._owned = owned

    def close(self) -> None:
        """Close the connections."""
        super().close()
        if self._deployments is not None:
            self._deployments.close()
        for thing in self._owned:
            thing.close()

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to Azure: directly, or through the container, which is empty afterwards.

        Raises:
            UnknownOutcomeError: the request got no answer; there may be a file of this name.
        """
        if self._container is None:
            return super().upload(name, content)
        with self._container.lent(name, content) as address:
            file = asked(
                "importing a file",
                lambda: self._client.post(
                    "/files/import",
                    cast_to=FileObject,
                    body={
                        "purpose": self._quirks.purpose,
                        "filename": name,
                        "content_url": address,
                    },
                ),
                is_creating=True,
            )
            imported = remote_file(file)
            # Until it is processed, Azure may still be reading the blob.
            self._files.await_processed(imported.file_id, self._waits.file)
        return imported

    def delete_file(self, file_id: str) -> None:
        """Delete a file, and the blob it came from where a crash left that behind."""
        if self._container is not None:
            name = self._name_of(file_id)
            if name is not None and self._container.has(name):
                self._container.delete(name)
        super().delete_file(file_id)

    def deploy(self, name: str, model: str, *, sku: Sku, capacity: int) -> None:
        """Deploy a tuned model and wait until it really answers.

        Raises:
            ConfigError: the resource's place in the management API is not known.
            BackendError: Azure refused, or it does not answer in time.
        """
        self._managed().deploy(name, model, sku=sku, capacity=capacity)
        await_answer(lambda: self._answers(name), self._waits.answer)

    def delete_deployment(self, name: str) -> None:
        """Delete a deployment, which ends its bill; one that is gone already is no error.

        Raises:
            BackendError: it is still there.
        """
        managed = self._managed()
        managed.delete(name)
        if managed.has(name):
            raise BackendError("the deployment is still there, and billed: delete it in the portal")

    def _name_of(self, file_id: str) -> str | None:
        try:
            file = asked("looking up a file", lambda: self._patient.files.retrieve(file_id))
        except NotFoundError:
            return None
        return remote_file(file).name

    def _answers(self, deployment: str) -> bool:
        """Ask a deployment for one token; say whether it answered."""
        try:
            answer = self._client.chat.completions.create(
                model=deployment,
                messages=[{"role": "user", "content": "Say yes."}],
                max_completion_tokens=1,
            )
        except openai.OpenAIError:
            return False
        return bool(getattr(answer, "choices", None))

    def _managed(self) -> AzureDeployments:
        if self._deployments is None:
            raise ConfigError("azure: set subscription_id, resource_group and account")
        return self._deployments

    def _extra(self, spec: JobSpec) -> dict[str, Any]:
        del spec
        return {"trainingType": _TRAINING_TYPES[self._training_type]}

    def _place(self) -> Place:
        is_here = is_loopback(self.identity.base_url)
        if self._container is not None:
            is_here = is_here and self._container.stays_here
        return Place(
            backend="azure",
            # A resource that the management API knows is somewhere else, whatever stands in for it.
            is_this_machine=is_here and self._deployments is None,
            wanted_region=self._data_residency,
            regions=self._promised_regions(),
            today=self._today,
        )

    def _promised_regions(self) -> tuple[str, ...]:
        """Return the regions that hold the data: the resource's, unless it trains anywhere."""
        if self._data_residency is None or self._training_type != "standard":
            return ()
        if self._deployments is None:
            return ()
        location = self._deployments.location()
        return tuple(region for region, places in self._pack.regions.items() if location in places)


def deploy_tuned(backend: AzureBackend, wanted: AzureSettings, model: str) -> str:
    """Deploy a tuned model as the settings say; return the name that it answers to.

    Raises:
        ConfigError: the settings name no deployment, or not where the resource is.
        BackendError: Azure refused, or it does not answer in time.
    """
    if wanted.deployment is None:
        raise ConfigError("azure: set deployment to the name that the tuned model is asked by")
    sku, capacity = wanted.deployment_sku, wanted.capacity
    backend.deploy(wanted.deployment, model, sku=sku, capacity=capacity)
    return wanted.deployment


def open_azure(
    base_url: str, api_key: str | None, data_residency: str | None, wanted: AzureSettings
) -> AzureBackend:
    """Return the backend that the settings describe.

    A key is enough to train. Entra ID is asked where the settings say so, and for what takes no
    keys: the management API, and a container without a key of its own.

    Raises:
        ConfigError: a setting cannot be, or the extra `azure` is not installed.
        BackendError: there is no key for something that needs one.
    """
    place = (wanted.subscription_id, wanted.resource_group, wanted.account)
    is_entra = wanted.auth == "entra"
    storage_key = None if is_entra else settings.azure_storage_key()
    if any(place) and not all(place):
        raise ConfigError("azure: subscription_id, resource_group and account go together")
    credential, deployments = None, None
    if is_entra or any(place):
        credential = default_credential()
    if credential is not None and any(place):
        subscription_id, resource_group, account = (part or "" for part in place)
        deployments = AzureDeployments(
            subscription_id=subscription_id,
            resource_group=resource_group,
            account=account,
            credential=credential,
        )
    container = None
    if wanted.blob_container is not None:
        container = BlobContainer(wanted.blob_container, storage_key, credential)
    return AzureBackend(
        base_url,
        api_key=api_key,
        credential=credential if is_entra else None,
        training_type=wanted.training_type,
        container=container,
        deployments=deployments,
        data_residency=data_residency,
        owned=() if credential is None else (credential,),
    )


def _v1_url(base_url: str) -> str:
    """Return the address of the v1 API of a resource.

    Raises:
        ConfigError: it is not one of Azure's hosts, nor this machine.
    """
    url = normalised_url(base_url)
    if not (host_of(url).endswith(_HOSTS) or is_loopback(url)):
        raise ConfigError("base_url is no Azure OpenAI resource: https://RESOURCE.openai.azure.com")
    return url if url.endswith(_V1_PATH) else f"{url}{_V1_PATH}"
