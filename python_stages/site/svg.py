"""An Altair chart as a static SVG, which follows the theme of the page and speaks once.

vl-convert runs Vega without a browser and without the network. What Vega writes for screen readers
names axes and marks one by one; here the drawing is one image with one sentence, and the numbers
stand in a table beside it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

BLUE: Final = "#3b7dd8"
ORANGE: Final = "#c8641b"
GREY: Final = "#7d8590"
RED: Final = "#d64545"
GREEN: Final = "#2f8f5b"
"""Each has a contrast of at least 3:1 on the page, bright and dark (WCAG 2.2, 1.4.11)."""

INK: Final = "currentColor"
# the reader's type may be wider than the one that Vega measures
_PADDING: Final = {"left": 24, "right": 40, "top": 6, "bottom": 6}
_TITLE: Final = {"titleColor": INK, "titleFontSize": 11, "titleFontWeight": "normal"}
_LABEL: Final = {"labelColor": INK, "labelFontSize": 11}
# the type and colours of the page; given to Vega at once, since Altair copies a chart for each
_THEME: Final[dict[str, Any]] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "padding": _PADDING,
    "view": {"stroke": None},
    "axis": {
        **_LABEL,
        **_TITLE,
        "tickColor": INK,
        "domainColor": INK,
        "gridColor": INK,
        "labelLimit": 260,
        "gridOpacity": 0.15,
        "tickOpacity": 0.4,
        "domainOpacity": 0.4,
    },
    "legend": {**_LABEL, **_TITLE, "orient": "top", "symbolOpacity": 1},
    "title": {"color": INK, "fontSize": 13, "fontWeight": "normal", "anchor": "start"},
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12},
    "text": {"color": INK, "fontSize": 11},
}
_NAMESPACE: Final = "http://www.w3.org/2000/svg"
_SPOKEN: Final = re.compile("role|aria-.*")
_LONG: Final = re.compile(r"(\d+\.\d{2})\d+")
_SPEC: Final = "data-spec"  # hash of what a drawing was made of
_DRAWN: Final = re.compile(rf'<svg[^>]* {_SPEC}="(\w+)".*?</svg>', re.DOTALL)
_earlier: ContextVar[Mapping[str, str]] = ContextVar("_earlier", default={})  # noqa: B039 - only read


@contextmanager
def taken_over(pages: Iterable[str]) -> Iterator[None]:
    """Meanwhile, `draw` gives the drawings of earlier pages again where they are of the same.

    Args:
        pages: as this wrote them; what others have edited shows what they like.
    """
    found = map(_DRAWN.finditer, pages)
    token = _earlier.set({one[1]: one[0] for page in found for one in page})
    try:
        yield
    finally:
        _earlier.reset(token)


def chart_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return an empty Altair chart of some rows."""
    import altair as alt  # noqa: PLC0415 - a second, which only a page needs

    return alt.Chart(alt.Data(values=list(rows)))  # type: ignore[no-untyped-call]  # altair types all but this


def draw(chart: Any, sentence: str) -> str:
    """Return an Altair chart as SVG.

    Args:
        chart: what Altair made; it must hold its data.
        sentence: what a screen reader says.
    """
    import vl_convert  # noqa: PLC0415 - a browser's engine, which only a page needs

    vega = chart.to_dict(validate=False)  # the charts are ours: a test draws each of them
    spec = _hash_spec(vega, sentence, version("vl-convert-python"))
    if spec in _earlier.get():
        return _earlier.get()[spec]
    text = vl_convert.vegalite_to_svg(vega, config=_THEME, allowed_base_urls=[])
    ET.register_namespace("", _NAMESPACE)
    root = ET.fromstring(text)  # noqa: S314 - written by vl-convert a moment ago
    for parent in root.iter():
        for name in [one for one in parent.attrib if _SPOKEN.fullmatch(one)]:
            del parent.attrib[name]
        for child in [one for one in parent if _is_empty(one)]:
            parent.remove(child)
        if "d" in parent.attrib:
            parent.attrib["d"] = _LONG.sub(r"\1", parent.attrib["d"])
    root.attrib.pop("version", None)
    root.attrib.update({"role": "img", "aria-label": sentence, _SPEC: spec})
    return ET.tostring(root, encoding="unicode")


def _hash_spec(vega: Mapping[str, Any], *others: str) -> str:
    """Return the hex SHA-256 of all that a drawing depends on, this code too."""
    facts = json.dumps([vega, others], sort_keys=True).encode()
    return hashlib.sha256(Path(__file__).read_bytes() + facts).hexdigest()


def _is_empty(element: ET.Element) -> bool:
    """Return whether it draws nothing: hidden, or without outline."""
    return element.get("display") == "none" or (
        element.get("class") == "background"
        and element.get("fill") is None
        and element.get("stroke") is None
    )
