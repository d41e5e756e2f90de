"""Cells that a dataset must keep, and that only its key opens: AES-256-SIV (RFC 5297).

    enc1_<base64url of the SIV and the ciphertext>

The key is derived from the dataset's own, for one field, so shredding the dataset closes its cells
too, and whom the dataset was handed to can open them. Encryption is deterministic, as joins and
distinct counts need it: equal cells of a field look equal, and a token is as long as its cell says.
Choose it for columns of many values; of a column with few, the counts alone tell which is which.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from python_stages.errors import ConfigError, KeyFileError
from python_stages.keys.datasets import NAME

MARKER: Final = "enc1_"
_KEY_BYTES: Final = 64  # two keys of 32, for the SIV and for the counter
_CELLS_REMEMBERED: Final = 100_000

ArrowFunction = Callable[[pa.StringArray, pa.StringArray, pa.StringArray], pa.StringArray]


class FieldCipher:
    """Encrypts and opens the cells of one field of one dataset."""

    def __init__(self, dataset_key: bytes, dataset: str, field: str) -> None:
        """Derive the field's key.

        Args:
            dataset_key: the dataset's 32-byte key.
            dataset: name of the dataset.
            field: name of the column.

        Raises:
            ConfigError: a name is no lower-case word.
        """
        if not (NAME.fullmatch(dataset) and NAME.fullmatch(field)):
            raise ConfigError(
                "encrypt_field needs names of a dataset and a field: lower-case words such as "
                "transactions and customer_id"
            )
        info = f"sealtune-field-1/{dataset}/{field}".encode()
        derived = HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=info).derive(dataset_key)
        self._cipher = AESSIV(derived)

    def encrypt(self, cell: str) -> str:
        """Return the token of a cell; the empty one has a token too."""
        # the library takes no empty text, and a first byte costs less than a rule
        sealed = self._cipher.encrypt(b"\x01" + cell.encode(), None)
        return MARKER + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def decrypt(self, token: str) -> str:
        """Return the cell of a token.

        Raises:
            KeyFileError: it is none, was changed, or is of another field, dataset or key.
        """
        text = token.removeprefix(MARKER)
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(sealed, None)[1:].decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise KeyFileError(
                "a token does not open: it was changed, is of another field or dataset, or the "
                "dataset's key was shredded since"
            ) from None


def open_tokens(
    tokens: Iterable[str], dataset_keys: Iterable[bytes], dataset: str, field: str
) -> Iterable[str]:
    """Yield the cells of tokens, with whichever of the keys opens them.

    Raises:
        KeyFileError: none of the keys opens a token.
    """
    ciphers = [FieldCipher(key, dataset, field) for key in dataset_keys]
    if not ciphers:
        raise KeyFileError(f"dataset {dataset} has no key here: it was never built, or shredded")
    for token in tokens:
        *others, last = ciphers
        for cipher in others:
            try:
                cell = cipher.decrypt(token)
            except KeyFileError:
                continue
            break
        else:
            cell = last.decrypt(token)
        yield cell


def arrow_function(key_of: Callable[[str], bytes]) -> ArrowFunction:
    """Return `encrypt_field(dataset, field, cell)` for DuckDB, over Arrow arrays of strings.

    A null anywhere gives null.

    Args:
        key_of: dataset -> its key, made where there is none.
    """
    cipher_of = lru_cache(lambda dataset, field: FieldCipher(key_of(dataset), dataset, field))

    @lru_cache(_CELLS_REMEMBERED)
    def encrypt(dataset: str, field: str, cell: str) -> str:
        return cipher_of(dataset, field).encrypt(cell)

    def encrypt_field(
        datasets: pa.StringArray, fields: pa.StringArray, cells: pa.StringArray
    ) -> pa.StringArray:
        rows = zip(datasets.to_pylist(), fields.to_pylist(), cells.to_pylist(), strict=True)
        return pa.array([None if None in row else encrypt(*row) for row in rows], type=pa.string())

    return encrypt_field
