"""Canaries in a job: behind its lines, part of what makes it the same job, the same ones always."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from python_stages import keys
from python_stages.audit import AuditSettings, training_lines
from python_stages.backends.base import BackendIdentity, Content, JobSpec, job_key
from python_stages.jobs.ledger import LedgerRow, State
from python_stages.jobs.planting import Planted, shadow_spec
from python_stages.jobs.settings import JobSettings

LINES = b'{"messages": []}\n' * 3
WANTED = AuditSettings(n_once=12, repeats=(4,), n_per_group=1)
NOW = JobSettings.from_config({"backend": "local", "base_model": None})


@contextmanager
def opened() -> Iterator[Iterator[bytes]]:
    yield iter([LINES[:20], LINES[20:]])


SPEC = JobSpec(
    dataset="chats",
    base_model="nano",
    hyperparameters={"n_epochs": 3},
    seed=7,
    suffix=None,
    training=Content(len(LINES), opened),
    validation=None,
    dataset_fingerprint="ab" * 32,
    n_examples=3,
    n_training_tokens=9,
)


def row_of(spec: JobSpec) -> LedgerRow:
    return LedgerRow(
        key=job_key(spec, BackendIdentity("local")),
        state=State.SUCCEEDED,
        dataset=spec.dataset,
        dataset_fingerprint=spec.dataset_fingerprint,
        backend="local",
        base_url="",
        base_model=spec.base_model,
        hyperparameters='{"n_epochs": 3}',
        seed=spec.seed,
        suffix=spec.suffix,
        n_examples=spec.n_examples,
        n_training_tokens=spec.n_training_tokens,
        n_billed_tokens=None,
        price_per_million_tokens=None,
        currency="USD",
        estimated_cost=None,
        training_file_name="a",
        training_n_bytes=spec.training.n_bytes,
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return Planted.of("chats", WANTED, keys.create(tmp_path_factory.mktemp("planted") / "keys"))


def read(content: Content) -> bytes:
    with content.open() as blocks:
        return b"".join(blocks)


def test_canaries_stand_behind_the_lines_and_are_counted(planted: Planted) -> None:
    spec = planted.into(SPEC)
    lines = list(training_lines(planted.canaries))
    assert read(spec.training) == LINES + b"".join(line + b"\n" for line in lines)
    assert spec.training.n_bytes == len(read(spec.training))
    assert spec.n_examples == 3 + len(lines)


def test_a_job_with_canaries_is_another_job_and_is_told_by_its_key(planted: Planted) -> None:
    with_canaries = planted.into(SPEC)
    assert planted.is_in(row_of(with_canaries))
    assert not planted.is_in(row_of(SPEC))


def test_other_keys_datasets_or_settings_plant_others(planted: Planted, tmp_path: Path) -> None:
    ring = keys.create(tmp_path / "keys")
    more = replace(WANTED, repeats=(5,))
    found = {
        planted.digest,
        Planted.of("chats", WANTED, ring).digest,
        Planted.of("mails", WANTED, ring).digest,
        Planted.of("chats", more, ring).digest,
    }
    assert len(found) == 4
    assert Planted.of("chats", WANTED, ring) == Planted.of("chats", WANTED, ring)


def test_a_shadow_is_the_same_job_of_another_name_with_canaries(planted: Planted) -> None:
    job = row_of(SPEC)
    shadow = shadow_spec(job, {"train": SPEC.training}, planted, NOW)
    assert shadow.dataset == "chats_shadow"
    assert planted.is_in(replace(row_of(shadow), dataset="chats_shadow"))
    kept = ("base_model", "hyperparameters", "seed", "dataset_fingerprint")
    assert [getattr(shadow, one) for one in kept] == [getattr(SPEC, one) for one in kept]
    again = shadow_spec(job, {"train": SPEC.training}, planted, NOW)
    assert job_key(again, BackendIdentity("local")) == job_key(shadow, BackendIdentity("local"))
