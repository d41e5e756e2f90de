"""Rows for people to correct, those first that a tuned model doubts.

Where the backend tells log-probabilities (the local server does), the doubt about an example is one
minus the probability that the model gives its recorded answer: among the answers that there are,
where labels are asked for, and by token where texts are. So it is high where the model is unsure
and where it is sure of something else, which is how wrong labels look (self-confidence; Northcutt,
Jiang, Chuang, "Confident learning", JAIR 70, 2021). Elsewhere all that can be said is whether the
answers agree.

What is written is what `python_stages.feedback` reads, and scrubbed text alone.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np

from python_stages.errors import BackendError, StageError
from python_stages.evaluate import Example, Task, task_of
from python_stages.evaluate.tasks import normalised
from python_stages.feedback import COLUMNS, CONTEXT
from python_stages.jobs.predict import Answer, Sampling, predict
from python_stages.render.fit import count_tokens
from python_stages.seal.sealed_format import NAME

if TYPE_CHECKING:
    from python_stages.backends.chat import ChatClient

# What a spreadsheet takes for a formula when a cell begins with it.
# https://owasp.org/www-community/attacks/CSV_Injection (2026-11)
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Doubt:
    """An example, and what a model makes of it.

    Attributes:
        example: the example.
        answer: what the model answers; None where it gave no answer.
        uncertainty: 0 (sure of the recorded answer) to 1; None where the backend does not tell.
        agrees: whether the model answers what is recorded.
    """

    example: Example
    answer: str | None
    uncertainty: float | None
    agrees: bool


def candidates(con: duckdb.DuckDBPyConnection, dataset: str, n: int) -> list[Example]:
    """Return the first examples of a dataset that nobody reviewed, by their id, a keyed hash.

    Args:
        con: a connection whose schema is that of the models.
        dataset: name of the dataset.
        n: how many at most.

    Raises:
        StageError: the dataset is not built.
    """
    if not NAME.fullmatch(dataset):
        raise StageError("this is no name of a dataset: it is that of a folder in models/")
    tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    if f"{dataset}_examples" not in tables:
        raise StageError(f"there are no examples of {dataset} yet: run dbt build -s {dataset}+")
    reviewed = (
        f"select example_id from {dataset}_feedback where outcome in ('merged', 'confirmed')"  # noqa: S608 - a name that was checked
        if f"{dataset}_feedback" in tables
        else "select null where false"
    )
    rows = con.execute(
        f"from {dataset}_examples select example_id, fingerprint, label, messages "
        f"where example_id not in ({reviewed}) order by example_id limit ?",
        [n],
    ).fetchall()
    return [Example.from_row(*row) for row in rows]


def doubts(
    examples: Sequence[Example],
    client: "ChatClient",
    model: str,
    sampling: Sampling,
    *,
    tells: bool,
    n_at_once: int = 4,
) -> list[Doubt]:
    """Ask a model about every example; return them all, the most doubtful first.

    Args:
        examples: what is asked about.
        client: where the model answers.
        model: its name there.
        sampling: how an answer is drawn.
        tells: whether the host tells log-probabilities of given answers.
        n_at_once: prompts under way at the same time.

    Raises:
        BackendError: it did not answer them all.
    """
    task = task_of((one.label, one.reference) for one in examples)
    if tells and task.kind == "classification":
        found = [_of_labels(one, task, client, model) for one in examples]
    else:
        answers = predict(
            (one.prompt for one in examples),
            lambda messages: client.ask(model, messages, sampling),
            n_at_once=n_at_once,
        )
        found = [
            _of_text(one, answer, task, client if tells else None, model)
            for one, answer in zip(examples, answers, strict=True)
        ]
    return sorted(found, key=_order)


def to_csv(found: Iterable[Doubt]) -> Iterator[bytes]:
    """Yield the lines of a file to correct: `COLUMNS`, empty but for the id, and `CONTEXT`."""
    buffer = io.StringIO(newline="")
    # all are quoted: a reader takes a carriage return that is not for the end of a record
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([*COLUMNS, *CONTEXT])
    for one in found:
        told = "agrees" if one.agrees else "disagrees"
        context = (
            one.example.user_text,
            one.example.reference,
            one.answer or "",
            told if one.uncertainty is None else f"{one.uncertainty:.4f}",
        )
        blank = [""] * (len(COLUMNS) - 1)
        writer.writerow([one.example.example_id, *blank, *map(_no_formula, context)])
    # half a surrogate pair, which a model may answer, is no text
    yield buffer.getvalue().encode("utf-8", "backslashreplace")


def _of_labels(example: Example, task: Task, client: "ChatClient", model: str) -> Doubt:
    """Return the doubt about a label, from the probabilities of all of them."""
    labels, answers = list(task.answers), list(task.answers.values())
    scores = np.array(client.score(model, example.prompt, answers), dtype=np.float64)
    shares = np.exp(scores - np.logaddexp.reduce(scores))
    best = int(shares.argmax())
    share = float(shares[labels.index(example.label)])
    return Doubt(example, answers[best], 1.0 - share, labels[best] == example.label)


def _of_text(
    example: Example, answer: Answer, task: Task, client: "ChatClient | None", model: str
) -> Doubt:
    """Return the doubt about a text; `client` where it tells log-probabilities."""
    if answer.failure is not None and answer.failure.reach != "prompt":
        raise BackendError(f"the model did not answer ({answer.failure.code}): ask again later")
    said, told = answer.text or "", None
    if task.kind == "classification":
        label = task.label_of(said)
        agrees, told = label == example.label, None if label is None else task.answers[label]
    else:
        agrees = normalised(said) == normalised(example.reference)
    uncertainty = None
    if client is not None:
        (score,) = client.score(model, example.prompt, [example.reference])
        # by token, or long answers would always be doubtful
        uncertainty = 1.0 - float(np.exp(score / max(1, count_tokens(example.reference))))
    # in words of its own a model may say what it memorised, which nothing has scrubbed
    return Doubt(example, told, uncertainty, agrees)


def _order(one: Doubt) -> tuple[float, bool, str]:
    return -(one.uncertainty or 0.0), one.agrees, one.example.example_id


def _no_formula(cell: str) -> str:
    """Return a cell that no spreadsheet computes; nobody reads these columns back."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell
