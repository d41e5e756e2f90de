from python_stages.dbt_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("transactions_examples"), dbt.ref("transactions_ingested")
    recall = dbt.ref("transactions_pii_recall")
    return checked(examples, ingested, recall, dbt.config.meta_get("check"))
