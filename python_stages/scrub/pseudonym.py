"""Pseudonyms: `[PERSON_3f9a…]`, the same for the same value in every row, file, run and thread.

A pseudonym is HMAC-SHA256 (RFC 2104) of the normalised value, under a key that HKDF-SHA256 (RFC
5869) derives for one dataset and one entity. Without the key it can be neither computed nor
confirmed by guessing; datasets and entities cannot be joined by it. It shows which values are
equal, and so how often each occurs: that is what it is for, and what a placeholder does not.

It keeps 64 bits. Among n distinct values of an entity, two have the same pseudonym with a
probability of at most n²/2^65: 3 in a million for ten million values.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import pyarrow as pa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from python_stages.errors import ConfigError

KEY_BYTES: Final = 32
TAG_DIGITS: Final = 16

_ENTITY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_DATASET: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NATIONAL: Final = re.compile(r"(?!IP_|PO_)[A-Z]{2}_")  # by ISO 3166 letters
_DIALLED: Final = re.compile(r"^(?:00)+")
_NUMBERS: Final = frozenset(
    {
        "ABA_ROUTING_NUMBER",
        "ACCOUNT_NUMBER",
        "CARD_SECURITY_CODE",
        "CREDIT_CARD",
        "DRIVER_LICENSE",
        "IBAN_CODE",
        "ID_NUMBER",
        "IMEI",
        "LICENSE_PLATE",
        "MAC_ADDRESS",
        "MEDICAL_LICENSE",
        "MEDICAL_RECORD_NUMBER",
        "PASSPORT",
        "PHONE_NUMBER",
        "UUID",
        "VIN",
        "ZIP_CODE",
    }
)
_VALUES_REMEMBERED: Final = 65_536

ArrowFunction = Callable[[pa.StringArray, pa.StringArray, pa.StringArray], pa.StringArray]


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms of one dataset.

    Args:
        key: 32 bytes, `KeyRing.hmac_key(f"{dataset}.pseudonym")`.
        dataset: name of the dataset.

    Raises:
        ConfigError: the key is too short, or the dataset is no lower-case word.
    """

    key: bytes = field(repr=False)
    dataset: str

    def __post_init__(self) -> None:
        if len(self.key) < KEY_BYTES:
            raise ConfigError(
                f"the key of pseudonyms has fewer than {KEY_BYTES} bytes: take an hmac_key"
            )
        if not _DATASET.fullmatch(self.dataset):
            raise ConfigError("pseudonyms need the dataset's name: a lower-case word")

    def tag(self, entity: str, value: str) -> str:
        """Return the pseudonym of a value, in brackets.

        Raises:
            ConfigError: the entity is no upper-case word.
        """
        return f"[{entity}_{self.digest(entity, value).hex()[:TAG_DIGITS]}]"

    def digest(self, entity: str, value: str, purpose: str = "") -> bytes:
        """Return the 32-byte HMAC of a normalised value, another one for every purpose.

        Raises:
            ConfigError: the entity is no upper-case word.
        """
        message = f"{purpose}\0{normalise(entity, value)}"
        # a lone surrogate is no UTF-8, and must not raise an error that quotes it
        text = message.encode("utf-8", "surrogatepass")
        return hmac.digest(_entity_key(self.key, self.dataset, entity), text, "sha256")


def normalise(entity: str, value: str) -> str:
    """Return what two spellings of one value have in common; at least one character for one.

    Compatible characters are one (NFKC), as are upper and lower case; formatting characters that
    show nothing are dropped and white space is one blank. Of phone, card, account and identity
    numbers only letters and digits count, and no plus sign or 00 in front. Normalising twice is
    normalising once.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    # Dropping characters and folding case may let others combine.
    text = unicodedata.normalize("NFKC", text.casefold())
    text = " ".join(text.split())
    if entity in _NUMBERS or _NATIONAL.match(entity):
        characters = "".join(_ascii_digit(one) for one in text if one.isalnum())
        if entity == "PHONE_NUMBER":
            characters = _DIALLED.sub("", characters) or characters
        return characters or text
    return text


def arrow_function(key_of: Callable[[str], bytes]) -> ArrowFunction:
    """Return `pseudonymise(dataset, entity, value)` for DuckDB, over Arrow arrays of strings.

    Every distinct value of a chunk is computed once; a null anywhere gives null. Register with
    `con.create_function("pseudonymise", …, ["VARCHAR"] * 3, "VARCHAR", type=ARROW)`.

    Args:
        key_of: dataset -> its key, `KEY_BYTES` bytes.

    Raises:
        ConfigError: in a call, as `Pseudonyms`.
    """
    pseudonyms_of = lru_cache(lambda dataset: Pseudonyms(key_of(dataset), dataset))

    @lru_cache(_VALUES_REMEMBERED)
    def tag(dataset: str, entity: str, value: str) -> str:
        return pseudonyms_of(dataset).tag(entity, value)

    def pseudonymise(
        datasets: pa.StringArray, entities: pa.StringArray, values: pa.StringArray
    ) -> pa.StringArray:
        rows = list(
            zip(datasets.to_pylist(), entities.to_pylist(), values.to_pylist(), strict=True)
        )
        tags = {row: None if None in row else tag(*row) for row in dict.fromkeys(rows)}
        return pa.array([tags[row] for row in rows], type=pa.string())

    return pseudonymise


@lru_cache(1024)
def _entity_key(key: bytes, dataset: str, entity: str) -> bytes:
    if not _ENTITY.fullmatch(entity):
        raise ConfigError("a pseudonym needs an entity: an upper-case word such as PERSON")
    info = f"sealtune-pseudonym-1/{dataset}/{entity}".encode()
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(key)


def _ascii_digit(character: str) -> str:
    """Return 0 to 9 for the decimal digits of every script, and other characters as they are."""
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
