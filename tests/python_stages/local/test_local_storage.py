"""Claims about what the local server keeps: blobs and rows, encrypted, whole or not at all."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages import keys
from python_stages.backends.local.blobs import Blobs, JobStorage, open_blobs
from python_stages.backends.local.deletion import delete_unpublished, event, remove_leftovers
from python_stages.backends.local.rows import FileRow, JobRow, ModelRow, new_id
from python_stages.backends.local.store import Page, Store, open_store
from python_stages.errors import BackendError, TamperedError

SECRET = b"PLAINTEXT-CANARY"


@pytest.fixture
def blobs(tmp_path: Path, ring: keys.KeyRing) -> Blobs:
    folder = tmp_path / "blobs"
    folder.mkdir()
    return open_blobs(folder, ring)


@pytest.fixture
def store(tmp_path: Path, ring: keys.KeyRing) -> Store:
    return open_store(tmp_path / "state.sqlite", ring)


def a_file(name: str = "a.jsonl") -> FileRow:
    return FileRow(
        file_id=new_id("file"), filename=name, purpose="fine-tune", n_bytes=1, created_at=1
    )


def a_job(**changes: object) -> JobRow:
    fields: dict[str, object] = {
        "job_id": new_id("ftjob"),
        "phase": "queued",
        "created_at": 1,
        "model": "nano",
        "training_file": "file-x",
        "validation_file": None,
        "seed": 1,
    }
    return JobRow(**(fields | changes))  # type: ignore[arg-type] # any of its fields


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=70_000), max_size=6))
def test_a_blob_is_what_was_written_however_it_was_cut(blobs: Blobs, pieces: list[bytes]) -> None:
    with blobs.create("files", "a") as writer:
        for piece in pieces:
            writer.write(piece)
    assert blobs.read("files", "a") == b"".join(pieces)
    assert writer.n_bytes == sum(map(len, pieces))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(st.binary(max_size=50).filter(lambda line: b"\n" not in line), max_size=9))
def test_lines_are_what_stands_between_newlines(blobs: Blobs, content: list[bytes]) -> None:
    plaintext = b"".join(line + b"\n" for line in content)
    blobs.write("files", "a", plaintext)
    assert (
        list(blobs.lines("files", "a")) == plaintext.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]
    )


@pytest.mark.parametrize("change", ["cut", "flip", "append", "swap"])
def test_a_blob_that_was_tampered_with_is_refused(blobs: Blobs, change: str) -> None:
    blobs.write("files", "a", SECRET * 5_000)
    path = blobs.root / "files" / "a"
    raw = bytearray(path.read_bytes())
    if change == "cut":
        raw = raw[: len(raw) // 2]
    elif change == "flip":
        raw[len(raw) // 2] ^= 1
    elif change == "append":
        raw += b"x"
    name = "b" if change == "swap" else "a"
    (blobs.root / "files" / name).write_bytes(raw)
    with pytest.raises(TamperedError):
        blobs.read("files", name)


def test_a_blob_that_fails_on_the_way_never_takes_its_name(blobs: Blobs) -> None:
    blobs.write("files", "a", b"old")
    with pytest.raises(TypeError), blobs.create("files", "a") as writer:
        writer.write("no bytes")  # type: ignore[arg-type] # that is what goes wrong
    assert blobs.read("files", "a") == b"old"
    assert list((blobs.root / "files").iterdir()) == [blobs.root / "files" / "a"]


@pytest.mark.parametrize("name", ["..", "", "a/b", "/etc", ".hidden", "a\x00", "x" * 200])
def test_a_name_that_could_lead_elsewhere_is_refused(blobs: Blobs, name: str) -> None:
    for ask in (blobs.read, blobs.delete):
        with pytest.raises(TamperedError):
            ask("files", name)
    with pytest.raises(TamperedError):
        blobs.write(name, "a", b"")


def test_a_job_sees_its_own_blobs_alone(blobs: Blobs) -> None:
    mine, other = JobStorage(blobs, "ftjob-a"), JobStorage(blobs, "ftjob-b")
    mine.write("state", b"1")
    other.write("state", b"2")
    assert (mine.read("state"), mine.names()) == (b"1", ("state",))
    mine.delete("state")
    with pytest.raises(KeyError):
        mine.read("state")
    assert other.read("state") == b"2"


def test_rows_come_back_as_they_were_and_names_lie_encrypted(store: Store) -> None:
    file = a_file(SECRET.decode())
    job = a_job(metadata={"k": SECRET.decode()}, suffix="mine", settings={"n_epochs": 3})
    store.insert(file, job, event(job.job_id, "hello"))
    assert store.get(FileRow, file.file_id) == file
    assert store.get(JobRow, job.job_id) == job
    assert SECRET not in store.path.read_bytes()
    assert store.path.stat().st_mode & 0o077 == 0


def test_rows_of_other_keys_are_refused(store: Store, tmp_path: Path) -> None:
    file = a_file()
    store.insert(file)
    other = open_store(store.path, keys.create(tmp_path / "other"))
    with pytest.raises(BackendError, match="other keys"):
        other.get(FileRow, file.file_id)


def test_of_two_steps_that_exclude_each_other_one_is_taken(store: Store) -> None:
    job = a_job(phase="running", attempt=2)
    store.insert(job)
    assert store.move(job.job_id, was=("running",), to="succeeded", if_attempt=1) is None
    assert store.move(job.job_id, was=("running",), to="cancelled") is not None
    assert store.move(job.job_id, was=("running",), to="succeeded", if_attempt=2) is None
    found = store.get(JobRow, job.job_id)
    assert found is not None
    assert found.phase == "cancelled"


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 12), limit=st.integers(1, 5))
def test_pages_hold_every_row_once_in_order(
    tmp_path: Path, ring: keys.KeyRing, n: int, limit: int
) -> None:
    store = open_store(tmp_path / f"{new_id('x')}.sqlite", ring)
    files = [a_file() for _ in range(n)]
    store.insert(*files)
    seen: list[FileRow] = []
    while True:
        after = seen[-1].file_id if seen else None
        page = store.page(FileRow, Page(limit, after, "asc"))
        seen += page[:limit]
        if len(page) <= limit:
            break
    assert seen == files


def test_a_newer_state_is_left_alone(store: Store, ring: keys.KeyRing) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(BackendError, match="newer"):
        open_store(store.path, ring)


def test_what_no_row_stands_for_is_removed(blobs: Blobs, store: Store) -> None:
    kept, job = a_file(), a_job(phase="succeeded")
    model = ModelRow(model_id="ft:m", job_id=job.job_id, created_at=1, checkpoint="final")
    dead = a_job(phase="cancelled")
    store.insert(kept, job, model, dead)
    for folder, name in (
        ("files", kept.file_id),
        ("files", "file-orphan"),
        (job.job_id, "final"),
        (job.job_id, "state"),
        (dead.job_id, "state"),
        ("ftjob-unknown", "state"),
    ):
        blobs.write(folder, name, b"x")
    (blobs.root / "files" / f".{'0' * 32}.draft").write_bytes(b"half")
    remove_leftovers(store, blobs)
    left = {str(path.relative_to(blobs.root)) for path in blobs.root.rglob("*") if path.is_file()}
    assert left == {f"files/{kept.file_id}", f"{job.job_id}/final"}
    delete_unpublished(store, blobs, job.job_id)
    assert blobs.names(job.job_id) == ("final",)


def test_no_secret_stands_in_a_repr(blobs: Blobs, store: Store) -> None:
    assert repr(blobs.key) not in repr(blobs)
    assert repr(store.key) not in repr(store)
