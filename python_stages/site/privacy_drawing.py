"""The privacy lineage as a drawing: a line per column of the source, from left to where it stops.

Red lines are what identifies a person by itself, and free text; one look shows whether any reaches
the box of the sealed lines. Class and end are in words as well, so that colour is not needed.
"""

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from python_stages.site.facts.dataset import Flow, Passage
from python_stages.site.svg import BLUE, GREEN, GREY, INK, ORANGE, RED

_LEFT: Final = 216
_STEP: Final = 76
_TOP: Final = 44
_ROW: Final = 26
_COLOURS: Final = {
    "direct": RED,
    "free_text": RED,
    "sensitive": ORANGE,
    "quasi": BLUE,
    "none": GREY,
}
_DASHES: Final = {Passage.SCRUBBED: "5 4", Passage.NOISED: "2 3"}
_LABELS: Final = {"free_text": "free text"}


def draw(flows: Sequence[Flow], sentence: str) -> str:
    """Return the drawing of some columns as SVG.

    Args:
        flows: columns of one dataset, in the order of the lines.
        sentence: what a screen reader says.
    """
    stages = [one.model for one in flows[0].stops]
    width = _LEFT + _STEP * (len(stages) - 1) + 90
    height = _TOP + _ROW * len(flows) + 14
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-label": sentence,
            "font-family": "system-ui, sans-serif",
            "font-size": "12",
        },
    )
    _stages(root, stages, height)
    for i, flow in enumerate(flows):
        _line(root, flow, _TOP + _ROW * i + _ROW // 2)
    return tostring(root, encoding="unicode")


def short(model: str) -> str:
    """Return the state that a model's name says: the source itself is called source."""
    if model.startswith("stg_"):
        return "staged"
    return model.rpartition("_")[2]


def _x(i: int) -> int:
    return _LEFT + _STEP * i


def _stages(root: Element, stages: Sequence[str], height: int) -> None:
    """Draw a column of the picture for each stage; the last is the box that matters."""
    for i, stage in enumerate(stages):
        label = "source" if i == 0 else short(stage)
        if label == "sealed":
            _add(root, "rect", x=_x(i) - 6, y=_TOP - 2, width=86, height=height - _TOP - 4, rx=6,
                 fill=INK, fill_opacity=0.08, stroke=INK, stroke_width=2)  # fmt: skip
            _text(root, label, _x(i) + 37, 24, anchor="middle", weight="700")
        else:
            _add(root, "line", x1=_x(i), y1=_TOP - 6, x2=_x(i), y2=height - 8, stroke=INK,
                 stroke_opacity=0.15)  # fmt: skip
            _text(root, label, _x(i), 24, anchor="middle")


def _line(root: Element, flow: Flow, y: int) -> None:
    """Draw a column's way in the colour of its class; dotted with noise, green once scrubbed."""
    # what was made up is nobody's
    colour = GREY if flow.is_synthetic else _COLOURS.get(flow.privacy, RED)
    _text(root, flow.column, _LEFT - 92, y + 4, anchor="end")
    _text(root, _LABELS.get(flow.privacy, flow.privacy), _LEFT - 84, y + 4, fill=colour)
    last = max(i for i, one in enumerate(flow.stops) if one.passage is not Passage.ABSENT)
    for i in range(1, last + 1):
        passage = flow.stops[i].passage
        dashes = {"stroke_dasharray": _DASHES[passage]} if passage in _DASHES else {}
        stroke = GREEN if passage is Passage.SCRUBBED else colour
        _add(root, "line", x1=_x(i - 1), y1=y, x2=_x(i), y2=y, stroke=stroke, stroke_width=3,
             **dashes)  # fmt: skip
    for i in range(last + 1):
        is_scrubbed = flow.stops[i].passage is Passage.SCRUBBED
        _add(root, "circle", cx=_x(i), cy=y, r=4, fill=GREEN if is_scrubbed else colour)
    if last < len(flow.stops) - 1:
        _add(root, "line", x1=_x(last) + 18, y1=y - 8, x2=_x(last) + 18, y2=y + 8, stroke=INK,
             stroke_width=3)  # fmt: skip
        _add(root, "line", x1=_x(last), y1=y, x2=_x(last) + 18, y2=y, stroke=colour, stroke_width=3)
        _text(root, "stops", _x(last) + 25, y + 4)
    elif flow.is_synthetic:
        _text(root, "made up", _x(last) + 10, y + 4)
    else:
        passage = flow.stops[-1].passage
        _text(root, "arrives" if passage is Passage.RAW else str(passage), _x(last) + 10, y + 4)


def _add(root: Element, tag: str, **attributes: object) -> Element:
    return SubElement(root, tag, {k.replace("_", "-"): str(v) for k, v in attributes.items()})


def _text(
    root: Element, text: str, x: int, y: int, *, anchor: str = "start", weight: str = "400",
    fill: str = INK,
) -> None:  # fmt: skip
    element = _add(root, "text", x=x, y=y, text_anchor=anchor, font_weight=weight, fill=fill)
    element.text = text
