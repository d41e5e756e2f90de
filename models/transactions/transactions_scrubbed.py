from python_stages.dbt_models import scrubbed


def model(dbt, session):
    return scrubbed(dbt.ref("transactions_rendered"), dbt.config.meta_get("scrub"))
