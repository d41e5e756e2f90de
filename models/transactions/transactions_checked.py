from python_stages.dbt_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("transactions_examples"), dbt.ref("transactions_ingested")
    recall, scrubbed = dbt.ref("transactions_pii_recall"), dbt.ref("transactions_scrubbed")
    return checked(examples, ingested, recall, scrubbed, dbt.config.meta_get("check"))
