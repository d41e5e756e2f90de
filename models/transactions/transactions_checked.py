from python_stages.dbt_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("transactions_examples"), dbt.ref("transactions_ingested")
    return checked(examples, ingested, dbt.config.meta_get("check"))
