"""The sentence at the top: what was shown, and what was not. It never says more than was verified.

`bad` where something is wrong, `open` where nothing is wrong and something is not known, `good`
where neither. What was not measured is no success.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from python_stages.site import flows
from python_stages.site.facts.dataset import Dataset
from python_stages.site.facts.model import Model
from python_stages.site.facts.verdict import Level, Verdict

UNKNOWN: Final = Verdict(Level.OPEN, "not judged yet", ())
_SEEN_BY_MODEL: Final = "what the model can be made to repeat is not known"


def judged(dataset: Dataset) -> Dataset:
    """Return the dataset with its verdict."""
    bad, unknown = tuple(_wrong(dataset)), tuple(_unknown(dataset))
    name = dataset.name
    current = [one for one in dataset.sealed if one.is_current]
    n_sealed = sum(one.n_rows or 0 for one in current)
    if bad:
        sentence = f"Do not use {name}: {_and(bad)}."
    elif not dataset.stages and not dataset.checks:
        sentence = f"{name} has not been built yet."
    elif current:
        n_recipients = len({one for file in current for one in file.recipients})
        sentence = (
            f"{_n(n_sealed, 'example')} of {name} {'is' if n_sealed == 1 else 'are'} sealed for "
            f"{_n(n_recipients, 'recipient')}; signatures and fingerprints are verified, and "
            f"{len(dataset.checks)} of {dataset.n_expectations} checks passed for exactly these "
            f"lines{_recall(dataset)}."
        )
    else:
        sentence = f"Nothing of {name} is sealed: {_and(unknown)}."
    level = Level.BAD if bad else Level.OPEN if unknown else Level.GOOD
    return replace(dataset, verdict=Verdict(level, sentence, (*bad, *unknown)))


def judged_model(model: Model) -> Model:
    """Return the model with its verdict."""
    bad, unknown = tuple(_wrong_model(model)), tuple(_unknown_model(model))
    name = f"{model.base_model} tuned on {model.dataset}"
    if bad:
        sentence = f"Do not use {name}: {_and(bad)}."
    elif model.state == "PLANNED":
        sentence = f"The job of {name} is a plan: nothing was sent, and there is no model."
    elif unknown:
        sentence = f"{name}: {_and(unknown)}."
    elif model.is_shadow:
        sentence = (
            f"{name} is what the audit of {model.home} attacked: it was shown planted secrets, and "
            "is for no other use."
        )
    else:
        sentence = f"{name} was trained, evaluated, and attacked without a finding."
    is_open = bool(unknown) or model.state == "PLANNED"
    level = Level.BAD if bad else Level.OPEN if is_open else Level.GOOD
    return replace(model, verdict=Verdict(level, _capital(sentence), (*bad, *unknown)))


def of_all(datasets: Sequence[Dataset], models: Sequence[Model]) -> Verdict:
    """Return the verdict on everything that this build stands for."""
    current = [one for one in models if one.is_current and one.state != "PLANNED"]
    verdicts = [*(one.verdict for one in datasets), *(one.verdict for one in current)]
    named = [
        *((one.name, one.verdict) for one in datasets),
        *((f"model {one.job_key[:12]}", one.verdict) for one in current),
    ]
    named.sort(key=lambda one: one[1].level is not Level.BAD)  # first what is wrong
    reasons = tuple(f"{name}: {reason}" for name, verdict in named for reason in verdict.reasons)
    if not datasets:
        return Verdict(Level.OPEN, "This project has no dataset yet.", ())
    if any(one.level is Level.BAD for one in verdicts):
        wrong = [one.name for one in datasets if one.verdict.level is Level.BAD]
        wrong += [f"model {m.job_key[:12]}" for m in current if m.verdict.level is Level.BAD]
        return Verdict(Level.BAD, f"Do not use {_and(wrong)}: see the reasons below.", reasons)
    sealed = [one for one in datasets if any(file.is_current for file in one.sealed)]
    n_rows = sum(f.n_rows or 0 for one in sealed for f in one.sealed if f.is_current)
    of = (
        "every dataset"
        if len(sealed) == len(datasets)
        else f"{len(sealed)} of {len(datasets)} datasets"
    )
    rest = (
        " What was not shown is listed below."
        if reasons
        else " Evaluation and audit are done as well."
    )
    warned = [one for one in current if one.audit and one.audit.verdict == "WARN"]
    found = (
        f"The audit warns of {_n(len(warned), 'model')}, which shows traces of what it was trained "
        "on or could not be tested enough. Of the rows,"
        if warned
        else "Nothing wrong was found:"
    )
    sentence = (
        f"{found} {of} passed all checks and is sealed as "
        f"{_n(n_rows, 'example')}, pseudonymous and not anonymous.{rest}"
        if sealed
        else f"Nothing is sealed yet.{rest}"
    )
    return Verdict(Level.OPEN if reasons else Level.GOOD, sentence, reasons)


def _wrong(dataset: Dataset) -> Iterator[str]:
    failed = [one for one in dataset.checks if not one.is_success]
    if failed:
        yield f"{_n(len(failed), 'check')} failed"
    if broken := [one for one in dataset.sealed if not one.is_verified]:
        yield f"{_n(len(broken), 'sealed file')} could not be verified"
    if missed := [one for one in dataset.recalls if not one.is_met]:
        kinds = sorted({one.entity for one in missed})
        yield f"planted {_and(kinds)} was masked less often than agreed"
    if dataset.is_split_disjoint is False:
        yield "training and validation share prompts"

    if reached := flows.reached_raw(dataset.flows):
        yield f"{_and(reached)} reaches the sealed lines as the source has it"


def _unknown(dataset: Dataset) -> Iterator[str]:
    if not dataset.stages and not dataset.checks:
        yield "it has not been built"
        return
    if not dataset.stages:
        yield "what became of its rows is not known, since the build stopped before it was counted"
    if not dataset.checks:
        yield "it was not checked"
    elif dataset.n_expectations is None or len(dataset.checks) < dataset.n_expectations:
        yield "the check is not full"
    if not dataset.recalls:
        yield "the recall of planted personal data was not measured"
    if not any(one.is_current for one in dataset.sealed):
        yield "no sealed file holds the lines that were checked last"


def _wrong_model(model: Model) -> Iterator[str]:
    if model.outcome in {"failed", "cancelled"}:
        code = f" ({model.error_code})" if model.error_code else ""
        yield f"the job {'failed' if model.outcome == 'failed' else 'was cancelled'}{code}"
    if model.audit and model.audit.verdict == "FAIL":
        yield _and(model.audit.reasons) or "the audit for memorisation failed"


def _unknown_model(model: Model) -> Iterator[str]:
    if model.state == "PLANNED":
        return
    if model.parked_reason:
        yield "the job waits for a person"
    elif model.outcome not in {"succeeded", "failed", "cancelled"}:
        yield "the job has not ended"
    if model.is_shadow:  # its lines are no dataset's, and what it tells is its home's
        return
    if not model.is_current:
        yield "it was trained on lines that are no longer the checked ones"
    if model.outcome == "succeeded":
        if not model.scores:
            yield "it was not evaluated"
        if model.audit is None:
            yield f"it was not attacked, so {_SEEN_BY_MODEL}"
        elif model.audit.verdict == "WARN":
            yield _and(model.audit.reasons) or "the audit has a warning"


def _recall(dataset: Dataset) -> str:
    if not dataset.recalls:
        return ""
    least = min(one.recall for one in dataset.recalls)
    n = sum(one.n_planted for one in dataset.recalls)
    if least == 1:
        return f"; all {n:,} planted identifiers were masked"
    return f"; of {n:,} planted identifiers, no kind was masked less often than {least:.1%}"


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
