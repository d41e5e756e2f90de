"""`sealtune predict`: prompts through a tuned model."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from python_stages import settings
from python_stages.backends.addresses import host_of, normalised_url
from python_stages.cli.review import write_review
from python_stages.errors import ConfigError, LedgerError, SealtuneError
from python_stages.jobs import prompt_files
from python_stages.jobs.predict import Answer, Sampling
from python_stages.jobs.predict import predict as ask_all

if TYPE_CHECKING:
    from python_stages.jobs.chat import ChatPlace


def predict(
    prompt: Annotated[
        str | None,
        typer.Argument(
            help="One short prompt. Other users of this machine can read it in the process list: "
            "give what is private by --file or stdin.",
            show_default=False,
        ),
    ] = None,
    *,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Ask the model of this dataset that was promoted last, else that of its newest "
            "job that succeeded."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Or this model, at --base-url.")] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Address that --model answers at, such as https://host/v1.")
    ] = None,
    file: Annotated[
        str, typer.Option("--file", "-f", metavar="FILE", help="File of prompts, or - for stdin.")
    ] = "-",
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="auto (by the ending, and by the line), lines (one prompt each), jsonl "
            '({"messages": [...]} each), csv, parquet.',
        ),
    ] = "auto",
    column: Annotated[
        str | None, typer.Option(help="Column of a CSV or Parquet file that holds the prompts.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="New file for the answers, only yours. (default: stdout)"),
    ] = None,
    max_tokens: Annotated[int, typer.Option(help="Longest answer, in tokens.", min=1)] = 256,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest word each time.", min=0, max=2)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Wish to the host for the same answer again.")] = 7,
    concurrency: Annotated[
        int, typer.Option(help="Prompts under way at the same time.", min=1, max=256)
    ] = 4,
    retries: Annotated[
        int,
        typer.Option(help="Tries after the first: timeouts, rate limits, 5xx.", min=0, max=20),
    ] = 5,
    timeout: Annotated[float, typer.Option(help="Seconds without a sign of life.", min=0.1)] = 120,
    allow_upload: Annotated[
        bool, typer.Option("--allow-upload", help="The prompts may leave this machine.")
    ] = False,
    review: Annotated[
        bool,
        typer.Option(
            "--review",
            help="Ask about the dataset's own examples instead, and write those to --out that "
            "people should correct, uncertain ones first, as the var feedback reads them.",
        ),
    ] = False,
    rows: Annotated[int, typer.Option(help="Rows to correct, with --review.", min=1)] = 100,
    candidates: Annotated[
        int, typer.Option(help="Examples that they are picked from, with --review.", min=1)
    ] = 500,
) -> None:
    """Put prompts, as they are, through a tuned model; one JSON line per prompt, in order.

    A line of a text file is one prompt; blank lines are none.
    A prompt that fails is a line with an error_code; none is lost.
    Once a key or a model is refused, or many in a row have failed, the others are
    not sent and carry the same code.
    No file is written unless --out names one. Keys come from the environment.

    Exit codes: 0 every prompt was answered; 1 refused, or some failed; 2 usage.

    Example: sealtune predict --dataset transactions --file prompts.jsonl --out answers.jsonl

    Example: sealtune predict --dataset transactions --review --out review.csv
    """
    chosen, tells = _place(dataset, model, base_url)
    _check_consent(chosen, is_allowed=allow_upload)
    sampling = Sampling(max_tokens, temperature, seed)
    if review:
        if dataset is None or out is None or str(out) == "-" or prompt or file != "-":
            raise typer.BadParameter("--review goes with --dataset and --out FILE, and no prompts")
        write_review(
            chosen,
            dataset,
            out,
            tells=tells,
            sampling=sampling,
            n_rows=rows,
            n_candidates=candidates,
            n_at_once=concurrency,
        )
        return
    if (found := prompt_files.form_of(file, form)) is None:
        raise typer.BadParameter(f"--format is one of {', '.join(prompt_files.FORMATS)}")
    if (found in prompt_files.TABLES) != (column is not None):
        raise typer.BadParameter("--column goes with CSV and Parquet, and they with it")
    prompts = (
        prompt_files.read(file, found, column) if prompt is None else prompt_files.of_text(prompt)
    )
    with (
        chosen.opened(timeout_seconds=timeout, n_retries=retries) as client,
        _sink(out) as sink,
    ):
        ask = partial(client.ask, chosen.model, sampling=sampling)
        outcomes = _write(ask_all(prompts, ask, n_at_once=concurrency), sink)
    _report(outcomes)


def _place(
    dataset: str | None, model: str | None, base_url: str | None
) -> tuple["ChatPlace", bool]:
    """Return where the model answers that is meant, and whether it tells log-probabilities.

    Raises:
        LedgerError: no job of the dataset has a tuned model.
        typer.BadParameter: no model, or two, are named.
    """
    from python_stages.jobs import chat as job_chat
    from python_stages.jobs import hooks as job_hooks
    from python_stages.jobs import ledger, promotion

    if dataset is None:
        if not (model and base_url):
            raise typer.BadParameter("give --dataset, or --model and --base-url")
        url = normalised_url(base_url)
        return job_chat.ChatPlace(url, model, settings.api_key("compatible")), False
    if model or base_url:
        raise typer.BadParameter("--dataset leaves nothing to --model and --base-url")
    path = job_hooks.ledger_path()
    row = None
    if path.exists():
        with ledger.Ledger(path) as opened:
            row = promotion.promoted(opened, dataset) or job_chat.newest_tuned(
                opened.jobs(), dataset
            )
    if row is None:
        raise LedgerError(
            "no job of this dataset has a tuned model, and one that is planned gets none: "
            "see sealtune jobs list, or name a model with --model and --base-url"
        )
    return job_chat.chat_place(row), row.backend == "local"


def _check_consent(place: "ChatPlace", *, is_allowed: bool) -> None:
    """Refuse to let prompts leave this machine unless that was said to be right."""
    if not (is_allowed or place.stays_here):
        raise ConfigError(
            f"the prompts would leave this machine for {host_of(place.base_url)}; if that is "
            "allowed, say so with --allow-upload"
        )


@contextmanager
def _sink(out: Path | None) -> Iterator[BinaryIO]:
    if out is None or str(out) == "-":
        yield sys.stdout.buffer
        return
    from python_stages.seal.reader import create_file

    try:
        opened = create_file(out.absolute())
    except OSError as error:
        raise ConfigError(f"cannot write the answers: {error.strerror}; name a new file") from None
    with opened:
        yield opened


def _write(answers: Iterable[Answer], sink: BinaryIO) -> "Counter[str | None]":
    """Write each answer when its turn comes; return how many had which error code."""
    outcomes: Counter[str | None] = Counter()
    for index, answer in enumerate(answers):
        code = None if answer.failure is None else answer.failure.code
        row = {
            "index": index,
            "text": answer.text,
            "finish_reason": answer.finish_reason,
            "n_prompt_tokens": answer.n_prompt_tokens,
            "n_answer_tokens": answer.n_answer_tokens,
            "error_code": code,
        }
        # half a surrogate pair becomes an escape, which is JSON too
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")
        sink.write(line + b"\n")
        sink.flush()
        outcomes[code] += 1
    return outcomes


def _report(outcomes: "Counter[str | None]") -> None:
    """Say how it went; end with 1 where a prompt failed."""
    n_prompts, n_answered = outcomes.total(), outcomes.pop(None, 0)
    typer.echo(f"answered {n_answered:,} of {n_prompts:,} prompts", err=True)
    if outcomes:
        failed = ", ".join(f"{code} {n:,}" for code, n in outcomes.most_common())
        raise SealtuneError(f"{n_prompts - n_answered:,} prompts failed ({failed}); ask them again")
