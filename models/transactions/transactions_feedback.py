from python_stages.feedback_models import feedback


def model(dbt, session):
    rendered, scrubbed = dbt.ref("transactions_rendered"), dbt.ref("transactions_scrubbed")
    given, policy = dbt.config.meta_get("feedback"), dbt.config.meta_get("scrub")
    fit = dbt.config.meta_get("fit")
    return feedback(session, rendered, scrubbed, "transactions", given, policy=policy, fit=fit)
