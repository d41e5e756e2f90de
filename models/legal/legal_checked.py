from python_stages.check_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("legal_examples"), dbt.ref("legal_ingested")
    recall, scrubbed = dbt.ref("legal_pii_recall"), dbt.ref("legal_scrubbed")
    check, where = dbt.config.meta_get("check"), {"session": session, "this": repr(dbt.this)}
    return checked(examples, ingested, recall, scrubbed, check, **where)
