"""Reversal maps: sealed, and opened by their recipients only."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages import keys
from python_stages.errors import KeyFileError, StageError, TamperedError
from python_stages.keys import KeyRing
from python_stages.scrub.reversal import Reversal, ReversalMap, lookup, read
from python_stages.seal import seal

ALICE = "[PERSON_3f9a]"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return keys.create(tmp_path_factory.mktemp("home") / "keys")


def filled() -> ReversalMap:
    reversals = ReversalMap()
    for value in ("Alice Smith", "ALICE SMITH", "Alice Smith"):
        reversals.add("PERSON", ALICE, value)
    reversals.add("PERSON", "[PERSON_77aa]", "Bob")
    return reversals


def test_a_pseudonym_is_looked_up_in_every_spelling(ring: KeyRing, tmp_path: Path) -> None:
    path = filled().seal(dataset="orders", folder=tmp_path, keys=ring).path
    assert lookup(path, [ALICE, "[PERSON_0000]"], keys=ring) == {
        ALICE: (
            Reversal("PERSON", ALICE, "ALICE SMITH"),
            Reversal("PERSON", ALICE, "Alice Smith"),
        ),
        "[PERSON_0000]": (),
    }


def test_no_byte_on_disk_shows_a_value(ring: KeyRing, tmp_path: Path) -> None:
    filled().seal(dataset="orders", folder=tmp_path, keys=ring)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Alice Smith" not in written
    assert ALICE.encode() not in written  # shorter texts turn up in ciphertext by chance


def test_the_same_map_is_sealed_once(ring: KeyRing, tmp_path: Path) -> None:
    first = filled().seal(dataset="orders", folder=tmp_path, keys=ring)
    again = filled().seal(dataset="orders", folder=tmp_path, keys=ring)
    assert first.is_new
    assert (again.path, again.is_new) == (first.path, False)


def test_a_stranger_opens_nothing(
    ring: KeyRing, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = keys.create(tmp_path_factory.mktemp("stranger") / "keys")
    keys.add_signer(stranger.folder, "owner", ring.public_signer())
    path = filled().seal(dataset="orders", folder=tmp_path, keys=ring).path
    with pytest.raises(KeyFileError, match="not sealed for this identity"):
        lookup(path, [ALICE], keys=stranger)


def test_another_sealed_file_is_no_map(ring: KeyRing, tmp_path: Path) -> None:
    other = seal(
        [b"{}"],
        dataset="orders",
        split="train",
        suite_hash="0" * 64,
        folder=tmp_path,
        keys=ring,
        expected_fingerprint=None,
    )
    with pytest.raises(TamperedError, match="no reversal map"):
        list(read(other.path, keys=ring))


def test_too_many_values_stop_the_stage() -> None:
    reversals = ReversalMap(most_entries=1)
    reversals.add("PERSON", ALICE, "Alice")
    reversals.add("PERSON", ALICE, "Alice")
    with pytest.raises(StageError, match="more than 1 values") as caught:
        reversals.add("PERSON", ALICE, "alice")
    assert "alice" not in str(caught.value)


def test_maps_of_workers_are_joined() -> None:
    both = ReversalMap()
    both.update(filled().entries())
    both.update(filled().entries())
    assert both.entries() == filled().entries()


def test_threads_may_add() -> None:
    reversals = ReversalMap()
    with ThreadPool(8) as pool:
        pool.map(lambda n: reversals.add("PERSON", f"[PERSON_{n % 100}]", "x"), range(2000))
    assert len(reversals) == 100


def test_a_value_is_not_shown() -> None:
    assert "Alice" not in repr(filled().entries())


@settings(max_examples=10, deadline=None)
@given(values=st.lists(st.text(st.characters(exclude_categories=[])), max_size=5))
def test_every_text_comes_back(
    ring: KeyRing, tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    reversals = ReversalMap()
    for value in values:
        reversals.add("PERSON", ALICE, value)
    sealed = reversals.seal(dataset="orders", folder=tmp_path_factory.mktemp("maps"), keys=ring)
    assert tuple(read(sealed.path, keys=ring)) == reversals.entries()
