"""What `memorization_audit` holds of a job's models, where somebody attacked them."""

from typing import Final

from python_stages.site.facts.model import Audit, AuditRow
from python_stages.site.warehouse import Warehouse

_RELATION: Final = "memorization_audit"
_VERDICT: Final = "verdict"


def audit(vault: Warehouse, job_key: str) -> Audit | None:
    """Return the audit of a job; None where there is none.

    The verdict is that of the tuned model; what checkpoints and the base model show stands beside.
    """
    if not vault.has(_RELATION):
        return None
    judged = vault.rows(
        "select verdict, reasons, claimed_epsilon, value, most from memorization_audit "
        "where job_key = ? and measure = ? and model_role = 'tuned'",
        [job_key, _VERDICT],
    )
    if not judged:
        return None
    ((verdict, reasons, claimed, shown, most),) = judged[:1]
    rows = vault.rows(
        "select model_role, measure, kind, n_repeats, value, low, high, chance, n "
        "from memorization_audit where job_key = ? and measure <> ? "
        "order by model_role <> 'tuned', model_role, measure, kind, n_repeats nulls first",
        [job_key, _VERDICT],
    )
    return Audit(
        verdict=str(verdict),
        reasons=tuple(str(reasons).split("; ")) if reasons else (),
        epsilon_claimed=claimed,
        epsilon_shown=shown,
        epsilon_max=most,
        rows=tuple(AuditRow(*row) for row in rows),
    )
