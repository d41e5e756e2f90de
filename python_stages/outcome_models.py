"""What the Python models in models/outcomes call: ask the tuned models, then score the answers.

The newest job of a dataset that succeeded is evaluated, on the very lines that it was submitted
with, or on later ones that were sealed and not worth another job: where the lines, the backend, the
address or the region are others by now, nothing is asked, and what was found out before stays. So a
validation prompt goes to the provider that trained on the other lines of its dataset, under the
same consent, and nowhere else. The model that it would replace is asked the same examples; none was
in the training of either, nor of what one goes on from.

An answer is paid for once (paid_answers.py). What has no answer yet is a row with an error code,
and asked again by the next build.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from python_stages import evaluate, keys, settings
from python_stages.errors import value_free
from python_stages.evaluate import Bootstrap, EvaluateSettings, Example, Prediction, Role, Task
from python_stages.hooks import fingerprint_relation
from python_stages.jobs.chat import chat_place
from python_stages.jobs.hooks import ledger_path
from python_stages.jobs.ledger import Ledger, LedgerRow
from python_stages.jobs.paid_answers import PaidAnswer, PaidAnswers, Question
from python_stages.jobs.predict import Answer, Messages, Sampling, predict
from python_stages.jobs.promotion import Contest, contest
from python_stages.jobs.settings import JobSettings
from python_stages.trained_lines import held_back

if TYPE_CHECKING:
    from python_stages.backends.chat import ChatClient

_VERSION: Final = 1  # of how examples become questions, and answers predictions
_LEAST_TOKENS: Final = 16
_EXAMPLE: Final = "example_id, fingerprint, label, messages"
Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """One job to evaluate: its examples, and how it is asked."""

    job: LedgerRow
    previous: LedgerRow | None
    wanted: EvaluateSettings
    task: Task
    training: Sequence[Example]
    asked: Sequence[Example]
    sampling: Sampling
    run_hash: str


def predictions(
    session: duckdb.DuckDBPyConnection,
    examples: duckdb.DuckDBPyRelation,
    evaluation_settings: duckdb.DuckDBPyRelation,
    this: str,
    *,
    is_new: bool,
) -> pa.Table:
    """Ask the newest tuned model of every dataset, those that it is compared with, and baselines.

    Args:
        session: dbt's connection.
        examples: rows of all datasets: dataset, example_id, split, label, messages, fingerprint.
        evaluation_settings: rows of dataset, job and evaluate, the last two as JSON.
        this: the relation that is built, quoted for SQL.
        is_new: whether it is built from nothing; else it keeps the jobs that are not returned.

    Returns:
        Rows of `evaluate.PREDICTIONS_SCHEMA` for every job whose predictions are new.
    """
    rows: list[Prediction] = []
    with value_free("predict"):
        if ledger_path().exists():
            ring = keys.load(settings.keys_folder())
            known = frozenset() if is_new else _complete_runs(session, this)
            schema = this.rpartition(".")[0]
            for dataset, job, wanted in evaluation_settings.fetchall():
                # reading the settings refuses where consent is missing
                now = JobSettings.from_config(json.loads(job))
                with Ledger(ledger_path()) as ledger:
                    models = contest(ledger, dataset, now)
                if models is None:
                    continue
                of_dataset = examples.filter(_equals("dataset", dataset))
                evaluation = _evaluation(
                    models,
                    EvaluateSettings.from_config(json.loads(wanted)),
                    _Lines(session, of_dataset, schema, ring),
                    known,
                )
                if evaluation is not None:
                    key = ring.hmac_key("evaluate.question")
                    paid = PaidAnswers(session, schema, dataset, key)
                    rows += _predicted(evaluation, paid)
        return evaluate.to_table(rows, evaluate.PREDICTIONS_SCHEMA)


def evaluations(relation: duckdb.DuckDBPyRelation, config: Config | None = None) -> pa.Table:
    """Score every model of every job; rows of `evaluate.EVALUATIONS_SCHEMA`.

    Args:
        relation: the predictions.
        config: what `Bootstrap` takes.
    """
    with value_free("evaluate"):
        return evaluate.evaluations(relation.to_arrow_table(), Bootstrap(**(config or {})))


def evaluation_classes(relation: duckdb.DuckDBPyRelation, config: Config | None = None) -> pa.Table:
    """Score every class; rows of `evaluate.CLASSES_SCHEMA`; arguments as of `evaluations`."""
    with value_free("evaluate"):
        return evaluate.evaluation_classes(relation.to_arrow_table(), Bootstrap(**(config or {})))


@dataclass(frozen=True, slots=True)
class _Lines:
    """A dataset's examples as they are now, and where to look what was trained on."""

    session: duckdb.DuckDBPyConnection
    examples: duckdb.DuckDBPyRelation
    schema: str
    ring: keys.KeyRing

    def unseen(self, fingerprints: Collection[str]) -> duckdb.DuckDBPyRelation | None:
        """Return the examples that none of these lines hold; None where nobody knows."""
        return held_back(self.session, self.examples, self.schema, fingerprints)


