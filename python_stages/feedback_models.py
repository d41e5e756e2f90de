"""What the `*_feedback` models call: corrections in, scrubbed and judged, one row per record out.

A correction may hold what a text must not. It takes the place of the answer in the rendered row
that its example was made of, and that row goes through the scrub stage as any other: the same
policy, the row's own values as deny-list, the same budget of tokens. What does not come out of it
as it should is a counted reject, and the example stays as it was.
"""

import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import duckdb
import pyarrow as pa

from python_stages import keys, settings
from python_stages.corrected_rows import Corrected, Row, settled
from python_stages.dbt_models import Config, is_empty_run, scrubbed
from python_stages.dbt_plugin import is_full_refresh
from python_stages.errors import ConfigError, StageError, value_free
from python_stages.example_sql import example_id_sql
from python_stages.feedback import (
    FEEDBACK_SCHEMA,
    FeedbackSettings,
    Known,
    Verdict,
    judge,
    read_folder,
    require_usable,
)
from python_stages.feedback.stand_ins import hidden
from python_stages.render import max_tokens
from python_stages.scrub import Policy
from python_stages.scrub.frames import is_active

_IDS: Final = "feedback_ids"
_CORRECTIONS: Final = "feedback_corrections"


def feedback(
    session: duckdb.DuckDBPyConnection,
    rendered: duckdb.DuckDBPyRelation,
    scrubbed_rows: duckdb.DuckDBPyRelation,
    dataset: str,
    config: Config,
    *,
    policy: Config,
    fit: Config | None = None,
    this: str | None = None,
) -> pa.Table:
    """Judge the corrections of a dataset; rows of `FEEDBACK_SCHEMA`, one per record.

    Args:
        session: dbt's connection, which has `keyed_hmac`.
        rendered: the rows before they were scrubbed.
        scrubbed_rows: what they became.
        dataset: name of the dataset, and of the folder below `folder` that its files lie in.
        config: `folder`, null for none; `labels`, a list, or `any` for those that the rows have;
            `max_reject_share`, beyond which the build stops.
        policy: what `Policy` takes; that of the scrubbed rows.
        fit: `max_tokens`, the budget of a conversation; None for no limit.
        this: the relation that is built, quoted for SQL.

    Raises:
        ConfigError: a setting is wrong, or the folder is not there, or no longer named.
        SourceError: a file cannot be read, or too many corrections cannot be used.
        StageError: the rows were scrubbed by another policy, or could not be.
    """
    with value_free("feedback"):
        wanted = FeedbackSettings.from_config(config)
        folder = wanted.folder
        if is_empty_run(rendered):
            return FEEDBACK_SCHEMA.empty_table()
        if folder is None or not (folder / dataset).is_dir():
            _require_none_merged(session, this, dataset)
            return FEEDBACK_SCHEMA.empty_table()
        records = read_folder(folder / dataset)
        examples = _examples(
            session, rendered, scrubbed_rows, dataset, {one.example_id for one in records}
        )
        known = {
            example_id: Known(rows[0].label, answers_label=rows[0].answers_label)
            for example_id, rows in examples.items()
        }
        allowed = _labels_of(rendered) if wanted.labels is None else wanted.labels
        rules = Policy.from_config(policy, dataset=dataset)
        verdicts = [_scrubbable(one, known, rules) for one in judge(records, known, allowed)]
        _require_policy(scrubbed_rows, rules)
        corrections = {
            row.row_id: (
                one.correction.label,
                one.correction.answer and hidden(one.correction.answer, row.stand_ins),
            )
            for one in verdicts
            if one.correction is not None and one.record.example_id is not None
            for row in examples[one.record.example_id]
        }
        with _corrected_rows(session, rendered, corrections) as (rows, real_from):
            # the question was cut already, to what its first answer left
            reader = scrubbed(rows, dataset, policy, real_from=real_from)
            corrected = dict(_read(reader))
        budget = max_tokens(fit)
        key = keys.load(settings.keys_folder()).hmac_key(f"{dataset}.reviewer")
        judged = [settled(one, examples, corrected, budget) for one in verdicts]
        require_usable([one for one, _ in judged], wanted.max_reject_share, dataset)
        found = [_row(one, text, key, rules.fingerprint) for one, text in judged]
        return pa.Table.from_pylist(found, schema=FEEDBACK_SCHEMA)


def _require_none_merged(
    session: duckdb.DuckDBPyConnection, this: str | None, dataset: str
) -> None:
    """Stop before corrections that an earlier build merged are left out without a word."""
    n_merged = 0
    if this is not None and not is_full_refresh():
        with suppress(duckdb.CatalogException):  # there is no relation yet
            merged = f"select count(*) from {this} where outcome = 'merged'"  # noqa: S608 - dbt's own name
            ((n_merged,),) = session.execute(merged).fetchall()
    if n_merged:
        raise ConfigError(
            f"{dataset}: {n_merged} corrections of the last build would be lost: give the var "
            "feedback its folder again, or build with --full-refresh to leave them out"
        )


