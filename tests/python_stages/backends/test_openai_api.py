"""Claims about backend openai, and about what every backend reads: the real client on loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from python_stages.backends import open_backend
from python_stages.backends.answers import job_status
from python_stages.backends.base import Content, JobSpec, RemoteFile, UnknownOutcomeError
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.openai_api import OpenAIBackend
from python_stages.backends.quirks import quirks_of
from python_stages.errors import BackendError, ConfigError, TamperedError
from tests.python_stages.backends import specs
from tests.python_stages.backends.specs import CANARY, chat_lines, content_of
from tests.python_stages.backends.stand_in import KEY, Provider, event, provider

MODEL = "gpt-4.1-mini-2025-04-14"
TODAY = date(2026, 11, 22)
spec_of = partial(specs.spec_of, base_model=MODEL, validation=content_of(chat_lines(3, first=100)))


def preference_lines(n_lines: int) -> bytes:
    line = {
        "input": {"messages": [{"role": "user", "content": "Which?"}]},
        "preferred_output": [{"role": "assistant", "content": "This."}],
        "non_preferred_output": [{"role": "assistant", "content": "That."}],
    }
    return b"".join(json.dumps(line | {"n": n}).encode() + b"\n" for n in range(n_lines))


@pytest.fixture
def api() -> Iterator[Provider]:
    with provider(Provider(shutdown_dates={MODEL: None})) as served:
        yield served


@contextmanager
def opened(api: Provider, **options: Any) -> Iterator[OpenAIBackend]:
    wanted: dict[str, Any] = {"api_key": KEY, "base_url": api.url, "today": TODAY} | options
    backend = OpenAIBackend(timeout_seconds=5, **wanted)
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture
def backend(api: Provider) -> Iterator[OpenAIBackend]:
    with opened(api) as backend:
        yield backend


@contextmanager
def compatible(api: Provider, quirks: str) -> Iterator[CompatibleBackend]:
    backend = CompatibleBackend(api.url, api_key=KEY, quirks=quirks_of(api.url, quirks))
    try:
        yield backend
    finally:
        backend.close()


def create(backend: CompatibleBackend, spec: JobSpec, key: str = "k" * 64) -> tuple[str, str]:
    """Upload, create, and return the ids of file and job."""
    file = backend.upload(spec.file_name("train", key), spec.training)
    job = backend.create(spec, key, training_file_id=file.file_id, validation_file_id=None)
    return file.file_id, job.job_id


def test_a_preference_job_carries_method_and_beta(api: Provider, backend: OpenAIBackend) -> None:
    spec = spec_of(
        method="dpo",
        hyperparameters={"n_epochs": 2, "beta": 0.2, "batch_size": 4},
        training=content_of(preference_lines(12)),
        validation=None,
    )
    backend.preflight(spec)
    create(backend, spec)
    (body,) = api.bodies("/fine_tuning/jobs")
    assert body["method"] == {
        "type": "dpo",
        "dpo": {"hyperparameters": {"n_epochs": 2, "beta": 0.2, "batch_size": 4}},
    }


def test_metadata_goes_beside_the_key_and_the_lifetime_with_the_file(api: Provider) -> None:
    with opened(api, expires_after_seconds=3_600) as backend:
        create(backend, spec_of(metadata={"team": "payments"}), key="f" * 64)
    (body,) = api.bodies("/fine_tuning/jobs")
    assert body["metadata"]["sealtune_key"] == "f" * 64
    assert body["metadata"]["team"] == "payments"
    assert [file["expires_after_seconds"] for file in api.files.values()] == [3_600]


@pytest.mark.parametrize(
    "metadata",
    [
        {"sealtune_key": "mine"},
        {f"n{n}": "x" for n in range(14)},
        {"name": "x" * 513},
        {"": "x"},
        {"name": 3},
    ],
)
def test_metadata_that_would_be_refused_or_hide_the_key_is_refused_at_once(
    metadata: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match="metadata"):
        spec_of(metadata=metadata)


@pytest.mark.parametrize(
    ("region", "url"),
    [
        (None, "https://api.openai.com/v1"),
        ("eu", "https://eu.api.openai.com/v1"),
        ("us", "https://us.api.openai.com/v1"),
    ],
)
def test_a_region_chooses_the_host_and_the_host_the_job_key(region: str | None, url: str) -> None:
    with open_backend("openai", api_key="k", data_residency=region) as backend:
        assert backend.identity.base_url == url


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"data_residency": "moon"}, "no such region; it has us, eu"),
        ({"base_url": "https://example.com/v1"}, "use backend compatible"),
        ({"base_url": "https://api.openai.com.example.com/v1"}, "use backend compatible"),
    ],
)
def test_another_region_or_host_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence), open_backend("openai", api_key="k", **options):
        pass


def test_a_region_that_the_address_does_not_keep_is_refused() -> None:
    backend = OpenAIBackend(
        api_key="k", base_url="https://api.openai.com/v1", data_residency="eu", today=TODAY
    )
    with pytest.raises(ConfigError, match=r"data_residency.*cannot promise"):
        backend.preflight(spec_of(allow_upload=True))
    backend.close()


def test_the_base_model_is_asked_for_its_last_day(api: Provider, backend: OpenAIBackend) -> None:
    backend.preflight(spec_of())
    api.shutdown_dates[MODEL] = "2026-11-22"
    with pytest.raises(
        ConfigError, match=r"shuts down on 2026-11-22.*backend azure.*backend local"
    ):
        backend.preflight(spec_of())
    api.shutdown_dates.clear()
    with pytest.raises(ConfigError, match="no such model for this key"):
        backend.preflight(spec_of())
    assert not api.files


def test_a_service_that_is_winding_down_is_left_with_the_names_of_others(
    api: Provider, backend: OpenAIBackend
) -> None:
    api.refusal = (403, "fine_tuning_winding_down")
    with pytest.raises(BackendError) as caught:
        create(backend, spec_of())
    for name in ("azure", "compatible", "local", "status 403, fine_tuning_winding_down"):
        assert name in str(caught.value)
    assert CANARY not in str(caught.value)


PARTS = chat_lines(100)


@contextmanager
def in_parts(api: Provider) -> Iterator[OpenAIBackend]:
    with opened(api, single_upload_bytes=1_000, part_bytes=1_024) as backend:
        yield backend


def test_a_large_file_goes_up_in_parts_and_arrives_whole(api: Provider) -> None:
    with in_parts(api) as backend:
        file = backend.upload("a.jsonl", content_of(PARTS, 700))
        small = backend.upload("b.jsonl", content_of(PARTS[:1_000]))
    (upload,) = api.uploads.values()
    assert api.contents[file.file_id] == PARTS
    assert file == RemoteFile(file.file_id, "a.jsonl", len(PARTS))
    assert max(map(len, upload["parts"].values())) == 1_024
    assert len(upload["parts"]) == -(-len(PARTS) // 1_024)
    assert api.contents[small.file_id] == PARTS[:1_000]


def test_the_sizes_of_parts_come_from_the_rules() -> None:
    backend = OpenAIBackend(api_key="k")
    assert backend._single_upload_bytes == 512 * 1024 * 1024  # noqa: SLF001 - what the rules said
    assert backend._part_bytes <= 64 * 1024 * 1024  # noqa: SLF001 - the same
    backend.close()


@pytest.mark.parametrize("ending", ["tampered", "short", "refused"])
def test_an_upload_that_is_given_up_is_cancelled_and_leaves_no_file(
    api: Provider, ending: str
) -> None:
    @contextmanager
    def open_tampered() -> Iterator[Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            yield PARTS
            raise TamperedError("the sealed file ends too early")

        yield chunks()

    contents = {
        "tampered": Content(len(PARTS), open_tampered),
        "short": Content(len(PARTS) + 1, content_of(PARTS).open),
        "refused": content_of(PARTS),
    }
    api.refuses_part = 3 if ending == "refused" else 0
    with in_parts(api) as backend, pytest.raises((TamperedError, BackendError)) as caught:
        backend.upload("a.jsonl", contents[ending])
    (upload,) = api.uploads.values()
    assert (upload["status"], upload["parts"], api.files) == ("cancelled", {}, {})
    assert CANARY not in str(caught.value)
    assert not isinstance(caught.value, UnknownOutcomeError)


def test_a_completion_without_an_answer_leaves_the_outcome_unknown_and_is_not_cancelled(
    api: Provider,
) -> None:
    api.drops_completion = True
    with in_parts(api) as backend:
        with pytest.raises(UnknownOutcomeError):
            backend.upload("a.jsonl", content_of(PARTS))
        assert [file.n_bytes for file in backend.find_files("a.jsonl")] == [len(PARTS)]


_MEMORY = """
import os, sys
from pathlib import Path
from contextlib import contextmanager
from python_stages.backends.base import Content
from python_stages.backends.openai_api import OpenAIBackend

