"""The power fails at any moment: what was said to be done is there, and the rest can be done again.

Every cut of every program here is tried; see power_cut.py for what a cut may keep and lose.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from python_stages import keys, seal, shred, trace
from python_stages.errors import KeyFileError, SealError, TamperedError
from python_stages.jobs.ledger import Ledger, State
from python_stages.keys import KeyRing
from python_stages.keys import datasets as dataset_keys
from python_stages.keys import rotation as key_rotation
from python_stages.seal.writer import DRAFT
from tests.python_stages.jobs.rows import ROW
from tests.python_stages.power_cut import Cut, Recording, record

LINES = [f"line {number} ".encode() * 30 for number in range(40)]
MIN_CUTS = 20

SEAL = """
from python_stages import keys, seal
root = Path(sys.argv[1])
ring = keys.load(root / "keys")
lines = [f"line {number} ".encode() * 30 for number in range(40)]
def do_seal():
    return seal.seal(lines, dataset="demo", split="train", suite_hash="0" * 64,
                     folder=root / "vault" / "sealed", keys=ring, expected_fingerprint=None)
"""


def do_seal(folder: Path, ring: KeyRing) -> seal.SealedFile:
    return seal.seal(
        LINES,
        dataset="demo",
        split="train",
        suite_hash="0" * 64,
        folder=folder / "vault" / "sealed",
        keys=ring,
        expected_fingerprint=None,
    )


def ring_of(cut: Cut) -> KeyRing:
    return keys.load(cut.folder / "keys")


def sealed_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("vault/sealed/demo/*.sealed"))


def assert_all_open(cut: Cut, ring: KeyRing) -> int:
    """Every file that has its name is whole and opens; return how many there are."""
    paths = sealed_in(cut.folder)
    for path in paths:
        assert list(seal.read_sealed(path, keys=ring)) == LINES, cut.name
    return len(paths)


def run(script: str, root: Path, scratch: Path, *arguments: str) -> Recording:
    scratch.mkdir(exist_ok=True)
    return record(script, root, [str(root), *arguments], scratch)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder for cuts, in memory where there is such: a thousand small files are synced."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own below it
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with keys, as the programs find it."""
    keys.create(tmp_path / "root" / "keys")
    (tmp_path / "root" / "vault").mkdir(mode=0o700)
    return tmp_path / "root"


