"""A file on its way into Azure OpenAI through a storage account, and gone from there afterwards.

The blob is written in blocks that only a last step makes a blob of, after the seal proved whole.
Azure OpenAI fetches it by a signed address that reads this one blob for an hour. Whatever happens,
the blob is deleted in the end: a copy of the examples that nobody looks after must not stay.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from python_stages.backends.addresses import is_loopback, normalised_url
from python_stages.backends.azure_login import missing_extra
from python_stages.backends.base import Content
from python_stages.backends.upload import UploadStream
from python_stages.errors import BackendError, ConfigError, SealtuneError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobClient

_BLOCK_BYTES: Final = 8 * 1024 * 1024
_VALID_FOR: Final = timedelta(hours=1)
# A signature of a machine whose clock runs ahead would not be valid yet.
_CLOCK_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class BlobContainer:
    """A container of a storage account.

    Args:
        url: `https://ACCOUNT.blob.core.windows.net/CONTAINER`.
        account_key: the account's key, or None to ask as `credential`.
        credential: Entra ID, which needs the roles Storage Blob Data Contributor and Delegator.
    """

    url: str
    account_key: str | None
    credential: "TokenCredential | None" = None

    def __post_init__(self) -> None:
        normalised_url(self.url, setting="blob_container")
        if not self._place[2]:
            raise ConfigError("blob_container names no container: give https://host/CONTAINER")
        if self.account_key is None and self.credential is None:
            raise BackendError(
                "the storage account needs a key: set SEALTUNE_AZURE_STORAGE_KEY, or auth: entra"
            )

    @property
    def stays_here(self) -> bool:
        """Whether it is on this machine, as a test's emulator is."""
        return is_loopback(self.url)

    @contextmanager
    def lent(self, name: str, content: Content) -> Iterator[str]:
        """Write a blob, lend its signed address to the block, delete the blob.

        Raises:
            TamperedError: the seal turned out broken while it was read; there was no blob.
            BackendError: the storage account refused or did not answer.
        """
        with self._blob(name) as blob:
            try:
                with content.open() as chunks:
                    _write(blob, UploadStream(chunks, content.n_bytes))
                yield self._signed(name)
            except BaseException as error:
                _remove_after(blob, error)
                raise
            _remove(blob)

    def delete(self, name: str) -> None:
        """Delete a blob that an earlier run left; one that is gone already is no error."""
        with self._blob(name) as blob:
            _remove(blob)

    def has(self, name: str) -> bool:
        """Say whether there is a blob of this name."""
        with self._blob(name) as blob:
            return bool(_asked("looking for a blob", blob.exists))

    @property
    def _place(self) -> tuple[str, str, str]:
        """Account address, account name, container.

        An emulator has the account's name in the path, Azure has it in the host.
        """
        parts = urlsplit(self.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        *account, container = parts.path.strip("/").split("/")
        if account:
            return f"{origin}/{account[0]}", account[0], container
        return origin, (parts.hostname or "").partition(".")[0], container

    @contextmanager
    def _blob(self, name: str) -> Iterator["BlobClient"]:
        try:
            from azure.storage.blob import BlobClient  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise missing_extra("a blob container") from None
        account_url, account, container = self._place
        blob = BlobClient(
            account_url,
            container_name=container,
            blob_name=name,
            credential=self.credential
            if self.account_key is None
            else {"account_name": account, "account_key": self.account_key},
        )
        with blob:
            yield blob

    def _signed(self, name: str) -> str:
        """Return the blob's address with a signature: reading, this blob, one hour."""
        from azure.storage.blob import (  # noqa: PLC0415 - an optional extra
            BlobSasPermissions,
            BlobServiceClient,
            generate_blob_sas,
        )

        account_url, account, container = self._place
        now = datetime.now(UTC)
        start, end = now - _CLOCK_SKEW, now + _VALID_FOR
        by: dict[str, Any] = {"account_key": self.account_key}
        if self.account_key is None:
            with BlobServiceClient(account_url, credential=self.credential) as service:
                delegated = _asked(
                    "signing a blob's address",
                    lambda: service.get_user_delegation_key(start, end),
                )
            by = {"user_delegation_key": delegated}
        signature = generate_blob_sas(
            account,
            container,
            name,
            permission=BlobSasPermissions(read=True),
            start=start,
            expiry=end,
            protocol="https" if account_url.startswith("https:") else None,
            **by,
        )
        return f"{account_url}/{container}/{name}?{signature}"


def _write(blob: "BlobClient", stream: UploadStream) -> None:
    """Send the blocks of a blob, and make it one once the stream has ended well."""
    block_ids: list[str] = []
    for block in _blocks(stream):
        block_id = base64.b64encode(f"{len(block_ids):08d}".encode()).decode()
        _asked("sending a block", lambda b=block, i=block_id: blob.stage_block(i, b, len(b)))
        block_ids.append(block_id)
    _asked("making a blob", lambda: blob.commit_block_list(_named(block_ids)))


def _blocks(stream: UploadStream) -> Iterator[bytes]:
    block = bytearray()
    while piece := stream.read(_BLOCK_BYTES - len(block)):
        block += piece
        if len(block) == _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _named(block_ids: list[str]) -> list[Any]:
    from azure.storage.blob import BlobBlock  # noqa: PLC0415 - an optional extra

    return [BlobBlock(block_id) for block_id in block_ids]


def _remove(blob: "BlobClient") -> None:
    """Delete a blob, with blocks that never became one, and make sure that it is gone.

    Raises:
        BackendError: it is still there.
    """

    def remove() -> None:
        # An empty list of blocks makes an empty blob and discards every block that is waiting.
        blob.commit_block_list([])
        blob.delete_blob(delete_snapshots="include")

    _asked("deleting a blob", remove)
    if _asked("looking for a blob", blob.exists):
        raise BackendError("a blob is still in the storage account: delete it there")


def _remove_after(blob: "BlobClient", error: BaseException) -> None:
    """Delete a blob after a failure, which stays the failure that is reported."""
    try:
        _remove(blob)
    except BackendError:
        if isinstance(error, SealtuneError):
            raise type(error)(f"{error}; a blob may be left in the container: delete it") from None


def _asked(action: str, request: Any) -> Any:
    """Make a request; of what the SDK raises nothing is quoted but the status."""
    try:
        return request()
    except SealtuneError:
        raise
    except Exception as error:  # noqa: BLE001 - azure.core's errors, and whatever a transport raises
        status = getattr(error, "status_code", None)
        shown = f"status {status}" if isinstance(status, int) else "no answer"
        failure = BackendError(
            f"{action}: the storage account refused ({shown}); check blob_container, its key and "
            "that this machine may reach it"
        )
    raise failure
