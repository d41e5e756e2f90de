from python_stages.dbt_models import pii_recall


def model(dbt, session):
    rendered, examples = dbt.ref("tickets_rendered"), dbt.ref("tickets_examples")
    scrub, planted = dbt.config.meta_get("scrub"), dbt.config.meta_get("planted")
    return pii_recall(rendered, examples, "tickets", scrub, planted)
