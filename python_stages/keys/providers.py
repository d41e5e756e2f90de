"""Where a private key comes from: the places that can keep one, and the file that says which does.

    file:                  <slot>.key in the keys folder; the default
    file:/PATH             a file elsewhere, such as on a medium that is not always there
    env:NAME               an environment variable
    cmd: ARGUMENT...       what a command prints; started without a shell
    keyring:SERVICE/NAME   the keyring of the system (extra `keyring`)
    aws-kms:KEY            <slot>.kms in the keys folder, whose key AWS KMS unwraps (extra `aws`)

A *slot* is vault, hmac, signing, identity, or `identities/<key id>` for a retired identity. Each
place holds the same line of text that a key file holds. `providers.toml` in the keys folder says
where each slot is; a slot that it does not name is `file:`. It is for this user alone, since who
can write it chooses which commands run and which keys are used:

    identity = "keyring:sealtune/identity"
    vault = ["cmd:", "pass", "show", "sealtune/vault"]

No error, log or repr shows what a place gave, nor what a command wrote to stderr.
"""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from python_stages.errors import KeyFileError
from python_stages.keys.files import (
    MAX_FILE_BYTES,
    OTHERS_ANY,
    decode,
    encode,
    opened,
    replace,
    sync,
)
from python_stages.keys.stores import KeyringEntry, KmsEnvelope

KINDS: Final = ("vault", "hmac", "signing", "identity")
SLOT: Final = re.compile(r"vault|hmac|signing|identity|identities/[0-9a-f]{32}")
PROVIDERS_FILE: Final = "providers.toml"
MAX_PROVIDERS_BYTES: Final = 1 << 16
# Long enough for a person who is asked for a passphrase by the command.
COMMAND_SECONDS: Final = 120.0

Words = tuple[str, ...]
FILE: Final[Words] = ("file:",)


class Place(Hashable, Protocol):
    """One place that keeps one key line; every method raises KeyFileError where it cannot."""

    def fetch(self) -> str:
        """Return the line."""

    def store(self, line: str) -> None:
        """Keep this line instead of what is there."""

    def remove(self) -> None:
        """Keep nothing any more."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A file of this user's."""

    path: Path

    def fetch(self) -> str:
        """Return the line."""
        with opened(self.path, forbidden=OTHERS_ANY) as descriptor:
            return os.read(descriptor, MAX_FILE_BYTES).decode("ascii", errors="replace")

    def store(self, line: str) -> None:
        """Replace the file in one step."""
        try:
            replace(self.path, line)
        except OSError as error:
            raise KeyFileError(
                f"cannot write {self.path}: {error.strerror}; check its folder, then try again"
            ) from error

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        sync(self.path.parent)


@dataclass(frozen=True, slots=True)
class EnvPlace:
    """An environment variable, which only whoever starts sealtune can set."""

    name: str

    def fetch(self) -> str:
        """Return the line."""
        line = os.environ.get(self.name)
        if not line:
            raise KeyFileError(f"env:{self.name} is not set: set it to the line of the key")
        return line

    def store(self, line: str) -> None:
        """Refuse: no process can set it for the next one."""
        del line
        raise KeyFileError(
            f"sealtune cannot write to env:{self.name}: move the key to file: first "
            "(`sealtune keys move`), and back when the variable holds the new one"
        )

    def remove(self) -> None:
        """Leave the variable to whoever sets it."""


