"""What `memorization_audit` holds of a model, if anybody attacked it."""

from python_stages.site.facts import Audit
from python_stages.site.warehouse import Warehouse


def audit(vault: Warehouse, job_key: str) -> Audit | None:
    """Return the audit of a job's model; None where there is none."""
    if not vault.has("memorization_audit") or not job_key:
        return None
    return None
