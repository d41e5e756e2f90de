from python_stages.dbt_models import pii_recall


def model(dbt, session):
    rendered, examples = dbt.ref("canaries_rendered"), dbt.ref("canaries_examples")
    scrub, planted = dbt.config.meta_get("scrub"), dbt.config.meta_get("planted")
    return pii_recall(rendered, examples, "canaries", scrub, planted)
