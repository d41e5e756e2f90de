"""A misspelled name is an error that says which was meant."""

from pathlib import Path

import pytest

from python_stages.errors import ConfigError
from python_stages.names import SECTIONS, nearest, require_sections, require_vars

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


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_without_its_last_letter_is_refused(section: str) -> None:
    with pytest.raises(ConfigError, match=f"m: unknown setting .* did you mean {section}"):
        require_sections({"m": [section[:-1]]})


def test_meta_of_one_s_own_passes() -> None:
    require_sections({"m": ["owner", "team", *SECTIONS]})


def test_nothing_is_near_an_empty_name() -> None:
    assert nearest("", SECTIONS) is None
