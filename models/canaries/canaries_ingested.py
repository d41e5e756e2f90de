from python_stages.dbt_models import ingested


def model(dbt, session):
    source = dbt.source("raw", "canaries")
    return ingested(session, source, "canaries", dbt.config.meta_get("ingest"))
