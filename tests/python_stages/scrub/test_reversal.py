"""Reversal maps: sealed for the owner of the keys, and for nobody else."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages import keys
from python_stages.errors import KeyFileError, StageError
from python_stages.keys import KeyRing
from python_stages.scrub.reversal import Reversal, ReversalMap
from python_stages.seal import read_sealed

ALICE = "[PERSON_3f9a]"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return keys.create(tmp_path_factory.mktemp("home") / "keys")


def map_of(*values: str) -> ReversalMap:
    reversals = ReversalMap()
    reversals.update(Reversal("PERSON", ALICE, value) for value in values)
    return reversals


def test_a_pseudonym_has_a_line_for_every_spelling(ring: KeyRing, tmp_path: Path) -> None:
    sealed = map_of("Alice Smith", "ALICE SMITH", "Alice Smith").seal(
        dataset="orders", folder=tmp_path, keys=ring
    )
    assert list(read_sealed(sealed.path, keys=ring)) == [
        b'{"entity":"PERSON","pseudonym":"[PERSON_3f9a]","value":"ALICE SMITH"}',
        b'{"entity":"PERSON","pseudonym":"[PERSON_3f9a]","value":"Alice Smith"}',
    ]


def test_no_byte_on_disk_shows_a_value(ring: KeyRing, tmp_path: Path) -> None:
    map_of("Alice Smith").seal(dataset="orders", folder=tmp_path, keys=ring)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Alice Smith" not in written
    assert ALICE.encode() not in written  # shorter texts turn up in ciphertext by chance


def test_the_same_map_is_sealed_once(ring: KeyRing, tmp_path: Path) -> None:
    first, again = (
        map_of("Alice").seal(dataset="orders", folder=tmp_path, keys=ring) for _ in range(2)
    )
    assert first.is_new
    assert (again.path, again.is_new) == (first.path, False)


def test_another_recipient_of_sealed_files_cannot_open_the_map(tmp_path: Path) -> None:
    owner = keys.create(tmp_path / "owner" / "keys")
    team = keys.create(tmp_path / "team" / "keys")
    keys.add_recipient(owner.folder, "team", team.public_recipient())
    keys.add_signer(team.folder, "owner", owner.public_signer())
    path = map_of("Alice").seal(dataset="orders", folder=tmp_path, keys=owner).path
    with pytest.raises(KeyFileError, match="not sealed for this identity"):
        list(read_sealed(path, keys=team))


def test_without_an_owner_among_the_recipients_nothing_is_sealed(tmp_path: Path) -> None:
    ring = keys.create(tmp_path / "keys")
    (ring.folder / "recipients" / "self.pub").rename(ring.folder / "recipients" / "team.pub")
    with pytest.raises(KeyFileError, match=r"lacks self\.pub.*leave scrub_reversal out"):
        map_of("Alice").seal(dataset="orders", folder=tmp_path, keys=ring)


def test_too_many_values_stop_the_stage() -> None:
    reversals = ReversalMap(most_entries=1)
    reversals.add(Reversal("PERSON", ALICE, "Alice"))
    reversals.add(Reversal("PERSON", ALICE, "Alice"))
    with pytest.raises(StageError, match="more than 1 values") as caught:
        reversals.add(Reversal("PERSON", ALICE, "alice"))
    assert "alice" not in str(caught.value)


def test_a_value_is_not_shown() -> None:
    assert "Alice" not in repr(Reversal("PERSON", ALICE, "Alice"))


@settings(max_examples=5)
@given(values=st.sets(st.text(st.characters(exclude_categories=[])), max_size=5))
def test_every_text_comes_back(
    ring: KeyRing, tmp_path_factory: pytest.TempPathFactory, values: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("maps")
    sealed = map_of(*values).seal(dataset="orders", folder=folder, keys=ring)
    lines = read_sealed(sealed.path, keys=ring)
    assert [json.loads(line)["value"] for line in lines] == sorted(values)
