from python_stages.dbt_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("canaries_examples"), dbt.ref("canaries_ingested")
    recall, scrubbed = dbt.ref("canaries_pii_recall"), dbt.ref("canaries_scrubbed")
    return checked(examples, ingested, recall, scrubbed, dbt.config.meta_get("check"))
