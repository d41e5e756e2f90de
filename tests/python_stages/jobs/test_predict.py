"""Claims about prompts in, answers out; and about `sealtune predict`, which puts them through."""

import json
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from python_stages.cli import main as cli
from python_stages.errors import SourceError
from python_stages.jobs import prompt_files
from python_stages.jobs.predict import UNREADABLE, Answer, Failure, Messages, predict
from tests.python_stages.backends.chat_api import API_KEY, ChatApi, Refusal, serve_chat
from tests.python_stages.jobs.rows import record

CANARY = "PROMPT-CANARY-4111"


def prompt_of(text: str) -> Messages:
    return [{"role": "user", "content": text}]


def echo(messages: Messages) -> Answer:
    return Answer(str(messages[-1]["content"]).upper())


def texts(prompts: Iterator[Messages | None]) -> list[str | None]:
    return [None if one is None else one[-1]["content"] for one in prompts]


# ── the order, the number and the memory of it ──


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=5))), st.integers(1, 5))
def test_as_many_answers_come_out_as_prompts_went_in_and_in_their_order(
    given_texts: list[str | None], n_at_once: int
) -> None:
    prompts = [None if text is None else prompt_of(text) for text in given_texts]
    answers = list(predict(prompts, echo, n_at_once=n_at_once))
    assert [answer.text for answer in answers] == [text and text.upper() for text in given_texts]
    codes = [answer.failure and answer.failure.code for answer in answers]
    assert codes == [UNREADABLE if text is None else None for text in given_texts]


def test_answers_keep_their_order_whichever_comes_first() -> None:
    is_second_done = threading.Event()

    def ask(messages: Messages) -> Answer:
        if messages[0]["content"] == "first":
            assert is_second_done.wait(10)
        else:
            is_second_done.set()
        return echo(messages)

    answers = predict([prompt_of("first"), prompt_of("second")], ask, n_at_once=2)
    assert [answer.text for answer in answers] == ["FIRST", "SECOND"]


def test_only_a_window_of_the_prompts_is_read_ahead() -> None:
    n_read = 0

    def prompts() -> Iterator[Messages]:
        nonlocal n_read
        for n in range(10_000):
            n_read += 1
            yield prompt_of(str(n))

    for n_answered, _ in enumerate(predict(prompts(), echo, n_at_once=3)):
        assert n_read - n_answered <= 3 * 4 + 1


def test_no_more_prompts_are_under_way_than_was_said() -> None:
    lock, n_now, most = threading.Lock(), 0, 0
    both = threading.Barrier(3)

    def ask(messages: Messages) -> Answer:
        nonlocal n_now, most
        with lock:
            n_now += 1
            most = max(most, n_now)
        both.wait(10)
        with lock:
            n_now -= 1
        return echo(messages)

    list(predict([prompt_of(str(n)) for n in range(9)], ask, n_at_once=3))
    assert most == 3


# ── failures ──


@pytest.mark.parametrize("reach", ["everything", "moment"])
def test_a_host_that_will_not_answer_is_left_in_peace(reach: str) -> None:
    asked: list[Messages] = []

    def ask(messages: Messages) -> Answer:
        asked.append(messages)
        return Answer(failure=Failure("no_luck", reach))  # type: ignore[arg-type]  # parametrised

    answers = list(predict([prompt_of(str(n)) for n in range(50)], ask, n_at_once=1, patience=5))
    assert len(asked) == (1 if reach == "everything" else 5)
    assert [one.failure and one.failure.code for one in answers] == ["no_luck"] * 50


def test_failures_that_are_not_in_a_row_stop_nothing() -> None:
    def ask(messages: Messages) -> Answer:
        is_even = int(messages[0]["content"]) % 2 == 0
        return echo(messages) if is_even else Answer(failure=Failure("timeout", "moment"))

    answers = list(predict([prompt_of(str(n)) for n in range(40)], ask, n_at_once=1, patience=2))
    assert sum(answer.text is not None for answer in answers) == 20


def test_refused_prompts_stop_nothing_however_many() -> None:
    refused = Answer(failure=Failure("content_filter", "prompt"))
    answers = list(predict([prompt_of("x")] * 40, lambda _: refused, patience=2))
    assert answers == [refused] * 40


def test_what_was_answered_comes_out_before_the_error_of_the_prompts() -> None:
    def prompts() -> Iterator[Messages]:
        yield prompt_of("a")
        yield prompt_of("b")
        raise SourceError("the file ends too early")

    answers: list[str | None] = []
    with pytest.raises(SourceError, match="too early"):
        answers.extend(answer.text for answer in predict(prompts(), echo))
    assert answers == ["A", "B"]


def test_whoever_stops_listening_stops_the_asking() -> None:
    n_asked = 0

    def ask(messages: Messages) -> Answer:
        nonlocal n_asked
        n_asked += 1
        return echo(messages)

    answers = predict((prompt_of(str(n)) for n in range(1_000)), ask, n_at_once=2)
    next(answers)
    answers.close()  # type: ignore[attr-defined]  # a generator
    assert n_asked <= 2 * 4 + 1


# ── files of prompts ──


def test_a_line_is_a_prompt_and_a_blank_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_bytes("\ufeffÅ first\r\n\n  \n second \n".encode() + b"\xff\nlast")
    assert texts(prompt_files.read(str(path), "auto", None)) == [
        "Å first",
        " second ",
        None,
        "last",
    ]


