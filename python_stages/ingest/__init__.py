"""Records of a source, each accounted for: kept, or rejected with a reason.

Arrows point down this list, never up.

    accounting.py     judge every record once, and tell what became of it
    rows.py           the rows it tells this in
    kept.py           read a source again without what was rejected
    faults.py         which records are broken, and where, by lines or by quotes
    column_rules.py   what a cell must be, as SQL
    sources.py        a location, its files, and the SQL that scans them
    masked_files.py   a file that hides some of its lines
    json_lines.py     lines of JSON: counted, judged, located
    records.py        records that may span lines: counted, judged, located
    lines.py          physical lines: counted, judged, located
"""
