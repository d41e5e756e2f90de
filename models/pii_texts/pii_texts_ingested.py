from python_stages.dbt_models import ingested


def model(dbt, session):
    source = dbt.source("raw", "pii_texts")
    return ingested(session, source, "pii_texts", dbt.config.meta_get("ingest"))
