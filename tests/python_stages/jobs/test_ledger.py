"""Claims about the ledger file, its lock and its states."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from python_stages.errors import LedgerError, LockedError
from python_stages.jobs.ledger import Ledger, ResultFile, State
from python_stages.jobs.ledger_file import SCHEMA_VERSION
from tests.python_stages.jobs.rows import ROW

# written by the code of version 1: jobs that wait in every way, one that is done, and a plan
VERSION_1 = Path(__file__).with_name("ledger_v1.dump")
ALLOWED = {
    (None, State.PLANNED),
    (None, State.INTENT),
    (State.INTENT, State.FILE_UPLOADED),
    (State.INTENT, State.JOB_CREATED),
    (State.INTENT, State.CANCELLED),
    (State.FILE_UPLOADED, State.INTENT),
    (State.FILE_UPLOADED, State.SUBMITTING),
    (State.FILE_UPLOADED, State.JOB_CREATED),
    (State.SUBMITTING, State.FILE_UPLOADED),
    (State.SUBMITTING, State.JOB_CREATED),
    (State.JOB_CREATED, State.INTENT),
    (State.JOB_CREATED, State.SUCCEEDED),
    (State.JOB_CREATED, State.FAILED),
    (State.JOB_CREATED, State.CANCELLED),
    (State.SUCCEEDED, State.FILES_DELETED),
    (State.FAILED, State.FILES_DELETED),
    (State.CANCELLED, State.FILES_DELETED),
    *((state, state) for state in State),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault" / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path) as opened:
        yield opened


def test_a_saved_row_is_read_back_as_it_was_by_another_connection(
    ledger: Ledger, path: Path
) -> None:
    with ledger.submitter():
        saved = ledger.save(ROW, "intended")
    with Ledger(path) as other:
        assert other.get(ROW.key) == saved
        assert other.jobs() == (saved,)
    assert saved == replace(ROW, created_at=saved.created_at, updated_at=saved.updated_at)
    assert saved.created_at.endswith("+00:00")


def test_an_unknown_key_has_no_row(ledger: Ledger) -> None:
    assert ledger.get("nothing") is None
    assert ledger.jobs() == ()
    assert ledger.events("nothing") == ()


@pytest.mark.parametrize("before", [None, *State])
@pytest.mark.parametrize("after", list(State))
def test_only_the_drawn_steps_are_possible(
    ledger: Ledger, path: Path, before: State | None, after: State
) -> None:
    with ledger.submitter():
        if before is not None:
            ledger.save(ROW, "intended")
            with sqlite3.connect(path) as connection:
                connection.execute("update jobs set state = ?", (before,))
            connection.close()
        if (before, after) in ALLOWED:
            assert ledger.save(replace(ROW, state=after), "step").state is after
        else:
            with pytest.raises(LedgerError, match="no step leads"):
                ledger.save(replace(ROW, state=after), "step")
            known = ledger.get(ROW.key)
            assert (known.state if known else None) is before


def test_every_save_adds_one_event_and_a_refused_one_adds_none(ledger: Ledger) -> None:
    with ledger.submitter():
        ledger.save(ROW, "intended")
        ledger.save(replace(ROW, is_upload_in_doubt=True), "uploading")
        with pytest.raises(LedgerError):
            ledger.save(replace(ROW, state=State.FILES_DELETED), "wrong")
        ledger.save(replace(ROW, state=State.FILE_UPLOADED), "uploaded")
    events = ledger.events(ROW.key)
    assert [(event.event, event.from_state, event.to_state) for event in events] == [
        ("intended", None, State.INTENT),
        ("uploading", State.INTENT, State.INTENT),
        ("uploaded", State.INTENT, State.FILE_UPLOADED),
    ]
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.parametrize(
    "tampering",
    ["delete from events", "update events set event = 'x'", "delete from jobs"],
)
def test_history_can_be_neither_changed_nor_removed(
    ledger: Ledger, path: Path, tampering: str
) -> None:
    with ledger.submitter():
        ledger.save(ROW, "intended")
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(tampering)
    connection.close()


def test_ledger_lock_and_folder_are_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with Ledger(path) as ledger, ledger.submitter():
            ledger.save(ROW, "intended")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()] == [0o600] * 2


def test_a_ledger_that_others_could_read_is_made_private_when_opened(path: Path) -> None:
    Ledger(path).close()
    path.chmod(0o644)
    Ledger(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_at_rest_the_ledger_is_one_file(path: Path) -> None:
    with Ledger(path) as ledger:
        with ledger.submitter():
            ledger.save(ROW, "intended")
        assert sorted(file.name for file in path.parent.iterdir()) == [
            "ledger.lock",
            "ledger.sqlite",
        ]


def test_writing_without_the_lock_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"submitter\(\)"):
        ledger.save(ROW, "intended")
    with ledger.submitter():
        pass
    with pytest.raises(LedgerError, match=r"submitter\(\)"):
        ledger.save(ROW, "intended")


def test_a_second_submitter_is_refused_and_may_come_once_the_first_is_done(
    ledger: Ledger, path: Path
) -> None:
    with Ledger(path) as other:
        with ledger.submitter():
            with pytest.raises(LockedError), other.submitter():
                pass
            assert other.jobs() == ()
        with other.submitter():
            other.save(ROW, "intended")


def test_a_second_submitter_may_wait_for_the_first(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), "0.5"], stdout=subprocess.PIPE, text=True
    )
    with holder, Ledger(path) as ledger:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError), ledger.submitter():
            pass
        with ledger.submitter(wait_seconds=30):
            assert holder.wait(5) == 0


HOLD = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from python_stages.jobs.ledger import Ledger
    with Ledger(Path(sys.argv[1])) as ledger, ledger.submitter():
        sys.stdout.write("held\\n")
        sys.stdout.flush()
        time.sleep(float(sys.argv[2]))
""")


