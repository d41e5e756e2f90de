"""Claims about the backend `local`: found or started, one for each vault, the same job always."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from python_stages import keys
from python_stages.backends.base import (
    BackendIdentity,
    Content,
    JobSpec,
    JobStatus,
    RemoteFile,
    UnknownOutcomeError,
)
from python_stages.backends.local.backend import LocalBackend
from python_stages.backends.local.launch import ensure_server, stop_server
from python_stages.backends.local.places import Places, find_server, held, is_held, read_token
from python_stages.backends.local.server import LOCKED_EXIT
from python_stages.backends.settling import Settling
from python_stages.errors import BackendError, ConfigError, KeyFileError, LockedError
from python_stages.jobs.ledger import Ledger
from python_stages.jobs.submit import submit
from tests.python_stages.local.serving import BIGRAM, ROOT, lines, until


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Return one vault for all tests: each finds the server of the one before, or starts one."""
    root = tmp_path_factory.mktemp("backend")
    keys.create(root / "keys")
    made = Places(root / "vault", root / "keys")
    yield made
    stop_server(made)


def spec() -> JobSpec:
    plaintext = lines()

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield iter([plaintext])

    return JobSpec(
        dataset="transactions",
        base_model="nano",
        hyperparameters={"n_epochs": 3},
        seed=7,
        suffix=None,
        training=Content(len(plaintext), opened),
        validation=None,
        dataset_fingerprint="ab" * 32,
        n_examples=12,
        n_training_tokens=100,
    )


def opened(places: Places) -> LocalBackend:
    return LocalBackend(places, trainer=BIGRAM)


