"""What `*_pii_recall` models call: how much of planted personal data the policy masks."""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import duckdb
import pyarrow as pa

from python_stages import keys, settings
from python_stages.dbt_plugin import is_full_refresh
from python_stages.errors import value_free
from python_stages.hooks import fingerprint_relation
from python_stages.scrub import (
    Engine,
    Policy,
    planted,
)
from python_stages.scrub.version import engine_version, is_repeatable

_BATCH_ROWS = 4096
Config = Mapping[str, Any]


def pii_recall(
    rendered: duckdb.DuckDBPyRelation,
    examples: duckdb.DuckDBPyRelation,
    dataset: str,
    policy: Config,
    config: Config | None = None,
    *,
    session: duckdb.DuckDBPyConnection | None = None,
    this: str | None = None,
) -> pa.Table:
    """Measure what the policy masks of values planted into copies of the rendered texts.

    What an earlier build measured is taken over where it would come out the same: the same rows of
    the sample, the same policy, numbers, key and engine.

    Args:
        rendered: the texts before they are scrubbed.
        examples: what they became; the measurement is good for exactly these.
        dataset: name of the dataset.
        policy: what `Policy` takes; the check refuses another than that of `*_scrubbed`.
        config: what `planted.PlantSpec` takes.
        session: dbt's connection, where an earlier measurement may be taken over.
        this: the relation that is built, quoted for SQL; goes with `session`.

    Returns:
        Rows of `planted.RECALL_SCHEMA`, dataset_fingerprint, policy_hash and measured_hmac, which
        is of all that the numbers depend on; none without texts.
    """
    with value_free("recall"):
        spec = planted.PlantSpec.from_config(config)
        scrubbed_by = Policy.from_config(policy, dataset=dataset)
        ring = keys.load(settings.keys_folder())
        key = ring.hmac_key(f"{dataset}.planted")
        rows = planted.sample(rendered.to_arrow_reader(_BATCH_ROWS), spec.n_planted, key)
        facts = [sorted(map(repr, map(sorted, map(dict.items, map(dict, rows))))), asdict(spec)]
        settled = f"{scrubbed_by.fingerprint} {engine_version()} {facts!r}"
        measured = hmac.digest(key, settled.encode(errors="surrogatepass"), "sha256").hex()
        recall = None
        if not scrubbed_by.entities:  # nothing is replaced; an engine takes seconds to load
            recall = planted.RECALL_SCHEMA.empty_table()
        elif session and this and is_repeatable(scrubbed_by) and not is_full_refresh():
            recall = _measured_before(session, this, measured)
        if recall is None:
            pseudonym_key = None
            if scrubbed_by.needs_key:
                pseudonym_key = ring.hmac_key(f"{dataset}.pseudonym")
            engine = Engine(scrubbed_by.entities, ner=scrubbed_by.ner)
            recall = planted.measure(
                rows, scrubbed_by, engine, spec, key=key, pseudonym_key=pseudonym_key
            )
        for field, value in (
            (pa.field("dataset_fingerprint", pa.string()), fingerprint_relation(examples, ring)),
            (pa.field("policy_hash", pa.string()), scrubbed_by.fingerprint),
            (pa.field("measured_hmac", pa.string()), measured),
        ):
            recall = recall.append_column(field, pa.repeat(value, recall.num_rows))
        return recall


def _measured_before(
    session: duckdb.DuckDBPyConnection, this: str, measured: str
) -> pa.Table | None:
    """Return rows of `planted.RECALL_SCHEMA` that the relation has by a measured_hmac, if any."""
    columns = ", ".join(planted.RECALL_SCHEMA.names)
    # there is no relation yet, or an older version made it
    with suppress(duckdb.CatalogException, duckdb.BinderException):
        found = session.execute(
            f"select {columns} from {this} where measured_hmac = ?",  # noqa: S608 - dbt's own name
            [measured],
        ).to_arrow_table()
        return found.cast(planted.RECALL_SCHEMA) if found.num_rows else None
    return None
