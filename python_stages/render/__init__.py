"""Rows and templates become chat text: a user who asks, an assistant who answers.

stage.py     the stage: record batches in, record batches of RENDERED_SCHEMA out
spec.py      the settings of a dataset, read and checked
fit.py       scrubbed conversations cut to a budget of tokens
wording.py   the language of templates, and how amounts and dates are written
"""

from python_stages.render.fit import N_CUT, count_conversation, fit, fitted_question, max_tokens
from python_stages.render.spec import RenderSpec
from python_stages.render.stage import RENDERED_SCHEMA, render, rendered_schema

__all__ = [
    "N_CUT",
    "RENDERED_SCHEMA",
    "RenderSpec",
    "count_conversation",
    "fit",
    "fitted_question",
    "max_tokens",
    "render",
    "rendered_schema",
]