def test_importing_the_package_loads_neither_framework_nor_trainer() -> None:
    code = (
        "import sys, python_stages.backends.local, python_stages.backends.local.launch;"
        "print([one for one in ('jax', 'fastapi', 'openai', 'pydantic') if one in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == b"[]"


def test_a_job_is_submitted_once_however_often_it_is_built(places: Places, tmp_path: Path) -> None:
    backend = opened(places)
    settling = Settling(seconds=0)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        row = submit(spec(), backend, ledger, settling=settling)
        job_id = str(row.job_id)
        until(lambda: backend.status(job_id).state == "succeeded")
        backend.close()
        stop_server(places)
        again = opened(places)  # at another address
        assert again.identity == backend.identity == BackendIdentity("local")
        assert submit(spec(), again, ledger, settling=settling).job_id == job_id
        status = again.status(job_id)
        assert again.has_model(str(status.fine_tuned_model))
        assert [one.step for one in again.events(job_id) if one.step is not None] == [1, 2, 3]
        assert again.read_file(again.result_files(job_id)[0]).startswith(b"step,")
        assert again.privacy(job_id) is None
        again.delete_model(str(status.fine_tuned_model))
        assert not again.has_model(str(status.fine_tuned_model))
        again.close()


class Interrupted(LocalBackend):
    """A backend whose server is killed once, before or after something took effect."""

    moment: str
    places: Places

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Upload, unless the server is killed first; or lose the answer."""
        self._kill_at("before upload")
        file = super().upload(name, content)
        self._kill_at("after upload")
        return file

    def create(self, *args: Any, **more: Any) -> JobStatus:
        """Create, unless the server is killed first; or lose the answer."""
        self._kill_at("before create")
        job = super().create(*args, **more)
        self._kill_at("after create")
        return job

    def _kill_at(self, moment: str) -> None:
        if moment == self.moment:
            os.kill(ensure_server(self.places).pid, signal.SIGKILL)
            until(lambda: not is_held(self.places.lock))
            if moment.startswith("after"):
                raise UnknownOutcomeError("the answer was lost")


@pytest.mark.parametrize(
    ("seed", "moment"),
    [
        pytest.param(10, "before upload", marks=pytest.mark.slow),
        (11, "after upload"),
        pytest.param(12, "before create", marks=pytest.mark.slow),
        (13, "after create"),
    ],
)
def test_a_server_killed_during_a_submission_costs_no_job_and_makes_no_second(
    places: Places, tmp_path: Path, seed: int, moment: str
) -> None:
    wanted = replace(spec(), seed=seed)
    settling = Settling(seconds=0)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        backend: LocalBackend = Interrupted(places, trainer=BIGRAM)
        backend.moment, backend.places = moment, places  # type: ignore[attr-defined] # the one above
        with pytest.raises(BackendError):
            submit(wanted, backend, ledger, settling=settling)
        backend.close()
        backend = opened(places)
        row = submit(wanted, backend, ledger, settling=settling)
        assert [job.job_id for job in backend.find_jobs(row.key)] == [row.job_id]
        assert len(backend.find_files(wanted.file_name("train", row.key))) == 1
        until(lambda: backend.status(str(row.job_id)).state == "succeeded")
        backend.close()


def test_a_job_outlives_the_process_that_asked_for_it(places: Places) -> None:
    code = (
        "import pathlib, sys; from tests.python_stages.local.test_local_backend import *;"
        f"root = pathlib.Path({str(places.vault.parent)!r});"
        "b = opened(Places(root / 'vault', root / 'keys'));"
        "s = replace(spec(), hyperparameters={'n_epochs': 60});"
        "f = b.upload('a.jsonl', s.training);"
        "print(b.create(s, 'k', training_file_id=f.file_id, validation_file_id=None).job_id)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    backend = opened(places)
    until(lambda: backend.status(ran.stdout.decode().strip()).state == "succeeded")
    backend.close()


def test_builds_that_start_at_the_same_time_share_one_server(places: Places) -> None:
    stop_server(places)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: ensure_server(places, trainer=BIGRAM), range(2)))
    assert len(set(found)) == 1

    def servers() -> list[int]:
        return [
            one.pid
            for one in psutil.process_iter(["cmdline"])
            if str(places.vault) in (one.info["cmdline"] or []) and one.status() != "zombie"
        ]

    until(lambda: servers() == [found[0].pid])
    # Another process that wants to serve this vault is told so.
    command = [sys.executable, "-m", "python_stages.backends.local.server"]
    told = subprocess.run([*command, str(places.vault), str(places.keys)], cwd=ROOT, check=False)
    assert told.returncode == LOCKED_EXIT


def test_a_server_stops_when_told_and_says_so(places: Places) -> None:
    ensure_server(places, trainer=BIGRAM)
    assert stop_server(places)
    assert not is_held(places.lock)
    assert not places.address.exists()
    assert not stop_server(places)


def test_a_server_of_a_build_ends_when_nothing_is_to_do(places: Places) -> None:
    stop_server(places)
    ensure_server(places, idle_minutes=0.01, trainer=BIGRAM)
    until(lambda: not is_held(places.lock))


def test_a_server_whose_vault_was_removed_ends_too(tmp_path: Path) -> None:
    keys.create(tmp_path / "keys")
    gone = Places(tmp_path / "vault", tmp_path / "keys")
    address = ensure_server(gone, idle_minutes=0.01, trainer=BIGRAM)
    shutil.rmtree(gone.vault)
    until(lambda: not psutil.pid_exists(address.pid) or _is_zombie(address.pid))


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_what_a_killed_server_left_is_not_believed(places: Places) -> None:
    address = ensure_server(places, trainer=BIGRAM)
    os.kill(address.pid, signal.SIGKILL)
    until(lambda: not is_held(places.lock))
    assert places.address.exists()
    assert find_server(places) is None


def test_address_and_token_are_this_users_alone(places: Places) -> None:
    address = ensure_server(places, trainer=BIGRAM)
    for path in (places.token, places.address):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(places.address.read_text()) == {"pid": address.pid, "port": address.port}
    places.token.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod"):
        read_token(places)
    places.token.chmod(0o600)


def test_no_secret_stands_in_the_process_list(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_server(places)
    monkeypatch.setenv("SEALTUNE_API_KEY", "another-providers-KEY")
    monkeypatch.setenv("SEALTUNE_OPENAI_API_KEY", "another-providers-KEY")
    address = ensure_server(places, trainer=BIGRAM)
    process = psutil.Process(address.pid)
    ring = keys.load(places.keys)
    secrets = (read_token(places), ring.vault_key(), ring.hmac_key("local-server/blobs").hex())
    shown = " ".join(process.cmdline()) + " ".join(process.environ().values())
    assert not [secret for secret in (*secrets, "another-providers-KEY") if secret in shown]


def test_privacy_is_asked_for_in_a_part_of_its_own(places: Places) -> None:
    backend = opened(places)
    private = replace(spec(), hyperparameters={"n_epochs": 3, "epsilon": 8.0, "clip_norm": 1.0})
    body = backend._request(private, "k")  # noqa: SLF001 - what is sent is the claim
    assert body["extra_body"] == {"privacy": {"epsilon": 8.0, "clip_norm": 1.0}}
    assert body["method"]["supervised"]["hyperparameters"] == {"n_epochs": 3}
    backend.preflight(private)
    with pytest.raises(ConfigError, match="hyperparameters"):
        backend.preflight(replace(spec(), hyperparameters={"n_layers": 3}))
    backend.close()


def test_serve_and_stop_work_from_the_command_line(places: Places) -> None:
    stop_server(places)
    environment = os.environ | {
        "SEALTUNE_VAULT_DIR": str(places.vault),
        "SEALTUNE_KEYS_DIR": str(places.keys),
    }
    command = [sys.executable, "-m", "python_stages.cli.main", "serve"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        address = until(lambda: find_server(places))
        stopped = subprocess.run(
            [*command, "--stop"], cwd=ROOT, env=environment, capture_output=True, check=True
        )
        out, err = running.communicate()
    assert stopped.stdout == b"stopped\n"
    assert address.base_url.encode() in out
    assert read_token(places).encode() not in out + err
    assert err == b""


def test_a_lock_is_refused_to_a_second_holder(tmp_path: Path) -> None:
    with (
        held(tmp_path / "lock"),
        pytest.raises(LockedError, match="stop it first"),
        held(tmp_path / "lock", patience_seconds=0),
    ):
        pass
