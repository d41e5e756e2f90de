from python_stages.dbt_models import rendered


def model(dbt, session):
    return rendered(dbt.ref("legal_sampled"), "legal", dbt.config.meta_get("render"))
