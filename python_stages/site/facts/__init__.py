"""What the report says, as values: the one thing that is gathered, drawn, and written as JSON.

    report.py     the whole of it
    dataset.py    what became of a dataset
    noise.py      differentially private noise, and the epsilon that it spent
    model.py      what became of a job and its model
    change_log.py what changed in a dataset from version to version
    verdict.py    judgements

None of it is a value of a row. A breakdown by a property of rows (class, entity, length) holds
`None` where a count is small, see suppress.py; whatever was not measured is `None` or empty, and
the pages say so. The texts under the fields are the descriptions in docs/report.schema.json.
"""