chunk, n_chunks = os.urandom(1 << 20), 512

@contextmanager
def opened():
    yield (chunk for _ in range(n_chunks))

backend = OpenAIBackend(api_key=sys.argv[2], base_url=sys.argv[1], single_upload_bytes=1)
backend.upload("a.jsonl", Content(n_chunks << 20, opened))
# ru_maxrss would count what the process that started this one held
(peak,) = (line for line in Path("/proc/self/status").open() if line.startswith("VmHWM:"))
print(int(peak.split()[1]) >> 10)
"""


@pytest.mark.slow
def test_half_a_gigabyte_goes_up_in_parts_within_three_hundred_megabytes(api: Provider) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _MEMORY, api.url, KEY], capture_output=True, check=True, text=True
    )
    assert int(ran.stdout) < 300


def test_events_come_oldest_first_and_only_the_newer_ones(
    api: Provider, backend: OpenAIBackend
) -> None:
    _, job_id = create(backend, spec_of())
    numbers = range(250)
    api.events[job_id] = [event(n) for n in reversed(numbers)]
    assert [one.event_id for one in backend.events(job_id)] == [f"ftevent-{n}" for n in numbers]
    newer = backend.events(job_id, after="ftevent-247")
    assert [one.event_id for one in newer] == ["ftevent-248", "ftevent-249"]
    assert backend.events(job_id, after="ftevent-249") == ()


@pytest.mark.parametrize(
    ("word", "phase", "state"),
    [
        ("validating_files", "validating_files", "running"),
        ("queued", "queued", "running"),
        ("paused", "paused", "running"),
        ("canceled", "cancelled", "cancelled"),
        ("notRunning", "queued", "running"),
        ("resuming", "running", "running"),
        ("something new", "running", "running"),
        ("succeeded", "succeeded", "succeeded"),
    ],
)
def test_a_hosts_words_for_where_a_job_stands_become_ours(
    word: str, phase: str, state: str
) -> None:
    shown = SimpleNamespace(
        id="job-1", status=word, estimated_finish=1_800_000_000, result_files=["file-9"]
    )
    status = job_status(shown, quirks_of("https://x.openai.azure.com").phases)
    assert (status.phase, status.state) == (phase, state)
    assert status.estimated_finish == datetime.fromtimestamp(1_800_000_000, UTC)
    assert status.result_file_ids == ("file-9",)


def test_a_job_is_cancelled_once_and_one_that_ended_is_left_as_it_is(
    api: Provider, backend: OpenAIBackend
) -> None:
    _, job_id = create(backend, spec_of())
    assert backend.cancel(job_id).state == "cancelled"
    assert backend.cancel(job_id).state == "cancelled"
    assert len(api.bodies(f"/fine_tuning/jobs/{job_id}/cancel")) == 1


def test_result_files_are_read_in_bounds(api: Provider, backend: OpenAIBackend) -> None:
    _, job_id = create(backend, spec_of())
    assert backend.result_files(job_id) == ()
    kept = api.keep("step_metrics.csv", "fine-tune-results", b"step,loss\n1,0.5\n", "processed")
    api.jobs[job_id]["result_files"] = [kept["id"]]
    (file_id,) = backend.result_files(job_id)
    assert backend.read_file(file_id) == b"step,loss\n1,0.5\n"
    api.contents[file_id] = bytes((64 << 20) + 1)
    with pytest.raises(BackendError, match="longer than 64 MiB"):
        backend.read_file(file_id)


def test_a_tuned_model_is_deleted_and_gone_is_no_error(
    api: Provider, backend: OpenAIBackend
) -> None:
    name = "ft:gpt-4.1-mini:org:merchants:abc123"
    api.shutdown_dates[name] = None
    assert backend.has_model(name)
    backend.delete_model(name)
    backend.delete_model(name)
    assert not backend.has_model(name)


def test_what_stays_is_said_with_source_and_date(backend: OpenAIBackend) -> None:
    assert "30 days" in backend.what_stays()
    assert "https://" in backend.what_stays()
    assert "2026-" in backend.what_stays()


def test_a_plain_host_is_asked_for_no_more_than_it_knows(api: Provider) -> None:
    with compatible(api, "plain") as backend:
        spec = spec_of(suffix=None, validation=None)
        backend.preflight(spec)
        create(backend, spec)
    (body,) = api.bodies("/fine_tuning/jobs")
    assert body.keys() == {"model", "training_file", "hyperparameters"}
    assert body["hyperparameters"] == {"n_epochs": 3}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"suffix": "x", "validation": None}, "suffix"),
        ({"suffix": None}, "validation"),
        ({"suffix": None, "validation": None, "method": "dpo"}, "method"),
    ],
)
def test_what_a_host_cannot_do_is_refused_and_not_left_out(
    api: Provider, change: dict[str, Any], name: str
) -> None:
    with compatible(api, "plain") as backend, pytest.raises(ConfigError, match=rf"{name}: "):
        backend.preflight(spec_of(**change))


def test_where_jobs_keep_no_metadata_a_job_is_known_by_its_file(api: Provider) -> None:
    spec = spec_of(suffix=None, validation=None)
    with compatible(api, "plain") as backend:
        _, wanted = create(backend, spec, key="a1" * 32)
        create(backend, spec, key="b2" * 32)
        assert [(job.job_id, job.key) for job in backend.find_jobs("a1" * 32)] == [
            (wanted, "a1" * 32)
        ]
        assert backend.find_jobs("c3" * 32) == ()


@pytest.mark.parametrize(
    ("url", "keeps_metadata"),
    [
        ("https://api.tokenfactory.nebius.com/v1", False),
        ("https://tokenfactory.nebius.com.example.com/v1", True),
        ("https://host/v1", True),
    ],
)
def test_quirks_go_by_the_host_and_not_by_what_looks_like_it(
    url: str, *, keeps_metadata: bool
) -> None:
    assert quirks_of(url).keeps_metadata is keeps_metadata


def test_unknown_quirks_are_refused_with_the_names_of_those_known() -> None:
    with pytest.raises(ConfigError, match="known are nebius"):
        quirks_of("https://host/v1", "moon")


def test_importing_backends_loads_no_client_and_no_cloud_sdk() -> None:
    code = (
        "import sys, python_stages.backends, python_stages.jobs.settings, "
        "python_stages.backends.preflight, python_stages.backends.file_rules; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "{'openai', 'azure', 'msal', 'boto3', 'keyring', 'torch', 'jax', 'fastapi'}])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ran.stdout.strip() == "[]"
