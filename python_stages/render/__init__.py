"""Rows and templates become chat text: a user who asks, an assistant who answers with the label.

stage.py     the stage: record batches in, record batches of RENDERED_SCHEMA out
spec.py      the settings of a dataset, read and checked
wording.py   the language of templates, and how amounts and dates are written
"""

from python_stages.render.spec import RenderSpec
from python_stages.render.stage import RENDERED_SCHEMA, render

__all__ = ["RENDERED_SCHEMA", "RenderSpec", "render"]
