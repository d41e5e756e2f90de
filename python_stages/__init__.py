"""The Python that dbt models, hooks and the `sealtune` command call; a line per module.

Arrows point down this list, never up.

    cli.py, cli_*.py  the `sealtune` command
    dbt_models.py, outcome_models.py   what the thin dbt Python models call
    dbt_plugin.py     opens the vault, registers SQL functions, receives the hooks
    hooks.py          after a `*_sealed` model: seal, then submit
    ingest.py         account for every record of a source
    ingested_rows.py  the rows it tells this in
    kept.py           read a source again without what was rejected
    column_rules.py   what a cell must be, as SQL
    sources.py        a location, its files, and the SQL that scans them
    masked_files.py   a file that hides some of its lines
    lines.py          physical lines: counted, judged, located
    generate/         synthetic source files
    render/           rows and templates -> chat text
    scrub/            what is personal out of texts, by a policy per column; and how well
    check/            text-free flags -> Great Expectations -> a verdict per rule
    job_hooks.py      the job as a build meets it: submitted, waited for, asked after, listed
    evaluate/         answers -> scores with intervals, beside what has to be beaten
    audit/            canaries, attacks on a tuned model, and what they show
    predict.py, prompt_files.py   prompts in, answers out, in order
    job_chat.py, paid_answers.py   where a job's model answers, and what it answered before
    watch.py, watch_view.py   following a job: its story, and how it is shown
    settle.py         what a person decides about a job
    refresh.py        what became of the jobs
    submit.py         one job, exactly once, whatever crashes
    job_files.py, job_results.py   the end of a job's files, and its metrics in the vault
    recovery.py       what an earlier run left at the provider
    job_access.py, job_settings.py   how a provider is reached, and a job is run
    ledger.py, ledger_file.py   what was submitted, and the file that says so
    backends/         plan, local, openai, azure, compatible: places that train, one protocol
    training/         chat lines -> a small model, privately when asked (what `local` runs)
    trace.py          whose rows went where
    shred.py          a dataset's sealed files, closed for everybody
    seal/             sealed files: fingerprints, format, writer, reader, sealing again
    key_rotation.py   new keys in place of old ones
    keys.py           who may open, sign and count
    public_keys.py, dataset_keys.py   for whom, and the one secret of each dataset
    key_providers.py, key_stores.py, key_files.py   the places that keep keys
    settings.py       the only reader of environment variables
    errors.py         every error that is raised on purpose

`render`, `scrub`, `check`, `evaluate` and `audit` are pure: batches in, batches out, no files, no
network, no dbt.
"""
