"""Claims about reaching a job's provider again from the ledger."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from python_stages.backends.azure_settings import AzureSettings
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.plan import PlanBackend
from python_stages.errors import LedgerError
from python_stages.jobs.access import Access, provider_of
from python_stages.jobs.ledger import Ledger
from python_stages.jobs.settings import JobSettings
from python_stages.jobs.submit import submit
from tests.python_stages.backends.loopback_api import API_KEY, serve
from tests.python_stages.jobs.rows import ROW
from tests.python_stages.jobs.world import SPEC

AZURE: dict[str, Any] = {
    "auth": "entra",
    "account": "acme",
    "blob_container": "https://acme.example/c",
}
JOB = {
    "backend": "azure",
    "base_model": "m",
    "base_url": "https://acme.example/v1",
    "allow_upload": True,
    "data_residency": "eu",
    "azure": AZURE,
}


def test_what_opened_a_backend_is_read_back_from_the_ledger_as_it_was() -> None:
    access = Access.of_settings(JobSettings.from_config(JOB))
    assert Access.of_row(replace(ROW, access=access.to_json())) == access
    assert access.azure == AzureSettings(**AZURE)
    assert (access.base_url, access.data_residency) == ("https://acme.example/v1", "eu")


def test_a_signature_in_the_address_of_a_container_is_not_written_down() -> None:
    signed = {**AZURE, "blob_container": f"{AZURE['blob_container']}?sig=SECRET"}
    access = Access.of_settings(JobSettings.from_config({**JOB, "azure": signed}))
    assert "SECRET" not in access.to_json()
    assert access.azure == AzureSettings(**AZURE)


def test_a_job_of_version_1_is_reached_by_its_address() -> None:
    assert Access.of_row(ROW) == Access(base_url=ROW.base_url)


@pytest.mark.parametrize("access", ['{"colour": "red"}', '{"azure": {"moon": 1}}', "[", "[1]"])
def test_what_a_later_sealtune_wrote_is_refused_with_a_sentence(access: str) -> None:
    with pytest.raises(LedgerError, match="upgrade"):
        Access.of_row(replace(ROW, access=access))


def test_a_planned_job_has_no_provider() -> None:
    with (
        pytest.raises(LedgerError, match="only planned"),
        provider_of(replace(ROW, backend="plan")),
    ):
        pass


def test_a_host_that_is_reached_otherwise_by_now_is_noted_and_an_unchanged_one_is_not(
    tmp_path: Path,
) -> None:
    with (
        serve() as api,
        closing(CompatibleBackend(api.base_url, api_key=API_KEY)) as backend,
        Ledger(tmp_path / "ledger.sqlite") as ledger,
    ):
        old, new = Access(quirks="fireworks").to_json(), Access(quirks="together").to_json()
        row = submit(SPEC, backend, ledger, access=old)
        assert submit(SPEC, backend, ledger, access=old) == row
        assert submit(SPEC, backend, ledger, access=new).access == new
        assert submit(SPEC, PlanBackend(), ledger).access == "{}"
        assert len(api.jobs) == 1
