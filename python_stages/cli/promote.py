"""`sealtune promote`: a tuned model takes the place of the last, unless it is worse."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from python_stages.cli.as_json import AsJson, report
from python_stages.errors import LedgerError, StageError

if TYPE_CHECKING:
    from python_stages.evaluate.paired import Paired
    from python_stages.jobs.ledger import Ledger, LedgerRow


def promote(
    dataset: Annotated[str, typer.Option(help="Whose model.")],
    *,
    job: Annotated[
        str | None,
        typer.Option(help="Key of its job, or the beginning of it. (default: the newest)"),
    ] = None,
    margin: Annotated[
        float, typer.Option(help="How much worse it may at most be, of 1.", min=0, max=1)
    ] = 0.05,
    least: Annotated[int, typer.Option(help="Examples that both must have answered.", min=2)] = 30,
    as_json: AsJson = False,
) -> None:
    """Make a tuned model the one that `sealtune predict --dataset` asks, unless it is worse.

    It is compared with the one that was promoted last, on the validation examples that
    both were asked: the same question and answer for both, in training of neither. It is
    refused where the 95 % interval of the difference lies below 0, or reaches below
    -margin. The first one has no rival.

    Exit codes: 0 it is in use; 1 refused; 2 usage.

    Example: sealtune promote --dataset transactions
    """
    from python_stages.jobs import hooks as job_hooks
    from python_stages.jobs import promotion
    from python_stages.jobs.ledger import Ledger

    if not job_hooks.ledger_path().exists():
        raise LedgerError("there is no ledger yet: dbt build writes it")
    with Ledger(job_hooks.ledger_path()) as ledger:
        row = _candidate(ledger, dataset, job)
        rival = promotion.promoted(ledger, dataset)
        name = f"{dataset} {row.key[:12]} ({row.fine_tuned_model})"
        done: dict[str, Any] = {
            "job": row.key,
            "model": row.fine_tuned_model,
            "rival": rival and rival.key,
        }
        found: Paired | None = None
        if rival is None:
            lines: tuple[str, ...] = (f"{name}: the first of its dataset, compared with nothing",)
        elif rival.key == row.key:
            done |= {"is_new": False, "compared": None}
            report(done, f"{name} is in use already", as_json=as_json)
            return
        else:
            found = _compared(row, rival, least)
            lines = _lines(found, rival)
            for line in lines if found.objection(margin) else ():
                typer.echo(line, err=as_json)
            if objection := found.objection(margin):
                raise StageError(
                    f"{row.key[:12]} is not promoted: {objection}; {rival.key[:12]} stays in use"
                )
        promotion.promote(ledger, row, rival)
        done |= {"is_new": True, "compared": asdict(found) if found else None}
        report(done, *lines, f"{name} is in use", as_json=as_json)


def _candidate(ledger: "Ledger", dataset: str, prefix: str | None) -> "LedgerRow":
    from python_stages.jobs.chat import newest_tuned

    row = newest_tuned(ledger.jobs(), dataset) if prefix is None else ledger.find(prefix)
    if row is None or row.dataset != dataset or not row.fine_tuned_model:
        raise LedgerError("no such job of this dataset has a tuned model: see sealtune jobs list")
    return row


def _compared(row: "LedgerRow", rival: "LedgerRow", least: int) -> "Paired":
    """Compare two models on what both were asked.

    Raises:
        StageError: they were not, or not completely, or on too little.
    """
    from python_stages.evaluate.paired import compare
    from python_stages.evaluate.text_scores import rouge_l
    from python_stages.site import warehouse

    with warehouse.opened() as (vault, _):
        if not vault.has("predictions"):
            raise StageError("nothing was evaluated yet: dbt build does it")
        pairs = vault.rows(
            # where it was asked the same examples as its rival, these; else what both were asked
            "with asked_too as (select count(*) > 0 from predictions where job_key = $1 "
            "and model_role = 'previous' and model = $3) "
            "select ours.task, ours.label, ours.reference, ours.predicted, ours.answer, "
            "theirs.predicted, theirs.answer, ours.is_valid is null or theirs.is_valid is null "
            "from predictions as ours join predictions as theirs using (example_fingerprint) "
            "where ours.job_key = $1 and ours.model_role = 'tuned' and ours.task = theirs.task "
            "and theirs.job_key = case when (from asked_too) then $1 else $2 end "
            "and theirs.model_role = case when (from asked_too) then 'previous' else 'tuned' end "
            "order by all",
            [row.key, rival.key, rival.fine_tuned_model],
        )
    if any(is_missing for *_, is_missing in pairs):
        raise StageError("a model has not answered everything yet: run dbt build once more")
    if len(pairs) < least:
        raise StageError(
            f"both models were evaluated on {len(pairs)} of the same examples, too few to tell; "
            f"evaluate more (max_examples)"
        )
    scores = [
        (float(ours == label), float(theirs == label))
        if task == "classification"
        else (rouge_l(reference, answer or ""), rouge_l(reference, other or ""))
        for task, label, reference, ours, answer, theirs, other, _ in pairs
    ]
    ours, theirs = zip(*scores, strict=True)
    return compare(ours, theirs)


def _lines(found: "Paired", rival: "LedgerRow") -> tuple[str, ...]:
    what = "share of right labels, or ROUGE-L of texts"
    interval = f"[{found.low:+.3f}, {found.high:+.3f}]"
    return (
        f"on {found.n:,} validation examples that both answered ({what}):",
        f"  this one {found.candidate:.3f}, {rival.key[:12]} in use {found.incumbent:.3f}",
        f"  difference {found.difference:+.3f}, 95 % interval {interval}",
        f"  better on {found.n_better:,}, worse on {found.n_worse:,}, p = {found.p_value:.3g}",
    )
