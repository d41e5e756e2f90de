"""Where keys come from: every place gives back the key it holds, and none of them tells it."""

import base64
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import keyring
import keyring.backend
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner, Result

from python_stages import keys, seal
from python_stages.cli.main import app
from python_stages.errors import ConfigError, KeyFileError
from python_stages.keys import KeyRing
from python_stages.keys import files as key_files
from python_stages.keys import providers as key_providers
from python_stages.keys.providers import FILE, KINDS, Providers, load_providers

LINES = [b"first", b"second"]


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A real backend of the keyring package that keeps its passwords in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it untyped
        self.entries: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return a password, unless the keyring is locked."""
        if self.is_locked:
            raise keyring.errors.KeyringLocked(f"locked, held {self.entries}")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""
        del self.entries[service, username]


@pytest.fixture
def memory_keyring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def kms_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms_key(kms_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a key in a KMS on this machine, which boto3 finds through its own environment."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    monkeypatch.setenv("AWS_ENDPOINT_URL", kms_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return str(boto3.client("kms").create_key()["KeyMetadata"]["KeyId"])


def line_of(ring: KeyRing, kind: str) -> str:
    return (ring.folder / f"{kind}.key").read_text().strip()


def line_of_provider(ring: KeyRing, kind: str) -> bytes:
    """Return what a key's line must not show anywhere: the key, in base64."""
    raw = load_providers(ring.folder).read(kind)
    return key_files.encode(kind, raw).partition(":")[2].encode()


def write_providers(ring: KeyRing, text: str) -> None:
    path = ring.folder / "providers.toml"
    path.touch(mode=0o600)
    path.write_text(text)


def everything(ring: KeyRing) -> tuple[str, bytes, bytes, list[str]]:
    """Ask for every private key."""
    return (
        ring.vault_key(),
        ring.hmac_key("test"),
        ring.signing_key().private_bytes_raw(),
        list(ring.identities()),
    )


def command_that_prints(folder: Path, line: str) -> list[str]:
    script = folder / "print_key.py"
    script.write_text(f"import sys; sys.stderr.write('noise'); print({line!r})")
    return ["cmd:", sys.executable, str(script)]


