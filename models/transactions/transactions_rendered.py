from python_stages.dbt_models import rendered


def model(dbt, session):
    return rendered(dbt.ref("transactions_sampled"), "transactions", dbt.config.meta_get("render"))
