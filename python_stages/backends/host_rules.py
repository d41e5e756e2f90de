"""What a host is known not to do, and what is left of an account's quotas."""

from collections.abc import Sequence

from python_stages.backends.preflight import Finding, judged
from python_stages.backends.quirks import Quirks
from python_stages.backends.rules import RulePack
from python_stages.backends.values import JobSpec, RemoteFile


def check_quirks(spec: JobSpec, quirks: Quirks) -> tuple[Finding, ...]:
    """Hold the settings of a job against what a host is known not to do."""
    wishes = (
        (
            "method",
            spec.method != "supervised",
            quirks.hyperparameters_at == "method",
            "Set method to supervised",
        ),
        (
            "validation",
            spec.validation is not None,
            quirks.takes_validation,
            "Set validation: false, so that this split is not sent",
        ),
        ("suffix", bool(spec.suffix), quirks.takes_suffix, "Leave suffix out"),
    )
    return tuple(
        Finding(
            name,
            "what this host does",
            name,
            passed=False,
            hint=hint,
            source=quirks.source,
            checked_on=quirks.checked_on,
        )
        for name, is_wished, is_done, hint in wishes
        if is_wished and not is_done
    )


def check_quota(spec: JobSpec, pack: RulePack, files: Sequence[RemoteFile]) -> tuple[Finding, ...]:
    """Hold the files of a job, with those that lie at the provider, against its quotas."""
    found = []
    hint = "delete files there (sealtune jobs cleanup deletes its own)"
    if (rule := pack.rules.get("files_per_account")) is not None:
        limit, n_files = pack.number(rule.rule_id) or 0, len(files) + len(spec.splits)
        found.append(
            judged(
                rule,
                limit=f"at most {limit:,} files",
                found=f"{n_files:,} with those of this job",
                passed=n_files <= limit,
                hint=hint,
            )
        )
    if (rule := pack.rules.get("stored_bytes")) is not None:
        limit = pack.number(rule.rule_id) or 0
        n_bytes = sum(file.n_bytes or 0 for file in files)
        n_bytes += sum(content.n_bytes for _, content in spec.splits)
        found.append(
            judged(
                rule,
                limit=f"at most {limit:,} bytes in all files",
                found=f"{n_bytes:,} with those of this job",
                passed=n_bytes <= limit,
                hint=hint,
            )
        )
    return tuple(found)
