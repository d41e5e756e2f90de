"""Where checkpoints are kept: the caller decides, and encrypts if they are to be secret."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Storage(Protocol):
    """Named bytes; the trainer's names are lower-case letters, digits, dots and hyphens."""

    def write(self, name: str, data: bytes) -> None:
        """Keep data under a name, at once or not at all."""

    def read(self, name: str) -> bytes:
        """Return what was kept; raise KeyError or OSError where nothing was."""

    def names(self) -> tuple[str, ...]:
        """Return every name, in any order."""

    def delete(self, name: str) -> None:
        """Drop what was kept under a name, if anything was."""


@dataclass(frozen=True, slots=True)
class Start:
    """Published weights that a training begins with.

    Args:
        storage: where they are kept.
        name: their name there.
    """

    storage: Storage
    name: str


class MemoryStorage:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def write(self, name: str, data: bytes) -> None:
        """Keep data under a name."""
        self._data[name] = data

    def read(self, name: str) -> bytes:
        """Return what was kept under a name."""
        return self._data[name]

    def names(self) -> tuple[str, ...]:
        """Return every name."""
        return tuple(self._data)

    def delete(self, name: str) -> None:
        """Drop what was kept under a name, if anything was."""
        self._data.pop(name, None)


class FolderStorage:
    """Keeps one file per name, in clear: for weights that may be seen.

    Args:
        folder: exists, and holds nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, data: bytes) -> None:
        """Keep data in a file that is there whole or not at all."""
        partial = self._folder / f".{name}.partial"
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / name)

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        return (self._folder / name).read_bytes()

    def names(self) -> tuple[str, ...]:
        """Return the names of all whole files."""
        return tuple(p.name for p in self._folder.iterdir() if not p.name.startswith("."))

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self._folder / name).unlink(missing_ok=True)
