"""What was submitted, exactly once: a small SQLite file that survives crashes.

    INTENT -> FILE_UPLOADED -> SUBMITTING -> JOB_CREATED -> SUCCEEDED | FAILED | CANCELLED
                                                                         -> FILES_DELETED
    PLANNED                                   (the plan backend sends nothing)

A state says what is known to have happened; SUBMITTING and `is_upload_in_doubt` say that a request
was begun whose outcome is not known. Each is on disk *before* the request leaves. The way back from
SUBMITTING to FILE_UPLOADED, and from there to INTENT, is for recovery alone (see submit.py).

The journal is a rollback journal with synchronous=EXTRA, which also syncs the folder after a commit
(FULL does not, and could lose the mark before a request: https://sqlite.org/pragma.html). Against a
write-ahead log it keeps the ledger one file at rest, which a plain copy backs up completely.

The ledger holds names, counts, states and keyed fingerprints; no text of the data and no secret.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from python_stages.errors import LedgerError, LockedError

SCHEMA_VERSION: Final = 1
_LOCK_POLL_SECONDS: Final = 0.1


class State(StrEnum):
    """How far a job is known to have come."""

    PLANNED = "PLANNED"
    INTENT = "INTENT"
    FILE_UPLOADED = "FILE_UPLOADED"
    SUBMITTING = "SUBMITTING"
    JOB_CREATED = "JOB_CREATED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    FILES_DELETED = "FILES_DELETED"


ENDED: Final = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})

_FIRST: Final = frozenset({State.PLANNED, State.INTENT})
_NEXT: Final[dict[State, frozenset[State]]] = {
    State.PLANNED: frozenset(),
    State.INTENT: frozenset({State.FILE_UPLOADED, State.JOB_CREATED}),
    State.FILE_UPLOADED: frozenset({State.SUBMITTING, State.JOB_CREATED, State.INTENT}),
    State.SUBMITTING: frozenset({State.JOB_CREATED, State.FILE_UPLOADED}),
    State.JOB_CREATED: ENDED,
    State.SUCCEEDED: frozenset({State.FILES_DELETED}),
    State.FAILED: frozenset({State.FILES_DELETED}),
    State.CANCELLED: frozenset({State.FILES_DELETED}),
    State.FILES_DELETED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One job; also the columns of the table, in order.

    `hyperparameters` is JSON with sorted names. `outcome` is the provider's last word on the job
    (running, succeeded, failed, cancelled) and stays when the files are deleted. `parked_reason`
    is set while a person has to decide. Times are UTC, ISO 8601; `ledger.save` sets them.
    """

    key: str
    state: State
    dataset: str
    dataset_fingerprint: str
    backend: str
    base_url: str
    base_model: str
    hyperparameters: str
    seed: int
    suffix: str | None
    n_examples: int
    n_training_tokens: int
    n_billed_tokens: int | None
    price_per_million_tokens: float | None
    currency: str
    estimated_cost: float | None
    training_file_name: str
    training_n_bytes: int
    training_file_id: str | None = None
    validation_file_name: str | None = None
    validation_n_bytes: int | None = None
    validation_file_id: str | None = None
    is_upload_in_doubt: bool = False
    job_id: str | None = None
    outcome: str | None = None
    fine_tuned_model: str | None = None
    n_trained_tokens: int | None = None
    error_code: str | None = None
    parked_reason: str | None = None
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One thing that happened to a job; never changed, never removed."""

    event_id: int
    key: str
    at: str
    event: str
    from_state: State | None
    to_state: State


_COLUMNS: Final = tuple(field.name for field in fields(LedgerRow))
_STATES: Final = ", ".join(f"'{state}'" for state in State)
_SCHEMA: Final = f"""
begin immediate;
create table jobs (
    {", ".join(name for name in _COLUMNS if name not in {"key", "state"})},
    key text primary key not null,
    state text not null check (state in ({_STATES}))
);
create table events (
    event_id integer primary key autoincrement,
    key text not null references jobs (key),
    at text not null,
    event text not null,
    from_state text,
    to_state text not null check (to_state in ({_STATES}))
);
create trigger events_are_not_changed before update on events
begin select raise(abort, 'events are append-only'); end;
create trigger events_are_not_removed before delete on events
begin select raise(abort, 'events are append-only'); end;
create trigger jobs_are_not_removed before delete on jobs
begin select raise(abort, 'jobs are never removed'); end;
pragma user_version = {SCHEMA_VERSION};
commit;
"""


class Ledger:
    """The ledger file, opened; use it as a context manager.

    Anyone may read; writing needs `submitter()`, which one process at a time can hold. An instance
    belongs to the thread that made it.

    Args:
        path: the file, created 0600 (its folder 0700) where missing.

    Raises:
        LedgerError: the file is no ledger, or was written by a newer sealtune.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_submitter = False
        self._connection = _connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was saved is already on disk."""
        self._connection.close()

    @contextmanager
    def submitter(self, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Hold the right to write.

        The kernel drops the lock (flock(2)) with the process that held it, so a crash leaves none.

        Args:
            wait_seconds: how long to wait for another submitter to finish.

        Raises:
            LockedError: another submitter is still at work.
        """
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(lock, deadline=time.monotonic() + wait_seconds)
            self._is_submitter = True
            yield
        finally:
            self._is_submitter = False
            os.close(lock)

    def get(self, key: str) -> LedgerRow | None:
        """Return the job of a key, or None."""
        rows = self._select("select {columns} from jobs where key = ?", key)
        return rows[0] if rows else None

    def jobs(self) -> tuple[LedgerRow, ...]:
        """Return every job, oldest first."""
        return self._select("select {columns} from jobs order by created_at, key")

    def events(self, key: str) -> tuple[LedgerEvent, ...]:
        """Return what happened to a job, in order."""
        with _sentences():
            rows = self._connection.execute(
                "select event_id, key, at, event, from_state, to_state from events "
                "where key = ? order by event_id",
                (key,),
            ).fetchall()
        return tuple(
            LedgerEvent(event_id, of, at, event, State(was) if was else None, State(now))
            for event_id, of, at, event, was, now in rows
        )

    def save(self, row: LedgerRow, event: str) -> LedgerRow:
        """Write a job and the event that made it so; durable when this returns.

        Raises:
            LedgerError: not inside `submitter()`, or no step leads to this state.
        """
        if not self._is_submitter:
            raise LedgerError("the ledger is open for reading: write inside ledger.submitter()")
        before = self.get(row.key)
        _check_step(None if before is None else before.state, row.state)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        saved = replace(row, created_at=before.created_at if before else now, updated_at=now)
        places = ", ".join("?" for _ in _COLUMNS)
        changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
        with _sentences(), self._connection:
            self._connection.execute("begin immediate")
            self._connection.execute(
                f"insert into jobs ({', '.join(_COLUMNS)}) values ({places}) "  # noqa: S608 - own column names
                f"on conflict (key) do update set {changes}",
                astuple(saved),
            )
            self._connection.execute(
                "insert into events (key, at, event, from_state, to_state) values (?, ?, ?, ?, ?)",
                (saved.key, now, event, before.state if before else None, saved.state),
            )
        return saved

    def _select(self, query: str, *parameters: str) -> tuple[LedgerRow, ...]:
        with _sentences():
            rows = self._connection.execute(
                query.format(columns=", ".join(_COLUMNS)), parameters
            ).fetchall()
        return tuple(_row(values) for values in rows)


