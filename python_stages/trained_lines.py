"""What jobs were trained on, as keyed hashes, and how far a dataset's lines are from that by now.

Before a job is submitted its lines are written down in tables of the vault, which belong to no dbt
model: `trained_lines` and `trained_words`, as macros/line_hashes.sql and word_heaps.sql make them,
and `trained_policies`, by which they were scrubbed; under the fingerprint that the ledger names the
job's lines by. So changes are measured from what was trained on, however many builds lie between.
The SQL comes from macros/version_sql.sql.

Under another policy nothing is measured: what it takes out of a few lines may be why it was
written, and a model that has seen them before knows it still.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Self

import duckdb

from python_stages.jobs.retraining import Change

_LINES: Final = (
    "dataset varchar, split varchar, fingerprint varchar, prompt_hmac varchar, "
    "label_hmac varchar, n_tokens bigint"
)
_WORDS: Final = "dataset varchar, bucket bigint, n_words bigint"
_POLICIES: Final = "dataset varchar, policy_hash varchar"
# as macros/line_hashes.sql has it
_PROMPT_HMAC: Final = (
    "keyed_hmac(dataset || '.prompt', from_json(messages, '[\"JSON\"]')[:-2]::varchar)"
)
_lock: Final = Lock()  # dbt seals several datasets at once, and DuckDB makes a table once


@dataclass(frozen=True, slots=True)
class TrainedLines:
    """A dataset's lines as they are now, beside those of its jobs.

    Attributes:
        con: a connection that sees the models and has `keyed_hmac`; holds the lines of now.
        lines, words, policies: the tables, quoted for SQL.
        changes: the SELECT that compares both; its parameter `trained` is a fingerprint.
        corrections: the SELECT that counts corrections that are new; None where nobody corrects.
    """

    con: duckdb.DuckDBPyConnection
    lines: str
    words: str
    policies: str
    changes: str
    corrections: str | None

    @classmethod
    def opened(cls, con: duckdb.DuckDBPyConnection, versions: Mapping[str, Any]) -> Self:
        """Take what macros/version_sql.sql hands over; make the tables where there are none."""
        columns = {"lines": _LINES, "words": _WORDS, "policies": _POLICIES}
        tables = {name: versions[f"trained_{name}"] for name in columns}
        for name, table in tables.items():
            with _lock:
                con.execute(
                    f"create table if not exists {table} "
                    f"(dataset_fingerprint varchar, {columns[name]})"
                )
            con.execute(f"create or replace temp table {name}_now as {versions[f'{name}_now']}")
        return cls(con, **tables, changes=versions["changes"], corrections=versions["corrections"])

    def has(self, fingerprint: str) -> bool:
        """Say whether the lines of a fingerprint are known."""
        found = self.con.execute(
            f"select 1 from {self.lines} where dataset_fingerprint = ? limit 1",  # noqa: S608 - our own table
            [fingerprint],
        )
        return found.fetchone() is not None

    def is_of_policy(self, fingerprint: str) -> bool:
        """Say whether the lines of a fingerprint are known to come out of the policy of now."""
        ((n_others,),) = self.con.execute(
            f"select count(*) from (from policies_now anti join (select * from {self.policies} "  # noqa: S608 - our own table
            "where dataset_fingerprint = ?) using (policy_hash))",
            [fingerprint],
        ).fetchall()
        return bool(n_others == 0)

    def keep(self, fingerprint: str) -> None:
        """Write the lines down as those of this fingerprint, unless they are there."""
        written = [(self.policies, "policies_now")] * (not self.is_of_policy(fingerprint))
        if not self.has(fingerprint):
            written += [(self.lines, "lines_now"), (self.words, "words_now")]
        if not written:
            return
        self.con.begin()
        try:
            for table, rows in written:
                self.con.execute(f"insert into {table} select ?, * from {rows}", [fingerprint])  # noqa: S608 - our own tables
        except BaseException:
            self.con.rollback()
            raise
        self.con.commit()

    def change_since(self, fingerprint: str) -> Change | None:
        """Return how far the lines are from those of a fingerprint.

        None where that is not known, or where those came out of another policy.
        """
        if not (self.has(fingerprint) and self.is_of_policy(fingerprint)):
            return None
        trained = {"trained": fingerprint}
        columns = "n_old, n_added + n_removed + n_relabelled, psi_most"
        ((n_trained, n_changed, drift),) = self.con.execute(
            f"select {columns} from ({self.changes})",  # noqa: S608 - macros/version_sql.sql
            trained,
        ).fetchall()
        n_feedback = 0
        if self.corrections is not None:
            ((n_feedback,),) = self.con.execute(self.corrections, trained).fetchall()
        return Change(drift or 0.0, n_feedback, n_changed, n_trained)


def held_back(
    session: duckdb.DuckDBPyConnection,
    examples: duckdb.DuckDBPyRelation,
    schema: str,
    fingerprints: Collection[str],
) -> duckdb.DuckDBPyRelation | None:
    """Return the examples whose question none of some trainings has seen; None if nobody knows.

    The split follows a keyed hash of the question, so that is all of a validation split, unless its
    share was changed between two trainings.

    Args:
        session: a connection that has `keyed_hmac`.
        examples: with columns dataset and messages.
        schema: where `trained_lines` lies, quoted for SQL.
        fingerprints: of the lines of these trainings.
    """
    if not fingerprints:
        return examples
    wanted = sorted(fingerprints)
    lines = (
        f"(select * from {schema}.trained_lines where dataset_fingerprint in (select unnest(?)))"  # noqa: S608 - our own table
    )
    try:
        ((n_known,),) = session.execute(
            f"select count(distinct dataset_fingerprint) from {lines}",  # noqa: S608 - our own table
            [wanted],
        ).fetchall()
    except duckdb.CatalogException:  # nothing was ever submitted from here
        return None
    if n_known < len(wanted):
        return None
    seen = session.query(
        f"select prompt_hmac as seen from {lines} where split = 'train'",  # noqa: S608 - our own table
        params=[wanted],
    ).set_alias("trained")
    asked = examples.project(f"*, {_PROMPT_HMAC} as prompt_hmac").set_alias("now")
    return asked.join(seen, "prompt_hmac = seen", how="anti")
