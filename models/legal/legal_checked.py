from python_stages.dbt_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("legal_examples"), dbt.ref("legal_ingested")
    recall, scrubbed = dbt.ref("legal_pii_recall"), dbt.ref("legal_scrubbed")
    return checked(examples, ingested, recall, scrubbed, dbt.config.meta_get("check"))