def _evaluation(
    models: Contest, wanted: EvaluateSettings, lines: _Lines, known: frozenset[tuple[str, str]]
) -> _Evaluation | None:
    """Return what is to be asked; None where nothing is, or where these are not the job's lines."""
    job, previous = models.job, models.previous
    if not wanted.max_examples:
        return None
    now = fingerprint_relation(lines.examples, lines.ring) if models.stands_for else None
    is_later = now in models.stands_for
    facts = {**asdict(wanted), "n_at_once": None, "job": job.key, "version": _VERSION}
    facts |= {"lines": now} if is_later else {}
    facts |= {} if previous is None else {"previous": previous.key}
    run_hash = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    if (job.key, run_hash) in known:
        return None
    now = now or fingerprint_relation(lines.examples, lines.ring)
    if not is_later and now != job.dataset_fingerprint:
        return None
    trained_on = models.trained_on | ({job.dataset_fingerprint} if is_later else set())
    unseen = None if previous is None else lines.unseen(trained_on | models.previous_on)
    if unseen is None:
        # what is not on record is not compared with
        previous, unseen = None, lines.unseen(trained_on)
    asked = [] if unseen is None else _first(unseen, "validation", wanted.max_examples)
    training = _first(lines.examples, "train", evaluate.MAX_TRAINING_EXAMPLES)
    if not asked:
        return None
    task = evaluate.task_of((one.label, one.reference) for one in (*training, *asked))
    # room for the longest answer, rounded so that it seldom changes
    longest = max(len(one.reference.encode()) for one in (*training, *asked))
    room = max(_LEAST_TOKENS, 1 << (longest - 1).bit_length())
    sampling = Sampling(wanted.max_tokens or room, seed=wanted.seed)
    return _Evaluation(job, previous, wanted, task, training, asked, sampling, run_hash)


def _first(examples: duckdb.DuckDBPyRelation, split: str, n: int) -> list[Example]:
    """Return the first examples of a split by id, a keyed hash: the same sample every time."""
    rows = examples.filter(_equals("split", split)).order("example_id").limit(n).project(_EXAMPLE)
    return [Example.from_row(*row) for row in rows.fetchall()]


def _predicted(evaluation: _Evaluation, paid: PaidAnswers) -> Iterator[Prediction]:
    """Yield what every model says to every example."""
    job = evaluation.job
    place = chat_place(job)
    with place.opened() as client:
        yield from _asked(evaluation, "tuned", place.model, client, paid)
        previous = None if evaluation.previous is None else chat_place(evaluation.previous).model
        # one deployment answers for one model at a time
        if previous is not None and previous != place.model:
            yield from _asked(evaluation, "previous", previous, client, paid)
        if evaluation.wanted.base and job.base_model != previous:
            yield from _asked(evaluation, "base", job.base_model, client, paid)
    if evaluation.task.kind == "classification" and evaluation.training:
        labels = [one.label for one in evaluation.training]
        texts = [one.user_text for one in evaluation.training]
        asked = [one.user_text for one in evaluation.asked]
        commonest = evaluate.commonest(labels, len(asked))
        yield from _labelled(evaluation, "majority", commonest)
        yield from _labelled(evaluation, "tfidf", evaluate.tf_idf(texts, labels, asked))


