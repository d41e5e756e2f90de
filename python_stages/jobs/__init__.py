"""Fine-tune jobs: submitted exactly once, followed, asked, settled, and cleaned up after.

Arrows point down this list, never up.

    hooks.py          the job as a build meets it: submitted, waited for, asked after, listed
    predict.py, prompt_files.py   prompts in, answers out, in order
    attacks.py        the models of a job, attacked
    planting.py, subject.py   canaries into a job, and its model as the audit asks it
    chat.py, paid_answers.py   where a job's model answers, and what it answered before
    watch.py, watch_view.py   following a job: its story, and how it is shown
    promotion.py      which model of a dataset is in use
    retraining.py, lineage.py   whether changed lines are worth a job, and what it starts from
    settle.py         what a person decides about a job
    refresh.py        what became of the jobs
    submit.py         one job, exactly once, whatever crashes
    files.py, results.py   the end of a job's files, and its metrics in the vault
    recovery.py       what an earlier run left at the provider
    access.py, settings.py, thresholds.py   how a provider is reached, and a job is run
    ledger.py, ledger_rows.py, ledger_file.py   what was submitted, and the file that says so
"""
