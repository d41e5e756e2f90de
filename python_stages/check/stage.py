"""The stage: examples in, verdict rows out."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from python_stages.check.flags import CountPii, flag_examples
from python_stages.check.recall import flag_recall
from python_stages.check.runner import run_checkpoints
from python_stages.check.spec import CheckSpec
from python_stages.check.suites import DEFAULT_FOLDER, hash_suites, load_rules
from python_stages.check.verdict import judge


def check(
    batches: Iterable[pa.RecordBatch],
    spec: CheckSpec,
    count_pii: CountPii,
    *,
    dataset_fingerprint: str,
    reject_share: float,
    recall: pa.Table,
    n_real_values: int = 0,
    folder: Path = DEFAULT_FOLDER,
) -> pa.Table:
    """Check a dataset's examples; one verdict row per expectation, failed ones too.

    Args:
        batches: rows of `*_examples` with example_id, split, label, messages (JSON text) and
            n_tokens, in any order.
        spec: labels, entities and bounds of the dataset.
        count_pii: texts -> per entity the number of findings in each text.
        dataset_fingerprint: keyed fingerprint of the lines that these examples become.
        reject_share: share of source rows that the ingest rejected, 0 to 1.
        recall: entity, n_planted, n_masked and min_recall of all that was planted for these
            examples; a table without rows is no proof, and fails, where texts are about people.
        n_real_values: how many values of real sources stand in synthetic texts.
        folder: the folder of suites, validation definitions and checkpoints.

    Returns:
        A table of VERDICT_SCHEMA; it holds no text of any example.

    Raises:
        StageError: the examples or the suites cannot be judged in full.
    """
    # before the long work: a broken suite should not cost the search for personal data first
    rules, suite_hash = load_rules(folder), hash_suites(spec, folder)
    flags = flag_examples(
        batches, spec, count_pii, reject_share=reject_share, n_real_values=n_real_values
    )
    frames = flags.by_suite() | {"recall": flag_recall(recall)}
    parameters = spec.parameters() | {"n_labels": flags.n_labels}
    held = run_checkpoints(frames, parameters, folder)
    return judge(
        rules,
        held,
        frames,
        parameters,
        suite_hash=suite_hash,
        dataset_fingerprint=dataset_fingerprint,
    )
