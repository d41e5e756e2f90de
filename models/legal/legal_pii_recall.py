from python_stages.recall_models import pii_recall


def model(dbt, session):
    rendered, examples = dbt.ref("legal_rendered"), dbt.ref("legal_examples")
    scrub, planted = dbt.config.meta_get("scrub"), dbt.config.meta_get("planted")
    where = {"session": session, "this": repr(dbt.this)}
    return pii_recall(rendered, examples, "legal", scrub, planted, **where)
