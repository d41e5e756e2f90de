"""What is timed: one function a part, run by `python -m tests.benchmarks.parts NAME ARGUMENT...`.

A function prepares its part and returns the work; only the work is timed. The last line printed is
JSON: seconds and processor seconds of the work, and how many units (rows, bytes) it did.
"""

# ruff: noqa: PLC0415 - a part loads only what it needs: what it loads is in the memory it is held to

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

Work = Callable[[], int | None]

_COLUMNS: Final = (
    *("transaction_id", "merchant_category", "merchant", "amount", "currency", "country", "city"),
    *("card_type", "timestamp", "customer_id"),
)
_SEALED_BYTES: Final = 200_000_000
_AES_BLOCK_BYTES: Final = 16 << 10
_N_TEXTS: Final = 2_000


def projection(source: str) -> Work:
    """Let DuckDB scan the ten columns that the sample needs, and count what is in each.

    All ten are parsed and unescaped, as the options are the same as those of the source; a count
    is the cheapest thing to do with them, so the baseline is as fast as it can be.
    """
    import duckdb

    from python_stages.ingest.scans import csv_sql
    from python_stages.ingest.sources import open_location

    con = duckdb.connect()
    (file,) = open_location(source)
    counts = ", ".join(f"count({column})" for column in _COLUMNS)
    sql = f"select {counts} from ({csv_sql(file.path, file.columns)})"  # noqa: S608 - our own
    return lambda: int(con.execute(sql).fetchall()[0][0])


def sampled(compiled_sql: str) -> Work:
    """Draw the sample into the vault by the SQL that dbt compiled for transactions_drawn."""
    con = _vault()
    sql = Path(compiled_sql).read_text()

    def work() -> None:
        con.execute(f"create or replace table vault.main.bench_sampled as {sql}")

    return work


def pandas_objects(source: str) -> Work:
    """Sample 200 rows the tutorial's way, with strings as pandas had them when it was written."""
    return _pandas(source, are_objects=True)


def pandas_str(source: str) -> Work:
    """Sample 200 rows the tutorial's way, with the Arrow strings of pandas 3."""
    return _pandas(source, are_objects=False)


def seal(folder: str) -> Work:
    """Seal lines for one recipient: encrypt, sync, read back and publish."""
    from python_stages import seal, settings
    from python_stages.keys import load

    ring = load(settings.keys_folder())
    for old in Path(folder).rglob("*.sealed"):
        old.unlink()  # else there is nothing left to seal

    def work() -> int:
        sealed = seal.seal(
            _lines(),
            dataset="bench",
            split="train",
            suite_hash="0" * 64,
            folder=Path(folder),
            keys=ring,
            expected_fingerprint=None,
        )
        return sealed.manifest.n_bytes

    return work


def unseal(folder: str) -> Work:
    """Verify and open what `seal` sealed; the plaintext goes nowhere."""
    from python_stages import seal, settings
    from python_stages.keys import load

    ring = load(settings.keys_folder())
    (path,) = Path(folder).rglob("*.sealed")

    def work() -> int:
        with Path(os.devnull).open("wb") as nowhere:
            return seal.unseal(path, nowhere, keys=ring).n_bytes

    return work


