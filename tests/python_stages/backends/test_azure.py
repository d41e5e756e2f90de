"""Claims about backend azure: the unmodified SDKs against Azurite and stand-ins on loopback."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import BlobServiceClient

from python_stages.backends import open_backend
from python_stages.backends.azure import AzureBackend
from python_stages.backends.azure_blob import BlobContainer
from python_stages.backends.azure_settings import AzureSettings
from python_stages.errors import BackendError, ConfigError, SealtuneError, TamperedError
from tests.python_stages.backends.azure_account import TODAY, Login, opened, spec_of
from tests.python_stages.backends.azurite import Account, azurite
from tests.python_stages.backends.certificates import Certificate, certify
from tests.python_stages.backends.specs import CANARY, chat_lines, content_of
from tests.python_stages.backends.stand_in import KEY, Provider, provider

NAME = "sealtune-transactions-train-abababababababab-kkkkkkkk.jsonl"
LINES = chat_lines(12)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certify(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def account(certificate: Certificate) -> Iterator[Account]:
    with azurite(certificate=certificate.certificate, key=certificate.key) as account:
        yield account


@pytest.fixture
def trust(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the throw-away authority, as a machine does that has it installed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))


@pytest.fixture
def storage(account: Account, trust: None) -> Iterator[BlobServiceClient]:
    """An empty container named `training`, and the client that looks into it."""
    del trust
    key = {"account_name": account.name, "account_key": account.key}
    with BlobServiceClient(account.url, credential=key) as client:
        container = client.create_container("training")
        yield client
        container.delete_container()


@pytest.fixture
def api() -> Iterator[Provider]:
    with provider(Provider(prefix="/openai/v1", n_polls=2)) as served:
        yield served


def left_in(storage: BlobServiceClient) -> list[str]:
    """Return what is in the container, blocks that never became a blob included."""
    container = storage.get_container_client("training")
    return [blob.name for blob in container.list_blobs(include=["uncommittedblobs", "snapshots"])]


def test_a_file_comes_whole_through_blob_storage_and_the_blob_is_gone(
    api: Provider, account: Account, storage: BlobServiceClient
) -> None:
    plaintext = LINES * 15_000  # two blocks
    container = BlobContainer(f"{account.url}/training", account.key)
    with opened(api, container=container) as backend:
        file = backend.upload(NAME, content_of(plaintext, 100_000))
        assert [found.file_id for found in backend.find_files(NAME)] == [file.file_id]
    assert api.contents[file.file_id] == plaintext
    assert api.files[file.file_id]["status"] == "processed"
    assert left_in(storage) == []


def test_the_address_that_azure_is_given_reads_one_blob_for_an_hour(
    api: Provider, account: Account, storage: BlobServiceClient
) -> None:
    with opened(api, container=BlobContainer(f"{account.url}/training", account.key)) as backend:
        backend.upload(NAME, content_of(LINES))
    (body,) = api.bodies("/files/import")
    query = parse_qs(urlsplit(body["content_url"]).query)
    assert (query["sp"], query["sr"], query["spr"]) == (["r"], ["b"], ["https"])
    assert (body["purpose"], body["filename"]) == ("fine-tune", NAME)
    assert left_in(storage) == []


def test_without_a_storage_key_the_address_is_signed_by_who_is_logged_in(
    account: Account, storage: BlobServiceClient
) -> None:
    # This emulator cannot check such a signature yet: its fields are newer than its version.
    claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/t/"}
    login = Login(claims=claims | {"oid": "person", "tid": "tenant"})
    container = BlobContainer(f"{account.url}/training", None, login)
    with container.lent(NAME, content_of(LINES)) as address:
        query = parse_qs(urlsplit(address).query)
        assert (query["sp"], query["sr"], query["skoid"]) == (["r"], ["b"], ["person"])
        assert storage.get_blob_client("training", NAME).download_blob().readall() == LINES
    assert left_in(storage) == []


@pytest.mark.parametrize("plaintext", [LINES, LINES * 15_000])
def test_a_seal_that_fails_at_its_end_leaves_no_blob_no_block_and_no_file(
    api: Provider, account: Account, storage: BlobServiceClient, plaintext: bytes
) -> None:
    with (
        opened(api, container=BlobContainer(f"{account.url}/training", account.key)) as backend,
        pytest.raises(TamperedError, match="too early"),
    ):
        backend.upload(NAME, content_of(plaintext, 100_000, fails=True))
    assert (left_in(storage), api.files, api.bodies("/files/import")) == ([], {}, [])


def test_an_import_that_is_refused_leaves_no_blob(
    api: Provider, account: Account, storage: BlobServiceClient
) -> None:
    container = BlobContainer(f"{account.url}/training", account.key)
    with (
        opened(api, container=container, api_key="wrong") as backend,
        pytest.raises(BackendError, match="401"),
    ):
        backend.upload(NAME, content_of(LINES))
    assert left_in(storage) == []


def test_a_blob_that_a_crash_left_goes_with_its_file(
    api: Provider, account: Account, storage: BlobServiceClient
) -> None:
    container = BlobContainer(f"{account.url}/training", account.key)
    with opened(api, container=container) as backend:
        file = backend.upload(NAME, content_of(LINES))
        storage.get_blob_client("training", NAME).upload_blob(LINES)
        assert container.has(NAME)
        backend.delete_file(file.file_id)
        backend.delete_file(file.file_id)
    assert (left_in(storage), api.files) == ([], {})


def test_no_secret_is_in_an_error_or_a_log(
    api: Provider,
    account: Account,
    storage: BlobServiceClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    other_key = account.key[::-1].lstrip("=") + "=="
    texts = []
    for url, key in ((f"{account.url}/training", other_key), (f"{account.url}/none", account.key)):
        with opened(api, container=BlobContainer(url, key)) as backend:
            with pytest.raises(SealtuneError) as caught:
                backend.upload(NAME, content_of(LINES))
            texts.append(str(caught.value))
            assert caught.value.__cause__ is None
    with opened(api, container=BlobContainer(f"{account.url}/training", account.key)) as backend:
        backend.upload(NAME, content_of(LINES))
    signature = parse_qs(urlsplit(api.bodies("/files/import")[-1]["content_url"]).query)["sig"][0]
    logged = "\n".join([*texts, caplog.text])
    for secret in (account.key, other_key, signature, signature.replace("+", "%2B"), KEY, CANARY):
        assert secret not in logged
    assert left_in(storage) == []


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://name.openai.azure.com/", "https://name.openai.azure.com/openai/v1"),
        ("https://Name.openai.azure.com/openai/v1/", "https://name.openai.azure.com/openai/v1"),
        ("https://name.services.ai.azure.com", "https://name.services.ai.azure.com/openai/v1"),
    ],
)
def test_a_resource_has_one_address(url: str, address: str) -> None:
    with open_backend("azure", base_url=url, api_key="k") as backend:
        assert backend.identity.base_url == address


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"base_url": "https://openai.azure.com.example.com"}, "no Azure OpenAI resource"),
        ({"base_url": None}, "needs an address"),
        ({"azure": AzureSettings(subscription_id="s")}, "go together"),
        ({"azure": AzureSettings(blob_container="https://a.blob.core.windows.net/")}, "container"),
        (
            {"azure": AzureSettings(blob_container="http://a.example.com/c")},
            "blob_container is plain http",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, Any], sentence: str) -> None:
    wanted = {"base_url": "https://name.openai.azure.com", "api_key": "k"} | options
    with pytest.raises(ConfigError, match=sentence), open_backend("azure", **wanted):
        pass


@pytest.mark.parametrize(
    "settings", [{"auth": "moon"}, {"training_type": "x"}, {"deployment_sku": 1}, {"capacity": 0}]
)
def test_words_that_azure_does_not_know_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"azure: {next(iter(settings))}"):
        AzureSettings(**settings)


@pytest.mark.parametrize("wanted", ["standard", "globalstandard", "developertier"])
def test_a_job_carries_its_training_type_and_waits_for_its_file(api: Provider, wanted: Any) -> None:
    with opened(api, training_type=wanted) as backend:
        file = backend.upload(NAME, content_of(LINES))
        api.files[file.file_id]["status"] = "pending"
        backend.create(spec_of(), "k" * 64, training_file_id=file.file_id, validation_file_id=None)
        assert len(backend.find_jobs("k" * 64)) == 1
    (body,) = api.bodies("/fine_tuning/jobs")
    assert body["trainingType"].lower() == wanted
    assert api.files[file.file_id]["status"] == "processed"


def test_a_file_that_azure_cannot_use_makes_no_job(api: Provider) -> None:
    with opened(api) as backend:
        file = backend.upload(NAME, content_of(LINES))
        api.files[file.file_id]["status"] = "error"
        with pytest.raises(BackendError, match="cannot use file"):
            backend.create(spec_of(), "k", training_file_id=file.file_id, validation_file_id=None)
    assert api.jobs == {}


def test_a_token_of_entra_id_is_kept_while_it_is_good_and_fetched_anew_before_it_ends(
    api: Provider,
) -> None:
    api.tokens |= {"token-1", "token-2", "token-3"}
    for seconds, tokens in ((3_600, {"token-1"}), (60, {"token-1", "token-2", "token-3"})):
        api.seen_tokens.clear()
        with opened(api, api_key=None, credential=Login(seconds=seconds)) as backend:
            for _ in range(3):
                backend.find_files(NAME)
        assert set(api.seen_tokens) == tokens


def test_a_login_that_fails_is_a_sentence_that_quotes_nothing(api: Provider) -> None:
    with opened(api, api_key=None, credential=Login(fails=True)) as backend:
        with pytest.raises(BackendError, match="az login") as caught:
            backend.preflight(spec_of())
        assert CANARY not in str(caught.value)
        assert caught.value.__context__ is None
    assert api.requests == []


def test_a_resource_at_azure_needs_consent_and_one_that_nobody_located_promises_no_region() -> None:
    backend = AzureBackend(
        "https://name.openai.azure.com", api_key="k", data_residency="eu", today=TODAY
    )
    with pytest.raises(ConfigError, match=r"allow_upload: true.*data_residency"):
        backend.preflight(spec_of(allow_upload=False))
    backend.close()


def test_quotas_count_what_lies_at_azure_already(api: Provider) -> None:
    with opened(api) as backend:
        backend.preflight(spec_of())
        for n in range(100):
            api.keep(f"{n}.jsonl", "fine-tune", b"", "processed")
        with pytest.raises(ConfigError, match=r"files_per_account: 101.*at most 100 files"):
            backend.preflight(spec_of())
        api.files.clear()
        api.keep("big.jsonl", "fine-tune", b"", "processed")["bytes"] = 1 << 30
        with pytest.raises(ConfigError, match=r"stored_bytes.*at most 1,073,741,824 bytes"):
            backend.preflight(spec_of())


@pytest.mark.parametrize(
    ("missing", "settings"),
    [
        ("azure.identity", "AzureSettings(auth='entra')"),
        (
            "azure.mgmt.cognitiveservices",
            "AzureSettings(subscription_id='s', resource_group='g', account='a')",
        ),
    ],
)
def test_a_missing_sdk_is_named_by_its_extra(missing: str, settings: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from python_stages.backends import open_backend\n"
        "from python_stages.backends.azure_settings import AzureSettings\n"
        "with open_backend('azure', base_url='https://name.openai.azure.com', api_key='k', "
        f"azure={settings}): pass"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert "ConfigError" in ran.stderr
    assert "pip install 'sealtune[azure]'" in ran.stderr
