"""Check: text-free flags of every example, judged by Great Expectations, one verdict row per rule.

    spec.py          the dataset's labels, budgets and bounds
    contract.py      what a chat example must look like; one conversation in, one inspection out
    flags.py         examples -> two frames of flags, counts and codes; no text leaves this module
    recall.py        how much planted personal data the scrub stage masked -> a third frame
    suites.py        the rules as files in expectations/, and their hash
    runner.py        frames + checkpoints -> which expectations held (imports.py makes that quicker)
    expectations.py  our own expectations; counts.py is their arithmetic
    verdict.py       one row per expectation, and the question whether it is a PASS
    write_suites.py  writes the files in expectations/ (run it with `python -m`)

Great Expectations copies what it sees into results and messages; so it is shown no text at all.
"""

from python_stages.check.spec import CheckSpec
from python_stages.check.stage import check
from python_stages.check.suites import hash_suites
from python_stages.check.verdict import VERDICT_SCHEMA, require_pass

__all__ = ["VERDICT_SCHEMA", "CheckSpec", "check", "hash_suites", "require_pass"]
