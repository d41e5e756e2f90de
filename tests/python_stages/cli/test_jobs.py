"""Claims about `sealtune jobs` and `sealtune watch`, against a provider on this machine."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from python_stages import keys
from python_stages.backends.azure import AzureBackend
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.plan import PlanBackend
from python_stages.errors import AmbiguousJobError
from python_stages.jobs.ledger import Ledger, LedgerRow, State
from python_stages.jobs.refresh import refresh
from python_stages.jobs.submit import submit
from tests.python_stages.backends.azure_account import backend_of, managed
from tests.python_stages.backends.certificates import certify
from tests.python_stages.backends.loopback_api import API_KEY, Fault, LoopbackApi, serve
from tests.python_stages.backends.management import Management, management_app
from tests.python_stages.backends.running import running
from tests.python_stages.backends.stand_in import Provider, provider
from tests.python_stages.jobs.crashes import Crash, Crasher, CrashingLedger, crashing
from tests.python_stages.jobs.world import CANARY, FILES, JOBS, SPEC


@dataclass
class Desk:
    """A vault, keys, a provider, and the commands of a person who sits there."""

    root: Path
    api: LoopbackApi
    backend: CompatibleBackend

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.root / "vault" / "ledger.sqlite"

    @property
    def env(self) -> Mapping[str, str]:
        """What is in the environment of a command."""
        return {
            "SEALTUNE_VAULT_DIR": str(self.root / "vault"),
            "SEALTUNE_KEYS_DIR": str(self.root / "keys"),
            "SEALTUNE_API_KEY": API_KEY,
        }

    def __call__(self, *words: str, code: int = 0) -> Result:
        """Run `sealtune` with these words, which must end with this exit code."""
        from python_stages.cli.main import app  # noqa: PLC0415 - the whole command line is heavy

        result = CliRunner(env=self.env).invoke(app, words)
        assert result.exit_code == code, result.output
        return result

    def submit(self, seed: int = 7) -> LedgerRow:
        """Submit a job."""
        with Ledger(self.ledger) as ledger:
            return submit(replace(SPEC, seed=seed), self.backend, ledger)

    def row(self, key: str) -> LedgerRow:
        """Return what the ledger says of a job."""
        with Ledger(self.ledger) as ledger:
            return ledger.find(key)

    def die_before(self, step: str) -> LedgerRow:
        """Submit a job and die before a step; return what the ledger then says."""
        mortal = Crasher(dies_at=step)
        with CrashingLedger(self.ledger, mortal) as ledger:
            with pytest.raises(Crash):
                submit(SPEC, crashing(self.backend, mortal), ledger)
            return ledger.jobs()[0]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LoopbackApi, CompatibleBackend]]:
    """One server and one client for all tests: making a client takes a second."""
    with serve() as api:
        backend = CompatibleBackend(api.base_url, api_key=API_KEY)
        yield api, backend
        backend.close()


@pytest.fixture
def desk(served: tuple[LoopbackApi, CompatibleBackend], tmp_path: Path) -> Desk:
    api, backend = served
    for found in (api.files, api.jobs, api.models, api.faults, api.requests):
        found.clear()
    api.holds_jobs, api.keeps_deleted_files = False, False
    keys.create(tmp_path / "keys")
    return Desk(tmp_path, api, backend)


# ── list and show ──


def test_jobs_are_listed_with_the_beginning_of_their_key_and_their_state(desk: Desk) -> None:
    running = desk.submit()
    with Ledger(desk.ledger) as ledger:
        planned = submit(SPEC, PlanBackend(), ledger)
    lines = [line.split() for line in desk("jobs", "list").stdout.splitlines()]
    assert lines == [
        [running.key[:12], "transactions", "compatible", "small-1", "running"],
        [planned.key[:12], "transactions", "plan", "small-1", "planned"],
    ]


def test_a_list_in_json_holds_every_column_of_every_job(desk: Desk) -> None:
    row = desk.submit()
    (shown,) = json.loads(desk("jobs", "list", "--json").stdout)
    assert (shown["key"], shown["job_id"]) == (row.key, row.job_id)
    assert shown.keys() == set(LedgerRow.__dataclass_fields__)


def test_a_job_is_shown_by_any_beginning_of_its_key_with_ids_cost_files_and_events(
    desk: Desk,
) -> None:
    row = desk.submit()
    shown = desk("jobs", "show", row.key[:6]).stdout
    for value in (row.key, row.job_id, row.training_file_id, row.validation_file_name, "0.006"):
        assert f"{value}" in shown
    events = [line.split()[1] for line in shown.partition("\n\n")[2].splitlines()]
    assert events[0] == "intended"
    assert events[-1] == "job_created"
    found = json.loads(desk("jobs", "show", row.key, "--json").stdout)
    assert [event["event"] for event in found["events"]] == events
    assert found["result_files"] == []


def test_a_key_that_is_unknown_or_stands_for_several_jobs_is_refused(desk: Desk) -> None:
    assert "no ledger yet" in desk("jobs", "list", code=1).stderr
    desk.submit()
    assert "no job of this key" in desk("jobs", "show", "zz", code=1).stderr


def test_a_ledger_without_a_job_is_listed_as_nothing(desk: Desk) -> None:
    Ledger(desk.ledger).close()
    assert desk("jobs", "list").stdout == ""
    assert json.loads(desk("jobs", "list", "--json").stdout) == []
    assert desk("jobs", "cleanup").stdout == "nothing to clean up\n"


# ── cancel ──


def test_a_cancelled_job_is_cancelled_at_the_provider_and_its_files_are_deleted(
    desk: Desk,
) -> None:
    row = desk.submit()
    assert "cancelled, its files are deleted" in desk("jobs", "cancel", row.key[:8]).stdout
    assert desk.api.jobs[row.job_id or ""].shown["status"] == "cancelled"
    assert not desk.api.files
    assert desk.row(row.key).state is State.FILES_DELETED
    assert desk.submit() == desk.row(row.key)
    assert len(desk.api.jobs) == 1


def test_cancelling_a_job_that_has_ended_meanwhile_says_how_it_ended(desk: Desk) -> None:
    row = desk.submit()
    desk.api.finish(row.job_id or "", "succeeded")
    assert "succeeded, its files are deleted" in desk("jobs", "cancel", row.key).stdout
    assert "has ended" in desk("jobs", "cancel", row.key, code=1).stderr


@pytest.mark.parametrize("step", ["save files_uploaded", "save submitting"])
def test_a_job_that_is_not_yet_made_is_cancelled_with_its_files(desk: Desk, step: str) -> None:
    row = desk.die_before(step)
    assert desk.api.files
    desk("jobs", "cancel", row.key)
    assert not desk.api.files
    assert (desk.row(row.key).state, desk.row(row.key).outcome) == (
        State.FILES_DELETED,
        "cancelled",
    )
    desk.submit()
    assert not desk.api.jobs


def test_a_job_of_which_the_ledger_does_not_know_yet_is_found_and_cancelled(desk: Desk) -> None:
    row = desk.die_before("save job_created")
    desk("jobs", "cancel", row.key)
    assert [job.shown["status"] for job in desk.api.jobs.values()] == ["cancelled"]
    assert not desk.api.files


def test_a_plan_cannot_be_cancelled(desk: Desk) -> None:
    with Ledger(desk.ledger) as ledger:
        row = submit(SPEC, PlanBackend(), ledger)
    assert "only planned" in desk("jobs", "cancel", row.key, code=1).stderr


# ── cleanup ──


def test_only_a_model_at_azure_is_deployed(desk: Desk) -> None:
    key = desk.submit().key
    for words in ((), ("--delete",)):
        refused = desk("jobs", "deploy", key, *words, code=1)
        assert "only models at azure are deployed" in refused.output


def test_a_deployment_needs_a_name_and_a_tuned_model(desk: Desk) -> None:
    row = desk.submit()
    access = {"base_url": desk.api.base_url, "azure": {"deployment": "pii"}}
    at_azure = replace(row, backend="azure", access=json.dumps(access))
    with Ledger(desk.ledger) as ledger, ledger.submitter():
        ledger.save(at_azure, "moved")
    assert (
        "no tuned model yet: the job is running" in desk("jobs", "deploy", row.key, code=1).output
    )
    with Ledger(desk.ledger) as ledger, ledger.submitter():
        ledger.save(replace(at_azure, access=json.dumps(access | {"azure": {}})), "moved")
    nameless = desk("jobs", "deploy", row.key, "--delete", code=1)
    assert "names no deployment" in nameless.output


def test_cleanup_deletes_checks_and_says_what_stays(desk: Desk) -> None:
    row = desk.submit()
    desk.api.finish(row.job_id or "", "succeeded")
    desk.api.keeps_deleted_files = True
    with Ledger(desk.ledger) as ledger, ledger.submitter():
        ended = replace(row, state=State.SUCCEEDED, outcome="succeeded", fine_tuned_model="ft:m")
        ledger.save(ended, "job_succeeded")
    desk.api.keeps_deleted_files = False
    printed = desk("jobs", "cleanup").stdout
    assert "its files are gone from compatible" in printed
    assert "what stays: " in printed
    assert desk.backend.what_stays() in printed
    assert not desk.api.files
    assert desk.row(row.key).state is State.FILES_DELETED
    assert desk("jobs", "cleanup").stdout == "nothing to clean up\n"


def test_cleanup_leaves_a_running_job_alone(desk: Desk) -> None:
    row = desk.submit()
    assert desk("jobs", "cleanup").stdout == "nothing to clean up\n"
    error = desk("jobs", "cleanup", row.key, code=1).stderr
    assert f"`sealtune jobs cancel {row.key[:12]}`" in error
    assert len(desk.api.files) == 2


def test_cleanup_deletes_the_files_of_a_job_that_was_never_made_and_the_next_build_sends_them_anew(
    desk: Desk,
) -> None:
    row = desk.die_before("save submitting")
    desk("jobs", "cleanup")
    assert not desk.api.files
    assert desk.row(row.key).state is State.INTENT
    assert desk.submit().state is State.JOB_CREATED
    assert len(desk.api.files) == 2


def test_the_tuned_model_is_deleted_where_that_is_wished_for_one_job(desk: Desk) -> None:
    row = desk.submit()
    desk.api.finish(row.job_id or "", "succeeded")
    with Ledger(desk.ledger) as ledger:
        refresh(desk.backend, ledger)
    assert "name it by its key" in desk("jobs", "cleanup", "--delete-model", code=1).stderr
    desk("jobs", "cleanup", row.key)
    assert desk.api.models == {"ft:small-1:loopback"}
    assert "tuned model, too" in desk("jobs", "cleanup", row.key, "--delete-model").stdout
    assert desk.api.models == set()
    assert desk.row(row.key).fine_tuned_model is None


def test_jobs_at_several_providers_are_cleaned_up_one_by_one(desk: Desk) -> None:
    first = desk.die_before("save submitting")
    elsewhere = replace(first, key="f" * 64, base_url="http://127.0.0.1:9/v1", state=State.INTENT)
    with Ledger(desk.ledger) as ledger, ledger.submitter():
        ledger.save(elsewhere, "intended")
    assert "several providers" in desk("jobs", "cleanup", code=1).stderr
    desk("jobs", "cleanup", first.key)
    assert not desk.api.files


# ── settle ──


def parked(desk: Desk) -> str:
    """Let a job be parked, and return the message."""
    desk.api.inject(Fault("POST", JOBS, "twice"))
    desk.die_before("save job_created")
    with Ledger(desk.ledger) as ledger, pytest.raises(AmbiguousJobError) as caught:
        submit(SPEC, desk.backend, ledger)
    return str(caught.value)


@pytest.mark.parametrize("option", ["--job", "--none"])
def test_the_command_that_a_parked_job_s_message_names_settles_it(desk: Desk, option: str) -> None:
    named = [words for words in re.findall(r"`sealtune ([^`]*)`", parked(desk)) if option in words]
    desk(*shlex.split(named[0]))
    row = desk.submit()
    assert row.state is State.JOB_CREATED
    live = [one for one in desk.api.jobs.values() if one.shown["status"] != "cancelled"]
    assert [one.job_id for one in live] == [row.job_id]


def test_a_parked_job_s_message_is_in_the_list(desk: Desk) -> None:
    message = parked(desk)
    assert message in desk("jobs", "list").stdout


def test_the_command_that_the_message_about_a_file_of_another_size_names_settles_it(
    desk: Desk,
) -> None:
    row = desk.die_before("save uploading_train")
    wrong = replace(SPEC.training, n_bytes=SPEC.training.n_bytes)
    desk.backend.upload(row.training_file_name, wrong)
    stored = next(iter(desk.api.files.values()))
    stored.content = stored.content[:-1]
    with Ledger(desk.ledger) as ledger, pytest.raises(AmbiguousJobError) as caught:
        submit(SPEC, desk.backend, ledger)
    (command,) = re.findall(r"`sealtune ([^`]*)`", str(caught.value))
    desk(*shlex.split(command))
    assert desk.submit().state is State.JOB_CREATED
    assert desk.api.count("POST", FILES) == 3


def test_settling_takes_exactly_one_answer_and_a_job_that_waits(desk: Desk) -> None:
    row = desk.submit()
    assert "--job ID or --none" in desk("jobs", "settle", row.key, code=2).stderr
    both = ("--job", "a", "--none")
    assert "--job ID or --none" in desk("jobs", "settle", row.key, *both, code=2).stderr
    assert "waits for nobody" in desk("jobs", "settle", row.key, "--none", code=1).stderr


# ── watch ──


def test_watching_the_newest_job_that_succeeds_ends_with_0_and_its_results_in_the_vault(
    desk: Desk,
) -> None:
    desk.api.results = b"step,train_loss\n1,2.5\n"
    try:
        desk.submit(seed=8)
        row = desk.submit()
        with Ledger(desk.ledger) as ledger:
            keys.load(desk.root / "keys").make_dataset_key("transactions")
            assert ledger.results(row.key) == ()
        printed = desk("watch", "--every", "0.01").stdout.splitlines()
    finally:
        desk.api.results = None
    assert printed[0] == f"transactions {row.key[:12]}: job {row.job_id}"
    assert "succeeded" in printed[-1]
    assert desk.row(row.key).state is State.FILES_DELETED
    with Ledger(desk.ledger) as ledger:
        (file,) = ledger.results(row.key)
    assert (desk.root / "vault" / file.path).exists()


def test_a_watch_during_a_build_tells_how_the_job_ended_all_the_same(desk: Desk) -> None:
    row = desk.submit()
    desk.api.finish(row.job_id or "", "succeeded")
    with Ledger(desk.ledger) as ledger, ledger.submitter():
        done = desk("watch", row.key)
    assert "succeeded" in done.stdout
    assert "another submitter is at work" in done.stderr


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_watching_a_job_that_does_not_succeed_ends_with_1(desk: Desk, end: str) -> None:
    row = desk.submit()
    desk.api.finish(row.job_id or "", end)
    assert end in desk("watch", row.key[:8], "--every", "0.01", code=1).stdout
    assert desk("watch", row.key[:8], code=1).stdout.count("\n") == 2  # the story again


def test_there_is_nothing_to_watch_before_a_job_is_at_a_provider(desk: Desk) -> None:
    row = desk.die_before("save submitting")
    assert "it is file_uploaded" in desk("watch", row.key, code=1).stderr
    assert "no job is at a provider" in desk("watch", code=1).stderr


def test_ctrl_c_leaves_the_job_alone_and_says_how_to_go_on(desk: Desk) -> None:
    desk.api.holds_jobs = True
    row = desk.submit()
    desk.api.requests.clear()
    # A child inherits that interrupts are ignored, as in a job that a shell runs in the background.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    watching = subprocess.Popen(
        [sys.executable, "-m", "python_stages.cli.main", "watch", "--every", "0.05"],
        env=dict(os.environ) | dict(desk.env),
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, inherited)
    with watching:
        try:
            assert watching.stdout is not None
            assert "job ftjob" in watching.stdout.readline()
            assert "validating files" in watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            rest, errors = watching.communicate(timeout=60)
        finally:
            watching.kill()  # else a failed test would wait for it for good
    assert (watching.returncode, errors) == (130, "")
    assert rest == f"the job goes on; follow it with `sealtune watch {row.key[:12]}`\n"
    assert desk.api.jobs[row.job_id or ""].shown["status"] == "validating_files"
    assert {request.method for request in desk.api.requests} == {"GET"}


# ── for scripts ──


def told(desk: Desk, *words: str, code: int = 0) -> Any:
    """Return what a command prints for scripts, which is JSON and nothing else."""
    return json.loads(desk(*words, "--json", code=code).stdout)


def test_a_cancel_tells_scripts_the_job_as_it_then_is(desk: Desk) -> None:
    row = desk.submit()
    shown = told(desk, "jobs", "cancel", row.key[:8])["job"]
    assert (shown["key"], shown["job_id"]) == (row.key, row.job_id)
    assert (shown["state"], shown["outcome"]) == ("FILES_DELETED", "cancelled")


def test_a_cleanup_tells_scripts_what_was_cleaned_and_what_stays(desk: Desk) -> None:
    row = desk.die_before("save submitting")
    done = told(desk, "jobs", "cleanup")
    assert [one["key"] for one in done["cleaned"]] == [row.key]
    assert done["cleaned"][0]["training_file_id"] is None
    assert done["what_stays"] == desk.backend.what_stays()


def test_a_cleanup_of_nothing_and_of_a_model_is_told_to_scripts(desk: Desk) -> None:
    row = desk.submit()
    assert told(desk, "jobs", "cleanup") == {"cleaned": [], "what_stays": None}
    desk.api.finish(row.job_id or "", "succeeded")
    with Ledger(desk.ledger) as ledger:
        refresh(desk.backend, ledger)
    (shown,) = told(desk, "jobs", "cleanup", row.key, "--delete-model")["cleaned"]
    assert shown["fine_tuned_model"] is None


def test_settling_tells_scripts_which_job_it_is_or_that_none_is(desk: Desk) -> None:
    parked(desk)
    with Ledger(desk.ledger) as ledger:
        key = ledger.jobs()[0].key
    (chosen, _) = desk.api.jobs
    shown = told(desk, "jobs", "settle", key, "--job", chosen)["job"]
    assert (shown["job_id"], shown["parked_reason"]) == (chosen, None)


def test_settling_with_none_tells_scripts_that_there_is_no_job(desk: Desk) -> None:
    parked(desk)
    with Ledger(desk.ledger) as ledger:
        key = ledger.jobs()[0].key
    shown = told(desk, "jobs", "settle", key, "--none")["job"]
    assert (shown["job_id"], shown["state"], shown["parked_reason"]) == (None, "INTENT", None)


def test_a_watch_tells_scripts_how_the_job_ended(desk: Desk) -> None:
    row = desk.submit()
    shown = told(desk, "watch", "--every", "0.01")
    assert (shown["job"]["key"], shown["job"]["outcome"]) == (row.key, "succeeded")
    assert shown["progress"]["state"] == "succeeded"
    assert shown["progress"]["fine_tuned_model"] == shown["job"]["fine_tuned_model"] is not None


def test_a_watch_of_a_job_that_failed_tells_scripts_so_and_ends_with_1(desk: Desk) -> None:
    row = desk.submit()
    desk.api.finish(row.job_id or "", "failed", {"code": "bad_file", "message": "", "param": None})
    shown = told(desk, "watch", row.key, "--every", "0.01", code=1)
    assert (shown["job"]["outcome"], shown["progress"]["error_code"]) == ("failed", "bad_file")


def test_a_deployment_and_its_end_are_told_to_scripts(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = desk.submit()
    settings = {"base_url": "https://ours.openai.azure.com", "azure": {"deployment": "pii"}}
    at_azure = replace(
        row,
        backend="azure",
        access=json.dumps(settings),
        state=State.SUCCEEDED,
        outcome="succeeded",
        fine_tuned_model="gpt-4.1-mini-2025-04-14.ft-0123",
    )
    with Ledger(desk.ledger) as ledger, ledger.submitter():
        ledger.save(at_azure, "moved")
    certificate, state = certify(tmp_path), Management()
    files = {"certificate": str(certificate.certificate), "key": str(certificate.key)}
    with (
        provider(Provider(prefix="/openai/v1")) as api,
        running(management_app(state), **files) as state.url,
    ):

        def stand_in(*_: object) -> AzureBackend:
            return backend_of(api, deployments=managed(state, certificate))

        # Azure's own address takes an account
        monkeypatch.setattr("python_stages.backends.azure.open_azure", stand_in)
        shown = told(desk, "jobs", "deploy", row.key)
        assert shown == {"key": row.key, "deployment": "pii", "answers": True}
        assert list(state.deployments) == ["pii"]
        gone = told(desk, "jobs", "deploy", row.key, "--delete")
    assert gone == {"key": row.key, "deployment": "pii", "answers": False}
    assert state.deployments == {}


# ── secrets ──


def test_no_command_prints_or_writes_a_secret_or_a_line_of_the_data(desk: Desk) -> None:
    row = desk.submit()
    quoted = {"code": "bad_file", "message": f"{CANARY!r} {API_KEY}", "param": None}
    desk.api.finish(row.job_id or "", "failed", quoted)
    desk.api.inject(Fault("GET", JOBS, "refuse", status=401, message=f"{CANARY!r} {API_KEY}"))
    printed = [
        desk(*words, code=code).output
        for words, code in (
            (("watch", row.key), 1),
            (("watch", row.key), 1),
            (("jobs", "list", "--json"), 0),
            (("jobs", "show", row.key), 0),
            (("jobs", "cleanup"), 0),
        )
    ]
    texts = [text.encode() for text in printed]
    texts += [path.read_bytes() for path in (desk.root / "vault").rglob("*") if path.is_file()]
    for text in texts:
        assert CANARY not in text
        assert API_KEY.encode() not in text
