"""Whose rows went where: an index that answers for a person without holding anything about one.

At every first seal of a dataset, `record` finds for each example the people whose rows it was made
of: the drawn row, in `*_drawn`, says by a keyed hash whose it is, and no identifier comes further
than the staging view. What is kept, in `vault/subjects.sqlite`, are tags:

    subject  HMAC-SHA256 of the subject column under the dataset's own purpose of the hmac key
    tag      HMAC-SHA256 of the dataset's fingerprint, keyed with the subject; 16 bytes of it

Without hmac.key a tag can neither be guessed nor compared with that of another build, and with it
only by who knows the person. `find` turns a value into tags and looks them up; it answers for every
sealed file and every job of the ledger, and says of which it cannot. Of equal texts one is in the
files, and it counts as everybody's whose drawn row reads so. The index outlives the files: a model
goes on holding what it was trained on.
"""

import hmac
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from python_stages.errors import StageError, VaultError
from python_stages.example_sql import example_id_sql
from python_stages.keys import KeyRing
from python_stages.keys.files import make_folder
from python_stages.seal.sealed_format import NAME, SHA256_HEX

TAG_BYTES: Final = 16
INDEX: Final = "subjects.sqlite"
_SCHEMA: Final = """
begin immediate;
create table if not exists builds (
    dataset_fingerprint text primary key, dataset text not null, sealed_at text not null
) without rowid;
create table if not exists files (
    fingerprint text, split text, dataset_fingerprint text references builds,
    primary key (fingerprint, split, dataset_fingerprint)
) without rowid;
create table if not exists subjects (
    tag blob, split text, dataset_fingerprint text references builds, n_rows integer not null,
    primary key (tag, split, dataset_fingerprint)
) without rowid;
commit;
"""


@dataclass(frozen=True, slots=True)
class Build:
    """One version of a dataset.

    Attributes:
        dataset: name of the dataset.
        fingerprint: of the dataset, as the ledger has it.
        files: fingerprint of each split, as sealed files are named.
    """

    dataset: str
    fingerprint: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """A version of a dataset that holds rows of the person.

    Attributes:
        dataset: name of the dataset.
        dataset_fingerprint: of that version.
        sealed_at: when it was first sealed, UTC, ISO 8601.
        rows: number of the person's rows by split.
        files: the splits of that version in which there are some, as paths below vault/sealed.
    """

    dataset: str
    dataset_fingerprint: str
    sealed_at: str
    rows: Mapping[str, int]
    files: tuple[str, ...]


def record(
    con: duckdb.DuckDBPyConnection, relation: str, build: Build, subject: str, *, vault: Path
) -> int:
    """Note whose rows a build holds, before it is sealed; does nothing where that is known.

    Args:
        con: a connection that sees the models and has `keyed_hmac`.
        relation: the `*_sealed` relation, quoted for SQL; the others stand beside it.
        build: what is about to be sealed.
        subject: column of the `*_drawn` relation that tells people apart, made by `subject_hmac`.
        vault: folder of the index.

    Returns:
        Number of people, 0 where the build was known.

    Raises:
        StageError: an example comes from no drawn row.
        VaultError: the index cannot be written.
    """
    if not NAME.fullmatch(subject):
        raise StageError(
            "the subject of a dataset must be the name of a column of its *_drawn model"
        )
    with _opened(vault) as index:
        known = index.execute(
            "select 1 from builds where dataset_fingerprint = ?", [build.fingerprint]
        ).fetchone()
        if known:
            return 0
        tags = list(_tags(con, relation, build, subject))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with index:
            index.execute("begin immediate")
            index.execute(
                "insert or ignore into builds values (?, ?, ?)",
                (build.fingerprint, build.dataset, now),
            )
            index.executemany(
                "insert or ignore into files values (?, ?, ?)",
                [(of, split, build.fingerprint) for split, of in build.files.items()],
            )
            index.executemany(
                "insert or ignore into subjects values (?, ?, ?, ?)",
                [(tag, split, build.fingerprint, n_rows) for tag, split, n_rows in tags],
            )
        return len({tag for tag, _, _ in tags})


def find(value: str, ring: KeyRing, *, vault: Path) -> tuple[Trace, ...]:
    """Return the versions of datasets that hold rows of a person, oldest first.

    Args:
        value: what the subject column says of the person, exactly as the source has it.
        ring: the keys, for the hmac key.
        vault: folder of the index.
    """
    with _opened(vault) as index:
        builds = index.execute(
            "select dataset_fingerprint, dataset, sealed_at from builds order by sealed_at, 1"
        ).fetchall()
        subjects = {
            dataset: hmac.digest(ring.hmac_key(purpose(dataset)), value.encode(), "sha256")
            for dataset in {dataset for _, dataset, _ in builds}
        }
        found = []
        for fingerprint, dataset, sealed_at in builds:
            rows = dict(
                index.execute(
                    "select split, n_rows from subjects where tag = ? and dataset_fingerprint = ?",
                    (_tag(subjects[dataset], fingerprint), fingerprint),
                ).fetchall()
            )
            files = index.execute(
                "select split, fingerprint from files where dataset_fingerprint = ? order by split",
                [fingerprint],
            ).fetchall()
            if rows:
                paths = tuple(f"{dataset}/{s}-{of}.sealed" for s, of in files if s in rows)
                found.append(Trace(dataset, fingerprint, sealed_at, rows, paths))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Known:
    """What the index can answer for: paths of sealed files, and fingerprints of datasets."""

    files: frozenset[str]
    datasets: frozenset[str]


