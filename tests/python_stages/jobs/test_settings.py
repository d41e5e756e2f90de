"""From a dataset's job config to the job that is submitted."""

from typing import Any

import pytest

from python_stages import settings
from python_stages.errors import ConfigError
from python_stages.jobs.settings import JobSettings
from tests.python_stages.backends.specs import chat_lines, content_of

LINES = chat_lines(12)
CONFIG = {"backend": "openai", "base_model": "m", "allow_upload": True}


def test_settings_become_the_job_that_they_say() -> None:
    config = CONFIG | {
        "method": "dpo",
        "beta": 0.1,
        "batch_size": 4,
        "metadata": {"team": "payments"},
        "max_cost": 5,
        "currency": "EUR",
        "validation": False,
        "suffix": "x",
    }
    contents = {"training": content_of(LINES), "validation": content_of(LINES)}
    spec = JobSettings.from_config(config).spec(
        dataset="d",
        dataset_fingerprint="ab" * 32,
        n_examples=12,
        n_training_tokens=5,
        **contents,
    )
    assert spec.hyperparameters == {"n_epochs": 3, "batch_size": 4, "beta": 0.1}
    assert (spec.method, spec.max_cost, spec.currency) == ("dpo", 5, "EUR")
    assert (spec.validation, spec.metadata, spec.allow_upload) == (None, {"team": "payments"}, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"azure": {"moon": 1}}, "job: azure: unknown setting moon"),
        ({"azure": "x"}, "settings of its own"),
        ({"max_cost": "5"}, "max_cost must be a number"),
        ({"max_cost": True}, "max_cost must be a number"),
        ({"delta": 1e-5}, "needs epsilon"),
        ({"metadata": "x"}, "metadata must be pairs"),
        ({"validation": "false"}, "validation must be true or false"),
        ({"allow_upload": False}, "allow_upload: true"),
        ({"backend": "azure", "base_url": "http://127.0.0.1/v1", "allow_upload": False}, None),
        (
            {
                "backend": "azure",
                "base_url": "http://127.0.0.1/v1",
                "allow_upload": False,
                "azure": {"blob_container": "https://a.blob.core.windows.net/c"},
            },
            "allow_upload: true",
        ),
        ({"backend": "local", "allow_upload": False, "epsilon": 8}, None),
    ],
)
def test_settings_that_cannot_be_or_lack_consent_are_refused(
    change: dict[str, Any], sentence: str | None
) -> None:
    if sentence is None:
        assert JobSettings.from_config(CONFIG | change).stays_here
    else:
        with pytest.raises(ConfigError, match=sentence):
            JobSettings.from_config(CONFIG | change)


def test_each_backend_has_a_key_of_its_own_and_no_other_sees_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("SEALTUNE_API_KEY", "SEALTUNE_AZURE_API_KEY", "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "of-openai")
    monkeypatch.setenv("SEALTUNE_AZURE_API_KEY", "of-azure")
    assert (settings.api_key("openai"), settings.api_key("azure")) == ("of-openai", "of-azure")
    assert (settings.api_key("compatible"), settings.api_key()) == (None, None)
    monkeypatch.setenv("SEALTUNE_API_KEY", "of-any")
    assert settings.api_key("compatible") == settings.api_key() == "of-any"
    assert (settings.api_key("openai"), settings.api_key("azure")) == ("of-any", "of-azure")
