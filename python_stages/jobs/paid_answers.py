"""Answers that were paid for: a table of the vault, under a keyed hash of what was asked.

Each answer is committed when it comes, by a cursor of its own, so that neither a failed build nor a
killed one asks the same again. The table belongs to no dbt model: a full refresh leaves it alone.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final

import duckdb

from python_stages.jobs.predict import Answer, Failure, Messages, Sampling

_ANSWER: Final = (
    "question_hmac, text, finish_reason, n_prompt_tokens, n_answer_tokens, refused_code, "
    "answered_at"
)


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that an answer follows from.

    Args:
        base_url: where it is asked.
        model: name that is called.
        job_id: the provider's id of the job that made the model, so that another model of the same
            name has answers of its own; None of a base model.
        messages: the conversation.
        sampling: how the answer is drawn.
    """

    base_url: str
    model: str
    job_id: str | None
    messages: Messages
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class PaidAnswer:
    """An answer and when it came, UTC; None where it was not paid for, and is a failure."""

    answer: Answer
    at: datetime | None


class PaidAnswers:
    """The table, opened; may be used by several threads at once.

    Args:
        con: a connection to the vault.
        schema: where the table lies, quoted for SQL; it is created there where missing.
        dataset: whose questions are asked; dropping the dataset drops its answers.
        key: key of the hashes.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, schema: str, dataset: str, key: bytes
    ) -> None:
        self._con = con.cursor()
        self._lock = Lock()
        self._dataset = dataset
        self._key = key
        self._table = f"{schema}.paid_answers"
        self._con.execute(
            f"create table if not exists {self._table} ("
            "question_hmac varchar not null, text varchar, finish_reason varchar, "
            "n_prompt_tokens bigint, n_answer_tokens bigint, refused_code varchar, "
            "answered_at timestamptz not null, dataset varchar not null)"
        )

    def hash(self, question: Question) -> str:
        """Return the keyed hash (HMAC-SHA256, hex) of a question."""
        canonical = json.dumps(asdict(question), sort_keys=True, separators=(",", ":"))
        return hmac.digest(self._key, canonical.encode(), "sha256").hex()

    def find(self, hashes: Iterable[str]) -> Mapping[str, PaidAnswer]:
        """Return the answers that there are, by the hash of their question."""
        with self._lock:
            rows = self._con.execute(
                f"select {_ANSWER} from {self._table} "  # noqa: S608 - our own table
                "where question_hmac in (select unnest(?::varchar[]))",
                [list(hashes)],
            ).fetchall()
        return {
            question: PaidAnswer(
                Answer(text, reason, n_prompt, n_answer, _refused(code)), at.astimezone(UTC)
            )
            for question, text, reason, n_prompt, n_answer, code, at in rows
        }

    def keep(self, question_hash: str, answer: Answer) -> None:
        """Commit an answer, or the refusal of a prompt for good."""
        failure = answer.failure
        row = [
            *(question_hash, answer.text, answer.finish_reason),
            *(answer.n_prompt_tokens, answer.n_answer_tokens),
            *(None if failure is None else failure.code, datetime.now(UTC), self._dataset),
        ]
        with self._lock:
            self._con.execute(
                f"insert into {self._table} ({_ANSWER}, dataset) "  # noqa: S608 - our own table
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )


def _refused(code: str | None) -> Failure | None:
    return None if code is None else Failure(code, "prompt")
