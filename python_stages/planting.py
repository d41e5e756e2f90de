"""Canaries in a job's training file: in the job itself where that is wished, else in a shadow job.

The shadow is a job like any other, submitted once through the ledger: the rows and settings of the
job that it stands for, and the canaries. Its dataset is called `<dataset>_shadow`, so that nobody
takes its model for the dataset's. What is planted follows from the vault's keys and the settings:
an interrupted audit finds the shadow that it has submitted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Self

from python_stages.audit import AuditSettings, Canary, digest, plant, training_lines
from python_stages.backends.base import BackendIdentity, Content, JobSpec, job_key
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.settings import JobSettings
from python_stages.keys import KeyRing

SHADOW: Final = "_shadow"
_CHARACTERS_PER_TOKEN: Final = 4  # an estimate, as good as that of the rows


@dataclass(frozen=True, slots=True)
class Planted:
    """The canaries of a dataset.

    Args:
        canaries: planted and controls.
        digest: keyed hash of what is planted.
    """

    canaries: tuple[Canary, ...]
    digest: str

    @classmethod
    def of(cls, dataset: str, wanted: AuditSettings, ring: KeyRing) -> Self:
        """Make them; the same ones for the same dataset, settings and keys."""
        key = ring.hmac_key(f"{dataset}.canaries")
        canaries = plant(wanted.spec, key)
        return cls(canaries, digest(canaries, key))

    def into(self, spec: JobSpec) -> JobSpec:
        """Return the job with the canaries behind its training lines."""
        lines = [line + b"\n" for line in training_lines(self.canaries)]
        n_bytes = sum(map(len, lines))
        return replace(
            spec,
            training=_with_lines(spec.training, lines, n_bytes),
            n_examples=spec.n_examples + len(lines),
            n_training_tokens=spec.n_training_tokens + n_bytes // _CHARACTERS_PER_TOKEN,
            planted=self.digest,
        )

    def is_in(self, row: LedgerRow) -> bool:
        """Say whether a job of the ledger was trained on these canaries."""
        # its key says so, and that is made of neither contents nor counts
        spec = replace(_spec_of(row, Content(1, _nothing), None), planted=self.digest)
        return job_key(spec, BackendIdentity(row.backend, row.base_url)) == row.key


def shadow_spec(
    row: LedgerRow, contents: Mapping[str, Content], planted: Planted, now: JobSettings
) -> JobSpec:
    """Return the shadow of a job: its rows and settings, and the canaries.

    Args:
        row: the job.
        contents: its splits, as they were sealed.
        planted: the canaries.
        now: the settings of today, for consent and the limit of cost.
    """
    spec = _spec_of(row, contents["train"], contents.get("validation") if now.validation else None)
    alone = replace(
        spec,
        dataset=row.dataset + SHADOW,
        suffix="shadow",
        allow_upload=now.allow_upload,
        max_cost=now.max_cost,
    )
    return planted.into(alone)


def _spec_of(row: LedgerRow, training: Content, validation: Content | None) -> JobSpec:
    return JobSpec(
        dataset=row.dataset,
        base_model=row.base_model,
        hyperparameters=json.loads(row.hyperparameters),
        seed=row.seed,
        suffix=row.suffix,
        training=training,
        validation=validation,
        dataset_fingerprint=row.dataset_fingerprint,
        n_examples=row.n_examples,
        n_training_tokens=row.n_training_tokens,
        price_per_million_tokens=row.price_per_million_tokens,
        currency=row.currency,
    )


def _with_lines(content: Content, lines: Sequence[bytes], n_bytes: int) -> Content:
    """Return a content with lines behind it, each with its line end."""

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        def blocks() -> Iterator[bytes]:
            with content.open() as before:
                yield from before
            yield from lines

        yield blocks()

    return Content(content.n_bytes + n_bytes, opened)


@contextmanager
def _nothing() -> Iterator[Iterator[bytes]]:
    yield iter(())
