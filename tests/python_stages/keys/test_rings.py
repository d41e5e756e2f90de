"""Keys: created at once, for one user only, recognised by what they are."""

import multiprocessing
import os
import random
import re
import shutil
import stat
import time
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from python_stages import keys
from python_stages.errors import KeyFileError
from python_stages.keys import files as key_files
from tests import processes

PRIVATE = ("vault", "hmac", "signing", "identity")


def read_any(ring: keys.KeyRing, kind: str) -> object:
    """Ask a ring for the key of one kind."""
    return {
        "vault": ring.vault_key,
        "hmac": lambda: ring.hmac_key("test"),
        "signing": ring.signing_key,
        "identity": ring.identity,
    }[kind]()


@pytest.fixture
def ring(tmp_path: Path) -> keys.KeyRing:
    return keys.create(tmp_path / "keys")


@pytest.fixture(scope="module")
def one_ring(tmp_path_factory: pytest.TempPathFactory) -> keys.KeyRing:
    return keys.create(tmp_path_factory.mktemp("one") / "keys")


def test_created_keys_are_for_this_user_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ring = keys.create(tmp_path / "keys")
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in ring.folder.rglob("*")}
    assert len(modes) == 8
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items())
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700


def test_created_keys_are_one_line_of_text_with_their_kind(ring: keys.KeyRing) -> None:
    for kind in PRIVATE:
        text = (ring.folder / f"{kind}.key").read_text()
        assert re.fullmatch(rf"sealtune-{kind}-1:[A-Za-z0-9_-]+\n", text)


def test_own_public_keys_are_recipient_and_signer(ring: keys.KeyRing) -> None:
    assert [one.key_id for one in ring.recipients()] == [ring.identity_id()]
    public = ring.signing_key().public_key().public_bytes_raw()
    assert [one.public_key.public_bytes_raw() for one in ring.signers()] == [public]
    assert (ring.folder / "recipients/self.pub").read_text().strip() == ring.public_recipient()
    assert (ring.folder / "signers/self.pub").read_text().strip() == ring.public_signer()


def test_what_is_wrapped_for_the_recipient_opens_with_the_identity(ring: keys.KeyRing) -> None:
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    wrapped = suite.encrypt(b"file key", ring.recipients()[0].public_key, b"info")
    assert suite.decrypt(wrapped, ring.identity(), b"info") == b"file key"


def test_loaded_keys_are_the_created_ones(ring: keys.KeyRing) -> None:
    loaded = keys.load(ring.folder)
    assert loaded.vault_key() == ring.vault_key()
    assert loaded.identity_id() == ring.identity_id()


def test_creating_again_changes_nothing(ring: keys.KeyRing) -> None:
    before = {path: path.read_bytes() for path in ring.folder.rglob("*") if path.is_file()}
    keys.create(ring.folder)
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in ring.folder.parent.iterdir()] == ["keys"]


def test_two_folders_hold_different_keys(tmp_path: Path) -> None:
    one, two = keys.create(tmp_path / "one"), keys.create(tmp_path / "two")
    for kind in PRIVATE:
        assert (one.folder / f"{kind}.key").read_text() != (two.folder / f"{kind}.key").read_text()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    assert keys.create(tmp_path / "keys").vault_key()


def test_vault_key_needs_no_quoting(ring: keys.KeyRing) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", ring.vault_key())


@given(purposes=st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=5, unique=True))
def test_hmac_keys_differ_by_purpose_and_are_hkdf_of_the_root(
    purposes: list[str], one_ring: keys.KeyRing
) -> None:
    derived = [one_ring.hmac_key(one) for one in purposes]
    assert len(set(derived)) == len(purposes)
    text = (one_ring.folder / "hmac.key").read_text()
    root = key_files.decode("hmac", text, "root")
    hkdf = HKDF(hashes.SHA256(), 32, salt=None, info=purposes[0].encode())
    assert derived[0] == hkdf.derive(root)


def test_repr_shows_no_secret(ring: keys.KeyRing) -> None:
    shown = repr(ring) + repr(ring.recipients()) + repr(ring.signers())
    for kind in PRIVATE:
        payload = (ring.folder / f"{kind}.key").read_text().strip().partition(":")[2]
        assert payload not in shown
    assert ring.vault_key() not in shown


