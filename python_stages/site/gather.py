"""Vault, sealed files and dbt's manifest in, facts out. Reads only; pure but for that."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from python_stages import keys, settings
from python_stages.errors import value_free
from python_stages.site import (
    flows,
    gather_changes,
    gather_history,
    gather_models,
    gather_noise,
    gather_pii,
    gather_sealed,
    lineage,
    verdicts,
    warehouse,
)
from python_stages.site.artifacts import Manifest
from python_stages.site.facts.dataset import (
    Check,
    ClassCount,
    Dataset,
    Reject,
    Stage,
    TokenBin,
    Tokens,
)
from python_stages.site.facts.report import SCHEMA_VERSION, Report
from python_stages.site.suppress import SMALL, suppress
from python_stages.site.warehouse import Warehouse

OTHER: Final = "(other)"
_BINS: Final = 24


def gather(read: lineage.Lineage) -> Report:
    """Read everything that the report says of the project whose lineage this is.

    Raises:
        SealtuneError: the vault cannot be opened, or a relation is not what it should be; the
            message holds no value.
    """
    with value_free("site"), warehouse.opened() as (vault, ring):
        manifest = read.manifest
        datasets = tuple(gather_dataset(vault, ring, read, name) for name in manifest.datasets())
        fingerprints = {one.name: one.fingerprint for one in datasets}
        labels = {name: labels_of(manifest, name) for name in fingerprints}
        standing = gather_changes.standing(tuple(one.change_log for one in datasets))
        private = frozenset(one.name for one in datasets if _is_private(one))
        models = tuple(
            gather_models.without_classes(one) if one.home in private else one
            for one in gather_models.models(vault, fingerprints, labels, standing)
        )
        history = gather_history.measures(vault)
        return Report(
            schema_version=SCHEMA_VERSION,
            project=manifest.project,
            written_at=datetime.now(UTC).replace(microsecond=0),
            built_at=history[-1].built_at if history else None,
            small_count=SMALL,
            verdict=verdicts.of_all(datasets, models),
            datasets=datasets,
            models=models,
            changes=gather_history.changes(history),
            history=history,
        )


def gather_dataset(
    vault: Warehouse, ring: keys.KeyRing, read: lineage.Lineage, name: str
) -> Dataset:
    """Read what became of one dataset."""
    manifest = read.manifest
    checks, fingerprint, n_expectations = _checks(vault, name)
    stages = _stages(vault, name)
    sealed = gather_sealed.sealed_files(settings.vault_folder() / "sealed", ring, name, fingerprint)
    dropped = [one.n_rows for one in stages if one.state == "duplicates dropped"]
    epsilon, labels = gather_noise.asked_epsilon(manifest, name), labels_of(manifest, name)
    change_log = gather_changes.change_log(vault, name, fingerprint)
    if epsilon is not None:
        change_log = gather_changes.without_labels(change_log)
        stages = gather_changes.stages_without_labels(stages)
    disjoint = [one.is_success for one in checks if one.column == "prompt_code"]
    bare = Dataset(
        name=name,
        description=manifest.description(name),
        verdict=verdicts.UNKNOWN,
        stages=stages,
        rejects=_rejects(vault, name),
        masked=gather_pii.masked(vault, name),
        recalls=gather_pii.recalls(vault, name),
        classes=(
            _classes(vault, name, labels)
            if epsilon is None
            else gather_noise.noisy_classes(vault, name, labels, epsilon, fingerprint)
        ),
        tokens=_tokens(vault, name, manifest.meta(name, "checked").get("check", {})),
        n_duplicates=dropped[0] if dropped else None,
        is_split_disjoint=all(disjoint) if disjoint else None,
        checks=checks,
        n_expectations=n_expectations,
        sealed=sealed,
        fingerprint=fingerprint,
        flows=flows.of_dataset(read, name),
        change_log=change_log,
        noise=gather_noise.of_dataset(vault, manifest, name),
    )
    return verdicts.judged(bare)


def _is_private(dataset: Dataset) -> bool:
    """Return whether exact counts of the dataset's classes are not to be shown."""
    counts = dataset.noise.counts if dataset.noise else None
    return counts is not None and counts.is_current