def test_keys_are_made_in_full_or_not_at_all(memory: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    script = """
from python_stages import keys
done(keys.create(Path(sys.argv[1]) / "keys").identity_id())
"""
    n_cuts = 0
    for cut in run(script, tmp_path / "root", tmp_path / "scratch").cuts(memory):
        ring = keys.create(cut.folder / "keys")
        assert ring.vault_key()
        assert ring.hmac_key("test")
        assert [one.key_id for one in ring.recipients()] == [ring.identity_id()]
        assert len(ring.signers()) == 1
        if cut.done:
            assert ring.identity_id() == cut.done[0], cut.name
        n_cuts += 1
    assert n_cuts > MIN_CUTS


def test_a_sealed_file_that_has_its_name_is_whole_and_opens(
    root: Path, memory: Path, tmp_path: Path
) -> None:
    recording = run(SEAL + 'do_seal()\ndone("sealed")\n', root, tmp_path / "scratch")
    n_cuts = n_drafts = n_sealed = 0
    for cut in recording.cuts(memory):
        ring = ring_of(cut)
        n_there = assert_all_open(cut, ring)
        assert n_there or not cut.done, cut.name
        n_drafts += sum(bool(DRAFT.fullmatch(one.name)) for one in cut.folder.rglob("*"))
        again = do_seal(cut.folder, ring)
        assert again.is_new == (n_there == 0), cut.name
        assert list(seal.read_sealed(again.path, keys=ring)) == LINES
        assert sorted(one.name for one in again.path.parent.iterdir()) == [".lock", again.path.name]
        n_cuts, n_sealed = n_cuts + 1, n_sealed + n_there
    assert min(n_cuts, n_drafts, n_sealed) > 0
    assert n_cuts > MIN_CUTS


def test_sealing_again_for_other_keys_always_leaves_a_file_that_opens(
    root: Path, memory: Path, tmp_path: Path
) -> None:
    do_seal(root, keys.load(root / "keys"))
    script = """
from python_stages.keys import rotation as key_rotation
key_rotation.rotate(ring)
done("rotated")
list(seal.reseal(root / "vault" / "sealed", "demo", keys=ring))
done("resealed")
"""
    n_cuts = 0
    for cut in run(SEAL + script, root, tmp_path / "scratch").cuts(memory):
        ring = ring_of(cut)
        assert assert_all_open(cut, ring) == 1, cut.name
        (done,) = seal.reseal(cut.folder / "vault" / "sealed", "demo", keys=ring)
        assert isinstance(done, seal.SealedFile), cut.name
        if "resealed" in cut.done:
            assert not done.is_new, cut.name
        assert set(done.manifest.recipients) <= set(ring.identities()), cut.name
        assert assert_all_open(cut, ring) == 1
        n_cuts += 1
    assert n_cuts > MIN_CUTS


def test_keys_can_be_used_and_rotated_after_any_cut_in_a_rotation(
    root: Path, memory: Path, tmp_path: Path
) -> None:
    script = """
from python_stages import keys
from python_stages.keys import rotation as key_rotation
ring = keys.load(Path(sys.argv[1]) / "keys")
done(key_rotation.rotate(ring).new_identity)
"""
    before = keys.load(root / "keys").identity_id()
    n_cuts = 0
    for cut in run(script, root, tmp_path / "scratch").cuts(memory):
        ring = ring_of(cut)
        # whom files are sealed for opens them, and whose signature is made is believed
        assert {one.key_id for one in ring.recipients()} <= set(ring.identities()), cut.name
        assert before in ring.identities(), cut.name
        assert not cut.done or ring.identity_id() == cut.done[0]
        made = do_seal(cut.folder, ring)
        key_rotation.rotate(ring)
        assert list(seal.read_sealed(made.path, keys=ring)) == LINES
        n_cuts += 1
    assert n_cuts > MIN_CUTS


def test_a_statement_of_a_shredding_is_never_untrue(
    root: Path, memory: Path, tmp_path: Path
) -> None:
    dataset_key = do_seal(root, keys.load(root / "keys")).manifest.dataset_key
    script = """
from python_stages import shred
shred.shred(root / "vault" / "sealed", "demo", keys=ring)
done("shredded")
"""
    n_cuts = n_proofs = 0
    for cut in run(SEAL + script, root, tmp_path / "scratch").cuts(memory):
        ring = ring_of(cut)
        home = cut.folder / "vault" / "sealed" / "demo"
        proofs = list(home.glob("shredded-*.json"))
        if cut.done:
            assert len(proofs) == 1, cut.name
            assert sealed_in(cut.folder) == [], cut.name
        for proof in proofs:
            assert shred.read_statement(proof, keys=ring).destroyed_keys, cut.name
            assert not dataset_keys.exists(ring.folder, "demo"), cut.name
        for path in sealed_in(cut.folder):
            with suppress(KeyFileError):  # closed already, or open still, and never half of it
                assert list(seal.read_sealed(path, keys=ring)) == LINES
        with suppress(SealError):  # there is nothing left to shred
            shred.shred(home.parent, "demo", keys=ring)
        assert sealed_in(cut.folder) == []
        assert not dataset_keys.exists(ring.folder, "demo")
        proofs = list(home.glob("shredded-*.json"))
        statements = [shred.read_statement(proof, keys=ring) for proof in proofs]
        assert {one for said in statements for one in said.destroyed_keys} == {dataset_key}
        n_cuts, n_proofs = n_cuts + 1, n_proofs + len(proofs)
    assert n_proofs > 0
    assert n_cuts > MIN_CUTS // 4


STATES = (
    State.INTENT,
    State.FILE_UPLOADED,
    State.SUBMITTING,
    State.JOB_CREATED,
    State.SUCCEEDED,
    State.FILES_DELETED,
)


def test_the_ledger_keeps_every_state_that_was_saved(memory: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    script = """
import json
from dataclasses import replace
from python_stages.jobs.ledger import Ledger, LedgerRow, State
ROW = LedgerRow(**json.loads(sys.argv[2]))
with Ledger(Path(sys.argv[1]) / "vault" / "ledger.sqlite") as ledger, ledger.submitter():
    for state in map(State, sys.argv[3:]):
        ledger.save(replace(ROW, state=state), state)
        done(state)
"""
    n_cuts = 0
    arguments = (json.dumps(asdict(ROW)), *STATES)
    recording = run(script, tmp_path / "root", tmp_path / "scratch", *arguments)
    for cut in recording.cuts(memory):
        with Ledger(cut.folder / "vault" / "ledger.sqlite") as ledger, ledger.submitter():
            row = ledger.get(ROW.key)
            events = [one.to_state for one in ledger.events(ROW.key)]
            # all that was saved, and perhaps what was being saved
            n_saved = len(events)
            assert len(cut.done) <= n_saved <= len(cut.done) + 1, cut.name
            assert events == list(STATES[:n_saved]), cut.name
            assert (row.state if row else None) == (events[-1] if events else None), cut.name
            for state in STATES[n_saved:]:
                ledger.save(replace(ROW, state=state), state)
            found = ledger.get(ROW.key)
            assert found is not None
            assert found.state is State.FILES_DELETED
        n_cuts += 1
    assert n_cuts > MIN_CUTS * 3


def test_the_index_of_subjects_keeps_every_recorded_build(memory: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    script = """
import duckdb
from python_stages import trace
vault, con = Path(sys.argv[1]) / "vault", duckdb.connect()
con.execute(
    "create table demo_drawn as select 'row' || n as row_id, sha256(n::varchar) as subject_hmac "
    "from range(40) r(n)"
)
con.execute(
    "create table demo_scrubbed as select row_id, null::varchar as system_text, "
    "row_id as user_text, null::varchar as assistant_text from demo_drawn"
)
con.execute(
    "create table demo_examples as select 'train' as split, "
    "json_array({'role': 'user', 'content': user_text})::varchar as messages from demo_scrubbed"
)
for number in (1, 2):
    build = trace.Build("demo", f"{number:064x}", {"train": f"{number:064x}"})
    trace.record(con, '"memory"."main"."demo_sealed"', build, "subject_hmac", vault=vault)
    done(build.fingerprint)
"""
    n_cuts = 0
    for cut in run(script, tmp_path / "root", tmp_path / "scratch").cuts(memory):
        vault = cut.folder / "vault"
        recorded = trace.known(vault=vault).datasets
        assert set(cut.done) <= recorded, cut.name
        with closing(sqlite3.connect(vault / trace.INDEX)) as index:
            assert index.execute("pragma integrity_check").fetchall() == [("ok",)]
            counts = index.execute(
                "select count(*) from subjects group by dataset_fingerprint"
            ).fetchall()
        assert len(counts) == len(recorded), cut.name
        assert len(set(counts)) <= 1, cut.name
        n_cuts += 1
    assert n_cuts > MIN_CUTS


# ── the recorder itself ──


@pytest.mark.parametrize(
    ("write", "can_be_lost"),
    [
        ("os.write(fd, b'new'); os.rename('a.new', 'a')", True),
        ("os.write(fd, b'new'); os.fsync(fd); os.rename('a.new', 'a')", True),
        (
            (
                "os.write(fd, b'new'); os.fsync(fd); os.rename('a.new', 'a'); "
                "os.fsync(os.open('.', os.O_RDONLY))"
            ),
            False,
        ),
    ],
    ids=["nothing is synced", "the file is synced", "file and folder are synced"],
)
def test_the_cuts_of_a_known_program_are_those_that_theory_says(
    write: str, *, can_be_lost: bool, memory: Path, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a").write_text("old")
    script = f"""
os.chdir(sys.argv[1])
fd = os.open("a.new", os.O_WRONLY | os.O_CREAT)
{write}
done("replaced")
"""
    found = set()
    for cut in run(script, tmp_path / "root", tmp_path / "scratch").cuts(memory):
        if cut.done:
            found.add((cut.folder / "a").read_text())
    is_synced = "os.fsync(fd)" in write
    assert found == {"new"} | ({"old"} if can_be_lost else set()) | (set() if is_synced else {""})


def test_a_damaged_cut_is_noticed_by_what_reads_it(root: Path) -> None:
    # the checks above would be worth nothing if a sealed file with lost bytes passed them
    made = do_seal(root, keys.load(root / "keys"))
    content = made.path.read_bytes()
    made.path.write_bytes(content[:-512] + bytes(512))
    cut = Cut(root, (), "damaged")
    with pytest.raises(TamperedError):
        assert_all_open(cut, ring_of(cut))
