"""The OpenAPI document as a plain page: no script, nothing from another host."""

from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font:14px ui-monospace,monospace}h3{margin-bottom:0}p{margin:.2rem 0 1rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#9cf}}"
)


def page(document: dict[str, Any]) -> str:
    """Return the page of a document: each operation with its parameters and what it answers."""
    info = document["info"]
    operations = [
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}'
        f"</title><style>{_STYLE}</style><h1>{escape(info['title'])}</h1>"
        f"<p>{escape(info['description'])}</p>"
        '<p>The whole description, for tools: <a href="/openapi.json">/openapi.json</a>. Every '
        "request under /v1 needs the header <code>Authorization: Bearer TOKEN</code>.</p>"
        f"{''.join(operations)}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = ", ".join(one["name"] for one in operation.get("parameters", ()))
    body = operation.get("requestBody", {}).get("content", {})
    lines = [escape(operation.get("description") or operation.get("summary") or "")]
    if parameters:
        lines.append(f"Parameters: <code>{escape(parameters)}</code>")
    if body:
        lines.append(f"Body: <code>{escape(', '.join(body))}</code>")
    return (
        f"<h3><code>{escape(method.upper())} {escape(path)}</code></h3><p>{'<br>'.join(lines)}</p>"
    )
