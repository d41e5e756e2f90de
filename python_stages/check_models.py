"""What `*_checked` models call: the verdict on every example."""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from python_stages import check as stage
from python_stages import keys, progress, settings
from python_stages.check import VERDICT_SCHEMA, CheckSpec, check, hash_suites
from python_stages.check.suites import DEFAULT_FOLDER
from python_stages.code_version import hash_code
from python_stages.dbt_plugin import is_full_refresh
from python_stages.drawn_noise import DrawnNoise, dataset_of
from python_stages.errors import ConfigError, StageError, value_free
from python_stages.hooks import check_spec, fingerprint_relation
from python_stages.scrub import Engine, planted
from python_stages.scrub.policy import MIN_SCORE
from python_stages.scrub.version import engine_version

_BATCH_ROWS: Final = 4096
_JUDGED: Final = pa.field("judged_hmac", pa.string())
Config = Mapping[str, Any]


def checked(
    examples: duckdb.DuckDBPyRelation,
    ingested: duckdb.DuckDBPyRelation,
    recall: duckdb.DuckDBPyRelation,
    scrubbed: duckdb.DuckDBPyRelation,
    config: Config,
    *,
    session: duckdb.DuckDBPyConnection,
    this: str,
    overlaps: duckdb.DuckDBPyRelation | None = None,
) -> pa.Table:
    """Validate the examples; one row per expectation.

    A full PASS of an earlier build is taken over where it was of exactly the same: the examples,
    the other facts, the suites and bounds, the engine and the check. Anything else is judged anew.

    Args:
        examples: the contracted `*_examples`.
        ingested: the dataset's `*_ingested`, for the share of rejected records.
        recall: the dataset's `*_pii_recall`, measured beside these examples.
        scrubbed: the dataset's `*_scrubbed`, by whose policy it has to be measured.
        config: what `CheckSpec` takes.
        session: dbt's connection.
        this: the relation that is built, quoted for SQL.
        overlaps: of a synthetic dataset, what of the real sources stands in these examples.

    Returns:
        Rows of VERDICT_SCHEMA and judged_hmac, which is of all that the verdict depends on.
    """
    with value_free("check"):
        spec = check_spec(config)
        if (spec.synthetic is None) != (overlaps is None):
            raise ConfigError("check needs *_overlaps where, and only where, texts are synthetic")
        ring = keys.load(settings.keys_folder())
        # a connection streams one result at a time, so these are done before the reader opens
        fingerprint = fingerprint_relation(examples, ring)
        facts = _Facts(
            fingerprint,
            _share(ingested),
            _recall(recall, scrubbed, fingerprint, spec),
            0 if overlaps is None else _n_found(overlaps),
        )
        judged = facts.hashed(examples, spec, ring.hmac_key("judged"))
        if spec.private_counts is not None:
            drawn = DrawnNoise(session, this, dataset_of(this))
            drawn.counted(examples, spec.labels, spec.private_counts, fingerprint)
        verdict = None if is_full_refresh() else _passed_before(session, this, judged)
        if verdict is None:
            verdict = facts.judge(examples, spec)
        return verdict.append_column(_JUDGED, pa.repeat(judged, verdict.num_rows))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a verdict depends on besides the examples; arguments of `check`."""

    dataset_fingerprint: str
    reject_share: float
    recall: pa.Table
    n_real_values: int

    def judge(self, examples: duckdb.DuckDBPyRelation, spec: CheckSpec) -> pa.Table:
        """Return the verdict on the examples."""
        engine = Engine(spec.pii_entities)
        n_rows = progress.total(lambda: len(examples))
        return check(
            progress.counted(examples.to_arrow_reader(_BATCH_ROWS), n_rows),
            spec,
            lambda texts: {
                entity: counts.astype(np.int64)
                for entity, counts in engine.count_findings(
                    texts, spec.pii_entities, MIN_SCORE
                ).items()
            },
            dataset_fingerprint=self.dataset_fingerprint,
            reject_share=self.reject_share,
            recall=self.recall,
            n_real_values=self.n_real_values,
        )

    def hashed(self, examples: duckdb.DuckDBPyRelation, spec: CheckSpec, key: bytes) -> str:
        """Return a keyed hash of these facts, of every column of the examples, and of the code."""
        columns = ", ".join(f'"{name}"' for name in examples.columns)
        rows = examples.aggregate(
            f"count(*), bit_xor(md5_number(json_array({columns})::varchar))"
        ).fetchall()
        facts = (
            self.dataset_fingerprint,
            self.reject_share,
            sorted(map(repr, self.recall.to_pylist())),
            self.n_real_values,
            rows,
            spec,
            hash_suites(spec),
            # checkpoints, and whatever else Great Expectations finds there
            hash_code(DEFAULT_FOLDER),
            engine_version(),
            _check_version(),
        )
        return hmac.digest(key, repr(facts).encode(), "sha256").hex()


@lru_cache(1)
def _check_version() -> str:
    folder = Path(stage.__file__).parent
    libraries = ["great-expectations", "numpy", "pandas"]
    return hash_code(folder, besides=[Path(__file__)], libraries=libraries)


def _passed_before(session: duckdb.DuckDBPyConnection, this: str, judged: str) -> pa.Table | None:
    """Return the rows of the relation if they are a full PASS of the same, else None."""
    # there is no relation yet, or an older version made it
    with suppress(duckdb.CatalogException, duckdb.BinderException):
        found = session.execute(
            f"select *, is_success and {_JUDGED.name} = ? as is_same from {this}",  # noqa: S608 - dbt's own name
            [judged],
        ).to_arrow_table()
        rows = found.to_pylist()
        if rows and all(row["is_same"] and row["n_expectations"] == len(rows) for row in rows):
            return found.select(VERDICT_SCHEMA.names).cast(VERDICT_SCHEMA)
    return None


def _n_found(overlaps: duckdb.DuckDBPyRelation) -> int:
    """Return how many values of real sources were found."""
    return int(overlaps.aggregate("coalesce(sum(n_found), 0)").fetchall()[0][0])


def _recall(
    relation: duckdb.DuckDBPyRelation,
    scrubbed: duckdb.DuckDBPyRelation,
    fingerprint: str,
    spec: CheckSpec,
) -> pa.Table:
    """Return what was measured beside the examples of a fingerprint, with the check's bounds.

    Raises:
        StageError: it was measured beside others, by another policy, or of an unknown entity.
    """
    measured = relation.to_arrow_table()
    least = planted.least_recalls(spec.min_planted_recall)
    entities = [str(entity) for entity in measured.column("entity").to_pylist()]
    fingerprints = set(measured.column("dataset_fingerprint").to_pylist())
    if not (fingerprints <= {fingerprint} and set(entities) <= set(least)):
        raise StageError(
            "the recall was measured beside other lines; build the *_pii_recall model again"
        )
    policies = {policy for (policy,) in scrubbed.project("policy_hash").distinct().fetchall()}
    if not set(measured.column("policy_hash").to_pylist()) <= policies or len(policies) > 1:
        raise StageError(
            "the recall was measured by another policy than that which scrubbed; give *_scrubbed "
            "and *_pii_recall the same scrub settings, and build both again"
        )
    bounds = pa.array([least[entity] for entity in entities], pa.float64())
    return measured.drop_columns("min_recall").append_column("min_recall", bounds)


def _share(ingested: duckdb.DuckDBPyRelation) -> float:
    """Return rejected records / records read."""
    share = ingested.aggregate(
        "sum(n_rows) filter (outcome = 'rejected') / sum(n_rows) filter (outcome = 'read')"
    ).fetchall()[0][0]
    return float(share or 0.0)