def aes_encrypt() -> Work:
    """Encrypt as many bytes in memory with AES-256-GCM, 16 KiB at a time."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(AESGCM.generate_key(256))
    block = os.urandom(_AES_BLOCK_BYTES)

    def work() -> int:
        for number in range(_SEALED_BYTES // len(block)):
            cipher.encrypt(number.to_bytes(12, "big"), block, None)
        return _SEALED_BYTES

    return work


def aes_decrypt() -> Work:
    """Decrypt as many bytes in memory with AES-256-GCM, 16 KiB at a time."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(AESGCM.generate_key(256))
    nonce = bytes(12)
    block = cipher.encrypt(nonce, os.urandom(_AES_BLOCK_BYTES), None)

    def work() -> int:
        for _ in range(_SEALED_BYTES // _AES_BLOCK_BYTES):
            cipher.decrypt(nonce, block, None)
        return _SEALED_BYTES

    return work


def scrub(manifest: str) -> Work:
    """Scrub rendered transactions with the policy of the dataset."""
    from python_stages.scrub import Engine, Policy, scrub

    policy = Policy.from_config(_meta(manifest, "transactions_scrubbed")["scrub"])
    engine = Engine(policy.entities)
    rendered = _rendered(manifest)
    return lambda: sum(batch.num_rows for batch in scrub([rendered], policy, engine=engine))


def presidio(manifest: str) -> Work:
    """Analyse and anonymise the same texts with Presidio's engines and the same recognisers.

    Here, too, equal texts are read once.
    """
    from presidio_anonymizer import AnonymizerEngine

    from python_stages.scrub import Policy
    from python_stages.scrub import presidio as parts

    policy = Policy.from_config(_meta(manifest, "transactions_scrubbed")["scrub"])
    analyzer = parts.analyzer(policy.entities, parts.word_splitter())
    anonymizer = AnonymizerEngine()  # type: ignore[no-untyped-call]  # its constructor has no types
    rendered = _rendered(manifest)
    columns = [
        (dict.fromkeys(rendered.column(name).to_pylist()), rule, _operators(rule.operators))
        for name, rule in policy.rules.items()
        if rule.operators
    ]

    def work() -> int:
        for texts, rule, operators in columns:
            for text in texts:
                found = analyzer.analyze(
                    text, language="en", entities=[*rule.operators], score_threshold=rule.min_score
                )
                anonymizer.anonymize(text, found, operators)
        return int(rendered.num_rows)

    return work


def _pandas(source: str, *, are_objects: bool) -> Work:
    import pandas as pd

    from tests.benchmarks.tutorial import sample_in_pandas

    pd.set_option("future.infer_string", not are_objects)

    def work() -> None:
        sample_in_pandas(Path(source))

    return work


def _operators(operators: Mapping[str, str]) -> dict[str, Any]:
    """Return Presidio's own operators: a placeholder for each entity, as the policy has it."""
    from presidio_anonymizer.entities import OperatorConfig

    return {entity: OperatorConfig("replace", {"new_value": f"[{entity}]"}) for entity in operators}


def _vault() -> Any:
    """Return a connection to the vault of the environment, as dbt has it."""
    import duckdb

    from python_stages import settings
    from python_stages.keys import load
    from python_stages.vault import open_vault, register_functions

    con = duckdb.connect()
    ring = load(settings.keys_folder())
    open_vault(con, settings.vault_folder(), ring.vault_key())
    register_functions(con, ring)
    # DuckDB imports pandas when a Python function is first called; in a build that is long before
    con.execute("select keyed_hmac('warm', 'up')")
    return con


def _lines() -> Iterator[bytes]:
    """Yield chat lines of about `_SEALED_BYTES` in all; distinct ones are few, and held."""
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"Which category is payment {n:08d}?" + " x" * 120},
                    {"role": "assistant", "content": "Grocery"},
                ]
            }
        ).encode()
        for n in range(10_000)
    ]
    n_lines = _SEALED_BYTES // (len(lines[0]) + 1)
    return islice(cycle(lines), n_lines)


def _meta(manifest: str, model: str) -> Mapping[str, Any]:
    """Return what the model's YAML says under config: meta."""
    nodes = json.loads(Path(manifest).read_text())["nodes"]
    meta: Mapping[str, Any] = nodes[f"model.sealtune.{model}"]["config"]["meta"]
    return meta


def _rendered(manifest: str) -> Any:
    """Return one batch of rendered transactions, all different."""
    from python_stages.render import RenderSpec, render

    rows = (
        _vault()
        .execute(
            "select transaction_id || row_number() over () as row_id, * "  # noqa: S608 - a number
            f"from vault.main.stg_transactions limit {_N_TEXTS}"
        )
        .to_arrow_table()
        .combine_chunks()
    )
    spec = RenderSpec.from_config(_meta(manifest, "transactions_rendered")["render"])
    (batch,) = render(rows.to_batches(), spec, bytes(32))
    return batch


PARTS: Final[Mapping[str, Callable[..., Work]]] = {
    part.__name__: part
    for part in (
        *(
            projection,
            sampled,
            pandas_objects,
            pandas_str,
            seal,
            unseal,
            aes_encrypt,
            aes_decrypt,
            scrub,
            presidio,
        ),
    )
}


def main() -> None:
    """Prepare the part that the arguments name, time its work, and print what it took."""
    work = PARTS[sys.argv[1]](*sys.argv[2:])
    start, cpu_start = time.perf_counter(), time.process_time()
    units = work()
    took = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu_start,
        "units": units,
    }
    sys.stdout.write(f"\n{json.dumps(took)}\n")


if __name__ == "__main__":
    main()
