"""The pages people look at: one static site, written from the vault, that needs no network.

    write.py              all of it, into a folder of its own, put in place at once
    serve.py              the folder on loopback; pages reload when it is written anew
    pdf.py                the report on paper, where there is a Chromium
    report_json.py        the report for machines, and its schema
    pages.py              facts -> HTML, by the templates in templates/
    rows.py               facts -> rows of tables
    charts.py  model_charts.py   facts -> charts (Altair, as SVG)
    privacy_drawing.py    facts -> the drawing of where private columns go
    svg.py                a chart as SVG that follows the theme of the page
    unedited.py           pages of the site before, where nobody has edited them
    dbt_docs.py           dbt's own documentation, as one page, held to no request
    data_docs.py          Great Expectations' pages of each check, held to no request
    gather.py             vault, sealed files and dbt's manifest -> facts
    gather_pii.py  gather_sealed.py  gather_models.py  gather_audit.py  gather_history.py
    gather_changes.py  gather_noise.py
    verdicts.py           the sentence at the top
    flows.py              where each column of a source goes, and where it stops
    lineage.py            which columns every column is made of
    suppress.py           small counts
    warehouse.py          the vault, opened for reading
    artifacts.py          dbt's manifest
    facts/                what the report says, as values

`facts` know nothing of the vault, `pages` nothing either: what is shown is in the facts, which
docs/report.md describes, and which are written beside the pages as report.json.
"""
