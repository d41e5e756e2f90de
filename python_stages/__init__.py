"""The Python that dbt models, hooks and the `sealtune` command call; a line per module.

Arrows point down this list, never up.

    cli.py, cli_pii.py   the `sealtune` command
    dbt_models.py     what the thin dbt Python models call
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
    submit.py         one job, exactly once, whatever crashes
    refresh.py        what became of the jobs, and the end of their files
    ledger.py         what was submitted
    backends/         plan, compatible: places that train, under one protocol
    seal/             sealed files: fingerprints, format, writer, reader
    keys.py, key_files.py   who may open, sign and count
    settings.py       the only reader of environment variables
    errors.py         every error that is raised on purpose

`render`, `scrub` and `check` are pure: batches in, batches out, no files, no network, no dbt.
"""
