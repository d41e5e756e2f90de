from python_stages.jobs.hooks import job_metrics


def model(dbt, session):
    dbt.ref("fine_tune_jobs")
    return job_metrics()
