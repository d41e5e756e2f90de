"""The bytes of a sealed file: envelope, manifest, signature. No files, no policy, no secrets.

    magic | header length | header | body | manifest | signature | manifest length | end magic

The *header* says for which recipients the file key is wrapped, the *body* is the plaintext under
a key made of that one, the signed *manifest* says what both must be. docs/sealed-format.md is the
specification; what differs between versions is in `version`, and the keys in `file_keys`.

Nothing is parsed before it is authenticated: the manifest is found by lengths alone, parsed after
its signature was checked; the header after its hash was found in the manifest. Nothing is parsed
leniently: JSON that this module would not have written byte for byte is refused, which leaves no
room for duplicate keys, unknown keys or white space.
"""

import base64
import json
import re
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from python_stages.errors import SealError, TamperedError
from python_stages.keys import Signer, key_id
from python_stages.keys.files import WRAPPED_BYTES
from python_stages.seal.version import LATEST, V1, V2, Version

LENGTH = struct.Struct(">I")
SIGNATURE_BYTES = 64
PREFIX_BYTES = len(LATEST.magic) + LENGTH.size
SUFFIX_BYTES = SIGNATURE_BYTES + LENGTH.size + len(LATEST.end_magic)
# 1 MiB holds some 600 recipients; the bound keeps a forged length from filling the memory.
MAX_JSON_BYTES = 1 << 20

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
KEY_ID = re.compile(r"[0-9a-f]{32}")
SHA256_HEX = re.compile(r"[0-9a-f]{64}")
MAX_COUNT = 1 << 53


