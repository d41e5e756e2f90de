"""New keys, files sealed again, and datasets closed for good: something opens at every step."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from typer.testing import CliRunner, Result

from python_stages import keys, seal, shred
from python_stages.cli.main import app
from python_stages.errors import KeyFileError, SealError, TamperedError
from python_stages.keys import KeyRing
from python_stages.keys import datasets as dataset_keys
from python_stages.keys import rotation as key_rotation
from python_stages.keys.providers import load_providers
from python_stages.seal import reader
from python_stages.seal.file_keys import open_content_key
from python_stages.seal.version import LATEST
from tests.python_stages.keys.test_providers import MemoryKeyring

LINES = [f"line {number}".encode() * 20 for number in range(500)]
VECTORS = Path(__file__).parents[1] / "seal" / "vectors"


def do_seal(
    folder: Path, ring: KeyRing, *, dataset: str = "demo", split: str = "train"
) -> seal.SealedFile:
    return seal.seal(
        LINES,
        dataset=dataset,
        split=split,
        suite_hash="0" * 64,
        folder=folder,
        keys=ring,
        expected_fingerprint=None,
    )


def do_reseal(folder: Path, ring: KeyRing, dataset: str = "demo") -> list[seal.SealedFile]:
    """Seal again, and demand that nothing was left."""
    done = list(seal.reseal(folder, dataset, keys=ring))
    made = [one for one in done if isinstance(one, seal.SealedFile)]
    assert len(made) == len(done)
    return made


def opens(path: Path, ring: KeyRing) -> bool:
    try:
        return list(seal.read_sealed(path, keys=ring)) == LINES
    except KeyFileError:
        return False


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """The folder of all sealed files."""
    return tmp_path / "sealed"


@pytest.fixture
def friend(tmp_path: Path, ring: KeyRing) -> KeyRing:
    """Somebody else, whom this user seals for and who believes them."""
    other = keys.create(tmp_path / "friend")
    keys.add_recipient(ring.folder, "friend", other.public_recipient())
    keys.add_signer(other.folder, "owner", ring.public_signer())
    return other


def befriend(ring: KeyRing, friend: KeyRing) -> None:
    (found,) = (one for one in ring.recipients() if one.name == "friend")
    grant = dataset_keys.hand_over(ring.folder, "demo", found.key_id, found.public_key)
    dataset_keys.receive(friend.folder, grant, friend.identities())


# ── rotation ──


def test_new_keys_are_used_and_old_ones_go_on_opening_and_being_believed(
    sealed: Path, ring: KeyRing
) -> None:
    before = do_seal(sealed, ring)
    done = key_rotation.rotate(ring)
    assert ring.identity_id() == done.new_identity != done.old_identity
    assert list(ring.identities()) == [done.new_identity, done.old_identity]
    assert [one.key_id for one in ring.recipients()] == [done.new_identity]
    assert {one.key_id for one in ring.signers()} == {done.new_signer, done.old_signer}
    assert opens(before.path, ring)
    after = do_seal(sealed, ring, split="validation")
    assert after.manifest.recipients == (done.new_identity,)
    assert after.manifest.signer == done.new_signer
    assert opens(after.path, ring)


def test_vault_and_hmac_keys_stay(ring: KeyRing) -> None:
    before = (ring.vault_key(), ring.hmac_key("fingerprint"))
    key_rotation.rotate(ring)
    assert (ring.vault_key(), ring.hmac_key("fingerprint")) == before


def test_rotating_three_times_keeps_every_identity(sealed: Path, ring: KeyRing) -> None:
    paths = []
    for split in ("one", "two", "three"):
        paths.append(do_seal(sealed, ring, split=split).path)
        key_rotation.rotate(ring)
    assert all(opens(path, ring) for path in paths)
    assert len(ring.identities()) == 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in ring.folder.rglob("*"))


@pytest.mark.parametrize("words", [("env:A_KEY",), ("cmd:", "cat")])
def test_keys_that_sealtune_cannot_write_are_not_rotated(
    words: tuple[str, ...], ring: KeyRing
) -> None:
    providers = load_providers(ring.folder)
    path = ring.folder / "providers.toml"
    path.touch(mode=0o600)
    path.write_text(f"signing = {json.dumps(words)}")
    before = {one: one.read_bytes() for one in ring.folder.rglob("*") if one.is_file()}
    with pytest.raises(KeyFileError, match="move it to file:"):
        key_rotation.rotate(ring)
    assert {one: one.read_bytes() for one in ring.folder.rglob("*") if one.is_file()} == before
    assert providers.words == {}


def test_a_retired_identity_is_kept_in_the_same_kind_of_place(sealed: Path, ring: KeyRing) -> None:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    try:
        made = do_seal(sealed, ring)
        load_providers(ring.folder).move("identity", ("keyring:sealtune/identity",))
        done = key_rotation.rotate(ring)
        assert list(ring.folder.rglob("identities/*")) == []
        assert ("sealtune", f"identity-{done.old_identity}") in backend.entries
        assert len(backend.entries) == 2
        assert opens(made.path, keys.load(ring.folder))
    finally:
        keyring.set_keyring(before)


# ── sealing again ──


def test_files_are_sealed_again_under_their_own_names(sealed: Path, ring: KeyRing) -> None:
    before = [do_seal(sealed, ring, split=split) for split in ("train", "validation")]
    old = list(ring.identities())
    done = key_rotation.rotate(ring)
    after = do_reseal(sealed, ring)
    assert [one.path for one in after] == [one.path for one in before]
    for one, was in zip(after, before, strict=True):
        assert one.is_new
        assert one.manifest.fingerprint == was.manifest.fingerprint
        assert one.manifest.suite_hash == was.manifest.suite_hash
        assert one.manifest.recipients == (done.new_identity,)
        assert one.manifest.signer == done.new_signer
        assert one.manifest.file_id != was.manifest.file_id
    shutil.rmtree(ring.folder / "identities")
    for path in (ring.folder / "signers").glob("retired-*.pub"):
        path.unlink()
    assert list(ring.identities()) != old
    assert all(opens(one.path, ring) for one in after)


def test_sealing_again_again_writes_nothing(sealed: Path, ring: KeyRing) -> None:
    path = do_seal(sealed, ring).path
    key_rotation.rotate(ring)
    do_reseal(sealed, ring)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    (again,) = do_reseal(sealed, ring)
    assert not again.is_new
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert sorted(one.name for one in path.parent.iterdir()) == [".lock", path.name]


def test_a_build_after_sealing_again_seals_nothing(sealed: Path, ring: KeyRing) -> None:
    do_seal(sealed, ring)
    key_rotation.rotate(ring)
    do_reseal(sealed, ring)
    assert not do_seal(sealed, ring).is_new


def test_who_is_no_recipient_any_more_does_not_open_what_is_sealed_again(
    sealed: Path, ring: KeyRing, friend: KeyRing
) -> None:
    path = do_seal(sealed, ring).path
    befriend(ring, friend)
    kept = shutil.copytree(path.parent, path.parents[2] / "kept" / "demo") / path.name
    assert opens(path, friend)
    (ring.folder / "recipients" / "friend.pub").unlink()
    do_reseal(sealed, ring)
    assert opens(path, ring)
    assert not opens(path, friend)
    # what they kept, they keep
    assert opens(kept, friend)


def test_the_content_of_the_new_file_is_under_a_new_key(sealed: Path, ring: KeyRing) -> None:
    def content_key(path: Path) -> bytes:
        with path.open("rb") as file:
            envelope = reader.read_envelope(file, ring.signers())
        return open_content_key(envelope.header, ring)

    path = do_seal(sealed, ring).path
    before = content_key(path)
    key_rotation.rotate(ring)
    do_reseal(sealed, ring)
    assert content_key(path) != before


def test_a_file_of_version_1_becomes_one_of_the_latest(tmp_path: Path) -> None:
    ring = keys.load(vector_keys(tmp_path))
    old = next((VECTORS / "v1" / "valid" / "several_chunks").glob("*/*.sealed"))
    path = tmp_path / "sealed" / "transactions" / old.name
    path.parent.mkdir(parents=True)
    shutil.copy(old, path)
    before = list(seal.read_sealed(path, keys=ring))
    (done,) = do_reseal(tmp_path / "sealed", ring, "transactions")
    assert done.manifest.format == LATEST.name
    assert list(seal.read_sealed(path, keys=ring)) == before


def vector_keys(root: Path) -> Path:
    folder = shutil.copytree(VECTORS / "v1" / "keys" / "owner", root / "owner")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return folder


def test_what_cannot_be_opened_is_left_with_its_reason(
    sealed: Path, ring: KeyRing, friend: KeyRing
) -> None:
    spoiled, foreign, good = (do_seal(sealed, ring, split=one).path for one in ("a", "b", "c"))
    data = bytearray(spoiled.read_bytes())
    data[len(data) // 2] ^= 1
    spoiled.write_bytes(data)
    keys.add_signer(ring.folder, "friend", friend.public_signer())
    foreign.unlink()
    keys.add_recipient(friend.folder, "owner", ring.public_recipient())
    made = do_seal(sealed, friend, split="b")
    left = {}
    key_rotation.rotate(ring)
    for done in seal.reseal(sealed, "demo", keys=ring):
        if isinstance(done, seal.Left):
            left[done.path] = done.reason
        else:
            assert (done.path, done.is_new) == (good, True)
    assert "not what was signed" in left[spoiled]
    assert "is not here" in left[made.path]
    assert spoiled.read_bytes() == data


def test_a_file_of_another_owner_is_not_signed_anew(
    sealed: Path, ring: KeyRing, friend: KeyRing
) -> None:
    keys.add_signer(ring.folder, "friend", friend.public_signer())
    owner = keys.add_recipient(friend.folder, "owner", ring.public_recipient())
    path = do_seal(sealed, friend).path
    grant = dataset_keys.hand_over(friend.folder, "demo", owner.key_id, owner.public_key)
    dataset_keys.receive(ring.folder, grant, ring.identities())
    assert opens(path, ring)
    before = path.read_bytes()
    (left,) = seal.reseal(sealed, "demo", keys=ring)
    assert isinstance(left, seal.Left)
    assert "not sealed with this hmac key" in left.reason
    assert path.read_bytes() == before


def test_a_dataset_without_files_is_named(sealed: Path, ring: KeyRing) -> None:
    with pytest.raises(SealError, match="no sealed file of demo"):
        list(seal.reseal(sealed, "demo", keys=ring))


# ── a key for each dataset ──


def test_identity_or_dataset_key_alone_opens_nothing(
    sealed: Path, ring: KeyRing, friend: KeyRing
) -> None:
    path = do_seal(sealed, ring).path
    assert not opens(path, friend)
    befriend(ring, friend)
    assert opens(path, friend)
    shutil.rmtree(friend.folder / "received")
    assert not opens(path, friend)
    (ring.folder / "identity.key").unlink()
    with pytest.raises(KeyFileError, match=r"identity\.key"):
        list(seal.read_sealed(path, keys=ring))


def test_a_handed_key_opens_one_dataset_and_is_for_one_recipient(
    sealed: Path, ring: KeyRing, friend: KeyRing, tmp_path: Path
) -> None:
    one, other = do_seal(sealed, ring), do_seal(sealed, ring, dataset="other")
    befriend(ring, friend)
    assert opens(one.path, friend)
    assert not opens(other.path, friend)
    (found,) = (one for one in ring.recipients() if one.name == "friend")
    grant = dataset_keys.hand_over(ring.folder, "other", found.key_id, found.public_key)
    stranger = keys.create(tmp_path / "stranger")
    with pytest.raises(KeyFileError, match="handed to another recipient"):
        dataset_keys.receive(stranger.folder, grant, stranger.identities())
    with pytest.raises(KeyFileError, match="is no grant key"):
        dataset_keys.receive(friend.folder, friend.public_recipient(), friend.identities())


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "a" * 65])
def test_a_dataset_key_has_the_name_of_a_dataset(name: str, ring: KeyRing) -> None:
    with pytest.raises(KeyFileError, match="lower-case word"):
        dataset_keys.make(ring.folder, name)


# ── shredding ──


def test_no_copy_opens_once_its_dataset_is_shredded(
    sealed: Path, ring: KeyRing, tmp_path: Path
) -> None:
    paths = [do_seal(sealed, ring, split=split).path for split in ("train", "validation")]
    other = do_seal(sealed, ring, dataset="other").path
    shutil.copytree(sealed, tmp_path / "backup")
    shred.shred(sealed, "demo", keys=ring)
    assert not any(path.exists() for path in paths)
    for path in paths:
        copy = tmp_path / "backup" / "demo" / path.name
        assert seal.verify(copy, keys=ring)
        with pytest.raises(KeyFileError, match="was shredded"):
            next(seal.read_sealed(copy, keys=ring))
    assert opens(other, ring)


def test_the_proof_says_what_was_closed_and_is_signed(sealed: Path, ring: KeyRing) -> None:
    manifest = do_seal(sealed, ring).manifest
    proof, statement = shred.shred(sealed, "demo", keys=ring)
    assert shred.read_statement(proof, keys=ring) == statement
    assert statement.destroyed_keys == (manifest.dataset_key,)
    (closed,) = statement.files
    assert (closed.fingerprint, closed.file_id) == (manifest.fingerprint, manifest.file_id)
    assert (closed.recipients, closed.n_rows) == (manifest.recipients, 500)
    assert statement.still_open == ()
    assert statement.handed_to == ()
    assert proof.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("place", [0.1, 0.4, 0.7, 0.9])
def test_a_changed_proof_is_refused(sealed: Path, ring: KeyRing, place: float) -> None:
    do_seal(sealed, ring)
    proof, _ = shred.shred(sealed, "demo", keys=ring)
    content = bytearray(proof.read_bytes())
    content[int(len(content) * place)] ^= 1
    proof.write_bytes(content)
    with pytest.raises(TamperedError):
        shred.read_statement(proof, keys=ring)


def test_the_proof_names_whom_the_key_was_handed_to_and_what_is_of_version_1(
    tmp_path: Path, friend: KeyRing
) -> None:
    ring = keys.load(vector_keys(tmp_path))
    sealed = tmp_path / "sealed"
    old = next((VECTORS / "v1" / "valid" / "empty").glob("*/*.sealed"))
    (sealed / "transactions").mkdir(parents=True)
    shutil.copy(old, sealed / "transactions" / old.name)
    do_seal(sealed, ring, dataset="transactions")
    added = keys.add_recipient(ring.folder, "friend2", friend.public_recipient())
    dataset_keys.hand_over(ring.folder, "transactions", added.key_id, added.public_key)
    _, statement = shred.shred(sealed, "transactions", keys=ring)
    assert statement.handed_to == (added.key_id,)
    assert [one.fingerprint for one in statement.still_open] == [old.stem.partition("-")[2]]
    assert list(sealed.rglob("*.sealed")) == []


def test_the_next_build_makes_a_new_key_and_a_new_file(sealed: Path, ring: KeyRing) -> None:
    before = do_seal(sealed, ring)
    backup = sealed.parent / "backup" / "demo" / before.path.name
    backup.parent.mkdir(parents=True)
    shutil.copy(before.path, backup)
    shred.shred(sealed, "demo", keys=ring)
    after = do_seal(sealed, ring)
    assert after.path == before.path
    assert after.manifest.dataset_key != before.manifest.dataset_key
    assert opens(after.path, ring)
    assert not opens(backup, ring)


def test_a_shredded_file_that_is_put_back_gets_no_new_key_by_sealing_again(
    sealed: Path, ring: KeyRing
) -> None:
    path = do_seal(sealed, ring).path
    data = path.read_bytes()
    shred.shred(sealed, "demo", keys=ring)
    path.write_bytes(data)
    (left,) = seal.reseal(sealed, "demo", keys=ring)
    assert isinstance(left, seal.Left)
    assert dataset_keys.current_id(ring.folder, "demo") is None
    assert not do_seal(sealed, ring, split="other").path.samefile(path)


def test_shredding_what_is_not_there_is_refused(sealed: Path, ring: KeyRing) -> None:
    with pytest.raises(SealError, match="no key and no sealed file"):
        shred.shred(sealed, "demo", keys=ring)
    assert not (sealed / "demo").exists()


# ── the command line ──


def run(ring: KeyRing, vault: Path, *args: str, text: str | None = None) -> Result:
    env = {"SEALTUNE_KEYS_DIR": str(ring.folder), "SEALTUNE_VAULT_DIR": str(vault)}
    return CliRunner(env=env).invoke(app, args, input=text)


@pytest.fixture
def vault(tmp_path: Path, ring: KeyRing) -> Iterator[Path]:
    do_seal(tmp_path / "vault" / "sealed", ring)
    yield tmp_path / "vault"
    # no command shows a private key or leaves one readable by others
    for path in ring.folder.rglob("*.key"):
        assert os.stat(path).st_mode & 0o077 == 0  # noqa: PTH116 - the same


def test_rotate_and_reseal_say_what_they_did(vault: Path, ring: KeyRing) -> None:
    rotated = run(ring, vault, "keys", "rotate")
    assert rotated.exit_code == 0
    assert "sealtune reseal" in rotated.stdout
    first = run(ring, vault, "reseal")
    assert first.stdout.startswith("resealed  demo/train-")
    assert run(ring, vault, "reseal", "demo").stdout.startswith("unchanged demo/train-")


def test_shred_asks_first_and_says_what_remains(vault: Path, ring: KeyRing) -> None:
    assert run(ring, vault, "shred", "demo", text="n\n").exit_code != 0
    assert list(vault.rglob("*.sealed"))
    done = run(ring, vault, "shred", "demo", text="y\n")
    assert done.exit_code == 0
    assert "dbt run-operation drop_dataset" in done.stdout
    assert list(vault.rglob("*.sealed")) == []
    assert run(ring, vault, "shred", "demo", "--yes").exit_code == 1


def test_a_dataset_is_handed_over_and_received(vault: Path, ring: KeyRing, friend: KeyRing) -> None:
    run(ring, vault, "reseal")
    (path,) = vault.rglob("*.sealed")
    grant = run(ring, vault, "keys", "hand-over", "demo", "friend")
    assert grant.exit_code == 0
    assert run(friend, vault, "keys", "receive", "-", text=grant.stdout).exit_code == 0
    assert opens(path, friend)
    assert run(ring, vault, "keys", "hand-over", "demo", "nobody").exit_code == 1


def test_a_reversal_map_is_resealed_for_its_owner_alone_and_shredded_with_its_dataset(
    vault: Path, ring: KeyRing, friend: KeyRing
) -> None:
    owner = keys.OwnerRing(ring.folder)
    path = do_seal(vault / "reversal", owner).path
    befriend(ring, friend)
    run(ring, vault, "keys", "rotate")
    keys.add_signer(friend.folder, "owner2", ring.public_signer())
    assert f"resealed  demo/{path.name}" in run(ring, vault, "reseal", "demo").stdout
    assert seal.verify(path, keys=ring).recipients == (ring.identity_id(),)
    assert not opens(path, friend)
    assert opens(path, ring)
    assert run(ring, vault, "shred", "demo", "--yes").exit_code == 0
    assert list(vault.rglob("*.sealed")) == []


def test_a_dataset_that_is_not_there_is_not_resealed(vault: Path, ring: KeyRing) -> None:
    assert "no sealed file of other" in run(ring, vault, "reseal", "other").stderr