def _examples(
    session: duckdb.DuckDBPyConnection,
    rendered: duckdb.DuckDBPyRelation,
    scrubbed_rows: duckdb.DuckDBPyRelation,
    dataset: str,
    ids: Collection[str | None],
) -> dict[str, Sequence[Row]]:
    """Return the rows of each example that is named, the examples and rows by id."""
    table = pa.table({"example_id": pa.array(sorted(filter(None, ids)), pa.string())})
    with _registered(session, _IDS, table):
        found = session.execute(f"""
            with named as (
                select
                    row_id, user_text, assistant_text, {example_id_sql(dataset)} as example_id
                from ({scrubbed_rows.sql_query()})
                where n_unreadable = 0
            ),
            wanted as (
                select * from named semi join {_IDS} using (example_id)
            )
            select
                wanted.example_id, row_id, rendered.label, wanted.user_text, wanted.assistant_text,
                rendered.user_text, rendered.assistant_text
            from wanted join ({rendered.sql_query()}) as rendered using (row_id)
            order by all
        """).fetchall()  # noqa: S608 - dbt's relations and a plain name
    examples: defaultdict[str, list[Row]] = defaultdict(list)
    for example_id, *values in found:
        examples[example_id].append(Row(*values))
    return dict(examples)


def _labels_of(rendered: duckdb.DuckDBPyRelation) -> frozenset[str]:
    return frozenset(str(label) for (label,) in rendered.project("label").distinct().fetchall())


def _scrubbable(verdict: Verdict, known: Mapping[str, Known], rules: Policy) -> Verdict:
    """Refuse an answer in a person's own words where the policy looks into no answer."""
    correction, example_id = verdict.correction, verdict.record.example_id
    if correction is None or correction.answer is None or known[str(example_id)].answers_label:
        return verdict
    rule = rules.rules.get("assistant_text")
    is_read = rule is not None and is_active(rule)
    return verdict if is_read else verdict.rejected("answer_is_not_scrubbed")


def _require_policy(scrubbed_rows: duckdb.DuckDBPyRelation, rules: Policy) -> None:
    found = {policy for (policy,) in scrubbed_rows.project("policy_hash").distinct().fetchall()}
    if not found <= {rules.fingerprint}:
        raise StageError(
            "corrections would be scrubbed by another policy than the rows; give *_scrubbed and "
            "*_feedback the same scrub settings, and build both again"
        )


@contextmanager
def _corrected_rows(
    session: duckdb.DuckDBPyConnection,
    rendered: duckdb.DuckDBPyRelation,
    wanted: Mapping[str, tuple[str, str | None]],
) -> Iterator[tuple[duckdb.DuckDBPyRelation, duckdb.DuckDBPyRelation]]:
    """Give the rendered rows that are corrected, with the corrections in; and with all others."""
    labels, answers = zip(*wanted.values(), strict=True) if wanted else ((), ())
    table = pa.table(
        {
            "row_id": pa.array(wanted, pa.string()),
            "label": pa.array(labels, pa.string()),
            "answer": pa.array(answers, pa.string()),
        }
    )
    with _registered(session, _CORRECTIONS, table):
        rows = f"""
            select
                rendered.* replace (
                    corrections.label as label,
                    coalesce(corrections.answer, rendered.assistant_text) as assistant_text
                )
            from ({rendered.sql_query()}) as rendered
            join {_CORRECTIONS} as corrections on corrections.row_id = rendered.row_id
        """  # noqa: S608 - dbt's relations
        everything = f"select * from ({rendered.sql_query()}) union all by name {rows}"  # noqa: S608 - as above
        yield session.query(rows), session.query(everything)


@contextmanager
def _registered(session: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    session.register(name, table)
    try:
        yield
    finally:
        session.unregister(name)


def _read(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, Corrected]]:
    for batch in batches:
        for row in batch.to_pylist():
            yield (
                row["row_id"],
                Corrected(
                    row["label"],
                    row["system_text"],
                    row["user_text"],
                    row["assistant_text"],
                    row["n_masked"],
                    row["n_unreadable"],
                ),
            )


def _row(verdict: Verdict, text: Corrected | None, key: bytes, policy_hash: str) -> dict[str, Any]:
    """Return what is kept of a record: no text but the scrubbed one that counts, and no name."""
    record = verdict.record
    return {
        "example_id": record.example_id,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "label": None if text is None else text.label,
        "assistant_text": None if text is None else text.assistant_text,
        "n_masked": None if text is None else text.n_masked,
        "corrected_by_hmac": (
            hmac.digest(key, record.who.encode(), "sha256").hex() if record.who else None
        ),
        "corrected_at": record.at,
        "file_name": record.file,
        "line_number": record.line,
        "policy_hash": policy_hash,
    }