def _asked(
    evaluation: _Evaluation, role: Role, model: str, client: "ChatClient", paid: PaidAnswers
) -> Iterator[Prediction]:
    """Ask a model what it was not asked yet; yield its predictions. Equal prompts are one."""
    from python_stages.backends.chat import REFUSED_CODES  # noqa: PLC0415 - loads the client

    job, sampling = evaluation.job, evaluation.sampling
    made_by = {"tuned": job, "previous": evaluation.previous}.get(role)
    job_id = None if made_by is None else made_by.job_id

    def hash_of(messages: Messages) -> str:
        return paid.hash(Question(job.base_url, model, job_id, messages, sampling))

    def ask(messages: Messages) -> Answer:
        answer = client.ask(model, messages, sampling)
        if answer.failure is None or answer.failure.code in REFUSED_CODES:
            paid.keep(hash_of(messages), answer)
        return answer

    prompts = {hash_of(one.prompt): one.prompt for one in evaluation.asked}
    known = paid.find(prompts)
    missing = {question: prompt for question, prompt in prompts.items() if question not in known}
    came = predict(missing.values(), ask, n_at_once=evaluation.wanted.n_at_once)
    unpaid = {question: PaidAnswer(one, None) for question, one in zip(missing, came, strict=True)}
    answers = {**unpaid, **paid.find(prompts)}
    for example in evaluation.asked:
        yield _prediction(evaluation, role, model, example, answers[hash_of(example.prompt)])


def _prediction(
    evaluation: _Evaluation, role: Role, model: str, example: Example, paid: PaidAnswer
) -> Prediction:
    """Judge an answer; one that was not paid for is none yet."""
    answer, task = paid.answer, evaluation.task
    label = None if answer.text is None else task.label_of(answer.text)
    is_good = label is not None if task.kind == "classification" else answer.failure is None
    return Prediction(
        **_of_example(evaluation, example),
        model_role=role,
        model=model,
        predicted=label,
        is_valid=None if paid.at is None else is_good,
        answer=answer.text,
        finish_reason=answer.finish_reason,
        n_prompt_tokens=answer.n_prompt_tokens,
        n_answer_tokens=answer.n_answer_tokens,
        error_code=None if answer.failure is None else answer.failure.code,
        answered_at=paid.at,
    )


def _labelled(evaluation: _Evaluation, role: Role, labels: Sequence[str]) -> Iterator[Prediction]:
    """Yield the predictions of a baseline."""
    for example, label in zip(evaluation.asked, labels, strict=True):
        yield Prediction(
            **_of_example(evaluation, example),
            model_role=role,
            model=None,
            predicted=label,
            is_valid=True,
            answer=evaluation.task.answers[label],
        )


def _of_example(evaluation: _Evaluation, example: Example) -> dict[str, Any]:
    """Return the columns that say what was asked."""
    return {
        "job_key": evaluation.job.key,
        "dataset": evaluation.job.dataset,
        "example_id": example.example_id,
        "example_fingerprint": example.fingerprint,
        "task": evaluation.task.kind,
        "label": example.label,
        "reference": example.reference,
        "run_hash": evaluation.run_hash,
    }


def _complete_runs(session: duckdb.DuckDBPyConnection, this: str) -> frozenset[tuple[str, str]]:
    """Return job and run hash of the runs in which nothing is missing."""
    rows = session.execute(
        f"select job_key, run_hash from {this} "  # noqa: S608 - dbt's own name of the relation
        "group by all having bool_and(is_valid is not null)"
    ).fetchall()
    return frozenset((job_key, run_hash) for job_key, run_hash in rows)


def _equals(column: str, value: str) -> duckdb.Expression:
    return duckdb.ColumnExpression(column) == duckdb.ConstantExpression(value)
