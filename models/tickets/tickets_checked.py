from python_stages.dbt_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("tickets_examples"), dbt.ref("tickets_ingested")
    recall, scrubbed = dbt.ref("tickets_pii_recall"), dbt.ref("tickets_scrubbed")
    return checked(examples, ingested, recall, scrubbed, dbt.config.meta_get("check"))
