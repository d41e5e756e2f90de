"""Corrections that people wrote, read and judged; what becomes of each is counted.

files.py    CSV and JSON lines -> one record per correction, or why it is none
settings.py where they lie, and how many may be of no use
stand_ins.py surrogates that a correction repeats
merge.py    records and examples -> what becomes of each: latest wins, conflicts counted

Corrected text is scrubbed as all other text is, by the stage: nothing here looks into it.
"""

from python_stages.feedback.files import COLUMNS, CONTEXT, Record, read_folder
from python_stages.feedback.merge import (
    FEEDBACK_SCHEMA,
    Correction,
    Known,
    Verdict,
    judge,
    require_usable,
)
from python_stages.feedback.settings import FeedbackSettings

__all__ = [
    "COLUMNS",
    "CONTEXT",
    "FEEDBACK_SCHEMA",
    "Correction",
    "FeedbackSettings",
    "Known",
    "Record",
    "Verdict",
    "judge",
    "read_folder",
    "require_usable",
]
