"""A misspelled name is an error that says which was meant."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from python_stages import names
from python_stages.audit.settings import AuditSettings
from python_stages.check.spec import CheckSpec
from python_stages.errors import ConfigError
from python_stages.evaluate.settings import EvaluateSettings
from python_stages.ingest.column_rules import ColumnRule, IngestSpec
from python_stages.jobs.settings import JobSettings
from python_stages.names import SECTIONS, nearest, require_sections, require_vars
from python_stages.render.spec import RenderSpec
from python_stages.scrub import Policy, pool
from python_stages.scrub.plants.spec import PlantSpec

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sample_per_clas", "sample_per_class"),
        ("Backend", "backend"),
        ("epochs", "n_epochs"),
        ("max_rejected_share", "max_reject_share"),
    ],
)
def test_a_misspelled_var_names_the_one_that_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown var {typed}; did you mean {meant}"):
        require_vars([typed], CHECKOUT)


def test_a_var_that_is_like_no_other_leads_to_the_list() -> None:
    with pytest.raises(ConfigError, match=r"unknown var zzz; see the vars in dbt_project\.yml"):
        require_vars(["zzz"], CHECKOUT)


def test_every_var_of_the_project_is_known(tmp_path: Path) -> None:
    require_vars(["backend", "sample_per_class"], CHECKOUT)
    require_vars(["anything"], tmp_path)  # no project, so that dbt says so itself


def test_the_location_of_a_dataset_of_one_s_own_is_a_var(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("vars: {canaries_csv: a.csv}\n")
    folder = tmp_path / "models" / "complaints"
    folder.mkdir(parents=True)
    (folder / "_complaints__sources.yml").touch()
    require_vars(["complaints_csv"], tmp_path)
    with pytest.raises(ConfigError, match="did you mean complaints_csv"):
        require_vars(["complaint_csv"], tmp_path)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_without_its_last_letter_is_refused(section: str) -> None:
    with pytest.raises(ConfigError, match=f"m: unknown setting .* did you mean {section}"):
        require_sections({"m": [section[:-1]]})


def test_meta_of_one_s_own_passes() -> None:
    require_sections({"m": ["owner", "team", *SECTIONS]})


def test_nothing_is_near_an_empty_name() -> None:
    assert nearest("", SECTIONS) is None


@pytest.mark.parametrize(
    ("read", "config", "said"),
    [
        (JobSettings.from_config, {"base_modell": "x"}, "job: .*base_modell; .*base_model"),
        (EvaluateSettings.from_config, {"max_exampels": 3}, "evaluate: .* max_examples"),
        (AuditSettings.from_config, {"n_onces": 3}, "audit: .* n_once"),
        (RenderSpec.from_config, {"label_colum": "x"}, "render: .* label_column"),
        (CheckSpec.from_config, {"max_clas_share": 1}, "check: .* max_class_share"),
        (pool.from_config, {"executer": "ray"}, "scrub_on: .* executor"),
        (PlantSpec.from_config, {"n_plantd": 3}, "planted: .* n_planted"),
        (partial(IngestSpec.from_config, "d"), {"record_ids": "x"}, "ingest of d: .* record_id"),
        (partial(ColumnRule.from_config, "c"), {"is_requird": True}, "column c: .* is_required"),
        (Policy.from_config, {"c": {"entitys": []}}, "of c: .* did you mean entities"),
    ],
)
def test_a_misspelled_setting_is_refused_and_the_right_one_named(
    read: Callable[[dict[str, object]], object], config: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        read(config)


def test_a_setting_that_is_near_to_none_gets_them_all() -> None:
    with pytest.raises(ConfigError, match=r"^x: unknown setting zzz; known are one, two$"):
        names.refuse_unknown("x", {"zzz"}, ["one", "two"])
