from python_stages.outcome_models import predictions


def model(dbt, session):
    dbt.config(materialized="incremental", unique_key="job_key")
    examples, wanted = dbt.ref("all_examples"), dbt.ref("evaluation_settings")
    return predictions(session, examples, wanted, repr(dbt.this), is_new=not dbt.is_incremental)
