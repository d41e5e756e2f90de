"""`sealtune build` shows on a terminal how far it is, and prints dbt's own lines anywhere else."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from tests.e2e.conftest import CHECKOUT, Project

pytestmark = pytest.mark.slow
_ROWS = 9000
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_a_terminal(project: Project, *args: str) -> tuple[int, str]:
    """Run `sealtune build` as a person sees it; return how it ended, and all that was drawn."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    command = [project.command("build")[0].replace("/dbt", "/sealtune"), "build", *args]
    process = subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment({"TERM": "xterm"}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = bytearray()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the last writer has gone
            break
        if not part:
            break
        drawn += part
    os.close(ours)
    return process.wait(), _ESCAPE.sub("", drawn.decode("utf-8", "replace"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = Project(CHECKOUT, tmp_path_factory.mktemp("progress"))
    rows = ("--rows", str(_ROWS), "--out", str(found.root / "mine.csv"))
    found.sealtune("generate", "transactions", *rows)
    return found


def arguments(project: Project, *more: str) -> list[str]:
    source = f"transactions_csv: {project.root / 'mine.csv'}"
    folders = ["--target-path", str(project.target), "--log-path", str(project.logs)]
    return [*folders, "--vars", f"{{backend: plan, sample_per_class: null, {source}}}", *more]


def test_a_terminal_shows_the_stage_its_rows_rate_and_time_left(project: Project) -> None:
    code, drawn = on_a_terminal(project, "-s", "+transactions_scrubbed", *arguments(project))
    assert code == 0, drawn
    scrubbed = re.findall(r"transactions_scrubbed .*?([\d,]+) of 9,000 rows", drawn)
    assert {"0", "4,096"} <= set(scrubbed)  # it may be done before more is drawn
    assert re.search(r"transactions_scrubbed .* of 9,000 rows +[\d,]+/s +about \d+ s left", drawn)
    assert re.search(r"dbt build .* \d+ of \d+ ", drawn)
    assert "Completed successfully" in drawn
    assert "[RUN]" not in drawn


def test_a_failure_on_a_terminal_is_told_in_full_and_ends_as_dbt_ends(project: Project) -> None:
    missing = "{backend: plan, transactions_csv: /nowhere.csv}"
    code, drawn = on_a_terminal(
        project, "-s", "transactions_ingested", *arguments(project)[:4], "--vars", missing
    )
    assert code == 1
    assert "Failure in model transactions_ingested" in drawn
    assert "Done. PASS=" in drawn
    code, drawn = on_a_terminal(project, "--no-such-option")
    assert code == 2
    assert "no-such-option" in drawn


def test_without_a_terminal_it_prints_what_dbt_prints(project: Project) -> None:
    selected = ("-s", "stg_transactions", *arguments(project, "--no-use-colors"))
    ours = project.sealtune("build", *selected)
    theirs = subprocess.run(
        [project.command("build")[0], "build", *selected],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain(ours.stdout) == plain(theirs.stdout)
    assert "\x1b" not in ours.stdout
    assert project.sealtune("build", "--no-such-option", check=False).returncode == 2


def plain(output: str) -> list[str]:
    """Return lines without times, in any order, as dbt runs tests at once.

    What dbt says of its cache of the project is left out: the second command finds the first one's.
    """
    lines = (one for one in output.splitlines() if "partial parsing" not in one)
    return sorted(re.sub(r"\d\d:\d\d:\d\d|[\d.]+ ?s(econds)?\b|\.+", "", one) for one in lines)
