"""The ledger as a file: how it is opened, its tables, and the steps from older versions of them.

The journal is a rollback journal with synchronous=EXTRA, which also syncs the folder after a commit
(FULL does not, and could lose the mark before a request: https://sqlite.org/pragma.html). Against a
write-ahead log it keeps the ledger one file at rest, which a plain copy backs up completely.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from python_stages.errors import LedgerError, LockedError
from python_stages.keys.files import make_folder

LEDGER: Final = "ledger.sqlite"

_LOCK_POLL_SECONDS: Final = 0.1
_STATES: Final = (
    "'PLANNED', 'INTENT', 'FILE_UPLOADED', 'SUBMITTING', 'JOB_CREATED', 'SUCCEEDED', 'FAILED', "
    "'CANCELLED', 'FILES_DELETED'"
)

# One entry per version, each a step from the one before it; what is written here never changes.
_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        f"""create table jobs (
            dataset, dataset_fingerprint, backend, base_url, base_model, hyperparameters, seed,
            suffix, n_examples, n_training_tokens, n_billed_tokens, price_per_million_tokens,
            currency, estimated_cost, training_file_name, training_n_bytes, training_file_id,
            validation_file_name, validation_n_bytes, validation_file_id, is_upload_in_doubt,
            job_id, outcome, fine_tuned_model, n_trained_tokens, error_code, parked_reason,
            created_at, updated_at,
            key text primary key not null,
            state text not null check (state in ({_STATES}))
        )""",
        f"""create table events (
            event_id integer primary key autoincrement,
            key text not null references jobs (key),
            at text not null,
            event text not null,
            from_state text,
            to_state text not null check (to_state in ({_STATES}))
        )""",
        """create trigger events_are_not_changed before update on events
        begin select raise(abort, 'events are append-only'); end""",
        """create trigger events_are_not_removed before delete on events
        begin select raise(abort, 'events are append-only'); end""",
        """create trigger jobs_are_not_removed before delete on jobs
        begin select raise(abort, 'jobs are never removed'); end""",
    ),
    (
        "alter table jobs add column in_doubt_until text",
        "alter table jobs add column are_results_stored integer not null default 0",
        "alter table jobs add column n_result_looks integer not null default 0",
        "alter table jobs add column access text not null default '{}'",
        """create table result_files (
            key text not null references jobs (key),
            file_id text not null,
            path text not null,
            n_bytes integer not null,
            stored_at text not null,
            primary key (key, file_id)
        )""",
        """create table disowned (
            key text not null references jobs (key),
            job_id text not null,
            primary key (key, job_id)
        )""",
        # the commands that version 1 told of are gone
        """update jobs set parked_reason = 'more than one thing at the provider matches this job: '
            || 'see sealtune jobs show ' || substr(key, 1, 12) || ', then name the right job with '
            || 'sealtune jobs settle ' || substr(key, 1, 12) || ' --job ID, or start over with '
            || 'sealtune jobs settle ' || substr(key, 1, 12) || ' --none'
        where parked_reason is not null""",
    ),
    (
        "alter table jobs add column parent_key text",
        """create table decisions (
            dataset text not null,
            dataset_fingerprint text not null,
            key text not null references jobs (key),
            is_retrained integer not null,
            reason text not null,
            drift_psi real not null,
            n_feedback integer not null,
            changed_share real,
            decided_at text not null,
            primary key (dataset, dataset_fingerprint, key)
        )""",
    ),
)
SCHEMA_VERSION: Final = len(_MIGRATIONS)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, private to its owner, and bring it to the current version.

    Raises:
        LedgerError: it is no ledger, or was written by a newer sealtune.
    """
    make_folder(path.parent)
    # SQLite gives its journal the permissions of the database, so setting these once suffices.
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(file, 0o600)
    finally:
        os.close(file)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        with sentences():
            connection.execute("pragma journal_mode = delete")
            connection.execute("pragma synchronous = extra")
            connection.execute("pragma foreign_keys = on")
            _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of the block or none of it; durable when the block has ended."""
    with sentences():
        connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


@contextmanager
def lock(path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold a lock beside the ledger; the kernel drops it (flock(2)) with the process that held it.

    Raises:
        LockedError: another holds it, and still did after `wait_seconds`.
    """
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while not _is_locked(descriptor):
            if time.monotonic() >= deadline:
                msg = "another submitter is at work on this ledger: wait until it has finished"
                raise LockedError(msg)
            time.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what SQLite raises into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", None) or type(error).__name__
        raise LedgerError(
            f"the ledger cannot be used ({code}): check the disk and that vault/ledger.sqlite is "
            "the file sealtune wrote"
        ) from None


def _migrate(connection: sqlite3.Connection) -> None:
    """Go through the steps that are missing, all or none."""
    if _version(connection) == SCHEMA_VERSION:
        return
    with transaction(connection):
        # asked again: another process may have done it between our look and our lock
        version = _version(connection)
        if version > SCHEMA_VERSION:
            raise LedgerError("the ledger was written by a newer sealtune: upgrade this one")
        for statements in _MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"pragma user_version = {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])
