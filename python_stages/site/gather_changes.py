"""What changed in a dataset from version to version, and which of its models is in use."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from typing import Final

from python_stages.jobs.hooks import ledger_path
from python_stages.jobs.ledger import Ledger
from python_stages.jobs.promotion import promoted
from python_stages.site.facts.change_log import ChangeLog, Corrections, Retraining, Version
from python_stages.site.facts.dataset import Stage
from python_stages.site.warehouse import Warehouse

_MOST: Final = 20  # versions and decisions that are shown
_NOT_TOLD: Final = "not told"
_NOT_SUBMITTED: Final = "job not submitted"  # as macros/stage_counts.sql calls it


def change_log(vault: Warehouse, name: str, fingerprint: str | None) -> ChangeLog:
    """Read what changed in a dataset.

    Args:
        vault: the warehouse.
        name: name of the dataset.
        fingerprint: of the lines that were checked last, or None.
    """
    return ChangeLog(
        versions=_versions(vault, name),
        corrections=_corrections(vault, name),
        retrainings=_retrainings(vault, name, fingerprint),
        in_use=_in_use(name),
    )


def without_labels(log: ChangeLog) -> ChangeLog:
    """Return the log without what is computed from exact counts of classes."""
    return replace(
        log,
        versions=tuple(
            replace(one, psi_labels=None, drift=one.drift and _NOT_TOLD) for one in log.versions
        ),
        retrainings=tuple(replace(one, reason=_bare(one.reason)) for one in log.retrainings),
    )


def stages_without_labels(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Return the stages without the same, which a job that was not submitted tells."""
    return tuple(
        replace(one, detail=_bare(one.detail))
        if one.state == _NOT_SUBMITTED and one.detail is not None
        else one
        for one in stages
    )


def _bare(reason: str) -> str:
    """Return what was decided on a job, without how far the thresholds were."""
    return reason.partition(":")[0]


def standing(logs: tuple[ChangeLog, ...]) -> frozenset[str]:
    """Return the keys of jobs that stand for later lines, which were not worth another one."""
    return frozenset(
        one.job_key
        for log in logs
        for one in log.retrainings
        if one.is_current and not one.is_retrained
    )


def _versions(vault: Warehouse, name: str) -> tuple[Version, ...]:
    if not vault.has("dataset_versions"):
        return ()
    rows = vault.rows(
        "select version, built_at at time zone 'UTC', n_examples, n_added, n_removed, "
        "n_relabelled, psi_labels, psi_lengths, psi_words, drift from dataset_versions "
        "where dataset = ? order by version desc limit ?",
        [name, _MOST],
    )
    return tuple(Version(number, at.replace(tzinfo=UTC), *rest) for number, at, *rest in rows)


def _corrections(vault: Warehouse, name: str) -> tuple[Corrections, ...]:
    if not vault.has("feedback_merged"):
        return ()
    rows = vault.rows(
        "select outcome, reason, count(*) from feedback_merged where dataset = ? "
        "group by all order by outcome, 3 desc, reason",
        [name],
    )
    return tuple(Corrections(*row) for row in rows)


def _retrainings(vault: Warehouse, name: str, fingerprint: str | None) -> tuple[Retraining, ...]:
    if not vault.has("retrain_decisions"):
        return ()
    rows = vault.rows(
        "select decided_at at time zone 'UTC', job_key, is_retrained, reason, "
        "dataset_fingerprint is not distinct from ? from retrain_decisions where dataset = ? "
        "order by decided_at desc, job_key limit ?",
        [fingerprint, name, _MOST],
    )
    return tuple(Retraining(at.replace(tzinfo=UTC), *rest) for at, *rest in rows)


def _in_use(name: str) -> str | None:
    if not ledger_path().exists():
        return None
    with Ledger(ledger_path()) as ledger:
        row = promoted(ledger, name)
    return None if row is None else row.key
