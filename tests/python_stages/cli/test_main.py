"""The command line: what it prints, how it ends, and that it says one sentence when it refuses."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from python_stages import keys, seal
from python_stages.cli.main import app

LINES = [b'{"messages": [{"role": "user", "content": "caf\xc3\xa9"}]}', b'{"messages": []}']


@dataclass(frozen=True, slots=True)
class Cli:
    """The command, run with keys in a folder of its own."""

    keys: Path

    def __call__(self, *args: str, text: str | None = None) -> Result:
        """Run it with these words, and with this text on stdin."""
        return CliRunner(env={"SEALTUNE_KEYS_DIR": str(self.keys)}).invoke(app, args, input=text)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    keys.create(tmp_path / "keys")
    return Cli(tmp_path / "keys")


@pytest.fixture
def sealed(cli: Cli, tmp_path: Path) -> Path:
    ring = keys.load(cli.keys)
    fingerprint = seal.fingerprint_lines(LINES, ring.hmac_key("fingerprint"))
    file = seal.seal(
        iter(LINES),
        dataset="demo",
        split="train",
        suite_hash="0" * 64,
        folder=tmp_path / "sealed",
        keys=ring,
        expected_fingerprint=fingerprint,
    )
    return file.path


def commands(group: Typer, name: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command."""
    own = [
        (*name, one.name or getattr(one.callback, "__name__", ""))
        for one in group.registered_commands
    ]
    inner = [
        found
        for one in group.registered_groups
        if one.typer_instance
        for found in commands(one.typer_instance, (*name, one.name or ""))
    ]
    return own + inner


