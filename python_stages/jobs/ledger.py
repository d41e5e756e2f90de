"""What was submitted, exactly once: a small SQLite file that survives crashes.

    INTENT -> FILE_UPLOADED -> SUBMITTING -> JOB_CREATED -> SUCCEEDED | FAILED | CANCELLED
                                                                         -> FILES_DELETED
    PLANNED                                   (the plan backend sends nothing)

A state says what is known to have happened; SUBMITTING and `is_upload_in_doubt` say that a request
was begun whose outcome is not known. Each is on disk *before* the request leaves. The ways back
(SUBMITTING to FILE_UPLOADED to INTENT) are for recovery alone (recovery.py); those from JOB_CREATED
to INTENT, and to CANCELLED without a job, for a person alone (settle.py).

The ledger holds names, counts, states and keyed fingerprints; no text of the data and no secret.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from python_stages.errors import LedgerError
from python_stages.jobs import ledger_file
from python_stages.jobs.ledger_rows import (
    ENDED,
    UNFINISHED,
    Decision,
    LedgerEvent,
    LedgerRow,
    ResultFile,
    State,
)

__all__ = [
    "ENDED",
    "UNFINISHED",
    "Decision",
    "Ledger",
    "LedgerEvent",
    "LedgerRow",
    "ResultFile",
    "State",
]


_FIRST: Final = frozenset({State.PLANNED, State.INTENT})
_NEXT: Final[dict[State, frozenset[State]]] = {
    State.PLANNED: frozenset(),
    State.INTENT: frozenset({State.FILE_UPLOADED, State.JOB_CREATED, State.CANCELLED}),
    State.FILE_UPLOADED: frozenset({State.SUBMITTING, State.JOB_CREATED, State.INTENT}),
    State.SUBMITTING: frozenset({State.JOB_CREATED, State.FILE_UPLOADED}),
    State.JOB_CREATED: ENDED | {State.INTENT},
    State.SUCCEEDED: frozenset({State.FILES_DELETED}),
    State.FAILED: frozenset({State.FILES_DELETED}),
    State.CANCELLED: frozenset({State.FILES_DELETED}),
    State.FILES_DELETED: frozenset(),
}

_COLUMNS: Final = tuple(field.name for field in fields(LedgerRow))
_DECISION: Final = tuple(field.name for field in fields(Decision))
_SELECT: Final = f"select {', '.join(_COLUMNS)} from jobs"  # noqa: S608 - own column names
_UPSERT: Final = (
    f"insert into jobs ({', '.join(_COLUMNS)}) values ({', '.join('?' for _ in _COLUMNS)}) "  # noqa: S608 - own column names
    f"on conflict (key) do update set {', '.join(f'{one} = excluded.{one}' for one in _COLUMNS)}"
)
_BOOLS: Final = tuple(field.name for field in fields(LedgerRow) if field.type is bool)


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
        self._connection = ledger_file.connect(path)

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
        """Hold the right to write; a process that dies gives it back.

        Args:
            wait_seconds: how long to wait for another submitter to finish.

        Raises:
            LockedError: another submitter is still at work.
        """
        with ledger_file.lock(self._path, wait_seconds=wait_seconds):
            self._is_submitter = True
            try:
                yield
            finally:
                self._is_submitter = False

    def get(self, key: str) -> LedgerRow | None:
        """Return the job of a key, or None."""
        rows = self._fetch(f"{_SELECT} where key = ?", key)
        return _row(rows[0]) if rows else None

    def jobs(self) -> tuple[LedgerRow, ...]:
        """Return every job, oldest first."""
        rows = self._fetch(f"{_SELECT} order by created_at, key")
        return tuple(_row(values) for values in rows)

    def find(self, prefix: str) -> LedgerRow:
        """Return the one job whose key begins so.

        Raises:
            LedgerError: no key does, or several do.
        """
        found = [row for row in self.jobs() if row.key.startswith(prefix.lower())]
        if not found or not prefix:
            raise LedgerError("the ledger has no job of this key: see sealtune jobs list")
        if len(found) > 1:
            raise LedgerError("several jobs have keys that begin so: give more of the key")
        return found[0]

    def events(self, key: str) -> tuple[LedgerEvent, ...]:
        """Return what happened to a job, in order."""
        rows = self._fetch(
            "select event_id, key, at, event, from_state, to_state from events "
            "where key = ? order by event_id",
            key,
        )
        return tuple(
            LedgerEvent(event_id, of, at, event, State(was) if was else None, State(now))
            for event_id, of, at, event, was, now in rows
        )

    def results(self, key: str) -> tuple[ResultFile, ...]:
        """Return the result files of a job that are in the vault."""
        query = "select file_id, path, n_bytes from result_files where key = ? order by file_id"
        return tuple(ResultFile(*values) for values in self._fetch(query, key))

    def disowned(self, key: str) -> frozenset[str]:
        """Return the provider's jobs of which a person has said that they are not this one."""
        query = "select job_id from disowned where key = ?"
        return frozenset(job_id for (job_id,) in self._fetch(query, key))

    def decisions(self) -> tuple[Decision, ...]:
        """Return every decision on lines that changed, the oldest first."""
        query = f"select {', '.join(_DECISION)} from decisions order by decided_at, key"  # noqa: S608 - own column names
        return tuple(
            replace(found, is_retrained=bool(found.is_retrained))
            for found in (Decision(*values) for values in self._fetch(query))
        )

    def decide(self, decision: Decision) -> None:
        """Write a decision down in the place of the last on the same lines; raises as `save`."""
        self._require_submitter()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        values = astuple(replace(decision, decided_at=now))
        with ledger_file.transaction(self._connection):
            self._connection.execute(
                f"insert or replace into decisions ({', '.join(_DECISION)}) "  # noqa: S608 - own column names
                f"values ({', '.join('?' for _ in _DECISION)})",
                values,
            )

    def save(
        self,
        row: LedgerRow,
        event: str,
        *,
        results: Iterable[ResultFile] = (),
        disowned: Iterable[str] = (),
    ) -> LedgerRow:
        """Write a job and the event that made it so; durable when this returns.

        Args:
            row: the job as it now is.
            event: what happened, a word.
            results: result files that are in the vault now.
            disowned: ids of jobs at the provider that a person has said are not this one.

        Raises:
            LedgerError: not inside `submitter()`, or no step leads to this state.
        """
        self._require_submitter()
        before = self.get(row.key)
        _check_step(None if before is None else before.state, row.state)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        saved = replace(row, created_at=before.created_at if before else now, updated_at=now)
        with ledger_file.transaction(self._connection):
            self._connection.execute(_UPSERT, [getattr(saved, name) for name in _COLUMNS])
            self._connection.execute(
                "insert into events (key, at, event, from_state, to_state) values (?, ?, ?, ?, ?)",
                (saved.key, now, event, before.state if before else None, saved.state),
            )
            self._connection.executemany(
                "insert or replace into result_files values (?, ?, ?, ?, ?)",
                [(saved.key, one.file_id, one.path, one.n_bytes, now) for one in results],
            )
            self._connection.executemany(
                "insert or ignore into disowned values (?, ?)",
                [(saved.key, job_id) for job_id in disowned],
            )
        return saved

    def _require_submitter(self) -> None:
        if not self._is_submitter:
            raise LedgerError("the ledger is open for reading: write inside ledger.submitter()")

    def _fetch(self, query: str, *parameters: str) -> list[tuple[Any, ...]]:
        with ledger_file.sentences():
            return self._connection.execute(query, parameters).fetchall()


def _row(values: tuple[Any, ...]) -> LedgerRow:
    named = dict(zip(_COLUMNS, values, strict=True))
    named["state"] = State(named["state"])
    named |= {name: bool(named[name]) for name in _BOOLS}
    return LedgerRow(**named)


def _check_step(before: State | None, after: State) -> None:
    """Refuse a step that the state machine does not have; staying in a state is always one."""
    allowed = _FIRST if before is None else _NEXT[before] | {before}
    if after not in allowed:
        was = "nothing" if before is None else before
        raise LedgerError(f"no step leads from {was} to {after}: the ledger was left as it is")
