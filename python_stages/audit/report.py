"""What the attacks show together: one row per group and metric, and a verdict.

FAIL   a bound of epsilon lies above the epsilon that was claimed; or, where none was claimed,
       planted secrets were extracted, more often than controls by far
WARN   planted secrets were extracted under a claim that stands, the planted are ranked above the
       controls or told from them beyond chance, or the audit was too small to refute the claim
PASS   neither
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from python_stages.audit.attack import Attacked
from python_stages.audit.exposure import CHANCE_MEDIAN_BITS, more_exposed
from python_stages.audit.extraction import n_discoverable, share
from python_stages.audit.guessing import SIGNIFICANCE as GUESSED
from python_stages.audit.guessing import Guesses, guesses
from python_stages.audit.membership import Membership, membership
from python_stages.audit.reconstruction import Reconstruction, reconstruction

SIGNIFICANCE: Final = 0.05
_SMALL_DELTA: Final = 1e-9  # where none was claimed: pure DP, as far as can be told
_CHANCE_AUC: Final = 0.5
_SAMPLES: Final = 100
_DISCOVERED_WITH: Final = 0.5
_BY: Final = {
    "epsilon_one_run": "by telling planted from controls",
    "epsilon_from_guesses": "by guesses",
    "epsilon_from_secrets": "by secrets that are said",
}


class Bound(Protocol):
    """A lower bound of epsilon, and what it could have been at most."""

    @property
    def epsilon(self) -> float:
        """What was shown."""

    @property
    def max_epsilon(self) -> float:
        """What perfect attacks would have shown."""


class Verdict(StrEnum):
    """What an audit comes to."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one group.

    Attributes:
        kind: kind of canary, or `all`.
        n_repeats: how often they were planted; 0: controls; None: planted once beside controls.
        metric: what was measured.
        value: the estimate.
        low: lower end of the 95 % interval, None where there is none.
        high: upper end.
        n: canaries.
        chance: what a model gives that has seen none of them; None where that is not known.
        most: the most that so many canaries could have shown; None where there is no such limit.
    """

    kind: str
    n_repeats: int | None
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    chance: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An audit of one model.

    Attributes:
        verdict: PASS, WARN or FAIL.
        reasons: a sentence for each reason, and for what the audit could have shown.
        rows: the metrics.
        epsilon_shown: the largest lower bound of epsilon; 0 where nothing was shown.
        max_epsilon: the largest that this audit could have shown.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    rows: tuple[Row, ...]
    epsilon_shown: float
    max_epsilon: float


def report(
    attacked: Sequence[Attacked],
    *,
    base: Sequence[Attacked] | None = None,
    epsilon: float | None = None,
    delta: float | None = None,
    covers_copies: bool = False,
) -> Report:
    """Sum up the attacks on one model.

    Args:
        attacked: every canary and control, attacked.
        base: the same on the model before tuning; its log-probabilities are taken off the scores,
            so that a canary which was likely anyway does not pass for a memory.
        epsilon: what was claimed for one row; None: nothing.
        delta: of that claim.
        covers_copies: whether the claim is for a row with all its exact copies.
    """
    assumed = _SMALL_DELTA if delta is None else delta
    told = _membership(attacked, base, assumed)
    named = _guesses(attacked, assumed)
    said = _reconstruction(attacked, assumed, covers_copies=covers_copies)
    rows = [*_extraction_rows(attacked), *_exposure_rows(attacked)]
    rows += _membership_rows(told) if told else []
    bounds = []
    if told:
        n = told.n_planted + told.n_controls
        bounds.append(_bound("all", "epsilon_one_run", told, n))
    if named:
        bounds.append(_bound("name", "epsilon_from_guesses", named, named.n_guesses))
    if said:
        bounds.append(_bound("digits", "epsilon_from_secrets", said, said.n))
    rows += bounds
    shown = max((row.value for row in bounds), default=0.0)
    most = max((row.most or 0.0 for row in bounds), default=0.0)
    verdict, reasons = _judge(attacked, told, shown=shown, most=most, claimed=epsilon)
    each = ", ".join(f"{row.most:.2f} {_BY[row.metric]}" for row in bounds)
    reasons.append(
        f"this audit could have shown an epsilon of {most:.2f} at most"
        + (f" ({each})" if each else "")
        + f", and showed {shown:.2f}"
    )
    return Report(verdict, tuple(reasons), tuple(rows), shown, most)


def _judge(
    attacked: Sequence[Attacked],
    told: Membership | None,
    *,
    shown: float,
    most: float,
    claimed: float | None,
) -> tuple[Verdict, list[str]]:
    """Return the verdict and its reasons, the gravest first."""
    fails: list[str] = []
    warnings: list[str] = []
    planted = [one for one in attacked if one.canary.n_repeats]
    n_said = sum(one.extraction.is_contained for one in planted)
    n_chance = sum(one.extraction.is_contained for one in attacked if not one.canary.n_repeats)
    if claimed is not None and shown > claimed:
        fails.append(f"an epsilon of {shown:.2f} was shown, above the {claimed:.2f} claimed")
    n_controls = len(attacked) - len(planted)
    if _is_more(n_said, len(planted), n_chance, n_controls):
        (fails if claimed is None else warnings).append(
            f"the model says {n_said} of {len(planted)} planted secrets, and {n_chance} of "
            f"{n_controls} that it never saw"
        )
    if told and told.auc.low > _CHANCE_AUC:
        warnings.append(f"planted rows are told from controls: AUC {told.auc.value:.3f}")
    if _exposure_p(attacked) < SIGNIFICANCE:
        warnings.append("planted secrets are ranked above those of controls")
    if claimed is not None and most < claimed:
        warnings.append(f"too small to refute an epsilon of {claimed:.2f}: plant more canaries")
    verdict = Verdict.FAIL if fails else Verdict.WARN if warnings else Verdict.PASS
    return verdict, [*fails, *warnings]


def _is_more(n_hits: int, n: int, n_chance: int, n_controls: int) -> bool:
    """Say whether the planted are hit more often than controls (Fisher's exact test, one-sided)."""
    if not n_chance:
        return n_hits > 0
    from scipy.stats import fisher_exact  # noqa: PLC0415 - takes half a second

    table = [[n_hits, n - n_hits], [n_chance, n_controls - n_chance]]
    return float(fisher_exact(table, alternative="greater").pvalue) < SIGNIFICANCE


def _once(attacked: Sequence[Attacked]) -> list[Attacked]:
    """Return what one fair coin decided over: planted once, and controls."""
    return [one for one in attacked if one.canary.n_repeats <= 1]


def _scores(
    attacked: Sequence[Attacked], base: Sequence[Attacked] | None
) -> NDArray[np.float64] | None:
    """Return the (n,) scores of the attack: log-probability, less that under the base model."""
    told = [one.log_probability for one in attacked]
    if any(score is None for score in told) or not told:
        return None
    scores = np.array(told, dtype=np.float64)
    if base is None:
        return scores
    before = {one.canary.canary_id: one.log_probability for one in base}
    known = [before.get(one.canary.canary_id) for one in attacked]
    if any(score is None for score in known):
        return scores
    return scores - np.array(known, dtype=np.float64)


def _membership(
    attacked: Sequence[Attacked], base: Sequence[Attacked] | None, delta: float
) -> Membership | None:
    once = _once(attacked)
    scores = _scores(once, base)
    is_planted = np.array([one.canary.n_repeats == 1 for one in once], dtype=bool)
    if scores is None or is_planted.all() or not is_planted.any():
        return None
    return membership(scores[is_planted], scores[~is_planted], delta=delta)


def _guesses(attacked: Sequence[Attacked], delta: float) -> Guesses | None:
    """Return the guesses over the planted-once with candidates."""
    planted = [one for one in attacked if one.canary.n_repeats == 1 and one.canary.candidates]
    if not planted:
        return None
    made = [one for one in planted if one.guess is not None]
    n_right = sum(one.guess == one.canary.secret for one in made)
    return guesses(n_right, len(made), len(planted[0].canary.candidates), delta=delta)


def _reconstruction(
    attacked: Sequence[Attacked], delta: float, *, covers_copies: bool
) -> Reconstruction | None:
    """Return what the secrets show that nobody could have guessed; copies where they count once."""
    planted = [
        one
        for one in attacked
        if not one.canary.candidates
        and (one.canary.n_repeats == 1 or (covers_copies and one.canary.n_repeats))
    ]
    if not planted:
        return None
    n_hits = sum(one.guess == one.canary.secret for one in planted)
    k = min(one.canary.n_secrets for one in planted)
    return reconstruction(n_hits, len(planted), k, delta=delta, significance=GUESSED)


def _groups(attacked: Sequence[Attacked]) -> dict[tuple[str, int], list[Attacked]]:
    groups: dict[tuple[str, int], list[Attacked]] = defaultdict(list)
    for one in attacked:
        groups[one.canary.kind.value, one.canary.n_repeats].append(one)
    return dict(sorted(groups.items()))


def _extraction_rows(attacked: Sequence[Attacked]) -> list[Row]:
    rows = []
    for (kind, n_repeats), group in _groups(attacked).items():
        counts = {
            "extracted_verbatim": sum(one.extraction.is_verbatim for one in group),
            "extracted": sum(one.extraction.is_contained for one in group),
            "extracted_nearly": sum(one.extraction.is_near for one in group),
        }
        scores = [one.log_probability for one in group if one.log_probability is not None]
        if len(scores) == len(group):
            counts[f"discoverable_{_SAMPLES}_samples"] = n_discoverable(
                scores, _SAMPLES, _DISCOVERED_WITH
            )
        for metric, n_hits in counts.items():
            found = share(n_hits, len(group))
            # how likely the words around a secret are to a model that has seen none is not known
            is_known = not metric.startswith("discoverable")
            chance = 1 / group[0].canary.n_secrets if is_known else None
            rows.append(
                Row(kind, n_repeats, metric, found.value, found.low, found.high, found.n, chance)
            )
    return rows


def _exposures(attacked: Sequence[Attacked]) -> list[float]:
    return [one.exposure for one in attacked if one.exposure is not None]


def _exposure_rows(attacked: Sequence[Attacked]) -> list[Row]:
    """Return the median exposure of each group, with its quartiles for an interval."""
    rows = []
    for (kind, n_repeats), group in _groups(attacked).items():
        if exposures := _exposures(group):
            low, middle, high = (float(one) for one in np.quantile(exposures, (0.25, 0.5, 0.75)))
            most = math.log2(1 + max(one.n_others for one in group))
            rows.append(
                Row(
                    kind,
                    n_repeats,
                    "exposure_bits",
                    middle,
                    low,
                    high,
                    len(exposures),
                    CHANCE_MEDIAN_BITS,
                    most,
                )
            )
    return rows


def _exposure_p(attacked: Sequence[Attacked]) -> float:
    once = _once(attacked)
    return more_exposed(
        _exposures([one for one in once if one.canary.n_repeats]),
        _exposures([one for one in once if not one.canary.n_repeats]),
    )


def _membership_rows(told: Membership) -> list[Row]:
    n = told.n_planted + told.n_controls
    rates = {
        "membership_auc": (told.auc, _CHANCE_AUC),
        "membership_tpr_at_1_percent_fpr": (told.tpr_at_1_percent, 0.01),
        "membership_tpr_at_5_percent_fpr": (told.tpr_at_5_percent, 0.05),
    }
    return [
        Row("all", None, metric, rate.value, rate.low, rate.high, n, chance, 1.0)
        for metric, (rate, chance) in rates.items()
    ]


def _bound(kind: str, metric: str, found: Bound, n: int) -> Row:
    """Return the row of a lower bound of epsilon, beside the largest that could have come out."""
    return Row(kind, None, metric, found.epsilon, None, None, n, 0.0, found.max_epsilon)
