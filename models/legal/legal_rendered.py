from python_stages.dbt_models import rendered


def model(dbt, session):
    sampled, render = dbt.ref("legal_sampled"), dbt.config.meta_get("render")
    where = {"session": session, "this": repr(dbt.this)}
    return rendered(sampled, "legal", render, **where)