# ── every place gives back what it holds ──


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_in_the_environment_is_used(
    kind: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(ring)
    monkeypatch.setenv("A_KEY", line_of(ring, kind) + "\n")
    (ring.folder / f"{kind}.key").unlink()
    write_providers(ring, f'{kind} = "env:A_KEY"')
    assert everything(keys.load(ring.folder)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_a_command_prints_is_used(kind: str, ring: KeyRing, tmp_path: Path) -> None:
    before = everything(ring)
    command = command_that_prints(tmp_path, line_of(ring, kind))
    (ring.folder / f"{kind}.key").unlink()
    write_providers(ring, f"{kind} = {json.dumps(command)}")
    assert everything(keys.load(ring.folder)) == before


def test_a_key_in_a_file_elsewhere_is_used(ring: KeyRing, tmp_path: Path) -> None:
    before = everything(ring)
    (ring.folder / "identity.key").rename(tmp_path / "stick.key")
    write_providers(ring, f'identity = "file:{tmp_path}/stick.key"')
    assert everything(ring) == before
    (tmp_path / "stick.key").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        ring.identities()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_moves_to_the_keyring_and_back(
    kind: str, ring: KeyRing, memory_keyring: MemoryKeyring
) -> None:
    before, line = everything(ring), line_of(ring, kind)
    load_providers(ring.folder).move(kind, ("keyring:sealtune/it",))
    assert memory_keyring.entries == {("sealtune", "it"): line}
    assert not (ring.folder / f"{kind}.key").exists()
    assert everything(keys.load(ring.folder)) == before
    load_providers(ring.folder).move(kind, FILE)
    assert memory_keyring.entries == {}
    assert line_of(ring, kind) == line
    assert everything(keys.load(ring.folder)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_moves_under_a_kms_key_and_back(kind: str, ring: KeyRing, kms_key: str) -> None:
    before, line = everything(ring), line_of(ring, kind)
    load_providers(ring.folder).move(kind, (f"aws-kms:{kms_key}",))
    envelope = ring.folder / f"{kind}.kms"
    assert not (ring.folder / f"{kind}.key").exists()
    assert stat.S_IMODE(envelope.stat().st_mode) == 0o600
    assert line.partition(":")[2] not in envelope.read_text()
    key_providers._fetched.cache_clear()  # noqa: SLF001 - as in a new process
    assert everything(keys.load(ring.folder)) == before
    load_providers(ring.folder).move(kind, FILE)
    assert not envelope.exists()
    assert everything(keys.load(ring.folder)) == before


def test_an_envelope_opens_as_its_own_kind_alone_and_under_its_own_kms_key(
    ring: KeyRing, kms_key: str
) -> None:
    load_providers(ring.folder).move("vault", (f"aws-kms:{kms_key}",))
    envelope = (ring.folder / "vault.kms").read_text()
    path = ring.folder / "hmac.kms"
    path.touch(mode=0o600)
    path.write_text(envelope)
    write_providers(ring, f'vault = "aws-kms:{kms_key}"\nhmac = "aws-kms:{kms_key}"')
    with pytest.raises(KeyFileError, match="does not answer for the hmac key"):
        ring.hmac_key("test")
    other = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]
    write_providers(ring, f'vault = "aws-kms:{other}"')
    with pytest.raises(KeyFileError, match="does not answer for the vault key"):
        ring.vault_key()


@pytest.mark.parametrize("spoil", ["", "{}", "[]", '{"wrapped_data_key": 1, "sealed_line": 2}'])
def test_a_damaged_envelope_is_refused(spoil: str, ring: KeyRing, kms_key: str) -> None:
    load_providers(ring.folder).move("vault", (f"aws-kms:{kms_key}",))
    (ring.folder / "vault.kms").write_text(spoil)
    key_providers._fetched.cache_clear()  # noqa: SLF001 - as in a new process
    with pytest.raises(KeyFileError, match="is damaged"):
        ring.vault_key()


def test_an_envelope_whose_line_was_changed_is_refused(ring: KeyRing, kms_key: str) -> None:
    load_providers(ring.folder).move("vault", (f"aws-kms:{kms_key}",))
    path = ring.folder / "vault.kms"
    fields = json.loads(path.read_text())
    raw = bytearray(base64.b64decode(fields["sealed_line"]))
    raw[-1] ^= 1
    path.write_text(json.dumps({**fields, "sealed_line": base64.b64encode(raw).decode()}))
    key_providers._fetched.cache_clear()  # noqa: SLF001 - as in a new process
    with pytest.raises(KeyFileError, match="is damaged"):
        ring.vault_key()


def test_files_are_sealed_and_opened_with_keys_from_four_places(
    ring: KeyRing,
    tmp_path: Path,
    memory_keyring: MemoryKeyring,
    kms_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    providers = load_providers(ring.folder)
    monkeypatch.setenv("A_KEY", line_of(ring, "hmac"))
    command = command_that_prints(tmp_path, line_of(ring, "vault"))
    for kind, words in {
        "hmac": ("env:A_KEY",),
        "vault": tuple(command),
        "signing": (f"aws-kms:{kms_key}",),
        "identity": ("keyring:sealtune/identity",),
    }.items():
        providers = providers.move(kind, words)
    assert list(ring.folder.glob("*.key")) == []
    secrets = [line_of_provider(ring, kind) for kind in KINDS]
    loaded = keys.load(ring.folder)
    made = seal.seal(
        LINES,
        dataset="demo",
        split="train",
        suite_hash="0" * 64,
        folder=tmp_path / "sealed",
        keys=loaded,
        expected_fingerprint=None,
    )
    assert list(seal.read_sealed(made.path, keys=loaded)) == LINES
    assert len(memory_keyring.entries) == 1
    (tmp_path / "print_key.py").unlink()  # where the test's own command has its key from
    for path in tmp_path.rglob("*"):
        written = path.read_bytes() if path.is_file() else b""
        assert not any(secret in written for secret in secrets), path


# ── moving ──


def test_a_key_moves_to_a_variable_only_if_it_is_there_already(
    ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = keys.create(tmp_path / "other")
    line = line_of(ring, "vault")
    monkeypatch.setenv("A_KEY", line_of(other, "vault"))
    providers = load_providers(ring.folder)
    with pytest.raises(KeyFileError, match="holds another vault key"):
        providers.move("vault", ("env:A_KEY",))
    monkeypatch.delenv("A_KEY")
    with pytest.raises(KeyFileError, match="env:A_KEY is not set"):
        providers.move("vault", ("env:A_KEY",))
    assert line_of(ring, "vault") == line
    monkeypatch.setenv("A_KEY", line)
    providers.move("vault", ("env:A_KEY",))
    assert not (ring.folder / "vault.key").exists()


def test_moving_to_where_it_is_changes_nothing(ring: KeyRing) -> None:
    load_providers(ring.folder).move("vault", FILE)
    assert ring.vault_key()
    assert not (ring.folder / "providers.toml").exists()


def test_a_key_that_a_place_does_not_keep_stays_where_it_was(
    ring: KeyRing, memory_keyring: MemoryKeyring
) -> None:
    memory_keyring.is_locked = True
    with pytest.raises(KeyFileError, match="cannot be used"):
        load_providers(ring.folder).move("vault", ("keyring:sealtune/vault",))
    assert ring.vault_key()
    assert load_providers(ring.folder).words_of("vault") == FILE


words = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"))


@given(arguments=st.lists(words, min_size=1, max_size=4))
def test_what_is_saved_is_what_is_loaded(
    arguments: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("providers")
    saved = Providers(folder, {"vault": ("cmd:", *arguments), "hmac": ("env:A_KEY",)})
    saved.save()
    assert load_providers(folder) == saved


# ── refusals ──


@pytest.mark.parametrize(
    "text",
    [
        "vault = 3",
        "vault = []",
        'vault = ["cmd:", 3]',
        'vault = "cmd:ls -l"',
        'vault = ["cmd:"]',
        'vault = "vault.key"',
        'vault = "file:vault.key"',
        'vault = "env:"',
        'vault = "keyring:sealtune"',
        'vault = "http://example.org/key"',
        'self = "file:"',
        '"identities/../vault" = "file:"',
        "vault = ",
        "\xff",
    ],
)
def test_a_place_that_there_is_not_is_refused(text: str, ring: KeyRing) -> None:
    write_providers(ring, text)
    with pytest.raises(KeyFileError, match="is not understood"):
        ring.vault_key()


def test_a_list_of_places_that_others_may_write_is_refused(ring: KeyRing) -> None:
    write_providers(ring, 'vault = "env:A_KEY"')
    (ring.folder / "providers.toml").chmod(0o620)
    with pytest.raises(KeyFileError, match="chmod 600"):
        ring.vault_key()


def test_no_shell_sees_a_command(ring: KeyRing, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    write_providers(ring, f'vault = ["cmd:", "echo", "$(touch {touched}); touch {touched}"]')
    with pytest.raises(KeyFileError, match="is no vault key"):
        ring.vault_key()
    assert not touched.exists()


def test_a_command_that_fails_or_hangs_or_is_not_there_is_named_and_its_output_is_not(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = line_of(ring, "vault")
    loud = f"import sys; print({secret!r}); sys.stderr.write({secret!r}); sys.stdout.flush(); "
    monkeypatch.setattr(key_providers, "COMMAND_SECONDS", 1.0)
    for end, says in (
        ("sys.exit(3)", "ended with code 3"),
        ("import time; time.sleep(60)", "did not end"),
    ):
        write_providers(ring, f"vault = {json.dumps(['cmd:', sys.executable, '-c', loud + end])}")
        with pytest.raises(KeyFileError, match=says) as caught:
            ring.vault_key()
        assert_untold(secret, caught.value)
    write_providers(ring, 'vault = ["cmd:", "/no/such/command"]')
    with pytest.raises(KeyFileError, match="cannot be started"):
        ring.vault_key()


def assert_untold(secret: str, error: BaseException | None) -> None:
    """No error in the chain holds the secret, in its text or in its attributes."""
    payload = secret.partition(":")[2][4:20]
    n_seen = 0
    while error is not None:
        assert payload not in repr(error) + str(error) + repr(vars(error))
        error, n_seen = error.__cause__ or error.__context__, n_seen + 1
    assert n_seen


@pytest.mark.parametrize("wrong", ["", "another kind", "damaged"])
def test_what_is_no_key_is_refused_and_not_quoted(
    wrong: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {"": "", "another kind": line_of(ring, "hmac"), "damaged": line_of(ring, "vault")[:-4]}
    monkeypatch.setenv("A_KEY", line[wrong])
    write_providers(ring, 'vault = "env:A_KEY"')
    with pytest.raises(KeyFileError) as caught:
        ring.vault_key()
    assert_untold(line[wrong] or "sealtune-vault-1:nothing-at-all-to-tell", caught.value)


def test_a_locked_keyring_is_told_without_what_it_said(
    ring: KeyRing, memory_keyring: MemoryKeyring
) -> None:
    secret = line_of(ring, "vault")
    load_providers(ring.folder).move("vault", ("keyring:sealtune/vault",))
    memory_keyring.is_locked = True
    key_providers._fetched.cache_clear()  # noqa: SLF001 - as in a new process
    with pytest.raises(KeyFileError, match="KeyringLocked") as caught:
        ring.vault_key()
    assert_untold(secret, caught.value)


def test_a_kms_that_is_not_there_is_told(
    ring: KeyRing, kms_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_providers(ring.folder).move("vault", (f"aws-kms:{kms_key}",))
    key_providers._fetched.cache_clear()  # noqa: SLF001 - as in a new process
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(KeyFileError, match=r"does not answer .*check region, credentials"):
        ring.vault_key()


def test_an_sdk_that_is_not_installed_is_named_with_its_extra(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, words, extra in (
        ("keyring", "keyring:sealtune/absent", "keyring"),
        ("boto3", "aws-kms:absent", "aws"),
    ):
        # what the import system itself takes for "there is no such module"
        monkeypatch.setitem(sys.modules, module, None)
        write_providers(ring, f'vault = "{words}"')
        (ring.folder / "vault.kms").write_text('{"wrapped_data_key": "", "sealed_line": ""}')
        (ring.folder / "vault.kms").chmod(0o600)
        with pytest.raises(ConfigError, match=rf"pip install 'sealtune\[{extra}\]'"):
            ring.vault_key()


# ── the command line ──


def run(ring: KeyRing, *args: str) -> Result:
    return CliRunner(env={"SEALTUNE_KEYS_DIR": str(ring.folder)}).invoke(app, args)


def test_keys_show_tells_where_each_key_comes_from_and_no_key(
    ring: KeyRing, memory_keyring: MemoryKeyring
) -> None:
    assert run(ring, "keys", "move", "identity", "keyring:sealtune/identity").exit_code == 0
    shown = run(ring, "keys", "show").stdout
    assert re.search(r"^kept in +keyring:sealtune/identity +identity$", shown, re.MULTILINE)
    for kind in ("vault", "hmac", "signing"):
        assert re.search(rf"^kept in +file: +{kind}$", shown, re.MULTILINE)
    (line,) = memory_keyring.entries.values()
    assert line.partition(":")[2] not in shown


def test_keys_move_takes_the_words_of_a_command(ring: KeyRing, tmp_path: Path) -> None:
    command = command_that_prints(tmp_path, line_of(ring, "vault"))
    moved = run(ring, "keys", "move", "vault", "--", command[0], sys.executable, "-I", command[2])
    assert moved.exit_code == 0, moved.output
    assert load_providers(ring.folder).words_of("vault")[2] == "-I"
    assert ring.vault_key()


def test_keys_move_refuses_what_is_no_kind_of_key(ring: KeyRing) -> None:
    refused = run(ring, "keys", "move", "recipient", "env:A_KEY")
    assert refused.exit_code == 1
    assert "there is no recipient key to move" in refused.stderr


def test_on_a_machine_without_identity_keys_show_says_so(ring: KeyRing) -> None:
    (ring.folder / "identity.key").unlink()
    shown = run(ring, "keys", "show")
    assert shown.exit_code == 0
    assert "(there is no key" in shown.stdout
    assert os.path.basename(ring.folder) in shown.stdout  # noqa: PTH119 - a name in a text
