from python_stages.check_models import checked


def model(dbt, session):
    examples, ingested = dbt.ref("pii_texts_examples"), dbt.ref("pii_texts_ingested")
    recall, scrubbed = dbt.ref("pii_texts_pii_recall"), dbt.ref("pii_texts_scrubbed")
    check, overlaps = dbt.config.meta_get("check"), dbt.ref("pii_texts_overlaps")
    where = {"session": session, "this": repr(dbt.this)}
    return checked(examples, ingested, recall, scrubbed, check, overlaps=overlaps, **where)