def test_a_killed_process_leaves_no_lock(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), "60"], stdout=subprocess.PIPE, text=True
    )
    with holder, Ledger(path) as ledger:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
        assert holder.wait(5) == -signal.SIGKILL
        with ledger.submitter():
            ledger.save(ROW, "intended")


def test_a_ledger_of_a_newer_version_is_refused(path: Path) -> None:
    Ledger(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(LedgerError, match="newer sealtune: upgrade"):
        Ledger(path)


@pytest.fixture
def version_1(path: Path) -> Path:
    """Return the path of a ledger of version 1."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text())
    return path


def test_a_ledger_of_version_1_is_brought_up_with_every_job_and_event(version_1: Path) -> None:
    with closing(sqlite3.connect(version_1)) as connection:
        connection.row_factory = sqlite3.Row
        jobs = [dict(row) for row in connection.execute("select * from jobs order by key")]
        n_events = connection.execute("select count(*) from events").fetchone()[0]
    with Ledger(version_1) as ledger:
        rows = ledger.jobs()
        assert sum(len(ledger.events(row.key)) for row in rows) == n_events
        assert [ledger.results(row.key) for row in rows] == [()] * len(rows)
    new = {"in_doubt_until": None, "are_results_stored": False, "n_result_looks": 0, "access": "{}"}
    new["parent_key"] = None
    reasons = {"parked_reason": None}
    assert [asdict(row) | reasons for row in rows] == [job | new | reasons for job in jobs]
    assert {row.state for row in rows} >= {State.SUBMITTING, State.JOB_CREATED, State.PLANNED}


def test_a_job_that_version_1_parked_names_the_command_of_today(version_1: Path) -> None:
    with Ledger(version_1) as ledger:
        (reason,) = [row.parked_reason for row in ledger.jobs() if row.parked_reason]
    assert "sealtune jobs settle 444444444444 --none" in reason
    assert "adopt" not in reason


def test_a_ledger_of_version_1_goes_on_where_it_was(version_1: Path) -> None:
    with Ledger(version_1) as ledger, ledger.submitter():
        row = ledger.find("5")
        ledger.save(replace(row, state=State.SUCCEEDED), "job_succeeded")
    with Ledger(version_1) as ledger:
        assert ledger.find("5").state is State.SUCCEEDED


def test_processes_that_meet_a_ledger_of_version_1_at_once_all_open_it(version_1: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(version_1)]
    openers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.close()
    assert [opener.wait(30) for opener in openers] == [0, 0, 0]


OPEN = textwrap.dedent("""
    import sys
    from pathlib import Path
    from python_stages.jobs.ledger import Ledger
    sys.stdin.read()
    with Ledger(Path(sys.argv[1])) as ledger:
        assert len(ledger.jobs()) == 6
""")


def test_a_migration_that_breaks_off_leaves_version_1(version_1: Path) -> None:
    with closing(sqlite3.connect(version_1)) as connection:
        connection.execute("create table disowned (something)")
        connection.commit()
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(version_1)
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("pragma user_version").fetchone() == (1,)
        columns = [row[1] for row in connection.execute("pragma table_info(jobs)")]
    assert "in_doubt_until" not in columns


def test_a_job_is_found_by_the_beginning_of_its_key_where_that_is_one_job_s(
    ledger: Ledger,
) -> None:
    with ledger.submitter():
        first = ledger.save(replace(ROW, key="aab" + "0" * 61), "intended")
        ledger.save(replace(ROW, key="aac" + "0" * 61), "intended")
    assert ledger.find("AAB") == first
    for prefix, message in (("aa", "several"), ("b", "no job"), ("", "no job")):
        with pytest.raises(LedgerError, match=message):
            ledger.find(prefix)


def test_results_and_disowned_jobs_are_kept_with_the_save_that_brought_them(
    ledger: Ledger,
) -> None:
    file = ResultFile("file-1", "sealed/transactions/metrics.sealed", 100)
    with ledger.submitter():
        ledger.save(ROW, "intended", disowned=["job-1"])
        ledger.save(ROW, "stored", results=[file], disowned=["job-1", "job-2"])
        with pytest.raises(LedgerError):
            ledger.save(replace(ROW, state=State.SUCCEEDED), "wrong", disowned=["job-3"])
    assert ledger.results(ROW.key) == (file,)
    assert ledger.disowned(ROW.key) == {"job-1", "job-2"}
    assert ledger.results("other") == ()


def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_was(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(path)
    assert path.read_bytes() == b"something else entirely" * 100


def test_every_commit_reaches_the_disk_and_its_folder(ledger: Ledger) -> None:
    connection = ledger._connection  # noqa: SLF001 - no public way shows the setting
    assert connection.execute("pragma synchronous").fetchone() == (3,)
    assert connection.execute("pragma journal_mode").fetchone() == ("delete",)
