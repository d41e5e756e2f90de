from python_stages.dbt_models import ingested


def model(dbt, session):
    source = dbt.source("raw", "legal")
    return ingested(session, source, "legal", dbt.config.meta_get("ingest"))
