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
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from python_stages.errors import LedgerError
from python_stages.jobs import ledger_file


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
UNFINISHED: Final = frozenset({State.INTENT, State.FILE_UPLOADED, State.SUBMITTING})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One job; also the columns of the table, in order.

    `hyperparameters` is JSON with sorted names. `outcome` is the provider's last word on the job
    (running, succeeded, failed, cancelled) and stays when the files are deleted. `parked_reason`
    is set while a person has to decide. `in_doubt_until` is set where the provider refused to make
    the job: when a refusal that is no proof has become one. `n_result_looks` counts how often the
    result files were asked for in vain. `access` is JSON of what opens the backend again, see
    job_access.py. Times are UTC, ISO 8601; `ledger.save` sets the last two.
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
    in_doubt_until: str | None = None
    are_results_stored: bool = False
    n_result_looks: int = 0
    access: str = "{}"
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


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file with a job's metrics, sealed in the vault.

    Args:
        file_id: the provider's id of it.
        path: where it lies, below the vault's folder.
        n_bytes: size of the plaintext.
    """

    file_id: str
    path: str
    n_bytes: int


_COLUMNS: Final = tuple(field.name for field in fields(LedgerRow))
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
        if not self._is_submitter:
            raise LedgerError("the ledger is open for reading: write inside ledger.submitter()")
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
