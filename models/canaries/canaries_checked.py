from python_stages.check_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("canaries_examples"), dbt.ref("canaries_ingested")
    recall, scrubbed = dbt.ref("canaries_pii_recall"), dbt.ref("canaries_scrubbed")
    check, where = dbt.config.meta_get("check"), {"session": session, "this": repr(dbt.this)}
    return checked(examples, ingested, recall, scrubbed, check, **where)
