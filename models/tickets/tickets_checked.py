from python_stages.check_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("tickets_examples"), dbt.ref("tickets_ingested")
    recall, scrubbed = dbt.ref("tickets_pii_recall"), dbt.ref("tickets_scrubbed")
    check, where = dbt.config.meta_get("check"), {"session": session, "this": repr(dbt.this)}
    return checked(examples, ingested, recall, scrubbed, check, **where)
