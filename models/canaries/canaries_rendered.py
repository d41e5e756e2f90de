from python_stages.dbt_models import rendered


def model(dbt, session):
    return rendered(dbt.ref("canaries_sampled"), "canaries", dbt.config.meta_get("render"))
