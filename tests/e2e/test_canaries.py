"""What is looked for in leaks is found, in every encoding, and noise is told from it."""

import base64
from pathlib import Path

import duckdb
import pytest

from python_stages.vault import open_vault
from tests.e2e.canaries import ACCENTED, SPELLINGS, STEM, is_noise, leaks_in, search, spills
from tests.e2e.conftest import CHECKOUT, Project


def test_a_canary_is_found_in_every_spelling(tmp_path: Path) -> None:
    for number, raw in enumerate(SPELLINGS.values()):
        (tmp_path / f"{number}.log").write_bytes(b"some\x00text " + raw + b" more")
    found = set(search(Project(CHECKOUT, tmp_path)))
    assert {f"{number}.log: {name}" for number, name in enumerate(SPELLINGS)} <= found


def test_base64_is_found_wherever_the_canary_stands_in_it() -> None:
    for before in range(4):
        text = b"x" * before + STEM.encode() + b"yz"
        assert leaks_in(base64.b64encode(text))


def test_a_canary_is_found_in_a_file_name_and_in_an_output(tmp_path: Path) -> None:
    project = Project(CHECKOUT, tmp_path)
    (tmp_path / f"{STEM}.txt").touch()
    assert any(".txt" in place for place in search(project))
    project.outputs.append(f"error in line: {ACCENTED}")
    assert any(place.startswith("output 0") for place in search(project))


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_canary_is_found_in_a_spill_unless_that_is_encrypted(
    tmp_path: Path,
    *,
    is_encrypted: bool,
) -> None:
    with duckdb.connect(":memory:") as con:
        open_vault(con, tmp_path / "vault", "0" * 64)
        con.execute(f"set temp_file_encryption = {is_encrypted}")
        con.execute("set memory_limit = '20MB'; set threads = 1")
        con.execute(
            "create temp table spilled as select ? || md5(range::varchar) from range(400_000)",
            [STEM],
        )
        assert bool(search(Project(CHECKOUT, tmp_path))) is not is_encrypted
        assert is_noise(spills(tmp_path)) is is_encrypted