@dataclass(frozen=True, slots=True)
class Header:
    """Who can open the body.

    Attributes:
        dataset: name of the dataset.
        split: name of the split.
        file_id: 32 random hex digits, new for every file that is written.
        wrapped_keys: per recipient, in order of key id: (key id, HPKE-wrapped file key).
        dataset_key: key id of the dataset's key that opening takes besides; None in version 1.
        version: of the format.
    """

    dataset: str
    split: str
    file_id: str
    wrapped_keys: tuple[tuple[str, bytes], ...]
    dataset_key: str | None
    version: Version = LATEST

    @property
    def recipients(self) -> tuple[str, ...]:
        """Key ids of the recipients."""
        return tuple(one for one, _ in self.wrapped_keys)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was sealed; everything here is signed, and readable without a key.

    Attributes:
        dataset: name of the dataset.
        split: name of the split.
        file_id: as in the header.
        fingerprint: keyed fingerprint of the plaintext, hex HMAC-SHA256.
        n_rows: number of lines.
        n_bytes: length of the plaintext, newlines included.
        suite_hash: hex SHA-256 of the expectations that the lines passed.
        recipients: key ids of all who can open the file, in order.
        signer: key id of who signed.
        dataset_key: key id of the dataset's key that opening takes besides; None in version 1.
        header_sha256: hex SHA-256 of everything before the body.
        body_sha256: hex SHA-256 of the body as it lies in the file.
        format: name and version of the format.
    """

    dataset: str
    split: str
    file_id: str
    fingerprint: str
    n_rows: int
    n_bytes: int
    suite_hash: str
    recipients: tuple[str, ...]
    signer: str
    header_sha256: str
    body_sha256: str
    dataset_key: str | None
    format: str = LATEST.name

    @property
    def path(self) -> str:
        """Where the file belongs, relative to the folder of all sealed files."""
        return f"{self.dataset}/{self.split}-{self.fingerprint}.sealed"


def encode_header(header: Header) -> bytes:
    """Return everything before the body: magic, length and header.

    Raises:
        SealError: too many recipients for one file.
    """
    fields: dict[str, Any] = {
        "dataset": header.dataset,
        "file_id": header.file_id,
        "format": header.version.name,
        "recipients": [
            {"key_id": one, "wrapped_key": base64.b64encode(wrapped).decode()}
            for one, wrapped in header.wrapped_keys
        ],
        "split": header.split,
    }
    if header.version is not V1:
        fields["dataset_key"] = header.dataset_key
    text = canonical_json(fields)
    if len(text) > MAX_JSON_BYTES:
        raise SealError("too many recipients for one sealed file: remove some from recipients/")
    return header.version.magic + LENGTH.pack(len(text)) + text


def parse_header(text: bytes, version: Version = LATEST) -> Header:
    """Return the header that these bytes are; raises TamperedError unless they are exactly one."""
    known = {"dataset", "file_id", "format", "recipients", "split"} | version.own_fields
    fields = _parse(text, known)
    entries = fields["recipients"]
    well_formed = (
        fields["format"] == version.name
        and _is_dataset_key(fields, version)
        and _is_text(NAME, fields["dataset"])
        and _is_text(NAME, fields["split"])
        and _is_text(KEY_ID, fields["file_id"])
        and isinstance(entries, list)
        and all(isinstance(one, dict) and set(one) == {"key_id", "wrapped_key"} for one in entries)
        and _is_ordered_ids([one["key_id"] for one in entries])
    )
    if not well_formed:
        raise TamperedError(_NOT_OURS)
    wrapped = tuple((one["key_id"], _parse_wrapped(one["wrapped_key"])) for one in entries)
    names = (fields["dataset"], fields["split"], fields["file_id"])
    return Header(*names, wrapped, fields.get("dataset_key"), version)


def encode_manifest(manifest: Manifest, signing_key: Ed25519PrivateKey) -> bytes:
    """Return everything after the body, in the latest version: manifest, signature, end magic."""
    return sign(canonical_json(asdict(manifest)), signing_key)


def sign(text: bytes, signing_key: Ed25519PrivateKey, version: Version = LATEST) -> bytes:
    """Return the trailer that holds this manifest text, signed with Ed25519 (RFC 8032)."""
    signature = signing_key.sign(version.manifest_context + text)
    return text + signature + LENGTH.pack(len(text)) + version.end_magic


def parse_manifest(
    text: bytes, signature: bytes, signers: Sequence[Signer], version: Version = LATEST
) -> Manifest:
    """Check the signature of a manifest, then parse it.

    Raises:
        TamperedError: nobody trusted signed it, or it is not exactly one manifest.
    """
    signed = version.manifest_context + text
    signer = find_signer(signed, signature, signers)
    if signer is None:
        raise TamperedError(
            "no trusted signer signed this file as it is: restore or seal it anew; only if it came "
            "from somebody you trust, add their key to signers/"
        )
    fields = _parse(text, set(Manifest.__dataclass_fields__) - V2.own_fields | version.own_fields)
    counts = (fields["n_rows"], fields["n_bytes"])
    well_formed = (
        fields["format"] == version.name
        and _is_dataset_key(fields, version)
        and all(_is_text(NAME, fields[one]) for one in ("dataset", "split"))
        and all(
            _is_text(SHA256_HEX, fields[one])
            for one in ("fingerprint", "suite_hash", "header_sha256", "body_sha256")
        )
        and _is_text(KEY_ID, fields["file_id"])
        and isinstance(fields["recipients"], list)
        and _is_ordered_ids(fields["recipients"])
        # bool is an int to isinstance, and true is no count.
        and all(type(one) is int and 0 <= one < MAX_COUNT for one in counts)
        and fields["signer"] == signer.key_id
    )
    if not well_formed:
        raise TamperedError(_NOT_OURS)
    return Manifest(**{"dataset_key": None, **fields, "recipients": tuple(fields["recipients"])})


def find_signer(signed: bytes, signature: bytes, signers: Sequence[Signer]) -> Signer | None:
    """Return which of the signers signed these bytes (Ed25519), or None."""
    return next((one for one in signers if _is_signed_by(one, signed, signature)), None)


def signer_id(signing_key: Ed25519PrivateKey) -> str:
    """Return the key id of a signing key, which is that of its public key."""
    return key_id(signing_key.public_key().public_bytes_raw())


def canonical_json(value: dict[str, Any]) -> bytes:
    """Return the one text of a value: keys sorted, no white space, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


_NOT_OURS = "the file is signed but not well formed: a sealtune of this version did not write it"


def _parse(text: bytes, keys: set[str]) -> dict[str, Any]:
    try:
        fields = json.loads(text)
        is_canonical = isinstance(fields, dict) and canonical_json(fields) == text
    except (ValueError, RecursionError) as error:
        raise TamperedError(_NOT_OURS) from error
    if not is_canonical or set(fields) != keys:
        raise TamperedError(_NOT_OURS)
    return dict(fields)


def _parse_wrapped(value: object) -> bytes:
    try:
        wrapped = base64.b64decode(str(value), validate=True)
    except ValueError as error:
        raise TamperedError(_NOT_OURS) from error
    if len(wrapped) != WRAPPED_BYTES or base64.b64encode(wrapped).decode() != value:
        raise TamperedError(_NOT_OURS)
    return wrapped


def _is_text(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_dataset_key(fields: dict[str, Any], version: Version) -> bool:
    return version is V1 or _is_text(KEY_ID, fields["dataset_key"])


def _is_ordered_ids(values: list[object]) -> bool:
    """Whether these are key ids, at least one, each once and in order."""
    texts = [one for one in values if _is_text(KEY_ID, one)]
    return bool(values) and len(texts) == len(values) and texts == sorted(set(map(str, texts)))


def _is_signed_by(signer: Signer, signed: bytes, signature: bytes) -> bool:
    try:
        signer.public_key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
