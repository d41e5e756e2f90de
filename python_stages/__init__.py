"""The Python that dbt models, hooks and the `sealtune` command call; a line per module.

Arrows point down this list, never up.

    cli/              the `sealtune` command
    site/             the pages people look at, written from the vault
    review.py         rows for people to correct
    feedback_models.py   the same as those below, of corrections, which are scrubbed by one of them
    dbt_models.py, recall_models.py, check_models.py, outcome_models.py, audit_models.py   what thin
                      dbt models call
    earlier_rows.py, corrected_rows.py   rows that an earlier build scrubbed, and people corrected
    drawn_noise.py    noise that was drawn: kept, so that no build draws it twice
    dbt_plugin.py     has dbt-duckdb open the vault, and receives the hooks
    hooks.py          after a `*_sealed` model: seal, then submit
    vault.py          opens the encrypted warehouse, and registers SQL functions
    trained_lines.py  how far lines are from those that a job was trained on
    jobs/             one job, exactly once; followed, asked, settled, cleaned up after
    ingest/           account for every record of a source
    scaffold/         a new project, and the folder of a dataset that somebody brings
    render/           rows and templates -> chat text
    scrub/            what is personal out of texts, by a policy per column; and how well
    feedback/         corrections of people: which count, and what becomes of the others
    check/            text-free flags -> Great Expectations -> a verdict per rule
    evaluate/         answers -> scores with intervals, beside what has to be beaten
    audit/            canaries, attacks on a tuned model, and what they show
    noise/            differentially private noise on values and counts, where a dataset asks
    backends/         plan, local, openai, azure, compatible: places that train, one protocol
    training/         chat lines -> a small model, privately when asked (what `local` runs)
    generate/         synthetic source files
    trace.py          whose rows went where
    shred.py          a dataset's sealed files, closed for everybody
    seal/             sealed files: fingerprints, format, writer, reader, sealing again
    keys/             who may open, sign and count
    example_sql.py    how rows become lines, in SQL
    running.py        a build that runs now, for other processes that look on
    query_progress.py   how far DuckDB is with a query
    progress.py       how far a stage has come, for who looks on
    names.py          names that people type, and which was meant
    code_version.py   which code it is, for whoever takes over what it made
    settings.py       the only reader of environment variables
    errors.py         every error that is raised on purpose

A folder's `__init__.py` maps it in the same way.

`render`, `scrub`, `check`, `evaluate` and `audit` are pure: batches in, batches out, no files, no
network, no dbt. `make lint` holds the code to these arrows (pyproject.toml, importlinter).
"""
