"""What is found out before a byte leaves: each rule, its limit, what the job has, passed or not.

Three looks, the cheap ones first: at the settings (here and in `host_rules`), at the lines
(`file_rules`), at the account (`host_rules`, over what the backend listed). None of them sends a
row, and no finding quotes one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from python_stages.backends.rules import Rule, RulePack
from python_stages.backends.values import JobSpec, estimate
from python_stages.errors import ConfigError

# What to do where OpenAI's own fine-tuning is closed to an account.
ALTERNATIVES: Final = (
    "Go on with backend azure, with backend compatible and base_url of another OpenAI-compatible "
    "host, or with backend local, which trains on this machine"
)
_SETTING: Final = "your settings"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one rule.

    Args:
        rule_id: name of the rule.
        limit: what is demanded, in words.
        found: what the job has, in words; never a value of the data.
        passed: whether that is within the limit.
        hint: what to do where it is not.
        source: page that demands it, or that it is the user's own demand.
        checked_on: when that was read, or None.
    """

    rule_id: str
    limit: str
    found: str
    passed: bool
    hint: str
    source: str = _SETTING
    checked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data would go.

    Args:
        backend: name of the backend.
        is_this_machine: whether it stays here.
        wanted_region: region that the data may not leave, or None.
        regions: regions that the backend promises.
        today: the day to hold shutdown dates against.
    """

    backend: str
    is_this_machine: bool
    wanted_region: str | None = None
    regions: tuple[str, ...] = ()
    today: date | None = None


def judged(rule: Rule, *, limit: str, found: str, passed: bool, hint: str) -> Finding:
    """Return the finding about a rule of a pack."""
    return Finding(rule.rule_id, limit, found, passed, hint, rule.source, rule.checked_on)


def require(findings: Iterable[Finding], backend: str) -> None:
    """Refuse a job that something stands against, naming all of it.

    Raises:
        ConfigError: at least one finding did not pass.
    """
    refused = [finding for finding in findings if not finding.passed]
    if refused:
        reasons = "; ".join(
            f"{finding.rule_id}: {finding.found}, wanted {finding.limit}. {finding.hint}"
            for finding in refused
        )
        raise ConfigError(f"backend {backend} takes no such job, nothing was sent. {reasons}")


def describe(findings: Sequence[Finding]) -> str:
    """Return the findings as a table: rule, limit, found, source and date; one line each."""
    rows = [("", "rule", "limit", "found", "source")]
    for finding in findings:
        read = f", {finding.checked_on}" if finding.checked_on else ""
        verdict = "ok" if finding.passed else "NO"
        rows.append(
            (verdict, finding.rule_id, finding.limit, finding.found, f"{finding.source}{read}")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        for row in rows
    )


def check_settings(spec: JobSpec, pack: RulePack, place: Place) -> tuple[Finding, ...]:
    """Hold the settings of a job against consent, region, budget and the rules of a pack."""
    today = place.today or datetime.now(UTC).date()
    found = [_consent(spec, place), _region(place), _cost(spec)]
    if (rule := pack.rules.get("last_day_for_jobs")) is not None:
        found.append(_service_open(rule, today))
    found.append(_model_tunable(spec, pack, today))
    found.extend(_within(spec, pack))
    return tuple(found)


def _consent(spec: JobSpec, place: Place) -> Finding:
    is_given = place.is_this_machine or spec.allow_upload is True
    return Finding(
        "consent",
        "allow_upload: true for another machine",
        "stays on this machine" if place.is_this_machine else f"allow_upload is {is_given}".lower(),
        is_given,
        "If the examples may leave this machine, say so with allow_upload: true",
    )


def _region(place: Place) -> Finding:
    wanted = place.wanted_region
    if wanted is None:
        return Finding("data_residency", "none asked for", "any region", passed=True, hint="")
    return Finding(
        "data_residency",
        f"region {wanted}",
        "this machine" if place.is_this_machine else ", ".join(place.regions) or "no promise",
        place.is_this_machine or wanted in place.regions,
        f"Backend {place.backend} cannot promise that region there: choose one that can, or leave "
        "data_residency out",
    )


def _cost(spec: JobSpec) -> Finding:
    estimated = estimate(spec)
    cost, currency = estimated.cost, spec.currency
    known = "price unknown" if estimated.price_per_million is None else "number of epochs unknown"
    if spec.max_cost is None:
        found = known if cost is None else f"about {cost:,.2f} {currency}"
        return Finding("max_cost", "none set", found, passed=True, hint="")
    if cost is None:
        hint = (
            "Set price_per_million_tokens to the provider's price of a million trained tokens"
            if estimated.price_per_million is None
            else "Set n_epochs to a number"
        )
        return Finding(
            "max_cost", f"{spec.max_cost:,.2f} {currency}", known, passed=False, hint=hint
        )
    return Finding(
        "max_cost",
        f"{spec.max_cost:,.2f} {currency}",
        f"about {cost:,.2f} {currency}",
        cost <= spec.max_cost,
        "Lower n_epochs or the sample size, or raise max_cost",
    )


def _service_open(rule: Rule, today: date) -> Finding:
    last = rule.limit if isinstance(rule.limit, date) else today
    return judged(
        rule,
        limit=f"new jobs up to {last}",
        found=f"today is {today}",
        passed=today <= last,
        hint=f"This service takes no new jobs any more. {ALTERNATIVES}",
    )


def _model_tunable(spec: JobSpec, pack: RulePack, today: date) -> Finding:
    model = pack.model(spec.base_model)
    if model is None:
        return Finding(
            "model",
            "one that can be tuned",
            "not in the rules: the provider decides",
            passed=True,
            hint="",
        )
    ends = [day for day in (model.last_day_for_jobs, model.shut_down) if day is not None]
    is_over = (model.last_day_for_jobs is not None and today > model.last_day_for_jobs) or (
        model.shut_down is not None and today >= model.shut_down
    )
    said = []
    if model.last_day_for_jobs is not None:
        said.append(f"jobs up to {model.last_day_for_jobs}")
    if model.shut_down is not None:
        said.append(f"shuts down with all tuned from it on {model.shut_down}")
    return Finding(
        "model",
        ", ".join(said) if ends else "no end announced",
        f"today is {today}",
        not is_over,
        f"Choose a base model that can still be tuned. {ALTERNATIVES}",
        model.source,
        model.checked_on,
    )


def _within(spec: JobSpec, pack: RulePack) -> Iterator[Finding]:
    """Yield what was found about method, hyperparameters, suffix, sizes and tokens."""
    rules = pack.rules
    if (rule := rules.get("methods")) is not None:
        yield _one_of(rule, [spec.method], "Set method to one of them")
    if (rule := rules.get(f"hyperparameters_{spec.method}")) is not None:
        yield _one_of(rule, spec.hyperparameters, "Remove what is not among them")
    if (rule := rules.get("suffix_form")) is not None and spec.suffix is not None:
        yield judged(
            rule,
            limit=str(rule.limit),
            found=f"{len(spec.suffix)} characters",
            passed=re.fullmatch(str(rule.limit), spec.suffix) is not None,
            hint="Set suffix to letters, digits, - and _, short enough",
        )
    if (limit := pack.number("file_bytes")) is not None:
        largest = max(content.n_bytes for _, content in spec.splits)
        yield judged(
            rules["file_bytes"],
            limit=f"at most {limit:,} bytes in a file",
            found=f"{largest:,} bytes",
            passed=largest <= limit,
            hint="Lower the sample size",
        )
    if (limit := pack.number("tokens_times_epochs")) is not None:
        n_billed = estimate(spec).n_billed_tokens
        yield judged(
            rules["tokens_times_epochs"],
            limit=f"at most {limit:,} tokens times epochs",
            found="number of epochs left to the provider" if n_billed is None else f"{n_billed:,}",
            passed=(n_billed or spec.n_training_tokens) <= limit,
            hint="Lower n_epochs or the sample size",
        )


def _one_of(rule: Rule, found: Iterable[str], hint: str) -> Finding:
    allowed = rule.limit if isinstance(rule.limit, tuple) else ()
    names = sorted(found)
    unknown = [name for name in names if name not in allowed]
    return judged(
        rule,
        limit=f"of {', '.join(allowed)}",
        found=", ".join(unknown or names) or "none",
        passed=not unknown,
        hint=hint,
    )
