"""The report for machines: the facts as JSON, and the schema that says what they mean."""

import json
from typing import Any, Final

from pydantic import TypeAdapter

from python_stages.site.facts.report import Report

REPORT: Final = "report.json"
SCHEMA: Final = "report.schema.json"
_ADAPTER: Final = TypeAdapter(Report)


def dump(report: Report) -> str:
    """Return a report as JSON."""
    return _ADAPTER.dump_json(report, indent=1).decode() + "\n"


def load(text: str) -> Report:
    """Read a report back.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _ADAPTER.validate_json(text)


def schema() -> str:
    """Return the JSON Schema of a report (draft 2020-12)."""
    described: dict[str, Any] = _ADAPTER.json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**head, **described}, indent=1, ensure_ascii=False) + "\n"