def refused(result: Result) -> str:
    """Return the sentence of a refusal: exit code 1, one line on stderr, nothing on stdout."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("sealtune: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("name", commands(app), ids=" ".join)
def test_the_help_of_every_command_has_an_example_of_it(cli: Cli, name: tuple[str, ...]) -> None:
    result = cli(*name, "--help")
    assert result.exit_code == 0
    text = re.sub(r"\s+", " ", result.stdout)
    assert f"Example: sealtune {' '.join(name)} " in f"{text} "


def test_a_command_or_option_that_is_not_there_is_a_usage_error(cli: Cli) -> None:
    for args in (["nonsense"], ["verify"], ["keys", "show", "--loud"], ["verify", "absent.sealed"]):
        assert cli(*args).exit_code == 2


# ── keys ──


def test_keys_init_makes_keys_once_and_says_where(tmp_path: Path) -> None:
    fresh = Cli(tmp_path / "new" / "keys")
    first = fresh("keys", "init")
    assert (first.exit_code, first.stdout.splitlines()[0]) == (0, f"made keys in {fresh.keys}")
    before = keys.load(fresh.keys).vault_key()
    assert fresh("keys", "init").stdout.splitlines()[0] == f"the keys are in {fresh.keys}"
    assert keys.load(fresh.keys).vault_key() == before


def test_keys_show_prints_public_keys_and_no_secret(cli: Cli) -> None:
    shown = cli("keys", "show").stdout
    ring = keys.load(cli.keys)
    assert ring.public_recipient() in shown
    assert ring.public_signer() in shown
    for path in cli.keys.glob("*.key"):
        assert path.read_text().strip().partition(":")[2] not in shown


def test_a_recipient_is_added_from_a_file_or_stdin_and_shown(cli: Cli, tmp_path: Path) -> None:
    others = [keys.create(tmp_path / name).public_recipient() for name in ("one", "two")]
    (tmp_path / "one.pub").write_text(others[0] + "\n")
    assert cli("keys", "add-recipient", "one", str(tmp_path / "one.pub")).exit_code == 0
    assert cli("keys", "add-recipient", "two", "-", text=others[1]).exit_code == 0
    shown = cli("keys", "show").stdout
    assert len(re.findall(r"^sealed for ", shown, flags=re.MULTILINE)) == 3
    assert len(keys.load(cli.keys).recipients()) == 3


def test_a_signer_is_added_and_shown(cli: Cli, tmp_path: Path) -> None:
    line = keys.create(tmp_path / "other").public_signer()
    assert cli("keys", "add-signer", "builder", "-", text=line).exit_code == 0
    assert re.search(r"^believed +\w+ +builder$", cli("keys", "show").stdout, flags=re.MULTILINE)


def test_what_is_no_recipient_is_refused_and_not_quoted(cli: Cli) -> None:
    secret = (cli.keys / "identity.key").read_text()
    said = refused(cli("keys", "add-recipient", "friend", "-", text=secret))
    assert "is no recipient key" in said
    assert secret.partition(":")[2][:20] not in said


def test_without_keys_every_command_says_what_to_do(tmp_path: Path, sealed: Path) -> None:
    nobody = Cli(tmp_path / "nowhere")
    for args in (["keys", "show"], ["verify", str(sealed)], ["unseal", str(sealed), "--out", "-"]):
        assert "run `sealtune keys init`" in refused(nobody(*args))


# ── sealed files ──


def test_verify_says_what_a_file_holds(cli: Cli, sealed: Path) -> None:
    result = cli("verify", str(sealed))
    n_bytes = sum(len(line) + 1 for line in LINES)
    assert result.exit_code == 0
    assert result.stdout == (
        f"ok: demo/train, 2 lines, {n_bytes} bytes, sealed for 1 recipient(s)\n"
    )


def test_keys_show_and_verify_tell_scripts_the_same_as_people(cli: Cli, sealed: Path) -> None:
    shown = json.loads(cli("keys", "show", "--json").stdout)
    for text in (shown["folder"], shown["identity"], shown["recipients"][0]["key_id"]):
        assert text in cli("keys", "show").stdout
    for secret in ("identity.key", "vault.key", "hmac.key", "signing.key"):
        assert (cli.keys / secret).read_text("utf-8").split()[-1] not in json.dumps(shown)
    manifest = json.loads(cli("verify", str(sealed), "--json").stdout)
    assert (manifest["split"], manifest["n_rows"]) == ("train", len(LINES))
    assert "café" not in json.dumps(manifest, ensure_ascii=False)


WITHOUT_JSON = {
    "build": "has dbt's --log-format json, and dbt's artifacts",
    "keys hand-over": "prints one line, which is what is handed over",
    "keys open-field": "prints a JSON text a line, as it is",
    "predict": "prints a JSON line per prompt, as it is",
    "scrub": "prints the file itself",
    "serve": "runs until it is stopped",
    "unseal": "prints the lines themselves",
}


@pytest.mark.parametrize("name", commands(app), ids=" ".join)
def test_every_command_has_json_for_scripts_or_a_reason_against_it(
    cli: Cli, name: tuple[str, ...]
) -> None:
    said = re.sub(r"\x1b\[[0-9;]*m", "", cli(*name, "--help").stdout)
    assert ("--json" in said) is (" ".join(name) not in WITHOUT_JSON)


def test_what_changes_something_tells_scripts_what_it_did(
    cli: Cli, sealed: Path, tmp_path: Path
) -> None:
    def told(*args: str) -> Any:
        done = cli(*args, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    assert told("keys", "init") == {"folder": str(cli.keys), "is_new": False}
    line = keys.create(tmp_path / "other")
    (tmp_path / "one.pub").write_text(line.public_recipient())
    added = told("keys", "add-recipient", "one", str(tmp_path / "one.pub"))
    assert added["key_id"] in cli("keys", "show").stdout
    turned = told("keys", "rotate")
    assert turned["new_identity"] != turned["old_identity"]
    out = tmp_path / "a.csv"
    wrote = told("generate", "tickets", "--rows", "5", "--out", str(out))
    assert (wrote["n_rows"], wrote["n_bytes"]) == (5, out.stat().st_size)
    vault = {"SEALTUNE_KEYS_DIR": str(cli.keys), "SEALTUNE_VAULT_DIR": str(sealed.parents[2])}
    runner = CliRunner(env=vault)
    (again,) = json.loads(runner.invoke(app, ["reseal", "--json"]).stdout)
    assert (again["is_new"], again["left_because"]) == (True, None)
    gone = json.loads(runner.invoke(app, ["shred", "demo", "--yes", "--json"]).stdout)
    assert [one["split"] for one in gone["files"]] == ["train"]
    assert Path(gone["proof"]).exists()


def test_unseal_writes_the_exact_bytes_to_stdout_and_the_count_to_stderr(
    cli: Cli, sealed: Path
) -> None:
    result = cli("unseal", str(sealed), "--out", "-")
    assert result.exit_code == 0
    assert result.stdout_bytes == b"".join(line + b"\n" for line in LINES)
    assert result.stderr == "released 2 lines\n"


def test_unseal_writes_a_new_file_for_this_user_and_never_over_an_old_one(
    cli: Cli, sealed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "plain.jsonl"
    assert cli("unseal", str(sealed), "--out", str(out)).exit_code == 0
    assert out.read_bytes() == b"".join(line + b"\n" for line in LINES)
    assert out.stat().st_mode & 0o077 == 0
    out.write_text("mine")
    refused(cli("unseal", str(sealed), "--out", str(out)))
    assert out.read_text() == "mine"


@pytest.mark.parametrize("place", [0.02, 0.5, 0.98])
def test_a_tampered_file_is_refused_and_nothing_of_it_is_released(
    cli: Cli, sealed: Path, tmp_path: Path, place: float
) -> None:
    content = bytearray(sealed.read_bytes())
    content[int(len(content) * place)] ^= 1
    sealed.chmod(0o600)
    sealed.write_bytes(content)
    refused(cli("verify", str(sealed)))
    refused(cli("unseal", str(sealed), "--out", "-"))
    refused(cli("unseal", str(sealed), "--out", str(tmp_path / "plain.jsonl")))
    assert not (tmp_path / "plain.jsonl").exists()


# ── generate ──


def test_generate_writes_the_file_that_seed_and_rows_name(cli: Cli, tmp_path: Path) -> None:
    out, again, truth = (tmp_path / name for name in ("a.csv", "b.csv", "truth.csv"))
    base = ["generate", "transactions", "--rows", "200", "--seed", "3", "--workers", "1"]
    result = cli(*base, "--out", str(out))
    assert result.exit_code == 0
    assert result.stdout.startswith("wrote 200 good and 0 broken records, ")
    assert len(out.read_text().splitlines()) == 201
    cli(*base, "--out", str(again))
    assert again.read_bytes() == out.read_bytes()
    cli(*base, "--out", str(again), "--dirty", "0.1", "--truth", str(truth))
    assert len(truth.read_text().splitlines()) == 21


def test_numbers_out_of_range_are_usage_errors(cli: Cli, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "x.csv")]
    assert cli("generate", "transactions", "--rows", "-1", *out).exit_code == 2
    assert cli("generate", "transactions", "--rows", "9", "--dirty", "2", *out).exit_code == 2
    assert not (tmp_path / "x.csv").exists()


def test_the_installed_command_ends_with_the_same_codes(cli: Cli, sealed: Path) -> None:
    def run(*args: str) -> tuple[int, str]:
        done = subprocess.run(
            [Path(sys.executable).with_name("sealtune"), *args],
            env={**os.environ, "SEALTUNE_KEYS_DIR": str(cli.keys)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    assert run("verify", str(sealed)) == (0, "")
    assert run("verify")[0] == 2
    (cli.keys / "vault.key").chmod(0o640)
    code, said = run("keys", "show")
    assert code == 1
    assert said.startswith("sealtune: ")
    assert "chmod 600" in said
    assert "Traceback" not in said
