"""Sealing and opening: what goes in comes out, and nothing that was touched comes out at all."""

import hashlib
import hmac
import io
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import pytest
from cryptography.cobblestone import Cobblestone256Encryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages import keys, seal
from python_stages.errors import KeyFileError, NotCheckedError, SealError, TamperedError
from python_stages.keys import KeyRing
from python_stages.seal import sealed_format as fmt
from python_stages.seal.file_keys import open_content_key
from tests import processes

SUITE_HASH = "0" * 64
CHUNK_BYTES = 16384 + 16
SECRET = b"4929-1111-2222-3333"
LINES = [SECRET + f" line {number} ".encode() * 10 for number in range(400)]

any_lines = st.lists(
    st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")),
    max_size=30,
)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return keys.create(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return keys.create(tmp_path_factory.mktemp("stranger") / "keys")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a sealed file begin."""

    body: int
    manifest: int
    signature: int


def layout(data: bytes) -> Layout:
    body = 22 + int.from_bytes(data[18:22], "big")
    signature = len(data) - 84
    return Layout(body, signature - int.from_bytes(data[-20:-16], "big"), signature)


def do_seal(
    folder: Path,
    ring: KeyRing,
    lines: list[bytes] | Iterator[bytes] | None = None,
    *,
    dataset: str = "transactions",
    split: str = "train",
    suite_hash: str = SUITE_HASH,
    expected: str | None = None,
) -> seal.SealedFile:
    return seal.seal(
        LINES if lines is None else lines,
        dataset=dataset,
        split=split,
        suite_hash=suite_hash,
        folder=folder,
        keys=ring,
        expected_fingerprint=expected,
    )


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def assert_refused(path: Path, ring: KeyRing) -> None:
    """Every way of opening refuses the file and releases nothing."""
    stream, target = io.BytesIO(), path.parent / "plaintext"
    with pytest.raises(TamperedError):
        seal.unseal(path, stream, keys=ring)
    with pytest.raises(TamperedError):
        seal.unseal(path, target, keys=ring)
    with pytest.raises(TamperedError):
        next(seal.read_sealed(path, keys=ring))
    with pytest.raises(TamperedError):
        seal.verify(path, keys=ring)
    assert stream.getvalue() == b""
    assert not target.exists()


@pytest.fixture
def sealed(tmp_path: Path, ring: KeyRing) -> Path:
    """A sealed file of three chunks."""
    return do_seal(tmp_path / "sealed", ring).path


# Round trips


@settings(max_examples=40)
@given(lines=any_lines)
def test_any_lines_come_out_as_they_went_in(lines: list[bytes], ring: KeyRing) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = do_seal(Path(scratch), ring, lines)
        plaintext = b"".join(line + b"\n" for line in lines)
        assert list(seal.read_sealed(made.path, keys=ring)) == lines
        stream = io.BytesIO()
        assert seal.unseal(made.path, stream, keys=ring) == made.manifest
        assert stream.getvalue() == plaintext
        assert (made.manifest.n_rows, made.manifest.n_bytes) == (len(lines), len(plaintext))
        assert seal.verify(made.path, keys=ring) == made.manifest


@pytest.mark.parametrize("n_bytes", [16383, 16384, 16385, 32768, (1 << 18) - 1, 1 << 18, 700_000])
def test_lines_around_the_borders_of_chunks_and_blocks_come_out(
    n_bytes: int, tmp_path: Path, ring: KeyRing
) -> None:
    lines = [b"x" * (n_bytes - 1), b"", b"y"]
    assert list(seal.read_sealed(do_seal(tmp_path, ring, lines).path, keys=ring)) == lines


def test_the_manifest_says_what_was_sealed(tmp_path: Path, ring: KeyRing) -> None:
    manifest = do_seal(tmp_path, ring, split="validation", suite_hash="ab" * 32).manifest
    plaintext = b"".join(line + b"\n" for line in LINES)
    key = ring.hmac_key("fingerprint")
    assert manifest.fingerprint == hmac.new(key, plaintext, hashlib.sha256).hexdigest()
    assert (manifest.dataset, manifest.split) == ("transactions", "validation")
    assert (manifest.n_rows, manifest.n_bytes) == (400, len(plaintext))
    assert manifest.suite_hash == "ab" * 32
    assert manifest.recipients == (ring.identity_id(),)


def test_a_sealed_file_shows_no_plaintext(sealed: Path) -> None:
    assert SECRET not in sealed.read_bytes()


def test_sealing_the_same_lines_elsewhere_gives_another_ciphertext(
    sealed: Path, tmp_path: Path, ring: KeyRing
) -> None:
    other = do_seal(tmp_path / "elsewhere", ring).path
    assert other.name == sealed.name
    assert other.read_bytes() != sealed.read_bytes()


def test_sealed_files_are_for_this_user_only(sealed: Path) -> None:
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert stat.S_IMODE(sealed.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(sealed.parent.parent.stat().st_mode) == 0o700


def test_unsealed_file_is_for_this_user_only_and_takes_no_ones_place(
    sealed: Path, tmp_path: Path, ring: KeyRing
) -> None:
    target = tmp_path / "lines.jsonl"
    seal.unseal(sealed, target, keys=ring)
    assert target.read_bytes() == b"".join(line + b"\n" for line in LINES)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.write_text("mine")
    with pytest.raises(SealError, match="cannot write"):
        seal.unseal(sealed, target, keys=ring)
    assert target.read_text() == "mine"
    assert everything_in(tmp_path) == [".lock", "lines.jsonl", sealed.name]


# Fingerprints


@given(lines=any_lines, key=st.binary(min_size=32, max_size=32))
def test_a_fingerprint_is_the_hmac_of_the_plaintext(lines: list[bytes], key: bytes) -> None:
    plaintext = b"".join(line + b"\n" for line in lines)
    expected = hmac.new(key, plaintext, hashlib.sha256).hexdigest()
    assert seal.fingerprint_lines(iter(lines), key) == expected


@given(one=any_lines, two=any_lines)
def test_different_lines_have_different_fingerprints(one: list[bytes], two: list[bytes]) -> None:
    key = bytes(32)
    equal = seal.fingerprint_lines(one, key) == seal.fingerprint_lines(two, key)
    assert equal == (one == two)


def test_a_dataset_fingerprint_depends_on_splits_and_not_on_their_order() -> None:
    key = bytes(32)
    by_split = {"train": "ab", "validation": "cd"}
    turned = dict(reversed(by_split.items()))
    assert seal.fingerprint_dataset(by_split, key) == seal.fingerprint_dataset(turned, key)
    swapped = {"train": "cd", "validation": "ab"}
    assert seal.fingerprint_dataset(by_split, key) != seal.fingerprint_dataset(swapped, key)
    text = b"train:ab\nvalidation:cd\n"
    expected = hmac.new(key, text, hashlib.sha256).hexdigest()
    assert seal.fingerprint_dataset(by_split, key) == expected


@pytest.mark.parametrize("bad", [b"a\nb", b"a\rb", b"a\n", b"\r"])
@pytest.mark.parametrize("before", [0, 1, 300])
def test_a_line_with_a_line_break_is_refused_by_number(
    bad: bytes, before: int, tmp_path: Path, ring: KeyRing
) -> None:
    lines = [b"good"] * before + [bad, b"good"]
    with pytest.raises(SealError, match=f"line {before + 1} holds a line break"):
        do_seal(tmp_path, ring, lines)
    assert everything_in(tmp_path) == [".lock"]


# Sealed once, in full, and only what was checked


@pytest.mark.parametrize("is_expected", [True, False])
def test_sealing_again_changes_nothing(sealed: Path, ring: KeyRing, *, is_expected: bool) -> None:
    before = (sealed.read_bytes(), sealed.stat().st_mtime_ns, sealed.stat().st_ino)
    expected = sealed.stem.partition("-")[2] if is_expected else None
    again = do_seal(sealed.parents[1], ring, expected=expected)
    assert again.path == sealed
    assert not again.is_new
    assert (sealed.read_bytes(), sealed.stat().st_mtime_ns, sealed.stat().st_ino) == before
    assert everything_in(sealed.parents[1]) == [".lock", sealed.name]


def test_lines_that_did_not_pass_are_not_sealed(tmp_path: Path, ring: KeyRing) -> None:
    passed = seal.fingerprint_lines(LINES, ring.hmac_key("fingerprint"))
    with pytest.raises(NotCheckedError, match="passed the check"):
        do_seal(tmp_path, ring, LINES[:-1], expected=passed)
    assert everything_in(tmp_path) == [".lock"]
    assert do_seal(tmp_path, ring, expected=passed).is_new


def test_other_lines_are_not_taken_for_those_that_are_sealed(sealed: Path, ring: KeyRing) -> None:
    with pytest.raises(NotCheckedError, match="passed the check"):
        do_seal(sealed.parents[1], ring, LINES[1:], expected=sealed.stem.partition("-")[2])


@pytest.mark.parametrize("bad", ["", "0" * 63, "G" * 64, "../" + "0" * 61, "0" * 64 + "\n"])
def test_hashes_that_are_no_hashes_are_refused(bad: str, tmp_path: Path, ring: KeyRing) -> None:
    with pytest.raises(SealError, match="64 digits"):
        do_seal(tmp_path, ring, suite_hash=bad)
    with pytest.raises(SealError, match="64 digits"):
        do_seal(tmp_path, ring, expected=bad)


def test_lines_that_break_off_leave_nothing(tmp_path: Path, ring: KeyRing) -> None:
    def lines() -> Iterator[bytes]:
        yield from LINES
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        do_seal(tmp_path, ring, lines())
    assert everything_in(tmp_path) == [".lock"]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "A", "1a", "a-b", "a\n", "ä", "a" * 65])
def test_names_that_could_leave_the_folder_are_refused(
    name: str, tmp_path: Path, ring: KeyRing
) -> None:
    with pytest.raises(SealError, match="lower-case words"):
        do_seal(tmp_path, ring, dataset=name)
    with pytest.raises(SealError, match="lower-case words"):
        do_seal(tmp_path, ring, split=name)
    assert everything_in(tmp_path) == []


def test_a_damaged_file_of_the_same_name_stops_sealing(sealed: Path, ring: KeyRing) -> None:
    data = bytearray(sealed.read_bytes())
    data[len(data) // 2] ^= 1
    sealed.write_bytes(data)
    with pytest.raises(TamperedError, match="seal it anew"):
        do_seal(sealed.parents[1], ring)
    assert sealed.read_bytes() == data
    sealed.unlink()
    assert do_seal(sealed.parents[1], ring).is_new


def test_changed_recipients_are_sealed_for_anew(tmp_path: Path, stranger: KeyRing) -> None:
    own = keys.create(tmp_path / "keys")
    first = do_seal(tmp_path / "sealed", own)
    keys.add_recipient(own.folder, "friend", stranger.public_recipient())
    second = do_seal(tmp_path / "sealed", own)
    assert second.is_new
    assert second.path == first.path
    assert set(second.manifest.recipients) == {own.identity_id(), stranger.identity_id()}
    assert not do_seal(tmp_path / "sealed", own).is_new
    assert everything_in(tmp_path / "sealed") == [".lock", first.path.name]


def test_a_changed_suite_is_sealed_anew(sealed: Path, ring: KeyRing) -> None:
    second = do_seal(sealed.parents[1], ring, suite_hash="1" * 64)
    assert second.is_new
    assert seal.verify(sealed, keys=ring).suite_hash == "1" * 64


def test_building_needs_no_identity(tmp_path: Path) -> None:
    own = keys.create(tmp_path / "keys")
    identity = (own.folder / "identity.key").read_bytes()
    (own.folder / "identity.key").unlink()
    made = do_seal(tmp_path / "sealed", own)
    assert seal.verify(made.path, keys=own)
    with pytest.raises(KeyFileError, match=r"identity\.key"):
        next(seal.read_sealed(made.path, keys=own))
    (own.folder / "identity.key").touch(mode=0o600)
    (own.folder / "identity.key").write_bytes(identity)
    assert list(seal.read_sealed(made.path, keys=own)) == LINES


def test_a_signer_that_nobody_believes_does_not_seal(tmp_path: Path, stranger: KeyRing) -> None:
    own = keys.create(tmp_path / "keys")
    (own.folder / "signers/self.pub").unlink()
    keys.add_signer(own.folder, "friend", stranger.public_signer())
    with pytest.raises(KeyFileError, match="public half of the signing"):
        do_seal(tmp_path / "sealed", own)


def test_a_disk_that_does_not_keep_what_was_written_is_noticed(
    tmp_path: Path, ring: KeyRing
) -> None:
    def lines_during_which_a_byte_rots() -> Iterator[bytes]:
        yield from [b"x" * 99] * 50_000  # several blocks, so that some of them are on the disk
        (draft,) = (tmp_path / "transactions").glob(".*.draft")
        with draft.open("r+b") as file:
            file.seek(100_000)
            (byte,) = file.read(1)
            file.seek(100_000)
            file.write(bytes([byte ^ 1]))
        yield b"last"

    with pytest.raises(SealError, match="cannot be read back"):
        do_seal(tmp_path, ring, lines_during_which_a_byte_rots())
    assert everything_in(tmp_path) == [".lock"]


def test_sealers_at_once_seal_once(tmp_path: Path, ring: KeyRing) -> None:
    made: list[seal.SealedFile] = []
    threads = [
        threading.Thread(target=lambda: made.append(do_seal(tmp_path, ring))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.is_new for one in made) == [False, False, False, True]
    assert len({one.manifest.file_id for one in made}) == 1


def test_a_full_disk_leaves_nothing(tmp_path: Path, ring: KeyRing) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from python_stages import keys, seal; from python_stages.errors import SealError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
        "try: seal.seal((b'x' * 99 for _ in range(10_000)), dataset='d', split='train',"
        " suite_hash='0' * 64, folder=Path(sys.argv[2]), keys=keys.load(Path(sys.argv[1])),"
        " expected_fingerprint=None)\n"
        "except SealError as error: sys.exit(0 if 'check its space' in str(error) else 2)"
    )
    arguments = [sys.executable, "-c", script, str(ring.folder), str(tmp_path / "sealed")]
    assert subprocess.run(arguments, check=False).returncode == 0
    assert everything_in(tmp_path) == [".lock"]


def seal_without_end(folder: Path, ring_folder: Path) -> None:
    ring = keys.load(ring_folder)
    for number in count():
        do_seal(folder, ring, (f"{number} {line} ".encode() * 20 for line in range(3000)))


def test_a_killed_sealer_leaves_no_half_file_and_does_not_hinder_the_next(
    tmp_path: Path, ring: KeyRing
) -> None:
    chance = random.Random(20261122)
    n_drafts = n_sealed = 0
    for attempt in range(30):
        folder = tmp_path / str(attempt)
        process = processes.start(seal_without_end, folder, ring.folder)
        time.sleep(chance.uniform(0.01, 0.15))
        process.kill()
        process.join()
        n_drafts += len(list(folder.glob("transactions/.*.draft")))
        for path in folder.glob("transactions/*.sealed"):
            assert len(list(seal.read_sealed(path, keys=ring))) == 3000
            n_sealed += 1
        assert do_seal(folder, ring).is_new
        assert list(folder.glob("transactions/.*.draft")) == []
    # Otherwise no sealer was caught at work, or none had got anywhere: nothing was tested.
    assert n_drafts > 0
    assert n_sealed > 0


def test_memory_does_not_grow_with_the_lines(tmp_path: Path, ring: KeyRing) -> None:
    do_seal(tmp_path, ring, [b"warm up"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = do_seal(tmp_path, ring, (b"x" * 999 for _ in range(60_000)))
    assert sum(1 for _ in seal.read_sealed(made.path, keys=ring)) == 60_000
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 20_000


# Refusals


def test_each_of_200_flipped_bytes_is_refused(sealed: Path, ring: KeyRing) -> None:
    data = sealed.read_bytes()
    where = layout(data)
    chance = random.Random(1)
    # Half of them outside the body, which is most of the file and would get nearly all.
    outside = [*range(where.body), *range(where.manifest, len(data))]
    positions = chance.sample(range(len(data)), 100) + chance.sample(outside, 100)
    for position in positions:
        spoiled = bytearray(data)
        spoiled[position] ^= chance.randrange(1, 256)
        sealed.write_bytes(spoiled)
        assert_refused(sealed, ring)


def test_each_of_50_truncations_is_refused(sealed: Path, ring: KeyRing) -> None:
    data = sealed.read_bytes()
    where = layout(data)
    borders = [0, 18, 22, where.body, where.body + 56, where.body + 56 + CHUNK_BYTES]
    borders += [where.manifest, where.signature, len(data) - 20, len(data) - 16, len(data) - 1]
    chance = random.Random(2)
    for length in borders + chance.sample(range(len(data)), 50 - len(borders)):
        sealed.write_bytes(data[:length])
        assert_refused(sealed, ring)


def test_a_byte_more_is_refused(sealed: Path, ring: KeyRing) -> None:
    sealed.write_bytes(sealed.read_bytes() + b"\0")
    assert_refused(sealed, ring)


def test_swapped_chunks_are_refused(sealed: Path, ring: KeyRing) -> None:
    data = sealed.read_bytes()
    one = layout(data).body + 56
    two, end = one + CHUNK_BYTES, one + 2 * CHUNK_BYTES
    assert end < layout(data).manifest
    sealed.write_bytes(data[:one] + data[two:end] + data[one:two] + data[end:])
    assert_refused(sealed, ring)


def test_swapped_manifests_are_refused(tmp_path: Path, ring: KeyRing) -> None:
    one = do_seal(tmp_path, ring, dataset="payments").path
    two = do_seal(tmp_path, ring, dataset="tickets").path
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(first[: layout(first).manifest] + second[layout(second).manifest :])
    two.write_bytes(second[: layout(second).manifest] + first[layout(first).manifest :])
    assert_refused(one, ring)
    assert_refused(two, ring)


def test_files_in_each_others_place_are_refused(tmp_path: Path, ring: KeyRing) -> None:
    one = do_seal(tmp_path, ring, dataset="payments").path
    two = do_seal(tmp_path, ring, dataset="tickets").path
    assert one.name == two.name
    one.rename(tmp_path / "third")
    two.rename(one)
    assert_refused(one, ring)


def test_a_validation_split_is_not_opened_as_the_training_split(
    sealed: Path, ring: KeyRing
) -> None:
    renamed = sealed.with_name(sealed.name.replace("train-", "validation-"))
    sealed.rename(renamed)
    assert_refused(renamed, ring)


def test_a_file_signed_again_with_another_key_is_refused(
    sealed: Path, ring: KeyRing, stranger: KeyRing
) -> None:
    data = sealed.read_bytes()
    where = layout(data)
    text = data[where.manifest : where.signature]
    sealed.write_bytes(data[: where.manifest] + fmt.sign(text, stranger.signing_key()))
    assert_refused(sealed, ring)
    own = fmt.signer_id(ring.signing_key()).encode()
    text = text.replace(own, fmt.signer_id(stranger.signing_key()).encode())
    sealed.write_bytes(data[: where.manifest] + fmt.sign(text, stranger.signing_key()))
    assert_refused(sealed, ring)


def test_a_file_for_others_is_not_opened(tmp_path: Path, ring: KeyRing) -> None:
    reader_ring = keys.create(tmp_path / "reader")
    keys.add_signer(reader_ring.folder, "builder", ring.public_signer())
    made = do_seal(tmp_path / "sealed", ring)
    assert seal.verify(made.path, keys=reader_ring)
    with pytest.raises(KeyFileError, match="not sealed for this identity"):
        next(seal.read_sealed(made.path, keys=reader_ring))


def test_a_file_changed_by_a_recipient_while_it_is_read_releases_none_of_the_change(
    tmp_path: Path, ring: KeyRing
) -> None:
    lines = [b"%07d" % number for number in range(200_000)]
    path = do_seal(tmp_path, ring, lines).path
    data = path.read_bytes()
    # A recipient knows the content key, and can write a content that decrypts below this header.
    where = layout(data)
    header = fmt.parse_header(data[fmt.PREFIX_BYTES : where.body])
    context = header.version.body_context(hashlib.sha256(data[: where.body]).digest())
    encryptor = Cobblestone256Encryptor(open_content_key(header, ring), context)
    forged = encryptor.update(b"forged!\n" * 200_000) + encryptor.finalize()
    lines_read = seal.read_sealed(path, keys=ring)
    released = list(islice(lines_read, 1000))
    with path.open("r+b") as file:
        file.write(data[: where.body] + forged)
    with pytest.raises(TamperedError, match="changed while it was read"):
        released.extend(lines_read)
    assert len(released) < 200_000
    assert released == lines[: len(released)]


def test_an_opened_file_may_be_read_twice(sealed: Path, ring: KeyRing) -> None:
    with seal.open_sealed(sealed, keys=ring) as opened:
        assert list(opened.lines()) == list(opened.lines()) == LINES
        assert b"".join(opened.blocks()) == b"".join(line + b"\n" for line in LINES)
        shown = repr(opened)
    assert "_file_key" not in shown


@pytest.mark.parametrize("kind", ["missing", "link", "folder", "pipe"])
def test_what_is_no_plain_file_is_refused(
    kind: str, sealed: Path, tmp_path: Path, ring: KeyRing
) -> None:
    shutil.move(sealed, tmp_path / "elsewhere")
    if kind == "link":
        sealed.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        sealed.mkdir()
    elif kind == "pipe":
        os.mkfifo(sealed)
    with pytest.raises(TamperedError):
        seal.verify(sealed, keys=ring)


def test_errors_quote_nothing_of_the_lines(sealed: Path, ring: KeyRing) -> None:
    with pytest.raises(SealError) as caught:
        do_seal(sealed.parents[1], ring, [SECRET + b"\n"])
    assert SECRET.decode() not in str(caught.value)
