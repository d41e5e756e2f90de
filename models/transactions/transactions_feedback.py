from python_stages.feedback_models import feedback


def model(dbt, session):
    rendered, scrubbed = dbt.ref("transactions_rendered"), dbt.ref("transactions_scrubbed")
    given, policy = dbt.config.meta_get("feedback"), dbt.config.meta_get("scrub")
    rules = {"policy": policy, "fit": dbt.config.meta_get("fit"), "this": repr(dbt.this)}
    return feedback(session, rendered, scrubbed, "transactions", given, **rules)