def test_messages_are_taken_as_they_are(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "ü"}]
    path = tmp_path / "prompts.jsonl"
    path.write_text(json.dumps({"messages": messages}) + "\n")
    assert list(prompt_files.read(str(path), "jsonl", None)) == [messages]
    assert list(prompt_files.read(str(path), "auto", None)) == [messages]


@pytest.mark.parametrize(
    "line", ["no json", "5", "{}", '{"messages": []}', '{"messages": [5]}', "[" * 100_000]
)
def test_a_line_that_is_no_conversation_is_counted_in_jsonl(tmp_path: Path, line: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(f"{line}\n")
    assert list(prompt_files.read(str(path), "jsonl", None)) == [None]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_column_is_one_prompt_per_row(tmp_path: Path, form: str) -> None:
    table = pa.table({"id": [1, 2, 3], "question": ["a\nb", None, "NA"]})
    path = tmp_path / f"prompts.{form}"
    if form == "csv":
        pacsv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    assert texts(prompt_files.read(str(path), form, "question")) == ["a\nb", None, "NA"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_that_is_no_table_is_refused_without_a_word_of_it(tmp_path: Path, form: str) -> None:
    path = tmp_path / "prompts"
    path.write_text(f'question,id\n"{CANARY}\n')
    with pytest.raises(SourceError, match=f"cannot be read as {form}") as error:
        list(prompt_files.read(str(path), form, "answer"))
    assert CANARY not in str(error.value)


# ── the command ──


@pytest.fixture
def api() -> Iterator[ChatApi]:
    with serve_chat(ChatApi(rule=lambda body: body["messages"][-1]["content"].upper())) as served:
        yield served


@dataclass(frozen=True, slots=True)
class Command:
    """`sealtune predict` with a vault of its own."""

    folder: Path

    @property
    def ledger(self) -> Path:
        """File of the ledger."""
        return self.folder / "vault" / "ledger.sqlite"

    def run(self, *args: str, stdin: bytes = b"") -> Result:
        """Run the command and return how it ended."""
        env = {"SEALTUNE_VAULT_DIR": str(self.ledger.parent), "SEALTUNE_API_KEY": API_KEY}
        return CliRunner().invoke(cli.app, ["predict", *args], input=stdin, env=env)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def rows_of(output: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_stdin_goes_through_the_newest_tuned_model_of_a_dataset(
    api: ChatApi, command: Command
) -> None:
    for n in (1, 2):
        tuned = {"key": str(n) * 64, "fine_tuned_model": f"ft:{n}"}
        record(command.ledger, dataset="tickets", base_url=api.base_url, **tuned)
    other = {"key": "3" * 64, "fine_tuned_model": "ft:3"}
    record(command.ledger, dataset="x", base_url=api.base_url, **other)
    api.faults += [Refusal(503, headers={"retry-after-ms": "1"})]
    done = command.run("--dataset", "tickets", stdin=f"{CANARY} é\nsecond\n".encode())
    assert (done.exit_code, done.stderr) == (0, "answered 2 of 2 prompts\n")
    assert [row["text"] for row in rows_of(done.stdout_bytes)] == [f"{CANARY} É", "SECOND"]
    assert {body["model"] for body in api.bodies} == {"ft:2"}
    left = [path for path in command.folder.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in path.read_bytes() for path in left)


def test_a_failed_prompt_is_a_row_with_its_code_and_the_command_fails(
    api: ChatApi, command: Command, tmp_path: Path
) -> None:
    api.rule = lambda body: (
        Refusal(400, "content_filter") if body["messages"][-1]["content"] == CANARY else "fine"
    )
    prompts = tmp_path / "prompts.jsonl"
    lines = [json.dumps({"messages": prompt_of(text)}) for text in ("a", CANARY, "b")]
    prompts.write_text("\n".join([*lines, "no json"]))
    out = tmp_path / "answers.jsonl"
    told = ("--model", "m", "--base-url", api.base_url, "--file", str(prompts), "--out", str(out))
    done = command.run(*told)
    assert done.exit_code == 1
    assert "2 prompts failed (content_filter 1, unreadable_prompt 1)" in done.stderr
    rows = rows_of(out.read_bytes())
    assert [(row["index"], row["text"], row["error_code"]) for row in rows] == [
        (0, "fine", None),
        (1, None, "content_filter"),
        (2, "fine", None),
        (3, None, "unreadable_prompt"),
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not any(secret in done.output for secret in (CANARY, "sk-"))
    again = command.run(*told)
    assert again.exit_code == 1
    assert "cannot write the answers" in again.stderr
    assert rows_of(out.read_bytes()) == rows


def test_prompts_leave_this_machine_only_where_that_is_said_to_be_right(command: Command) -> None:
    done = command.run("hello", "--model", "m", "--base-url", "https://host.invalid/v1")
    assert done.exit_code == 1
    assert "would leave this machine for host.invalid" in done.stderr


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("hello", "--dataset", "tickets"), 1),
        (("hello",), 2),
        (("hello", "--model", "m"), 2),
        (("--dataset", "a", "--model", "m", "--base-url", "http://127.0.0.1:9"), 2),
        (("--model", "m", "--base-url", "http://127.0.0.1:9", "--file", "a.csv"), 2),
        (("--model", "m", "--base-url", "http://127.0.0.1:9", "--format", "xml"), 2),
    ],
)
def test_a_command_that_means_no_model_or_no_file_is_refused(
    command: Command, args: tuple[str, ...], code: int
) -> None:
    done = command.run(*args)
    assert (done.exit_code, done.stdout) == (code, "")
