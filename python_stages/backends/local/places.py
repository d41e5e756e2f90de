"""Where the local server keeps things, who holds it, and how a client finds it.

    <vault>/local/server.lock     held (flock) by the one server of this vault while it lives
    <vault>/local-server.json     its process id and port, 0600; believed while the lock is held
    <vault>/local/state.sqlite    what is known; <vault>/local/blobs/ encrypted contents
    <keys>/local-server.token     the bearer token, 0600, made when it is first needed

The kernel drops the lock with the process, so that a server that was killed leaves none. Only this
user can reach the folder, hence only a server of this user can hold the lock: an address is never
given the token because some process happens to listen on a port.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from python_stages.errors import BackendError, KeyFileError, LockedError
from python_stages.keys.files import (
    MAX_FILE_BYTES,
    OTHERS_ANY,
    make_folder,
    opened,
    sync,
    write_new,
)

HOST: Final = "127.0.0.1"
# A client that looks whether the lock is held has it for an instant.
_LOCK_PATIENCE_SECONDS: Final = 1.0
_LOCK_POLL_SECONDS: Final = 0.02
_TOKEN_PREFIX: Final = "sk-local-"  # noqa: S105 - how tokens begin, not one
_TOKEN_BYTES: Final = 32
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A server that answers.

    Args:
        pid: its process id.
        port: its port on 127.0.0.1.
    """

    pid: int
    port: int

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"http://{HOST}:{self.port}/v1"


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one server.

    Args:
        vault: folder of the vault.
        keys: folder of the keys.
    """

    vault: Path
    keys: Path

    @property
    def folder(self) -> Path:
        """Return the folder of everything the server stores."""
        return self.vault / "local"

    @property
    def blobs(self) -> Path:
        """Return the folder of files and weights."""
        return self.folder / "blobs"

    @property
    def state(self) -> Path:
        """Return the SQLite file."""
        return self.folder / "state.sqlite"

    @property
    def address(self) -> Path:
        """Return the file that says where the server answers."""
        return self.vault / "local-server.json"

    @property
    def lock(self) -> Path:
        """Return the file that the one server locks."""
        return self.folder / "server.lock"

    @property
    def token(self) -> Path:
        """Return the file of the bearer token."""
        return self.keys / "local-server.token"


def make_folders(places: Places) -> None:
    """Create the folders, for this user alone, each synced into the one above it."""
    for folder in (places.vault, places.folder, places.blobs):
        make_folder(folder)


@contextmanager
def held(path: Path, *, patience_seconds: float = _LOCK_PATIENCE_SECONDS) -> Iterator[None]:
    """Hold a lock file until the block ends or the process does.

    Raises:
        LockedError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience_seconds
        while not _is_taken(descriptor, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                raise LockedError("a local server runs for this vault: use it, or stop it first")
            time.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether a process holds a lock file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _is_taken(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def find_server(places: Places) -> Address | None:
    """Return where the server of this vault answers, or None where none does (yet)."""
    if not is_held(places.lock):
        return None
    try:
        known = json.loads(places.address.read_bytes())
        address = Address(int(known["pid"]), int(known["port"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return address if address.pid > 1 and 0 < address.port <= _MAX_PORT else None


def write_address(places: Places, address: Address) -> None:
    """Say where the server answers, in one step."""
    draft = places.address.with_name(f".{places.address.name}-{secrets.token_hex(8)}.draft")
    write_new(draft, json.dumps(asdict(address)))
    draft.replace(places.address)


def read_token(places: Places) -> str:
    """Return the bearer token, made on the first call.

    Raises:
        KeyFileError: the file is open to others, or holds no token.
    """
    if not os.path.lexists(places.token):
        _make_token(places.token)
    with opened(places.token, forbidden=OTHERS_ANY) as descriptor:
        token = os.read(descriptor, MAX_FILE_BYTES).decode("ascii", errors="replace").strip()
    if not token.startswith(_TOKEN_PREFIX) or len(token) < len(_TOKEN_PREFIX) + _TOKEN_BYTES:
        raise KeyFileError(f"{places.token} holds no token: remove it, a new one will be made")
    return token


def _make_token(path: Path) -> None:
    """Write a token in one step; of two processes that do so at once, one's stays."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}.draft")
    try:
        write_new(draft, _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES))
        os.link(draft, path)
        sync(path.parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise BackendError(
            f"cannot write the local server's token to {path}: {error.strerror}; check who owns "
            "the keys folder"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _is_taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
