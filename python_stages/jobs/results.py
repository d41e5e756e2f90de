"""The result files of a job: metrics by training step, sealed in the vault and read from there.

A result file is sealed beside the rows that it is about, as
`vault/sealed/<dataset>/metrics_<job key>-….sealed`: `sealtune unseal` opens it, resealing and
shredding the dataset take it along. Only numbers leave it, through `read_metrics`.

OpenAI's file is a CSV of step, train_loss, train_accuracy, valid_loss and valid_mean_token_accuracy
that is sent in base64 (https://platform.openai.com/docs/guides/supervised-fine-tuning, "Analyzing
your fine-tuned model", read 2026-11); others send the CSV itself.
"""

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from python_stages.backends.base import Backend
from python_stages.errors import BackendError, KeyFileError
from python_stages.jobs.ledger import Ledger, LedgerRow, ResultFile
from python_stages.jobs.recovery import short
from python_stages.keys import KeyRing
from python_stages.keys import datasets as dataset_keys
from python_stages.seal import read_sealed, seal

_FIELDS: Final[dict[str, pa.DataType]] = {
    "job_key": pa.string(),
    "dataset": pa.string(),
    "step": pa.int64(),
    "metric": pa.string(),
    "value": pa.float64(),
}
METRICS_SCHEMA: Final = pa.schema(_FIELDS)

# A provider may show the file some time after the job's end, or have none at all.
_MAX_LOOKS: Final = 5
# Only what looks like the name of a metric is believed to be one, and leaves the sealed file.
_METRIC: Final = re.compile(r"(?:(?:full_)?valid|train|test|eval)_[a-z_]{1,56}")
# A sealed file names the expectations that its lines passed; these passed none.
_NO_SUITE: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class ResultVault:
    """Where result files are sealed.

    Args:
        vault: folder of warehouse, sealed files and ledger.
        ring: keys to seal with, and to open with.
    """

    vault: Path
    ring: KeyRing

    def is_for(self, dataset: str) -> bool:
        """Say whether a dataset has a key: a shredded one gets no new one by its results."""
        return dataset_keys.current_id(self.ring.folder, dataset) is not None

    def store(self, row: LedgerRow, file_id: str, content: bytes) -> ResultFile:
        """Seal one result file, or find it sealed."""
        lines = _as_csv(content).splitlines()
        sealed = seal(
            lines,
            dataset=row.dataset,
            split=f"metrics_{short(row.key)}",
            suite_hash=_NO_SUITE,
            folder=self.vault / "sealed",
            keys=self.ring,
            expected_fingerprint=None,
        )
        path = sealed.path.relative_to(self.vault)
        return ResultFile(file_id, str(path), sealed.manifest.n_bytes)

    def numbers(self, file: ResultFile) -> Iterator[tuple[int, str, float]]:
        """Yield step, metric and value of a sealed result file; none where it does not open here.

        Raises:
            TamperedError: the file is not what was sealed.
        """
        if not (self.vault / file.path).exists():
            return  # shredded
        try:
            yield from _numbers(read_sealed(self.vault / file.path, keys=self.ring))
        except KeyFileError:
            return  # sealed for others


def store_results(
    row: LedgerRow, backend: Backend, ledger: Ledger, vault: ResultVault
) -> LedgerRow:
    """Fetch and seal the result files of a job that has ended; a repeated call finds them sealed.

    A job that has none is asked after a few times more, then never again.

    Raises:
        BackendError: the provider did not hand one out.
        SealError: one cannot be written.
    """
    if row.are_results_stored or row.job_id is None:
        return row
    if not vault.is_for(row.dataset):
        return ledger.save(replace(row, are_results_stored=True), "results_passed_over")
    # counted before it is tried, so that a file that can never be had is not asked for for ever
    looked = replace(row, n_result_looks=row.n_result_looks + 1)
    is_last = row.outcome != "succeeded" or looked.n_result_looks >= _MAX_LOOKS
    try:
        file_ids = backend.result_files(row.job_id)
        results = [vault.store(row, one, backend.read_file(one)) for one in file_ids]
    except BackendError:
        ledger.save(replace(looked, are_results_stored=is_last), "results_not_fetched")
        raise
    if results:
        stored = replace(looked, are_results_stored=True)
        return ledger.save(stored, "results_stored", results=results)
    return ledger.save(replace(looked, are_results_stored=is_last), "no_results")


def read_metrics(ledger: Ledger, vault: ResultVault) -> pa.Table:
    """Return the metrics of every job by step, rows of METRICS_SCHEMA.

    Raises:
        TamperedError: a result file is not what was sealed.
    """
    rows = [
        (row.key, row.dataset, step, metric, value)
        for row in ledger.jobs()
        for file in ledger.results(row.key)
        for step, metric, value in vault.numbers(file)
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(_FIELDS)
    arrays = map(pa.array, columns, _FIELDS.values())
    return pa.Table.from_arrays(list(arrays), schema=METRICS_SCHEMA)


def _as_csv(content: bytes) -> bytes:
    """Return the CSV of a result file, which may come in base64 (RFC 4648)."""
    try:
        decoded = base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content
    return decoded if decoded.startswith(b"step") else content


def _numbers(lines: Iterable[bytes]) -> Iterator[tuple[int, str, float]]:
    """Yield step, metric and value of every cell that is one; what is none is passed over.

    Numbers and their names hold no comma and need no quotes, so that a line with another number of
    cells than the first holds something else.
    """
    cells = ([cell.strip(' "') for cell in _text(line).split(",")] for line in lines)
    names = next(cells, [])
    for values in cells:
        named = dict(zip(names, values, strict=False)) if len(values) == len(names) else {}
        step = _number(named.get("step", ""))
        if step is None or not step.is_integer():
            continue
        for name, text in named.items():
            value = _number(text)
            if value is not None and _METRIC.fullmatch(name):
                yield int(step), name, value


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _number(text: str) -> float | None:
    """Return a cell as a finite number, or None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
