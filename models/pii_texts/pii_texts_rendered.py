from python_stages.dbt_models import rendered


def model(dbt, session):
    return rendered(dbt.ref("pii_texts_sampled"), "pii_texts", dbt.config.meta_get("render"))
