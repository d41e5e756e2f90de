"""Two places for keys that are not this machine's files: the system's keyring, and AWS KMS.

Both need an SDK that the core does without, imported where it is used. What an SDK raises may
quote what it was given, so of every error only its type is told.
"""

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from python_stages.errors import ConfigError, KeyFileError
from python_stages.keys.files import MAX_FILE_BYTES, OTHERS_ANY, opened, replace, sync

_NONCE_BYTES: Final = 12
_FORMAT: Final = "sealtune-kms-1"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class KeyringEntry:
    """One password of the keyring that `keyring` finds on this system."""

    service: str
    name: str

    def fetch(self) -> str:
        """Return the line."""
        keyring = _import("keyring", "keyring")
        line = self._told(lambda: keyring.get_password(self.service, self.name))
        if not line:
            raise KeyFileError(
                f"{self} holds nothing: restore the key from where you keep a copy, or move it "
                "there (`sealtune keys move`)"
            )
        return str(line)

    def store(self, line: str) -> None:
        """Set the password."""
        keyring = _import("keyring", "keyring")
        self._told(lambda: keyring.set_password(self.service, self.name, line))

    def remove(self) -> None:
        """Delete the password."""
        keyring = _import("keyring", "keyring")
        self._told(lambda: keyring.delete_password(self.service, self.name))

    def __str__(self) -> str:
        return f"keyring:{self.service}/{self.name}"

    def _told(self, ask: Callable[[], Result]) -> Result:
        return _told(ask, f"{self} cannot be used", "unlock the keyring, then try again")


@dataclass(frozen=True, slots=True)
class KmsEnvelope:
    """A file that holds the key line under a data key, which AWS KMS unwraps.

    The data key is made by GenerateDataKey and unwrapped by Decrypt, both with the encryption
    context {"sealtune": kind}, so that KMS's log and policies tell one key from another and no
    envelope opens as another kind. The line is under AES-256-GCM with the format and kind as
    associated data. See "Envelope encryption" and "Encryption context" in the AWS KMS developer
    guide (read 2026-11). Region, credentials and endpoint are boto3's own settings.

    Attributes:
        path: the file, 0600.
        key: id, ARN or alias of the KMS key.
        kind: which key it is.
    """

    path: Path
    key: str
    kind: str

    def fetch(self) -> str:
        """Return the line."""
        with opened(self.path, forbidden=OTHERS_ANY) as descriptor:
            content = os.read(descriptor, MAX_FILE_BYTES)
        try:
            fields = json.loads(content)
            wrapped, sealed = (base64.b64decode(fields[one], validate=True) for one in _FIELDS)
        except (ValueError, KeyError, TypeError) as error:
            raise KeyFileError(f"{self.path} is damaged: restore it from a copy") from error
        answer = self._ask(
            lambda kms: kms.decrypt(
                CiphertextBlob=wrapped, KeyId=self.key, EncryptionContext=self._context
            )
        )
        try:
            opened_line = AESGCM(answer["Plaintext"]).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._associated
            )
        except InvalidTag as error:
            raise KeyFileError(f"{self.path} is damaged: restore it from a copy") from error
        return opened_line.decode()

    def store(self, line: str) -> None:
        """Write the file anew, under a new data key."""
        answer = self._ask(
            lambda kms: kms.generate_data_key(
                KeyId=self.key, KeySpec="AES_256", EncryptionContext=self._context
            )
        )
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(answer["Plaintext"]).encrypt(nonce, line.encode(), self._associated)
        values = (answer["CiphertextBlob"], nonce + sealed)
        text = {
            one: base64.b64encode(raw).decode() for one, raw in zip(_FIELDS, values, strict=True)
        }
        replace(self.path, json.dumps(text, sort_keys=True))

    def remove(self) -> None:
        """Remove the file; the KMS key stays."""
        self.path.unlink(missing_ok=True)
        sync(self.path.parent)

    @property
    def _context(self) -> dict[str, str]:
        return {"sealtune": self.kind}

    @property
    def _associated(self) -> bytes:
        return f"{_FORMAT}/{self.kind}".encode()

    def _ask(self, ask: Callable[[Any], Result]) -> Result:
        boto3 = _import("boto3", "aws")
        config = _import("botocore.config", "aws").Config(
            connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3}
        )
        return _told(
            lambda: ask(boto3.client("kms", config=config)),
            f"aws-kms:{self.key} does not answer for the {self.kind} key",
            "check region, credentials and the policy of the KMS key",
        )


_FIELDS: Final = ("wrapped_data_key", "sealed_line")


def _import(module: str, extra: str) -> Any:
    """Return a module of an extra; raises ConfigError where the extra is not installed."""
    import importlib  # noqa: PLC0415 - only those who use an SDK need it

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{module} is not installed: run pip install 'sealtune[{extra}]'"
        ) from error


def _told(ask: Callable[[], Result], what: str, hint: str) -> Result:
    """Return an SDK's answer; raise KeyFileError with the type of whatever it raised."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote a key
        kind = type(error).__name__
    # raised here, so that the SDK's error is not carried along as the context of this one
    raise KeyFileError(f"{what} ({kind}): {hint}")
