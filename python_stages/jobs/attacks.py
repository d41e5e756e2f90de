"""Attacks on the models of one job: its base, its checkpoints, the tuned one."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, Literal

from python_stages import keys
from python_stages.audit import Attacked, AuditSettings, Report, attack, report
from python_stages.jobs.access import provider_of
from python_stages.jobs.chat import chat_place
from python_stages.jobs.hooks import LOCAL
from python_stages.jobs.ledger import LedgerRow
from python_stages.jobs.planting import Planted
from python_stages.jobs.settings import JobSettings
from python_stages.jobs.subject import ChatSubject

Role = Literal["base", "checkpoint", "tuned"]

_VERSION: Final = 1  # of what is attacked, and how
_AT_ONCE: Final = {LOCAL: 64}  # this machine decodes a batch as fast as one
_AT_ONCE_ELSEWHERE: Final = 4
_COPIES: Final = "exact copies"  # how the trainer names a unit that holds them


@dataclass(frozen=True, slots=True)
class Claim:
    """What a job's provider guarantees; None where it guarantees nothing."""

    epsilon: float | None = None
    delta: float | None = None
    unit: str | None = None

    @property
    def covers_copies(self) -> bool:
        """Whether a row is guarded together with its copies."""
        return self.unit is not None and _COPIES in self.unit


@dataclass(frozen=True, slots=True)
class Target:
    """A model to attack.

    Args:
        role: what it is to the job.
        model: its name at the provider.
        step: training steps that it has seen; None where that is not known.
        n_ranked: canaries to rank among other secrets, besides repeated ones; None: none at all.
        claim: what is guaranteed of it.
    """

    role: Role
    model: str
    step: int | None
    n_ranked: int | None
    claim: Claim


@dataclass(frozen=True, slots=True)
class Audit:
    """One job to audit.

    Args:
        job: the job.
        wanted: how.
        now: how its dataset's jobs are run today.
        planted: the canaries.
        run_hash: of all that decides what comes out.
    """

    job: LedgerRow
    wanted: AuditSettings
    now: JobSettings
    planted: Planted
    run_hash: str

    @classmethod
    def of(
        cls, job: LedgerRow, wanted: AuditSettings, now: JobSettings, ring: keys.KeyRing
    ) -> "Audit":
        """Prepare the audit of a job."""
        planted = Planted.of(job.dataset, wanted, ring)
        facts = {**asdict(wanted), "job": job.key, "planted": planted.digest, "version": _VERSION}
        run_hash = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return cls(job, wanted, now, planted, run_hash)


def attacked_models(one: Audit, job: LedgerRow) -> Iterator[tuple[Target, Report]]:
    """Yield what the attacks on each model show, the tuned one last."""
    targets = _targets(one, job)
    place = chat_place(job)
    n_at_once = _AT_ONCE.get(job.backend, _AT_ONCE_ELSEWHERE)
    base: list[Attacked] | None = None
    with place.opened() as client:
        for target in targets:
            model = place.model if target.role == "tuned" else target.model
            subject = ChatSubject(client, model, tells=job.backend == LOCAL, n_at_once=n_at_once)
            ranked = one.wanted.n_others if target.n_ranked is not None else 0
            found = list(
                attack(
                    one.planted.canaries,
                    subject,
                    n_others=ranked,
                    n_ranked=target.n_ranked,
                )
            )
            claim = target.claim
            yield (
                target,
                report(
                    found,
                    base=base,
                    epsilon=claim.epsilon,
                    delta=claim.delta,
                    covers_copies=claim.covers_copies,
                ),
            )
            base = found if target.role == "base" else base


def _targets(one: Audit, job: LedgerRow) -> list[Target]:
    """Return the models to attack: base, checkpoints by step, the tuned one."""
    from python_stages.backends.compatible import (  # noqa: PLC0415 - loads the client
        CompatibleBackend,
    )
    from python_stages.backends.local.backend import LocalBackend  # noqa: PLC0415 - the same

    checkpoints: tuple[tuple[str, int], ...] = ()
    claim = Claim()
    with provider_of(job) as backend:
        if isinstance(backend, CompatibleBackend) and job.job_id:
            checkpoints = backend.checkpoints(job.job_id)
        if isinstance(backend, LocalBackend) and job.job_id:
            told = backend.privacy(job.job_id) or {}
            claim = Claim(told.get("epsilon"), told.get("delta"), told.get("unit"))
    tuned = job.fine_tuned_model or ""
    steps = dict(checkpoints)
    found = []
    if one.wanted.base:
        found.append(Target("base", job.base_model, 0, None, Claim()))
    if one.wanted.checkpoints:
        found += [
            Target("checkpoint", model, step, None, claim)
            for model, step in checkpoints
            if model != tuned
        ]
    return [*found, Target("tuned", tuned, steps.get(tuned), one.wanted.n_ranked, claim)]