@pytest.mark.parametrize("kind", PRIVATE)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_private_file_open_to_others_is_refused(ring: keys.KeyRing, kind: str, mode: int) -> None:
    path = ring.folder / f"{kind}.key"
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.load(ring.folder)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_any(ring, kind)


@pytest.mark.parametrize("subfolder", [".", "recipients", "signers"])
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o720, 0o702])
def test_folder_open_to_others_is_refused(ring: keys.KeyRing, subfolder: str, mode: int) -> None:
    (ring.folder / subfolder).chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 700"):
        keys.load(ring.folder)


def test_public_file_that_others_may_write_is_refused(ring: keys.KeyRing) -> None:
    (ring.folder / "recipients/self.pub").chmod(0o644)
    assert ring.recipients()
    (ring.folder / "recipients/self.pub").chmod(0o664)
    with pytest.raises(KeyFileError, match="chmod 600"):
        ring.recipients()


def test_link_to_a_file_open_to_others_is_refused(ring: keys.KeyRing, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.key"
    (ring.folder / "vault.key").rename(elsewhere)
    (ring.folder / "vault.key").symlink_to(elsewhere)
    assert keys.load(ring.folder).vault_key()
    elsewhere.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.load(ring.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("name", [".", "vault.key", "recipients"])
def test_what_belongs_to_another_user_is_refused(ring: keys.KeyRing, name: str) -> None:
    os.chown(ring.folder / name, 12345, -1)
    with pytest.raises(KeyFileError, match="belongs to another user"):
        keys.load(ring.folder)


def test_missing_folder_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="sealtune keys init"):
        keys.load(tmp_path / "keys")


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    with pytest.raises(KeyFileError, match="holds no keys"):
        keys.load(tmp_path / "keys")


@pytest.mark.parametrize("kind", PRIVATE)
def test_missing_file_is_named_when_it_is_asked_for(ring: keys.KeyRing, kind: str) -> None:
    (ring.folder / f"{kind}.key").unlink()
    loaded = keys.load(ring.folder)
    with pytest.raises(KeyFileError, match=rf"{kind}\.key.*sealtune keys init"):
        read_any(loaded, kind)


def test_building_needs_no_identity(ring: keys.KeyRing) -> None:
    (ring.folder / "identity.key").unlink()
    loaded = keys.load(ring.folder)
    assert loaded.recipients()
    assert loaded.signing_key()


@pytest.mark.parametrize("folder", ["recipients", "signers"])
def test_no_public_keys_at_all_is_refused(ring: keys.KeyRing, folder: str) -> None:
    (ring.folder / folder / "self.pub").unlink()
    with pytest.raises(KeyFileError, match="holds no"):
        getattr(ring, folder)()


@pytest.mark.parametrize("kind", PRIVATE)
@pytest.mark.parametrize("other", PRIVATE)
def test_key_of_another_kind_is_refused(ring: keys.KeyRing, kind: str, other: str) -> None:
    if kind == other:
        return
    shutil.copy(ring.folder / f"{other}.key", ring.folder / f"{kind}.key")
    with pytest.raises(KeyFileError, match=f"is no {kind} key"):
        read_any(ring, kind)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-2],
        lambda text: text + "A",
        lambda text: text.replace("-1:", "-2:"),
        lambda text: text[:30] + "*" + text[31:],
        lambda text: text[:30] + "\n" + text[31:],
        lambda text: text + "=",
        lambda _: "",
        lambda _: "\x00\xff",
        lambda text: text + "\n" + text,
        lambda text: text * 100,
    ],
)
@pytest.mark.parametrize("kind", PRIVATE)
def test_malformed_key_is_refused_and_not_quoted(
    ring: keys.KeyRing, kind: str, spoil: "object"
) -> None:
    path = ring.folder / f"{kind}.key"
    secret = path.read_text().strip()
    assert callable(spoil)
    path.write_text(spoil(secret), encoding="latin-1")
    with pytest.raises(KeyFileError) as caught:
        read_any(ring, kind)
    assert secret.partition(":")[2][8:20] not in str(caught.value)


@given(raw=st.binary(max_size=64))
def test_decode_accepts_exactly_what_encode_writes(raw: bytes) -> None:
    text = key_files.encode("hmac", raw)
    if len(raw) == 32:
        assert key_files.decode("hmac", text, "it") == raw
    else:
        with pytest.raises(KeyFileError):
            key_files.decode("hmac", text, "it")


