from python_stages.outcome_models import evaluation_classes


def model(dbt, session):
    dbt.config(materialized="table")
    return evaluation_classes(dbt.ref("predictions"), dbt.config.meta_get("bootstrap"))
