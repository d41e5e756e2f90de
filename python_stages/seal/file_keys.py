"""The keys of one sealed file: wrapped for its recipients, and mixed with the dataset's key.

    file key      random, wrapped by HPKE for every recipient
    dataset key   one secret of the whole dataset, see dataset_keys.py
    content key   HKDF-SHA256 (RFC 5869) with the file key as input, the dataset key as salt and the
                  file's name as info; version 1 has no dataset key and takes the file key itself

HMAC, which HKDF extracts with, is a pseudo-random function of either of its inputs when these are
uniform 256-bit keys: who lacks one of the two knows nothing of the content key, whatever else they
hold. So a recipient cannot open a file whose dataset was shredded, and who has the dataset's key
alone, as a machine that only builds does, cannot open it either.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from python_stages.errors import KeyFileError, TamperedError
from python_stages.keys import KeyRing, Recipient
from python_stages.keys.datasets import HPKE
from python_stages.seal.sealed_format import Header
from python_stages.seal.version import LATEST, V1, Version

FILE_KEY_BYTES: Final = 32


def wrap_file_key(
    file_key: bytes,
    *,
    dataset: str,
    split: str,
    file_id: str,
    dataset_key_id: str,
    recipients: Sequence[Recipient],
) -> Header:
    """Wrap a file key for every recipient, bound to this file's name and id.

    Raises:
        KeyFileError: a recipient's key cannot be used.
    """
    info = _name(LATEST, dataset, split, file_id)
    try:
        wrapped = tuple(
            (one.key_id, HPKE.encrypt(file_key, one.public_key, info)) for one in recipients
        )
    except ValueError as error:
        raise KeyFileError("a recipient's public key is unusable: ask for it again") from error
    return Header(dataset, split, file_id, wrapped, dataset_key_id)


def unwrap_file_key(header: Header, identities: Mapping[str, MLKEM768X25519PrivateKey]) -> bytes:
    """Return the file key for the first of these identities that the file is sealed for.

    Raises:
        KeyFileError: the file is sealed for none of them.
        TamperedError: it says it is, but the wrapped key does not open.
    """
    wrapped_keys = dict(header.wrapped_keys)
    mine = next((one for one in identities if one in wrapped_keys), None)
    if mine is None:
        raise KeyFileError(
            "the file is not sealed for this identity: ask its owner to add your public key "
            "(`sealtune keys show`) and to seal again"
        )
    info = _name(header.version, header.dataset, header.split, header.file_id)
    try:
        file_key = HPKE.decrypt(wrapped_keys[mine], identities[mine], info)
    except (InvalidTag, ValueError) as error:
        raise TamperedError("the wrapped file key does not open: seal the file again") from error
    if len(file_key) != FILE_KEY_BYTES:
        raise TamperedError("the file key has a wrong length: seal the file again")
    return file_key


def content_key(header: Header, file_key: bytes, dataset_key: bytes) -> bytes:
    """Return the key of the body, from the two keys that opening takes."""
    name = _name(header.version, header.dataset, header.split, header.file_id)
    derive = HKDF(hashes.SHA256(), FILE_KEY_BYTES, salt=dataset_key, info=name + b"/content")
    return derive.derive(file_key)


def open_content_key(header: Header, keys: KeyRing) -> bytes:
    """Return the key of the body for the holder of these keys.

    Raises:
        KeyFileError: an identity or the dataset's key is missing.
        TamperedError: the wrapped file key does not open.
    """
    file_key = unwrap_file_key(header, keys.identities())
    if header.version is V1 or header.dataset_key is None:
        return file_key
    return content_key(header, file_key, keys.dataset_key(header.dataset, header.dataset_key))


def _name(version: Version, dataset: str, split: str, file_id: str) -> bytes:
    return version.label(dataset, split, file_id)
