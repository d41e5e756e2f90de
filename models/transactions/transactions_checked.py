from python_stages.check_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("transactions_examples"), dbt.ref("transactions_ingested")
    recall, scrubbed = dbt.ref("transactions_pii_recall"), dbt.ref("transactions_scrubbed")
    check, where = dbt.config.meta_get("check"), {"session": session, "this": repr(dbt.this)}
    return checked(examples, ingested, recall, scrubbed, check, **where)
