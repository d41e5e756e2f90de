from python_stages.dbt_models import scrubbed


def model(dbt, session):
    rendered, run = dbt.ref("transactions_rendered"), dbt.config.meta_get("scrub_on")
    return scrubbed(rendered, "transactions", dbt.config.meta_get("scrub"), run)
