"""Claims about the finder of duplicate lines."""

import shutil
from pathlib import Path

from tests.duplicates import LEAST, duplicates
from tests.e2e.conftest import CHECKOUT


def test_no_two_datasets_share_logic() -> None:
    assert not list(duplicates(CHECKOUT / "models"))


def test_a_model_that_was_copied_and_renamed_is_found(tmp_path: Path) -> None:
    for name in ("transactions", "payments"):
        (tmp_path / name).mkdir()
        source = CHECKOUT / "models/transactions/stg_transactions.sql"
        text = source.read_text("utf-8").replace("transactions", name)
        (tmp_path / name / f"stg_{name}.sql").write_text(text, encoding="utf-8")
    places, lines = next(duplicates(tmp_path))
    assert len(places) == 2
    assert len(lines) == LEAST


def test_a_folder_by_itself_has_no_duplicates(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "models/transactions", tmp_path / "transactions")
    assert not list(duplicates(tmp_path))