def known(*, vault: Path) -> Known:
    """Return what was recorded; of all else nobody can say whose rows are in it."""
    with _opened(vault) as index:
        files = index.execute(
            "select dataset, split, fingerprint from files join builds using (dataset_fingerprint)"
        ).fetchall()
        datasets = index.execute("select dataset_fingerprint from builds").fetchall()
    paths = frozenset(f"{dataset}/{split}-{of}.sealed" for dataset, split, of in files)
    return Known(paths, frozenset(one for (one,) in datasets))


def purpose(dataset: str) -> str:
    """Return the purpose under which the people of a dataset are hashed."""
    return f"{dataset}.subject"


def _tag(subject: bytes, dataset_fingerprint: str) -> bytes:
    return hmac.digest(subject, dataset_fingerprint.encode(), "sha256")[:TAG_BYTES]


def _tags(
    con: duckdb.DuckDBPyConnection, relation: str, build: Build, subject: str
) -> Iterator[tuple[bytes, str, int]]:
    """Yield tag, split and number of rows of every person in a build."""
    if not (NAME.fullmatch(build.dataset) and SHA256_HEX.fullmatch(build.fingerprint)):
        raise StageError("dataset and fingerprint are malformed: build the dataset again")

    def beside(name: str) -> str:
        return f'{relation.rpartition(".")[0]}."{name}"'

    people = con.execute(f"""
        with scrubbed as ({_rows_as_told(con, build.dataset, beside)}),
        of_row as (
            select row_id, "{subject}" as subject from {beside(f"{build.dataset}_drawn")}
        ),
        parsed as (
            select
                split,
                from_json(messages, '[{{"role": "varchar", "content": "varchar"}}]') as said
            from {beside(f"{build.dataset}_examples")}
        ),
        told as (
            select
                split,
                list_filter(said, lambda one: one.role = 'system')[1].content as system_text,
                list_filter(said, lambda one: one.role = 'user')[1].content as user_text,
                list_filter(said, lambda one: one.role = 'assistant')[1].content as assistant_text
            from parsed
        )
        select
            told.split,
            of_row.subject,
            count(distinct of_row.row_id) as n_rows,
            count(*) filter (of_row.row_id is null) as n_lost
        from told
        left join scrubbed
            on told.system_text is not distinct from scrubbed.system_text
            and told.user_text is not distinct from scrubbed.user_text
            and told.assistant_text is not distinct from scrubbed.assistant_text
        left join of_row on of_row.row_id = scrubbed.row_id
        group by all
    """).fetchall()  # noqa: S608 - names that were checked
    if n_lost := sum(lost for *_, lost in people):
        raise StageError(
            f"{n_lost} example(s) of {build.dataset} come from no drawn row: run "
            f"dbt build -s {build.dataset}_drawn+"
        )
    for split, digest, n_rows, _ in people:
        if digest is not None:  # a row may be nobody's
            yield _tag(bytes.fromhex(digest), build.fingerprint), split, n_rows


def _rows_as_told(
    con: duckdb.DuckDBPyConnection, dataset: str, beside: Callable[[str], str]
) -> str:
    """Return the SQL of the scrubbed rows as they are in the examples: with corrections in.

    Args:
        con: a connection that sees the models.
        dataset: name of the dataset.
        beside: gives the relation of a model, quoted for SQL.
    """
    scrubbed, corrections = beside(f"{dataset}_scrubbed"), beside(f"{dataset}_feedback")
    columns = "row_id, system_text, user_text"
    try:
        con.execute(f"select 1 from {corrections} limit 0")  # noqa: S608 - names that were checked
    except duckdb.CatalogException:  # a dataset that takes none
        return f"select {columns}, assistant_text from {scrubbed}"  # noqa: S608 - as above
    return f"""
        with named as (select *, {example_id_sql(dataset)} as example_id from {scrubbed})
        select
            {columns},
            coalesce(corrections.assistant_text, named.assistant_text) as assistant_text
        from named
        left join {corrections} as corrections
            on corrections.example_id = named.example_id and corrections.outcome = 'merged'
    """  # noqa: S608 - as above


@contextmanager
def _opened(vault: Path) -> Iterator[sqlite3.Connection]:
    """Open the index, durable like the ledger and for its owner alone; make it where missing."""
    path = vault / INDEX
    try:
        make_folder(vault)
        # SQLite gives its journal the permissions of the database
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
            connection.execute("pragma synchronous = extra")
            connection.executescript(_SCHEMA)
            yield connection
    except (OSError, sqlite3.Error) as error:
        raise VaultError(
            f"{path} cannot be used ({type(error).__name__}): check the disk, or restore it from a "
            "copy"
        ) from None


def untraced(sealed: Iterable[str], datasets: Iterable[str], *, vault: Path) -> tuple[str, ...]:
    """Return of which of these sealed files and datasets of jobs the index knows nothing."""
    recorded = known(vault=vault)
    return (
        *sorted(set(sealed) - recorded.files),
        *sorted(set(datasets) - recorded.datasets),
    )
