"""What the thin dbt Python models call: relations and config in, a stream of batches out.

A model is a few lines, because dbt can neither contract nor unit-test Python: it names its upstream
relation and hands over its config. An exception that a library raises on the way may quote a value,
and dbt copies it into logs and artifacts: here it is replaced by its type (`value_free`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa

from python_stages import keys, progress, settings
from python_stages.check.imports import import_great_expectations
from python_stages.dbt_plugin import is_full_refresh, say
from python_stages.drawn_noise import DrawnNoise
from python_stages.earlier_rows import EarlierRows
from python_stages.errors import ConfigError, value_free
from python_stages.ingest import accounting as ingest
from python_stages.render import N_CUT, RenderSpec, max_tokens, render, rendered_schema
from python_stages.render import fit as fitted
from python_stages.scrub import (
    Policy,
    collect_real,
    pool,
    scrub,
    scrubbed_schema,
)
from python_stages.scrub.reversal import ReversalMap
from python_stages.scrub.version import engine_version, is_repeatable
from python_stages.vault import masked_files

_BATCH_ROWS = 4096
_POLICY_HASH = pa.field("policy_hash", pa.string())
Config = Mapping[str, Any]


def _stream(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], stage: str
) -> pa.RecordBatchReader:
    """Return a reader that pulls the batches one by one, so that memory stays bounded."""

    def guarded() -> Iterator[pa.RecordBatch]:
        with value_free(stage):
            yield from batches

    return pa.RecordBatchReader.from_batches(schema, guarded())


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterator[pa.RecordBatch]:
    """Yield a relation's rows in batches, and tell how many have passed.

    A connection streams one result at a time, so they are counted before.
    """
    n_rows = progress.total(lambda: len(relation))
    return progress.counted(relation.to_arrow_reader(_BATCH_ROWS), n_rows)


def _ring() -> keys.KeyRing:
    return keys.load(settings.keys_folder())


def ingested(
    session: duckdb.DuckDBPyConnection,
    source: duckdb.DuckDBPyRelation,
    dataset: str,
    config: Config,
) -> pa.RecordBatchReader:
    """Account for every record of a source; rows of `ingest.INGESTED_SCHEMA`.

    Args:
        session: dbt's connection.
        source: the source's rows; holds none in an `--empty` run, and then none are counted.
        dataset: name of the dataset.
        config: location, columns, record_id and record_key.
    """
    with value_free("ingest"):
        spec = ingest.IngestSpec.from_config(dataset, config)
        key = _ring().hmac_key(f"{dataset}.record")
        return ingest.account(
            session,
            spec,
            key,
            masked_files,
            is_empty=is_empty_run(source),
            meanwhile=_import_what_follows,
        )


def is_empty_run(relation: duckdb.DuckDBPyRelation) -> bool:
    """Return whether dbt handed the relation over in an `--empty` run."""
    # at the end, where it can be no part of a path
    return bool(re.search(r"limit\s*\(?0\)?[^']*$", relation.sql_query(), re.IGNORECASE))


def _import_what_follows() -> None:
    """Import what later stages need, which takes Python seconds that a long scan leaves it."""
    import presidio_analyzer  # noqa: F401, PLC0415 - see above
    import tldextract  # noqa: F401, PLC0415 - see above

    import_great_expectations()


def rendered(
    relation: duckdb.DuckDBPyRelation,
    dataset: str,
    config: Config,
    *,
    session: duckdb.DuckDBPyConnection | None = None,
    this: str | None = None,
) -> pa.RecordBatchReader:
    """Put rows into words; rows of `render.rendered_schema`.

    Args:
        relation: the rows.
        dataset: name of the dataset.
        config: what `RenderSpec` takes.
        session: dbt's connection, which noise is drawn and kept with.
        this: the relation that is built, quoted for SQL; goes with `session`.
    """
    with value_free("render"):
        spec = RenderSpec.from_config(config)
        if spec.noise:
            if session is None or this is None:
                raise ConfigError(
                    "render: noise needs session and this: call `rendered` in *_rendered.py as "
                    "`sealtune new` writes it"
                )
            shown = sorted(spec.columns)
            relation = DrawnNoise(session, this, dataset).noised(relation, spec.noise, shown)
        key = _ring().hmac_key(f"{dataset}.template")
        batches = render(_rows(relation), spec, key)
        return _stream(rendered_schema(spec), batches, "render")


def scrubbed(
    relation: duckdb.DuckDBPyRelation,
    dataset: str,
    config: Config,
    run: Config | None = None,
    *,
    reversal: bool | None = None,
    fit: Config | None = None,
    real_from: duckdb.DuckDBPyRelation | None = None,
    session: duckdb.DuckDBPyConnection | None = None,
    this: str | None = None,
) -> pa.RecordBatchReader:
    """Replace what the policy names in every text column; the same rows, and what was done.

    Args:
        relation: the rendered texts; read twice where the policy has surrogates, to know first
            which values are real.
        dataset: name of the dataset, which pseudonyms are made for.
        config: what `Policy` takes.
        run: where to work: what `pool.from_config` takes.
        reversal: whether to seal, apart, what pseudonyms and surrogates stand for.
        fit: `max_tokens`, the budget of a conversation; None for no limit.
        real_from: where those real values are, by default in these texts.
        session: dbt's connection, where rows of an earlier build may be taken over.
        this: the relation that is built, quoted for SQL; goes with `session`.

    Returns:
        What `scrub` returns, policy_hash, and how many tokens were cut; with `session` input_hmac
        (earlier_rows.py) before the counts.
    """
    with value_free("scrub"):
        policy = Policy.from_config(config, dataset=dataset)
        budget, executor = max_tokens(fit), pool.from_config(run)
        if not isinstance(reversal, bool | None):
            raise ConfigError("scrub_reversal must be true or false")
        reversals = ReversalMap() if reversal else None
        ring = _ring()
        earlier = known = None
        if session is not None and this is not None:
            by = f"{policy.fingerprint} {engine_version()} {budget} "
            earlier = EarlierRows(session, this, f"{dataset}.scrubbed", by)
            # a map of what pseudonyms stand for is made of all rows
            is_possible = is_repeatable(policy) and not reversal and not is_full_refresh()
            known = earlier.known(relation, is_possible=is_possible)
            if known.num_rows:
                say(f"{dataset}: {known.num_rows:,} rows are as they were scrubbed before")
            relation = earlier.others(relation, known)
        key = ring.hmac_key(f"{dataset}.pseudonym") if policy.needs_key else None
        real = None
        if policy.has_surrogates and key is not None:
            rows = (real_from or relation).to_arrow_reader(_BATCH_ROWS)
            real = collect_real(rows, policy, key=key, executor=executor)
        n_rows = progress.total(lambda: len(relation))
        reader = relation.to_arrow_reader(_BATCH_ROWS)
        batches = scrub(reader, policy, key=key, executor=executor, real=real, reversals=reversals)
        schema = scrubbed_schema(reader.schema, policy).append(_POLICY_HASH)

        def finished() -> Iterator[pa.RecordBatch]:
            for batch in batches:
                hashes = pa.repeat(policy.fingerprint, batch.num_rows)
                yield pa.RecordBatch.from_arrays([*batch.columns, hashes], schema=schema)
            if reversals is not None and len(reversals):
                folder = settings.vault_folder() / "reversal"
                reversals.seal(dataset=dataset, folder=folder, keys=ring)

        whole = schema.append(N_CUT)
        found = fitted(progress.counted(finished(), n_rows), budget)
        if earlier is not None and known is not None:
            # a connection streams one result at a time: these come when the others are through
            found = chain(found, earlier.taken_over(known, whole))
        return _stream(whole, found, "scrub")
