from python_stages.dbt_models import rendered


def model(dbt, session):
    return rendered(dbt.ref("tickets_sampled"), "tickets", dbt.config.meta_get("render"))
