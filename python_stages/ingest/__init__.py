"""Records of a source, each accounted for: kept, or rejected with a reason.

Arrows point down this list, never up.

    accounting.py     judge every record once, and tell what became of it
    rows.py           the rows it tells this in
    kept.py           read a source again without what was rejected
    faults.py         which records are broken, and where, by lines or by quotes
    column_rules.py   what a cell must be, as SQL
    sources.py        a location, and its files
    tables.py         a table of a database, copied once
    postgres.py       rows of a PostgreSQL table, in batches of text
    masked_files.py   a file that hides some of its lines
    json_lines.py     lines of JSON: counted, judged, located
    scans.py          the SQL that scans one file as text
    records.py        records that may span lines: counted, judged, located
    lines.py          physical lines: counted, judged, located
    json_values.py    an array of JSON, or objects one behind another, shown as lines
"""
