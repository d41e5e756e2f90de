# ruff: noqa: S608 - queries are made of the names of our own tables and fields, values are bound
r"""What the local server knows, in SQLite: durable before it is answered, private, short-lived.

    validating_files -> queued -> running -> succeeded | failed | cancelled
                            \  ^  /
                            paused

The phase of a job is the one truth that server and worker share: each step is a single conditional
UPDATE, so that of two that disagree (a cancellation and a success) one happens. A connection lives
for one call, which makes threads and processes alike safe. As in the ledger, the journal is a
rollback journal with synchronous=EXTRA (https://sqlite.org/pragma.html): what was answered is not
lost. What a client may have written freely (file names, metadata, suffix) lies there encrypted.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from python_stages.backends.local.rows import (
    WAITING,
    CheckpointRow,
    EventRow,
    FileRow,
    JobPhase,
    JobRow,
    ModelRow,
)
from python_stages.errors import BackendError
from python_stages.keys import KeyRing

SCHEMA_VERSION: Final = 1

_PURPOSE: Final = "local-server/state"
_NONCE_BYTES: Final = 12
_TIMEOUT_SECONDS: Final = 20.0
_Row = TypeVar("_Row", FileRow, JobRow, EventRow, CheckpointRow, ModelRow)
_TABLES: Final[Mapping[type[Any], tuple[str, str]]] = {
    FileRow: ("files", "file_id"),
    JobRow: ("jobs", "job_id"),
    EventRow: ("events", "event_id"),
    CheckpointRow: ("checkpoints", "checkpoint_id"),
    ModelRow: ("models", "model_id"),
}
_SEALED: Final = frozenset({"filename", "suffix", "metadata"})
_JSON: Final = frozenset({"settings", "metrics", "privacy"})


def _create_table(kind: type[Any]) -> str:
    table, key = _TABLES[kind]
    others = ", ".join(one.name for one in fields(kind) if one.name != key)
    return f"create table {table} (n integer primary key autoincrement, {key} unique, {others});"


_SCHEMA: Final = f"""
begin immediate;
{"".join(map(_create_table, _TABLES))}
create index events_by_job on events (job_id);
pragma user_version = {SCHEMA_VERSION};
commit;
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted.

    Args:
        limit: most items.
        after: id of the item before the first, or None for the beginning.
        order: by creation.
    """

    limit: int
    after: str | None = None
    order: Literal["asc", "desc"] = "desc"


class UnknownCursorError(BackendError):
    """A page was asked for after an item that is not there."""


@dataclass(frozen=True, slots=True)
class Store:
    """The state file.

    Args:
        path: the file.
        key: 32 bytes, for what is encrypted in it.
    """

    path: Path
    key: bytes = field(repr=False)

    def get(self, kind: type[_Row], row_id: str) -> _Row | None:
        """Return the row of an id, or None."""
        _, key = _TABLES[kind]
        rows = self.select(kind, f"{key} = ?", row_id)
        return rows[0] if rows else None

    def select(self, kind: type[_Row], where: str = "true", *values: Any) -> tuple[_Row, ...]:
        """Return the rows for which a condition holds, oldest first."""
        with self.connected() as connection:
            return self._rows(connection, kind, f"where {where} order by n", values)

    def page(self, kind: type[_Row], page: Page, where: str = "true", *values: Any) -> list[_Row]:
        """Return up to `limit` + 1 rows of a page: one more says that there are more.

        Raises:
            UnknownCursorError: there is no item of the id `after`.
        """
        table, key = _TABLES[kind]
        sign, start = (">", 0) if page.order == "asc" else ("<", 1 << 62)
        with self.connected() as connection:
            if page.after is not None:
                cursor = connection.execute(
                    f"select n from {table} where {key} = ? and {where}", (page.after, *values)
                ).fetchone()
                if cursor is None:
                    raise UnknownCursorError("there is no item of the id in after")
                (start,) = cursor
            tail = f"where {where} and n {sign} ? order by n {page.order} limit ?"
            return list(self._rows(connection, kind, tail, (*values, start, page.limit + 1)))

    def insert(self, *rows: FileRow | JobRow | EventRow | CheckpointRow | ModelRow) -> None:
        """Insert rows, all or none."""
        with self.connected() as connection:
            self.insert_in(connection, rows)

    def insert_in(
        self,
        connection: sqlite3.Connection,
        rows: Iterable[FileRow | JobRow | EventRow | CheckpointRow | ModelRow],
    ) -> None:
        """Insert rows in the caller's transaction."""
        for row in rows:
            table, key = _TABLES[type(row)]
            cells = asdict(row)
            row_id = cells[key]
            stored = {name: self._packed(name, cell, row_id) for name, cell in cells.items()}
            places = ", ".join("?" for _ in stored)
            connection.execute(
                f"insert into {table} ({', '.join(stored)}) values ({places})",
                tuple(stored.values()),
            )

    def delete(self, kind: type[_Row], where: str, *values: Any) -> int:
        """Delete the rows for which a condition holds; return how many there were."""
        with self.connected() as connection:
            return connection.execute(
                f"delete from {_TABLES[kind][0]} where {where}", values
            ).rowcount

    def move(
        self,
        job_id: str,
        *,
        was: Iterable[JobPhase],
        to: JobPhase,
        if_attempt: int | None = None,
        **changes: Any,
    ) -> JobRow | None:
        """Bring a job from one of several phases into another.

        Args:
            job_id: the job.
            was: phases from which this step leads.
            to: the phase it leads to.
            if_attempt: take the step only in this attempt, or in any.
            **changes: other fields to set.

        Returns:
            The job after the step, or None where it was in none of these phases.
        """
        with self.connected() as connection:
            is_moved = self.move_in(
                connection, job_id, was=was, to=to, if_attempt=if_attempt, **changes
            )
        return self.get(JobRow, job_id) if is_moved else None

    def move_in(
        self,
        connection: sqlite3.Connection,
        job_id: str,
        *,
        was: Iterable[JobPhase],
        to: JobPhase,
        if_attempt: int | None = None,
        **changes: Any,
    ) -> bool:
        """Do as `move` in the caller's transaction; return whether the step was taken."""
        phases = tuple(was)
        cells = {name: self._packed(name, cell, job_id) for name, cell in changes.items()}
        sets = "".join(f", {name} = ?" for name in cells)
        places = ", ".join("?" for _ in phases)
        moved = connection.execute(
            f"update jobs set phase = ?{sets} where job_id = ? and phase in ({places}) "
            "and attempt = coalesce(?, attempt)",
            (to, *cells.values(), job_id, *phases, if_attempt),
        )
        return moved.rowcount == 1

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Set fields of a job that do not change its phase."""
        sets = ", ".join(f"{name} = ?" for name in changes)
        with self.connected() as connection:
            connection.execute(
                f"update jobs set {sets} where job_id = ?", (*changes.values(), job_id)
            )

    def ids(self, kind: type[_Row], where: str, *values: Any) -> set[str]:
        """Return the ids of the rows for which a condition holds."""
        table, key = _TABLES[kind]
        with self.connected() as connection:
            found = connection.execute(f"select {key} from {table} where {where}", values)
            return {row_id for (row_id,) in found}

    def n_waiting(self) -> int:
        """Return how many jobs are not ended and wait for no person."""
        return len(self.ids(JobRow, f"phase in ({', '.join('?' * len(WAITING))})", *WAITING))

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction; it is durable when the block has ended well.

        Raises:
            BackendError: SQLite refuses.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=_TIMEOUT_SECONDS)) as connection:
                connection.execute("pragma synchronous = extra")
                connection.execute("pragma secure_delete = on")
                with connection:
                    yield connection
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", None) or type(error).__name__
            raise BackendError(
                f"the local server's state cannot be used ({code}): check the disk of the vault"
            ) from None

    def _rows(
        self, connection: sqlite3.Connection, kind: type[_Row], tail: str, values: tuple[Any, ...]
    ) -> tuple[_Row, ...]:
        table, key = _TABLES[kind]
        names = [one.name for one in fields(kind)]
        found = connection.execute(f"select {', '.join(names)} from {table} {tail}", values)
        cells = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return tuple(
            kind(**{name: self._unpacked(name, cell, row[key]) for name, cell in row.items()})
            for row in cells
        )

    def _packed(self, name: str, cell: Any, row_id: str) -> Any:
        if name in _SEALED:
            nonce = os.urandom(_NONCE_BYTES)
            text = json.dumps(cell).encode()
            return nonce + AESGCM(self.key).encrypt(nonce, text, _context(name, row_id))
        return json.dumps(cell) if name in _JSON else cell

    def _unpacked(self, name: str, cell: Any, row_id: str) -> Any:
        if name in _SEALED:
            try:
                nonce, sealed = cell[:_NONCE_BYTES], cell[_NONCE_BYTES:]
                text = AESGCM(self.key).decrypt(nonce, sealed, _context(name, row_id))
            except InvalidTag:
                raise BackendError(
                    "the local server's state was written with other keys: restore them, or "
                    "remove the folder local/ of the vault"
                ) from None
            return json.loads(text)
        return json.loads(cell) if name in _JSON else cell


def open_store(path: Path, ring: KeyRing) -> Store:
    """Open the state file, made private and empty where it is missing.

    Raises:
        BackendError: the file cannot be used, or was written by a newer sealtune.
    """
    # SQLite gives its journal the permissions of the database, so setting these once suffices.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)
    store = Store(path, ring.hmac_key(_PURPOSE))
    with store.connected() as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
        if version == 0:
            connection.executescript(_SCHEMA)
        elif version != SCHEMA_VERSION:
            raise BackendError("the local server's state is of a newer sealtune: upgrade this one")
    return store


def _context(name: str, row_id: str) -> bytes:
    return f"sealtune-local-1/{name}/{row_id}".encode()