def _row(values: tuple[Any, ...]) -> LedgerRow:
    named = dict(zip(_COLUMNS, values, strict=True))
    named["state"] = State(named["state"])
    named["is_upload_in_doubt"] = bool(named["is_upload_in_doubt"])
    return LedgerRow(**named)


def _check_step(before: State | None, after: State) -> None:
    """Refuse a step that the state machine does not have; staying in a state is always one."""
    allowed = _FIRST if before is None else _NEXT[before] | {before}
    if after not in allowed:
        was = "nothing" if before is None else before
        raise LedgerError(f"no step leads from {was} to {after}: the ledger was left as it is")


def _lock(lock: int, *, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                msg = "another submitter is at work on this ledger: wait until it has finished"
                raise LockedError(msg) from None
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file, private to its owner, and bring an empty one to the current schema."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its journal the permissions of the database, so setting these once suffices.
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(file, 0o600)
    finally:
        os.close(file)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        with _sentences():
            connection.execute("pragma journal_mode = delete")
            connection.execute("pragma synchronous = extra")
            connection.execute("pragma foreign_keys = on")
            _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("pragma user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise LedgerError("the ledger was written by a newer sealtune: upgrade this one")
    if version == 0:
        try:
            connection.executescript(_SCHEMA)
        except sqlite3.OperationalError:
            # Another process may have created the tables between our look and our lock.
            if connection.in_transaction:
                connection.rollback()
            if connection.execute("pragma user_version").fetchone() != (SCHEMA_VERSION,):
                raise


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what SQLite raises into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", None) or type(error).__name__
        raise LedgerError(
            f"the ledger cannot be used ({code}): check the disk and that vault/ledger.sqlite is "
            "the file sealtune wrote"
        ) from None
