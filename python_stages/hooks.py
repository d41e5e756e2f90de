"""What happens after a `*_sealed` model is committed: seal its lines, then submit the job.

Both hooks read the committed rows through a cursor of their own, verify for themselves that the
check stage passed exactly these lines, and may be repeated: what is sealed is found sealed, what
was submitted is found submitted.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import duckdb

from python_stages import keys, settings
from python_stages.backends import open_backend
from python_stages.backends.base import Content, JobSpec, is_loopback
from python_stages.backends.plan import PlanBackend
from python_stages.check import CheckSpec, hash_suites, require_pass
from python_stages.errors import ConfigError, TamperedError, value_free
from python_stages.ledger import Ledger, LedgerRow
from python_stages.refresh import refresh
from python_stages.scrub.engine import expand
from python_stages.seal import (
    Manifest,
    SealedFile,
    fingerprint_dataset,
    fingerprint_lines,
    open_sealed,
    seal,
    verify,
)
from python_stages.seal.sealed_format import signer_id
from python_stages.sources import literal
from python_stages.submit import submit

# The exact text of a JSONL line, as the `*_sealed` views have it.
LINE_SQL = "'{\"messages\": ' || messages || '}'"
_FETCH_ROWS = 4096
_LOCK_WAIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How a dataset's job is run; `job` in the config of its `*_sealed` model."""

    backend: str
    base_model: str
    n_epochs: int | str = 3
    seed: int = 7
    suffix: str | None = None
    base_url: str | None = None
    allow_upload: bool = False
    price_per_million_tokens: float | None = None
    expires_after_seconds: int | None = 7 * 24 * 3600

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the settings.

        Raises:
            ConfigError: one is unknown, or rows would leave this machine without consent.
        """
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(config) - set(known)):
            raise ConfigError(f"job: unknown setting {unknown[0]}; known are {', '.join(known)}")
        if missing := sorted({"backend", "base_model"} - set(config)):
            raise ConfigError(f"job: setting {missing[0]} is missing")
        wanted = cls(**config)
        price = wanted.price_per_million_tokens
        if price is not None and not isinstance(price, int | float):
            raise ConfigError("job: price_per_million_tokens must be a number or null")
        stays_here = wanted.backend == "plan" or is_loopback(wanted.base_url or "")
        if not stays_here and wanted.allow_upload is not True:
            raise ConfigError(
                f"backend {wanted.backend} would send the examples to another machine; "
                "if that is allowed, say so with allow_upload: true"
            )
        return wanted


@dataclass(frozen=True, slots=True)
class Lines:
    """The committed lines of a `*_sealed` model, and what its check said of them."""

    con: duckdb.DuckDBPyConnection
    dataset: str
    sealed: str  # relation, quoted for SQL
    checked: str
    check: CheckSpec

    @classmethod
    def from_config(cls, con: duckdb.DuckDBPyConnection, config: Mapping[str, Any]) -> Self:
        """Read what macros/seal.sql and macros/submit.sql hand over."""
        check = check_spec(config["check"])
        return cls(con, config["dataset"], config["sealed"], config["checked"], check)

    def split(self, name: str) -> Iterator[bytes]:
        """Yield the lines of one split, in order."""
        with self.con.cursor() as cursor:
            cursor.execute(
                f"select line from {self.sealed} where split = ? order by line_number", [name]
            )
            while rows := cursor.fetchmany(_FETCH_ROWS):
                for (line,) in rows:
                    yield line.encode()

    def fingerprints(self, ring: keys.KeyRing) -> dict[str, str]:
        """Return the fingerprint of each split, having verified that the check passed them.

        Raises:
            NotCheckedError: there is no full PASS for exactly these lines.
        """
        key = ring.hmac_key("fingerprint")
        splits = self.con.execute(f"select distinct split from {self.sealed} order by all")
        names = [name for (name,) in splits.fetchall()]
        by_split = {name: fingerprint_lines(self.split(name), key) for name in names}
        verdict = self.con.execute(f"from {self.checked}").to_arrow_table()
        require_pass(
            verdict,
            dataset_fingerprint=fingerprint_dataset(by_split, key),
            suite_hash=hash_suites(self.check),
        )
        return by_split

    def count_train(self) -> tuple[int, int]:
        """Return the number of training examples and of their tokens."""
        n_examples, n_tokens = self.con.execute(
            f"select count(*), coalesce(sum(n_tokens), 0) from {self.sealed} where split = 'train'"
        ).fetchall()[0]
        return int(n_examples), int(n_tokens)


def check_spec(config: Mapping[str, Any]) -> CheckSpec:
    """Return the check of a dataset, with groups of entities (`identifiers`) spelled out.

    Raises:
        ConfigError: a setting or an entity is unknown.
    """
    return CheckSpec.from_config({**config, "pii_entities": list(expand(config["pii_entities"]))})


def fingerprint_relation(examples: duckdb.DuckDBPyRelation, ring: keys.KeyRing) -> str:
    """Return the fingerprint of the dataset that these `*_examples` become."""
    key = ring.hmac_key("fingerprint")

    def lines(split: str) -> Iterator[bytes]:
        wanted = duckdb.ColumnExpression("split") == duckdb.ConstantExpression(split)
        ordered = examples.filter(wanted).order("example_id").project(f"{LINE_SQL} as line")
        for batch in ordered.to_arrow_reader(_FETCH_ROWS):
            for line in batch.column("line").to_pylist():
                yield str(line).encode()

    splits = [name for (name,) in examples.project("split").distinct().fetchall()]
    return fingerprint_dataset({name: fingerprint_lines(lines(name), key) for name in splits}, key)


def run(con: duckdb.DuckDBPyConnection, config: Mapping[str, Any]) -> str:
    """Run the hook that `config["hook"]` names; return a sentence for the log."""
    with value_free(config["hook"]):
        ring = keys.load(settings.keys_folder(), project=Path.cwd())
        lines = Lines.from_config(con, config)
        if config["hook"] == "seal":
            return _describe_sealed(lines.dataset, seal_lines(lines, ring))
        return _describe_job(submit_lines(lines, ring, JobSettings.from_config(config["job"])))


def seal_lines(lines: Lines, ring: keys.KeyRing) -> list[SealedFile]:
    """Seal every split, unless it is sealed already."""
    return [
        seal(
            lines.split(name),
            dataset=lines.dataset,
            split=name,
            suite_hash=hash_suites(lines.check),
            folder=sealed_folder(),
            keys=ring,
            expected_fingerprint=fingerprint,
        )
        for name, fingerprint in lines.fingerprints(ring).items()
    ]


def submit_lines(lines: Lines, ring: keys.KeyRing, job: JobSettings) -> LedgerRow:
    """Submit the job of the sealed splits, or find it submitted."""
    by_split = lines.fingerprints(ring)
    contents = {
        name: _content(sealed_folder() / lines.dataset / f"{name}-{fingerprint}.sealed", ring)
        for name, fingerprint in by_split.items()
    }
    n_examples, n_tokens = lines.count_train()
    spec = JobSpec(
        dataset=lines.dataset,
        base_model=job.base_model,
        hyperparameters={"n_epochs": job.n_epochs},
        seed=job.seed,
        suffix=job.suffix,
        training=contents["train"],
        validation=contents.get("validation"),
        dataset_fingerprint=fingerprint_dataset(by_split, ring.hmac_key("fingerprint")),
        n_examples=n_examples,
        n_training_tokens=n_tokens,
        price_per_million_tokens=job.price_per_million_tokens,
    )
    with (
        Ledger(ledger_path()) as ledger,
        open_backend(
            job.backend,
            base_url=job.base_url,
            api_key=settings.api_key(),
            expires_after_seconds=job.expires_after_seconds,
        ) as backend,
    ):
        # dbt builds several datasets at once, and one submitter works at a time
        row = submit(spec, backend, ledger, lock_wait_seconds=_LOCK_WAIT_SECONDS)
        if not isinstance(backend, PlanBackend):
            refresh(backend, ledger, lock_wait_seconds=_LOCK_WAIT_SECONDS)
            row = ledger.get(row.key) or row
        return row


def sealed_folder() -> Path:
    """Return the folder of all sealed files."""
    return settings.vault_folder() / "sealed"


def ledger_path() -> Path:
    """Return the file of the ledger."""
    return settings.vault_folder() / "ledger.sqlite"


_LEDGER_COLUMNS = {
    "key": "varchar",
    "dataset": "varchar",
    "state": "varchar",
    "backend": "varchar",
    "base_model": "varchar",
    "n_examples": "bigint",
    "n_training_tokens": "bigint",
    "n_billed_tokens": "bigint",
    "estimated_cost": "double",
    "currency": "varchar",
    "job_id": "varchar",
    "fine_tuned_model": "varchar",
    "outcome": "varchar",
    "error_code": "varchar",
    "parked_reason": "varchar",
    "dataset_fingerprint": "varchar",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}


def ledger_sql() -> str:
    """Return the SELECT that lists the jobs of the ledger, none where there is no ledger yet."""
    rows: tuple[LedgerRow, ...] = ()
    if ledger_path().exists():
        with Ledger(ledger_path()) as ledger:
            rows = ledger.jobs()
    names = ", ".join("job_key" if name == "key" else name for name in _LEDGER_COLUMNS)

    def select(row: LedgerRow | None) -> str:
        cells = (
            "null" if row is None or getattr(row, name) is None else literal(getattr(row, name))
            for name in _LEDGER_COLUMNS
        )
        typed = zip(cells, _LEDGER_COLUMNS.values(), strict=True)
        return f"({', '.join(f'{cell}::{kind}' for cell, kind in typed)})"

    values = ", ".join(map(select, rows or (None,)))
    return f"select * from (values {values}) as jobs({names}) where job_key is not null"


def _content(path: Path, ring: keys.KeyRing) -> Content:
    """Return a split as a backend takes it: verified now, decrypted in memory when it is read."""
    manifest: Manifest = verify(path, keys=ring)
    if manifest.signer != signer_id(ring.signing_key()):
        raise TamperedError(
            f"{path.name} was signed by somebody else, though the lines are ours: remove it and "
            "build again"
        )

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        with open_sealed(path, keys=ring) as file:
            yield file.blocks()

    return Content(manifest.n_bytes, opened)


def _describe_sealed(dataset: str, files: list[SealedFile]) -> str:
    parts = [f"{file.manifest.split} {file.manifest.n_rows:,} lines" for file in files]
    verb = "sealed" if any(file.is_new for file in files) else "already sealed, nothing written:"
    return f"{dataset}: {verb} {', '.join(parts)}"


def _describe_job(row: LedgerRow) -> str:
    cost = (
        "price unknown"
        if row.estimated_cost is None
        else (f"about {row.estimated_cost:,.2f} {row.currency}")
    )
    tokens = f"{row.n_training_tokens:,} tokens an epoch"
    state = row.outcome or row.state
    if row.error_code:
        state = f"{state} ({row.error_code})"
    return (
        f"{row.dataset}: job {row.key[:12]} on {row.backend} is {state}: {row.base_model}, "
        f"{row.n_examples:,} examples, {tokens}, {cost}"
    )
