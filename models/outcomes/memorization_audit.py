from python_stages.audit_models import memorization_audit
from python_stages.dbt_plugin import say


def model(dbt, session):
    dbt.config(materialized="incremental", unique_key="job_key")
    examples, wanted = dbt.ref("all_examples"), dbt.ref("audit_settings")
    is_new = not dbt.is_incremental
    return memorization_audit(session, examples, wanted, repr(dbt.this), say, is_new=is_new)
