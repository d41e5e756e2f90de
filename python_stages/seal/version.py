"""The versions of the format: each carries its number in everything that is signed or derived.

    1   the file key, wrapped for each recipient, encrypts the body
    2   the body's key is derived from the file key and the dataset's key, so that destroying the
        dataset's key closes the file to every recipient; this is what is written

A reader knows all of them, a writer the last.
"""

from dataclasses import dataclass
from typing import Final

_MAGIC_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Version:
    """One version: its magic, its labels, and which fields its JSON has.

    Attributes:
        number: 1 or 2.
        own_fields: fields that header and manifest have in this version and not in the first.
    """

    number: int
    own_fields: frozenset[str]

    @property
    def name(self) -> str:
        """How header and manifest call the format."""
        return f"sealtune-sealed-{self.number}"

    @property
    def magic(self) -> bytes:
        """The first bytes of a file."""
        return f"{self.name}\n".encode()

    @property
    def end_magic(self) -> bytes:
        """The last bytes of a file."""
        return f"\nsealtune-end-{self.number}\n".encode()

    @property
    def manifest_context(self) -> bytes:
        """What stands before the manifest in what is signed."""
        return f"sealtune-manifest-{self.number}\n".encode()

    def label(self, *parts: str) -> bytes:
        """Return the name of one use of a key: the format's, then what it is used for."""
        return "/".join((self.name, *parts)).encode()

    def body_context(self, header_sha256: bytes) -> bytes:
        """Return the Cobblestone context: no content can be moved below another header."""
        return self.label("body", "") + header_sha256


V1: Final = Version(1, frozenset())
V2: Final = Version(2, frozenset({"dataset_key"}))
LATEST: Final = V2


def find_version(start: bytes) -> Version | None:
    """Return the version whose magic these bytes start with, or None."""
    return next((one for one in (V1, V2) if start.startswith(one.magic)), None)
