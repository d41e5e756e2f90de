from python_stages.outcome_models import evaluations


def model(dbt, session):
    dbt.config(materialized="table")
    return evaluations(dbt.ref("predictions"), dbt.config.meta_get("bootstrap"))
