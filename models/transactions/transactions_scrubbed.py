from python_stages.dbt_models import scrubbed


def model(dbt, session):
    rendered, policy = dbt.ref("transactions_rendered"), dbt.config.meta_get("scrub")
    run, reversal = dbt.config.meta_get("scrub_on"), dbt.config.meta_get("scrub_reversal")
    where = {"session": session, "this": repr(dbt.this), "fit": dbt.config.meta_get("fit")}
    return scrubbed(rendered, "transactions", policy, run, reversal=reversal, **where)
