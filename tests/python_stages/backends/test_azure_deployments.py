"""Claims about deployments of tuned models: the unmodified SDK against a stand-in of management."""

from collections.abc import Iterator
from typing import Any

import pytest

from python_stages.backends.azure import Waits, deploy_tuned
from python_stages.backends.azure_settings import AzureSettings
from python_stages.backends.waiting import Waiting
from python_stages.errors import BackendError, ConfigError
from tests.python_stages.backends.azure_account import Login, managed, opened, spec_of
from tests.python_stages.backends.certificates import Certificate, certify
from tests.python_stages.backends.management import Management, management_app
from tests.python_stages.backends.running import running
from tests.python_stages.backends.stand_in import Provider, provider


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certify(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def api() -> Iterator[Provider]:
    with provider(Provider(prefix="/openai/v1", n_polls=2)) as served:
        yield served


@pytest.fixture
def arm(certificate: Certificate) -> Iterator[Management]:
    state = Management()
    app = management_app(state)
    files = {"certificate": str(certificate.certificate), "key": str(certificate.key)}
    with running(app, **files) as state.url:
        yield state


@pytest.mark.parametrize(
    ("sku", "azures"), [("developer", "DeveloperTier"), ("standard", "Standard")]
)
def test_a_deployment_is_waited_for_until_it_really_answers_and_is_deleted(
    api: Provider, arm: Management, certificate: Certificate, sku: Any, azures: str
) -> None:
    api.n_silent = 3
    tuned = "gpt-4.1-mini-2025-04-14.ft-0123"
    with opened(api, deployments=managed(arm, certificate)) as backend:
        backend.deploy("pii", tuned, sku=sku, capacity=5)
        assert api.n_silent == 0
        assert len(api.bodies("/chat/completions")) == 4
        assert arm.deployments["pii"]["properties"]["provisioningState"] == "Succeeded"
        backend.delete_deployment("pii")
        backend.delete_deployment("pii")
    assert arm.deployments == {}
    body = next(body for method, _, body in arm.requests if method == "PUT")
    assert body["sku"] == {"name": azures, "capacity": 5}
    assert body["properties"]["model"] == {"format": "OpenAI", "name": tuned, "version": "1"}


def test_the_settings_name_the_deployment_of_a_tuned_model(
    api: Provider, arm: Management, certificate: Certificate
) -> None:
    wanted = AzureSettings(deployment="pii", deployment_sku="globalstandard", capacity=2)
    with opened(api, deployments=managed(arm, certificate)) as backend:
        assert deploy_tuned(backend, wanted, "tuned") == "pii"
        with pytest.raises(ConfigError, match="set deployment"):
            deploy_tuned(backend, AzureSettings(), "tuned")
    assert arm.deployments["pii"]["sku"] == {"name": "GlobalStandard", "capacity": 2}


def test_a_deployment_that_never_answers_is_said_to(
    api: Provider, arm: Management, certificate: Certificate
) -> None:
    api.n_silent = 1_000_000
    waits = Waits(answer=Waiting(0.05, 0.01))
    with (
        opened(api, deployments=managed(arm, certificate), waits=waits) as backend,
        pytest.raises(BackendError, match="does not answer yet"),
    ):
        backend.deploy("pii", "tuned", sku="standard", capacity=1)


def test_the_management_api_refuses_in_a_sentence_without_the_token(
    api: Provider, arm: Management, certificate: Certificate
) -> None:
    deployments = managed(arm, certificate, credential=Login(token="other-SECRET"))  # noqa: S106 - none
    with opened(api, deployments=deployments) as backend:
        with pytest.raises(BackendError, match="status 401") as caught:
            backend.deploy("pii", "tuned", sku="standard", capacity=1)
        assert "SECRET" not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("options", "region", "is_kept"),
    [
        ({}, "eu", True),
        ({}, "us", False),
        ({}, "moon", False),
        ({"training_type": "globalstandard"}, "eu", False),
        ({"training_type": "developertier"}, "eu", False),
    ],
)
def test_a_region_is_promised_where_the_resource_lies_and_trains_there(
    api: Provider,
    arm: Management,
    certificate: Certificate,
    options: dict[str, Any],
    region: str,
    *,
    is_kept: bool,
) -> None:
    deployments = managed(arm, certificate)
    with opened(api, deployments=deployments, data_residency=region, **options) as backend:
        found = {finding.rule_id: finding for finding in backend.check(spec_of())}
        assert found["data_residency"].passed is is_kept
        if not is_kept:
            with pytest.raises(ConfigError, match="data_residency"):
                backend.preflight(spec_of())
