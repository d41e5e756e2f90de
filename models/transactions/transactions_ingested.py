from python_stages.dbt_models import ingested


def model(dbt, session):
    source = dbt.source("raw", "transactions")
    return ingested(session, source, "transactions", dbt.config.meta_get("ingest"))
