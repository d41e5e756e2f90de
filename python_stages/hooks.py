"""What happens after a `*_sealed` model is committed: seal its lines, then submit the job.

Both hooks read the committed rows through a cursor of their own, verify for themselves that the
check stage passed exactly these lines, and may be repeated: what is sealed is found sealed, what
was submitted is found submitted.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb

from python_stages import keys, settings, trace
from python_stages.audit import AuditSettings
from python_stages.backends.base import Content
from python_stages.check import CheckSpec, hash_suites, require_pass
from python_stages.errors import TamperedError, value_free
from python_stages.example_sql import LINE_SQL
from python_stages.jobs.hooks import (
    describe_job,
    job_of,
    note_decision,
    refresh_jobs,
    submit_job,
)
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.planting import Planted
from python_stages.jobs.settings import JobSettings
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
from python_stages.trained_lines import TrainedLines

_FETCH_ROWS = 4096


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
    return fingerprint_dataset(fingerprint_splits(examples, ring), ring.hmac_key("fingerprint"))


def fingerprint_splits(examples: duckdb.DuckDBPyRelation, ring: keys.KeyRing) -> dict[str, str]:
    """Return the fingerprint of each split that these `*_examples` become."""
    key = ring.hmac_key("fingerprint")

    def lines(split: str) -> Iterator[bytes]:
        wanted = duckdb.ColumnExpression("split") == duckdb.ConstantExpression(split)
        ordered = examples.filter(wanted).order("example_id").project(f"{LINE_SQL} as line")
        for batch in ordered.to_arrow_reader(_FETCH_ROWS):
            for line in batch.column("line").to_pylist():
                yield str(line).encode()

    splits = [name for (name,) in examples.project("split").distinct().fetchall()]
    return {name: fingerprint_lines(lines(name), key) for name in splits}


def run(
    con: duckdb.DuckDBPyConnection, config: Mapping[str, Any], say: Callable[[str], None]
) -> str:
    """Run the hook that `config["hook"]` names; return a sentence for the log.

    Args:
        con: dbt's connection.
        config: what the hook's macro hands over.
        say: takes a line for the log while the hook is at work.
    """
    with value_free(config["hook"]):
        ring = keys.load(settings.keys_folder(), project=Path.cwd())
        if config["hook"] == "refresh":
            return refresh_jobs(ring, config["jobs"], say)
        lines = Lines.from_config(con, config)
        if config["hook"] == "seal":
            sealed = seal_lines(lines, ring, config.get("subject"))
            return _describe_sealed(lines.dataset, sealed)
        audit = AuditSettings.from_config(config.get("audit") or {"enabled": False})
        versions = config.get("versions")
        trained = None if versions is None else TrainedLines.opened(con, versions)
        row = submit_lines(lines, ring, config["job"], say, audit=audit, trained=trained)
        return describe_job(row)


def seal_lines(lines: Lines, ring: keys.KeyRing, subject: str | None = None) -> list[SealedFile]:
    """Seal every split, unless it is sealed already; note before whose rows are in them.

    Args:
        lines: what is sealed.
        ring: the keys.
        subject: column of the `*_drawn` relation that tells people apart, or None where none does.
    """
    by_split = lines.fingerprints(ring)
    if subject:
        fingerprint = fingerprint_dataset(by_split, ring.hmac_key("fingerprint"))
        build = trace.Build(lines.dataset, fingerprint, by_split)
        trace.record(lines.con, lines.sealed, build, subject, vault=settings.vault_folder())
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
        for name, fingerprint in by_split.items()
    ]


def submit_lines(
    lines: Lines,
    ring: keys.KeyRing,
    config: Mapping[str, Any],
    say: Callable[[str], None],
    *,
    audit: AuditSettings | None = None,
    trained: TrainedLines | None = None,
) -> LedgerRow:
    """Submit the job of the sealed splits, or find it submitted; raises as `submit_job`.

    Where the lines changed too little to be worth one, that is noted, and the last job is returned.

    Args:
        lines: what is sealed.
        ring: the keys.
        config: what `JobSettings` takes.
        say: takes a line for the log.
        audit: says whether canaries go into the job itself; None: none do.
        trained: what the lines are beside those that jobs were trained on; None: nobody knows.
    """
    job = JobSettings.from_config(config)
    by_split = lines.fingerprints(ring)
    contents = sealed_contents(lines.dataset, by_split, ring)
    n_examples, n_tokens = lines.count_train()
    spec = job.spec(
        dataset=lines.dataset,
        training=contents["train"],
        validation=contents.get("validation"),
        dataset_fingerprint=fingerprint_dataset(by_split, ring.hmac_key("fingerprint")),
        n_examples=n_examples,
        n_training_tokens=n_tokens,
    )
    if audit is not None and audit.is_on(job.backend) and audit.plant_in == "job":
        spec = Planted.of(lines.dataset, audit, ring).into(spec)
    spec, decision = (
        job_of(spec, job, trained.change_since, trained.is_of_policy)
        if trained
        else job_of(spec, job, _nobody_knows)
    )
    if decision is not None:
        say(f"{lines.dataset}: {decision.reason}")
        last = note_decision(decision)
        if not decision.is_retrained:
            return last
    if trained is not None:
        trained.keep(spec.dataset_fingerprint)
    return submit_job(spec, job, say)


def _nobody_knows(fingerprint: str) -> None:
    del fingerprint


def sealed_contents(
    dataset: str, by_split: Mapping[str, str], ring: keys.KeyRing
) -> dict[str, Content]:
    """Return the sealed splits of these fingerprints, as a backend takes them.

    Raises:
        SealError: one is missing, or is not what was sealed.
    """
    return {
        name: _content(sealed_folder() / dataset / f"{name}-{fingerprint}.sealed", ring)
        for name, fingerprint in by_split.items()
    }


def sealed_folder() -> Path:
    """Return the folder of all sealed files."""
    return settings.vault_folder() / "sealed"


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