def labels_of(manifest: Manifest, dataset: str) -> frozenset[str]:
    """Return the classes that the config declares; any other label may be a value of a row."""
    declared = manifest.meta(dataset, "checked").get("check", {}).get("labels") or ()
    return frozenset(map(str, declared))


def _stages(vault: Warehouse, name: str) -> tuple[Stage, ...]:
    if not vault.has("build_summary"):
        return ()
    rows = vault.rows(
        "select step, state, detail, n_rows from build_summary where dataset = ? "
        "order by step, state, n_rows desc",
        [name],
    )
    return tuple(Stage(int(step), state, detail, int(n)) for step, state, detail, n in rows)


def _rejects(vault: Warehouse, name: str) -> tuple[Reject, ...]:
    if not vault.has("ingest_audit"):
        return ()
    rows = vault.rows(
        "select reason, sum(n_rows) from ingest_audit where dataset = ? and outcome = 'rejected' "
        "group by all order by 2 desc, 1",
        [name],
    )
    return tuple(Reject(str(reason), int(n)) for reason, n in rows)


def _classes(vault: Warehouse, name: str, known: frozenset[str]) -> tuple[ClassCount, ...]:
    """Count the examples by class and split; the splits' totals are shown elsewhere."""
    examples = f"{name}_examples"
    if not vault.has(examples):
        return ()
    rows = vault.rows(f"select split, label, count(*) from {examples} group by all")
    counts: dict[str, dict[str, int]] = {}
    for split, label, n in rows:
        shown = label if label in known else OTHER
        by_label = counts.setdefault(split, {})
        by_label[shown] = by_label.get(shown, 0) + int(n)
    labels = sorted({label for by_label in counts.values() for label in by_label} | known)
    return tuple(
        ClassCount(label, split, n)
        for split, by_label in sorted(counts.items())
        for label, n in zip(labels, suppress([by_label.get(one, 0) for one in labels]), strict=True)
    )


def _tokens(vault: Warehouse, name: str, check: Mapping[str, Any]) -> Tokens | None:
    """Describe the lengths of the examples, in bins of a round width."""
    examples = f"{name}_examples"
    if not vault.has(examples):
        return None
    ((n, total, median, p95, longest),) = vault.rows(
        "select count(*), sum(n_tokens), median(n_tokens), quantile_cont(n_tokens, 0.95), "
        f"max(n_tokens) from {examples}"
    )
    if not n:
        return None
    width = _round_width(int(longest))
    rows = vault.rows(
        f"select n_tokens // {width}, count(*) from {examples} group by all order by 1"
    )
    shown = suppress([int(count) for _, count in rows])
    return Tokens(
        n=int(n),
        total=int(total),
        median=float(median),
        p95=float(p95),
        budget=check.get("max_tokens_per_example"),
        bins=tuple(
            TokenBin(int(i) * width, (int(i) + 1) * width, count)
            for (i, _), count in zip(rows, shown, strict=True)
        ),
    )


def _round_width(longest: int) -> int:
    """Return 1, 2 or 5 times a power of ten, so that about `_BINS` of it make the longest."""
    wanted = max(1, longest / _BINS)
    power = 1
    while power * 10 <= wanted:
        power *= 10
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted)


def _checks(vault: Warehouse, name: str) -> tuple[tuple[Check, ...], str | None, int | None]:
    """Return the expectations, the fingerprint that they judged, and how many make a full check."""
    checked = f"{name}_checked"
    if not vault.has(checked):
        return (), None, None
    rows = vault.rows(
        'select suite, expectation, "column", description, is_success, n_checked, n_failed, '
        f"dataset_fingerprint, n_expectations from {checked}"
    )
    checks = tuple(
        sorted((Check(*row[:7]) for row in rows), key=lambda one: (one.is_success, one.suite))
    )
    return checks, _only(rows, 7), _only(rows, 8)


def _only(rows: Sequence[tuple[Any, ...]], i: int) -> Any:
    """Return the value that all rows agree in; None where there is none."""
    values = {row[i] for row in rows}
    return values.pop() if len(values) == 1 else None