def test_a_pipe_instead_of_a_key_is_refused_without_waiting(ring: keys.KeyRing) -> None:
    (ring.folder / "vault.key").unlink()
    os.mkfifo(ring.folder / "vault.key", 0o600)
    with pytest.raises(KeyFileError, match="is no file"):
        ring.vault_key()


def test_keys_inside_the_project_are_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for make in (keys.create, keys.load):
        with pytest.raises(KeyFileError, match="inside the project"):
            make(project / "conf" / "keys", project=project)
    assert list(project.iterdir()) == []
    (tmp_path / "link").symlink_to(project)
    with pytest.raises(KeyFileError, match="inside the project"):
        keys.create(tmp_path / "link" / "keys", project=project)
    assert keys.create(tmp_path / "keys", project=project)


def test_added_recipient_is_one_of_the_recipients(ring: keys.KeyRing, tmp_path: Path) -> None:
    friend = keys.create(tmp_path / "friend")
    added = keys.add_recipient(ring.folder, "friend", friend.public_recipient() + "\n")
    assert added.key_id == friend.identity_id()
    ids = [one.key_id for one in ring.recipients()]
    assert ids == sorted([ring.identity_id(), friend.identity_id()])


def test_adding_the_same_key_twice_counts_once(ring: keys.KeyRing, tmp_path: Path) -> None:
    friend = keys.create(tmp_path / "friend").public_recipient()
    for name in ("friend", "friend", "twin"):
        keys.add_recipient(ring.folder, name, friend)
    assert len(ring.recipients()) == 2


def test_a_name_is_not_given_to_another_key(ring: keys.KeyRing, tmp_path: Path) -> None:
    keys.add_signer(ring.folder, "friend", keys.create(tmp_path / "a").public_signer())
    with pytest.raises(KeyFileError, match="another key"):
        keys.add_signer(ring.folder, "friend", keys.create(tmp_path / "b").public_signer())
    assert sorted(path.name for path in (ring.folder / "signers").iterdir()) == [
        "friend.pub",
        "self.pub",
    ]


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", ".hidden", "a" * 65, "a\n"])
def test_a_name_that_is_no_word_is_refused(ring: keys.KeyRing, name: str) -> None:
    with pytest.raises(KeyFileError, match="lower-case word"):
        keys.add_recipient(ring.folder, name, ring.public_recipient())


def test_a_private_key_is_not_added_as_a_public_one(ring: keys.KeyRing) -> None:
    text = (ring.folder / "identity.key").read_text()
    with pytest.raises(KeyFileError, match="is no recipient key"):
        keys.add_recipient(ring.folder, "friend", text)
    with pytest.raises(KeyFileError, match="is no signer key"):
        keys.add_signer(ring.folder, "friend", ring.public_recipient())


def test_a_recipient_that_is_no_public_key_is_refused(ring: keys.KeyRing) -> None:
    text = key_files.encode("recipient", b"\xff" * 1216)
    with pytest.raises(KeyFileError, match="no valid public key"):
        keys.add_recipient(ring.folder, "friend", text)
    assert len(ring.recipients()) == 1


def _create_and_name(folder: Path) -> str:
    return keys.create(folder).vault_key()


def test_processes_that_create_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        for attempt in range(5):
            folder = tmp_path / str(attempt) / "keys"
            assert len(set(pool.map(_create_and_name, [folder] * 3, chunksize=1))) == 1
            assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def create_without_end(root: Path) -> None:
    for number in count():
        keys.create(root / str(number) / "keys")


def test_a_killed_creation_leaves_all_or_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    n_drafts = n_created = 0
    for attempt in range(20):
        root = tmp_path / str(attempt)
        process = processes.start(create_without_end, root)
        time.sleep(chance.uniform(0.01, 0.1))
        process.kill()
        process.join()
        n_drafts += len(list(root.glob("*/.*.draft")))
        for folder in root.glob("*/keys"):
            loaded = keys.load(folder)
            assert all(read_any(loaded, kind) for kind in PRIVATE)
            assert loaded.recipients()
            assert loaded.signers()
            n_created += 1
        for unfinished in root.glob("*"):
            assert keys.create(unfinished / "keys").vault_key()
    # Otherwise nobody was caught at work, or nobody had got anywhere: nothing was tested.
    assert n_drafts > 0
    assert n_created > 0
