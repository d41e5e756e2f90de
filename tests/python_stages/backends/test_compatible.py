"""Claims about backends: the real client against a provider on loopback, and plans without one."""

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.backends import open_backend
from python_stages.backends.base import (
    BackendIdentity,
    Content,
    UnknownOutcomeError,
    normalised_url,
)
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.plan import PlanBackend
from python_stages.backends.upload import UploadStream
from python_stages.errors import BackendError, ConfigError, TamperedError
from tests.python_stages.backends import specs
from tests.python_stages.backends.loopback_api import API_KEY, Fault, LoopbackApi, serve
from tests.python_stages.backends.specs import chat_lines, content_of

LINES = chat_lines(12)
IDENTITY = BackendIdentity("compatible", "https://host/v1")
spec_of = partial(specs.spec_of, validation=content_of(chat_lines(6)), n_training_tokens=2_000_000)


@pytest.fixture
def api() -> Iterator[LoopbackApi]:
    with serve() as served:
        yield served


@pytest.fixture
def backend(api: LoopbackApi) -> Iterator[CompatibleBackend]:
    opened = CompatibleBackend(
        api.base_url, api_key=API_KEY, expires_after_seconds=3_600, timeout_seconds=5
    )
    yield opened
    opened.close()


def test_an_upload_arrives_byte_for_byte_with_its_name_purpose_and_lifetime(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    file = backend.upload("a.jsonl", content_of(LINES))
    stored = api.files[file.file_id]
    assert (stored.name, stored.purpose) == ("a.jsonl", "fine-tune")
    assert (stored.content, stored.expires_after_seconds) == (LINES, 3_600)
    assert file.n_bytes == len(LINES)


def test_an_upload_says_its_length_instead_of_sending_chunked(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    backend.upload("a.jsonl", content_of(LINES))
    headers = api.requests[-1].headers
    assert int(headers["content-length"]) > len(LINES)
    assert "transfer-encoding" not in headers


def test_an_upload_is_sent_while_it_is_decrypted(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    chunk, n_chunks = bytes(256 * 1024), 192
    ahead: list[int] = []

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            for n in range(n_chunks):
                ahead.append(n * len(chunk) - api.n_bytes_received)
                yield chunk

        yield chunks()

    backend.upload("a.jsonl", Content(len(chunk) * n_chunks, opened))
    assert max(ahead) < 16 * 1024 * 1024  # what two socket buffers may hold, not the 48 MiB sent


@pytest.mark.parametrize("n_declared", [len(LINES) - 1, len(LINES) + 1])
def test_content_of_another_length_than_declared_never_becomes_a_file(
    api: LoopbackApi, backend: CompatibleBackend, n_declared: int
) -> None:
    with pytest.raises(TamperedError, match="not as long"):
        backend.upload("a.jsonl", replace(content_of(LINES), n_bytes=n_declared))
    assert not api.files


def test_a_seal_that_fails_at_its_very_end_never_becomes_a_file(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    with pytest.raises(TamperedError, match="too early"):
        backend.upload("a.jsonl", content_of(LINES, fails=True))
    assert not api.files


@given(st.binary(max_size=500), st.integers(1, 50), st.lists(st.integers(1, 70), min_size=1))
def test_an_upload_stream_is_its_chunks_however_it_is_read(
    plaintext: bytes, chunk_bytes: int, sizes: list[int]
) -> None:
    with content_of(plaintext, chunk_bytes).open() as chunks:
        stream = UploadStream(chunks, len(plaintext))
        assert stream.seek(0, 2) == len(plaintext)
        stream.seek(0)
        pieces: list[bytes] = []
        while piece := stream.read(sizes[len(pieces) % len(sizes)]):
            pieces.append(piece)
    assert b"".join(pieces) == plaintext


def test_an_upload_stream_that_was_read_from_cannot_be_sent_again() -> None:
    stream = UploadStream(iter([b"ab", b"cd"]), 4)
    stream.read(1)
    with pytest.raises(BackendError, match="rewound"):
        stream.seek(0)


def test_a_job_carries_key_seed_suffix_method_and_both_files(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    training, validation = (backend.upload(f"{n}.jsonl", content_of(LINES)).file_id for n in "ab")
    spec = spec_of()
    job = backend.create(spec, "k" * 64, training_file_id=training, validation_file_id=validation)
    body = api.requests[-1].body
    assert body["metadata"]["sealtune_key"] == "k" * 64 == job.key
    assert (body["seed"], body["suffix"], body["model"]) == (7, "merchants", "small-1")
    assert body["method"] == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 3}},
    }
    assert (body["training_file"], body["validation_file"]) == (training, validation)
    assert job.state == "running"


def create_job(backend: CompatibleBackend, key: str) -> str:
    file = backend.upload("a.jsonl", content_of(LINES))
    job = backend.create(spec_of(), key, training_file_id=file.file_id, validation_file_id=None)
    return job.job_id


@pytest.mark.parametrize("knows_filter", [True, False])
def test_jobs_are_found_by_key_over_all_pages_even_where_the_host_ignores_the_filter(
    api: LoopbackApi, backend: CompatibleBackend, *, knows_filter: bool
) -> None:
    api.page_size, api.knows_metadata_filter = 2, knows_filter
    wanted = create_job(backend, "wanted")
    for n in range(5):
        create_job(backend, f"other-{n}")
    assert [job.job_id for job in backend.find_jobs("wanted")] == [wanted]
    assert backend.find_jobs("never") == ()


def test_a_host_that_ignores_the_cursor_does_not_keep_the_search_going_forever(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    api.ignores_cursor = True
    backend.upload("a.jsonl", content_of(LINES))
    backend.upload("b.jsonl", content_of(LINES))
    assert len(backend.find_files("a.jsonl")) == 1


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    file = backend.upload("a.jsonl", content_of(LINES))
    assert backend.has_file(file.file_id)
    backend.delete_file(file.file_id)
    backend.delete_file(file.file_id)
    assert not backend.has_file(file.file_id)
    assert not api.files


def test_reading_is_retried(api: LoopbackApi, backend: CompatibleBackend) -> None:
    api.inject(Fault("GET", "/v1/files", "refuse", status=429, times=2))
    assert backend.find_files("a.jsonl") == ()
    assert api.count("GET", "/v1/files") == 3


@pytest.mark.parametrize("kind", ["fail_after", "reset_before", "reset_after", "nonsense_after"])
def test_creating_is_tried_once_and_silence_leaves_the_outcome_unknown(
    api: LoopbackApi, backend: CompatibleBackend, kind: Any
) -> None:
    file = backend.upload("a.jsonl", content_of(LINES))
    api.inject(Fault("POST", "/v1", kind, times=2))
    with pytest.raises(UnknownOutcomeError):
        backend.upload("b.jsonl", content_of(LINES))
    with pytest.raises(UnknownOutcomeError):
        backend.create(spec_of(), "k", training_file_id=file.file_id, validation_file_id=None)
    assert api.count("POST", "/v1/fine_tuning/jobs") == 1
    assert api.count("POST", "/v1/files") == 2


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (400, "base_model"),
        (401, "SEALTUNE_API_KEY"),
        (403, "another OpenAI-compatible host"),
        (404, "/v1"),
        (403, "backend azure, .* backend local"),
        (413, "sample size"),
        (429, "billing"),
        (302, "redirects"),
    ],
)
def test_a_refusal_says_status_code_and_what_to_do_but_not_what_the_provider_wrote(
    api: LoopbackApi, backend: CompatibleBackend, status: int, hint: str
) -> None:
    fault = Fault("POST", "/v1/files", "refuse", status=status, code="some_code")
    fault.message = f"line 3: PLAINTEXT-CANARY, key {API_KEY}"
    api.inject(fault)
    with pytest.raises(BackendError) as caught:
        backend.upload("a.jsonl", content_of(LINES))
    text = str(caught.value)
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert f"status {status}, some_code" in text
    assert re.search(hint, text)
    assert "CANARY" not in text
    assert API_KEY not in text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_code_that_is_prose_or_the_key_is_not_shown(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    for code in (API_KEY, "PLAINTEXT-CANARY 3 is wrong"):
        api.inject(Fault("POST", "/v1/files", "refuse", status=400, code=code))
        with pytest.raises(BackendError) as caught:
            backend.upload("a.jsonl", content_of(LINES))
        assert code not in str(caught.value)


def test_a_page_that_is_no_api_is_an_error_sentence(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    def calls() -> tuple[Callable[[], object], ...]:
        return (
            lambda: backend.preflight(spec_of()),
            lambda: backend.find_files("a"),
            lambda: backend.find_jobs("k"),
        )

    create_job(backend, "k")
    for call in calls():
        api.inject(Fault("GET", "/v1", "nonsense_after"))
        with pytest.raises(BackendError, match="base_url"):
            call()


def test_an_unfinished_job_of_a_strange_status_counts_as_running(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    job_id = create_job(backend, "k")
    api.jobs[job_id].shown["status"] = "paused"
    assert backend.status(job_id).state == "running"


def test_a_failed_job_gives_its_code_and_not_the_line_that_the_provider_quotes(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    file = backend.upload("a.jsonl", content_of(b"PLAINTEXT-CANARY no json\n"))
    job = backend.create(spec_of(), "k", training_file_id=file.file_id, validation_file_id=None)
    status = backend.status(job.job_id)
    assert (status.state, status.error_code) == ("failed", "invalid_training_file")
    assert "CANARY" in str(api.jobs[job.job_id].shown["error"])
    assert "CANARY" not in repr(status)


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_names_the_variables_to_set(key: str | None) -> None:
    with pytest.raises(BackendError, match="SEALTUNE_COMPATIBLE_API_KEY or SEALTUNE_API_KEY"):
        CompatibleBackend("https://host/v1", api_key=key)


@pytest.mark.parametrize("seconds", [0, 3_599, 2_592_001])
def test_a_lifetime_outside_an_hour_and_thirty_days_is_refused(seconds: int) -> None:
    with pytest.raises(ConfigError, match="expires_after_seconds"):
        CompatibleBackend("https://host/v1", api_key="k", expires_after_seconds=seconds)


def test_preflight_sends_no_row_and_refuses_what_the_provider_would(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    backend.preflight(spec_of())
    assert [request.method for request in api.requests] == ["GET"]
    for wrong in (
        spec_of(hyperparameters={"n_layers": 2}),
        spec_of(suffix="x" * 65),
        spec_of(training=Content(512 * 1024 * 1024 + 1, content_of(b"").open)),
    ):
        with pytest.raises(ConfigError):
            backend.preflight(wrong)
    api.inject(Fault("GET", "/v1/fine_tuning", "refuse", status=403, code="winding_down"))
    with pytest.raises(BackendError, match=r"winding_down.*another OpenAI-compatible host"):
        backend.preflight(spec_of())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/v1",
        "ftp://host/v1",
        "https://user:secret@host/v1",
        "https://host/v1?key=secret",
        "https://host:port/v1",
        "host/v1",
        "",
    ],
)
def test_an_address_that_is_plain_or_holds_credentials_is_refused_unquoted(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as caught:
        normalised_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("HTTPS://Host:443/v1/", "https://host/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://[::1]:80/", "http://[::1]"),
    ],
)
def test_one_address_has_one_spelling(url: str, normalised: str) -> None:
    assert normalised_url(url) == normalised == normalised_url(normalised)


def test_backends_open_by_name_and_close(api: LoopbackApi) -> None:
    with open_backend("plan") as planner:
        assert planner.identity == BackendIdentity("plan")
    with open_backend("compatible", base_url=api.base_url, api_key=API_KEY) as backend:
        assert backend.identity == BackendIdentity("compatible", api.base_url)
    gc.collect()  # an unclosed socket would warn, and a warning is an error


@pytest.mark.parametrize(
    ("name", "sentence"), [("moon", "unknown"), ("compatible", "set base_url")]
)
def test_a_backend_that_cannot_be_opened_says_why(name: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence), open_backend(name, api_key="k"):
        pass


def test_an_upload_goes_to_no_proxy_of_the_environment(
    api: LoopbackApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with open_backend("compatible", base_url=api.base_url, api_key=API_KEY) as backend:
        assert not isinstance(backend, PlanBackend)
        backend.upload("a.jsonl", content_of(LINES))
    assert json.loads(next(iter(api.files.values())).content.splitlines()[0])


def test_a_redirect_carries_no_row_and_no_key_to_another_host(
    api: LoopbackApi, backend: CompatibleBackend
) -> None:
    with serve() as elsewhere:
        fault = Fault("POST", "/v1/files", "refuse", status=307)
        fault.location = f"{elsewhere.base_url}/files"
        api.inject(fault)
        with pytest.raises(BackendError, match="redirects"):
            backend.upload("a.jsonl", content_of(LINES))
        assert elsewhere.requests == []
