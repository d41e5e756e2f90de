"""What a tuned model doubts comes first, by the log-probabilities that the local server tells."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from python_stages import review
from python_stages.backends.chat import ChatClient
from python_stages.evaluate import Example
from python_stages.feedback import COLUMNS, CONTEXT, read_folder
from python_stages.jobs.predict import Sampling
from tests.python_stages.local.serving import Server, create, lines, upload, wait

SAMPLING = Sampling(8)


@pytest.fixture(scope="module")
def model(client: openai.OpenAI) -> str:
    """Return a model that says "abc" three times as readily as "abd"."""
    content = lines(15, "abc") + lines(5, "abd")
    return str(wait(client, create(client, upload(client, content)).id).fine_tuned_model)


@pytest.fixture
def asking(server: Server) -> Iterator[ChatClient]:
    with ChatClient(server.address.base_url, api_key=server.token) as opened:
        yield opened


def example(number: int, answer: str, label: str | None = None) -> Example:
    prompt = ({"role": "user", "content": f"=question {number}"},)
    return Example(f"{number:032x}", "f", label or answer, prompt, answer)


def test_labels_that_the_model_gives_little_to_come_first(asking: ChatClient, model: str) -> None:
    examples = [example(n, "abd" if n in {2, 3} else "abc") for n in range(6)]
    found = review.doubts(examples, asking, model, SAMPLING, tells=True)
    assert [int(one.example.example_id, 16) for one in found] == [2, 3, 0, 1, 4, 5]
    assert [one.uncertainty for one in found] == pytest.approx([0.75] * 2 + [0.25] * 4)
    assert {one.answer for one in found} == {"abc"}
    assert [one.agrees for one in found] == [False] * 2 + [True] * 4


def test_texts_are_doubted_by_the_token(asking: ChatClient, model: str) -> None:
    examples = [example(0, "abc", "x"), example(1, "zzz", "x"), example(2, "abd", "x")]
    found = review.doubts(examples, asking, model, SAMPLING, tells=True)
    assert [int(one.example.example_id, 16) for one in found] == [1, 2, 0]
    assert found[0].uncertainty == pytest.approx(1.0, abs=1e-3)


def test_a_host_that_tells_nothing_puts_disagreement_first(asking: ChatClient, model: str) -> None:
    examples = [example(n, "abd" if n == 3 else "abc") for n in range(4)]
    found = review.doubts(examples, asking, model, SAMPLING, tells=False)
    assert [int(one.example.example_id, 16) for one in found] == [3, 0, 1, 2]
    assert {one.uncertainty for one in found} == {None}


def test_what_is_written_is_what_feedback_reads_and_no_formula(
    asking: ChatClient, model: str, tmp_path: Path
) -> None:
    found = review.doubts(
        [example(7, "abc"), example(8, "abc")], asking, model, SAMPLING, tells=True
    )
    (text,) = review.to_csv(found)
    (tmp_path / "a.csv").write_bytes(text)
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert tuple(rows[0]) == (*COLUMNS, *CONTEXT)
    assert rows[0]["question"] == "'=question 7"
    records = read_folder(tmp_path)
    assert [one.example_id for one in records] == [f"{7:032x}", f"{8:032x}"]
    assert all(one.is_blank for one in records)