@dataclass(frozen=True, slots=True)
class CommandPlace:
    """What a command prints; the shell is not involved, stdin is empty, stderr is not shown."""

    arguments: Words

    def fetch(self) -> str:
        """Return the line."""
        # raised below and not in the handlers: TimeoutExpired holds what the command had printed
        try:
            done = subprocess.run(  # noqa: S603 - the user's own providers.toml names the command
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                check=False,
            )
            failure = f"ended with code {done.returncode}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            failure = f"did not end within {COMMAND_SECONDS:.0f} s"
        except (OSError, ValueError):
            failure = "cannot be started"
        if failure:
            raise KeyFileError(
                f"the command {self.arguments[0]} of cmd: {failure}: run it yourself to see why "
                "(its output is not shown here)"
            )
        return done.stdout[:MAX_FILE_BYTES].decode("ascii", errors="replace")

    def store(self, line: str) -> None:
        """Refuse: a command is only asked."""
        del line
        raise KeyFileError(
            "sealtune cannot write to cmd: move the key to file: first (`sealtune keys move`), and "
            "back when the command prints the new one"
        )

    def remove(self) -> None:
        """Leave what the command reads to whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Providers:
    """Where every slot of a keys folder is.

    Attributes:
        folder: the keys folder.
        words: by slot, what providers.toml says; a slot that is missing is `file:`.
    """

    folder: Path
    words: Mapping[str, Words] = field(default_factory=dict)

    def words_of(self, slot: str) -> Words:
        """Return where a slot is, as it would stand in providers.toml."""
        return self.words.get(slot, FILE)

    def read(self, slot: str) -> bytes:
        """Return the raw key of a slot.

        Raises:
            KeyFileError: it cannot be had, or what is there is not this kind of key.
        """
        words = self.words_of(slot)
        place = self.place(slot, words)
        kind = kind_of(slot)
        if isinstance(place, FilePlace):
            return decode(kind, place.fetch(), str(place.path))
        line = place.fetch() if isinstance(place, EnvPlace) else _fetched(place)
        return decode(kind, line, f"what {words[0]} gave for the {slot} key")

    def write(self, slot: str, raw: bytes) -> None:
        """Keep a raw key where the slot is, and read it back.

        Raises:
            KeyFileError: the place cannot be written, or does not give back what it was given.
        """
        self.place(slot, self.words_of(slot)).store(encode(kind_of(slot), raw))
        _fetched.cache_clear()
        if self.read(slot) != raw:
            raise KeyFileError(f"{self.words_of(slot)[0]} did not keep the {slot} key: check it")

    def move(self, slot: str, words: Words) -> "Providers":
        """Move a key to another place, and remove it from where it was.

        A place that sealtune cannot write (env:, cmd:) must hold the key already. A crash on the
        way leaves the key in the old place, the new one, or both, and providers.toml true.

        Raises:
            KeyFileError: the new place cannot be used, or does not hold this key.
        """
        raw = self.read(slot)
        if words == self.words_of(slot):
            return self
        moved = Providers(self.folder, {**self.words, slot: words})
        place = moved.place(slot, words)
        if isinstance(place, EnvPlace | CommandPlace):
            if moved.read(slot) != raw:
                raise KeyFileError(f"{words[0]} holds another {slot} key: nothing was changed")
        else:
            moved.write(slot, raw)
        moved.save()
        self.place(slot, self.words_of(slot)).remove()
        return moved

    def save(self) -> None:
        """Write providers.toml in one step."""
        lines = [
            # a JSON text without escapes beyond TOML's is a TOML basic string
            f"{json.dumps(slot)} = {json.dumps(words[0] if len(words) == 1 else words)}"
            for slot, words in sorted(self.words.items())
            if words != FILE
        ]
        path = self.folder / PROVIDERS_FILE
        if lines or path.exists():
            replace(path, "\n".join(lines))

    def place(self, slot: str, words: Words) -> Place:
        """Return the place that these words name, for one slot.

        Raises:
            KeyFileError: they name none.
        """
        scheme, colon, rest = words[0].partition(":")
        match scheme + colon, rest, words[1:]:
            case "file:", "", ():
                return FilePlace(self.folder / f"{slot}.key")
            case "file:", path, () if path.startswith("/"):
                return FilePlace(Path(path))
            case "env:", name, () if name:
                return EnvPlace(name)
            case "cmd:", "", (_, *_):
                return CommandPlace(words[1:])
            case "keyring:", entry, () if "/" in entry:
                service, _, name = entry.partition("/")
                return KeyringEntry(service, name)
            case "aws-kms:", key, () if key:
                return KmsEnvelope(self.folder / f"{slot}.kms", key, kind_of(slot))
        raise KeyFileError(
            f"the place of the {slot} key is not understood: write file:, file:/PATH, env:NAME, "
            'keyring:SERVICE/NAME, aws-kms:KEY, or a list that begins with "cmd:"'
        )


def load_providers(folder: Path) -> Providers:
    """Return where the keys of a folder are; without a providers.toml, all of them are files.

    Raises:
        KeyFileError: the file is open to others, or names a slot or place that there is not.
    """
    path = folder / PROVIDERS_FILE
    if not path.exists():
        return Providers(folder)
    with opened(path, forbidden=OTHERS_ANY) as descriptor:
        content = os.read(descriptor, MAX_PROVIDERS_BYTES)
    try:
        found = tomllib.loads(content.decode())
        words = {slot: _words(one) for slot, one in found.items()}
    except ValueError:
        words = {"": ()}
    if not all(SLOT.fullmatch(slot) for slot in words):
        raise KeyFileError(
            f"{path} is not understood: each line is SLOT = PLACE, with SLOT one of "
            f"{', '.join(KINDS)} and PLACE as docs/decisions/0011-keys.md lists them"
        )
    providers = Providers(folder, words)
    for slot, one in words.items():
        providers.place(slot, one)
    return providers


def _words(value: object) -> Words:
    """Return a place as its words; raises ValueError where it is neither a text nor a list."""
    found = [value] if isinstance(value, str) else value
    if not (isinstance(found, list) and found and all(isinstance(one, str) for one in found)):
        raise ValueError
    return tuple(found)


def kind_of(slot: str) -> str:
    """Return which kind of key a slot holds."""
    return "identity" if slot.startswith("identities/") else slot


@lru_cache(maxsize=64)
def _fetched(place: Place) -> str:
    """Ask a place once a process: a command may ask a person, and KMS costs a request."""
    return place.fetch()
