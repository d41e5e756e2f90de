from python_stages.dbt_models import ingested


def model(dbt, session):
    source = dbt.source("raw", "tickets")
    return ingested(session, source, "tickets", dbt.config.meta_get("ingest"))
