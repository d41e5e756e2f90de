"""The backend `local`: the server of this vault, asked as any other provider is.

A server is started where none runs; it outlives the build, and so do its jobs. Nothing leaves this
machine and nothing is billed. The address changes with every start, and a job must stay the same
job: the identity, which the job's key hangs on, is the name alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from python_stages.backends.asking import asked
from python_stages.backends.base import BackendIdentity, JobSpec
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.local.launch import IDLE_MINUTES, ensure_server
from python_stages.backends.local.places import Places, read_token
from python_stages.backends.rules import Rule, RulePack, load_pack

NAME: Final = "local"
PRIVACY_SETTINGS: Final = ("epsilon", "delta", "clip_norm", "max_rows_per_person")

_SOURCE: Final = "docs/decisions/0013-local-backend.md"
_CHECKED_ON: Final = date(2026, 11, 22)
_SUPERVISED: Final = ("n_epochs", "batch_size", "learning_rate_multiplier", *PRIVACY_SETTINGS)
_LIMITS: Final[Mapping[str, Any]] = {
    "methods": ("supervised",),
    "hyperparameters_supervised": _SUPERVISED,
    "suffix_form": "[A-Za-z0-9_-]{1,64}",
    "roles": ("system", "developer", "user", "assistant", "tool"),
    "min_examples": 10,
    "special_tokens": r"<[|\uff5c][^\s<>]+[|\uff5c]>",
}
_WHAT_STAYS: Final = (
    "nothing of the rows: files, checkpoints and weights were only ever written encrypted, and are "
    "unlinked from the vault; names, times and losses of jobs stay in its state file "
    f"({_SOURCE}, read {_CHECKED_ON})"
)


class LocalBackend(CompatibleBackend):
    """The local server, found or started.

    Args:
        places: where its things lie.
        expires_after_seconds: lifetime of uploads, one hour to 30 days, or None.
        idle_minutes: when a server that is started here ends by itself.
        trainer: module of the trainer of a server that is started here; None for the usual one.

    Raises:
        BackendError: the server does not start.
        KeyFileError: the keys cannot be read.
    """

    def __init__(
        self,
        places: Places,
        *,
        expires_after_seconds: int | None = None,
        idle_minutes: float = IDLE_MINUTES,
        trainer: str | None = None,
    ) -> None:
        address = ensure_server(places, idle_minutes=idle_minutes, trainer=trainer)
        super().__init__(
            address.base_url,
            api_key=read_token(places),
            expires_after_seconds=expires_after_seconds,
            name=NAME,
            pack=_pack(),
        )

    @property
    def identity(self) -> BackendIdentity:
        """Which provider this is, wherever it answers today."""
        return BackendIdentity(NAME)

    def privacy(self, job_id: str) -> Mapping[str, Any] | None:
        """Return what an ended job guarantees: epsilon, delta, unit, sigma, what is not covered."""
        job = asked("looking up the job", lambda: self._patient.fine_tuning.jobs.retrieve(job_id))
        report = (job.model_extra or {}).get("privacy")
        return dict(report) if isinstance(report, Mapping) else None

    def _request(self, spec: JobSpec, key: str) -> dict[str, Any]:
        """Return the body of the request for a job, what asks for privacy in its own part."""
        private = {k: v for k, v in spec.hyperparameters.items() if k in PRIVACY_SETTINGS}
        others = {k: v for k, v in spec.hyperparameters.items() if k not in PRIVACY_SETTINGS}
        wanted = super()._request(replace(spec, hyperparameters=others), key)
        return wanted | {"extra_body": {"privacy": private}} if private else wanted


def _pack() -> RulePack:
    """Return what every host demands, with this server's own limits."""
    common = load_pack("compatible")
    own = {name: Rule(name, limit, _SOURCE, _CHECKED_ON) for name, limit in _LIMITS.items()}
    return replace(common, name=NAME, rules={**common.rules, **own}, what_stays=_WHAT_STAYS)
