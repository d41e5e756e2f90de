"""The charts of a model: how it learned, what it gains, what it confuses, what it remembers."""

from collections.abc import Sequence
from typing import Any, Final

from python_stages.site.charts import WIDTH
from python_stages.site.facts.model import AuditRow, Confusion, Point, Score
from python_stages.site.svg import BLUE, GREEN, GREY, INK, ORANGE, RED, chart_of, draw

ROLES: Final = ("tuned", "previous", "base", "tfidf", "majority")
_COLOURS: Final = (BLUE, ORANGE, GREEN, GREY)
_CELL: Final = 24


def curve(points: Sequence[Point], kind: str) -> str:
    """Draw the metrics whose name ends with `kind`, such as `loss`, by step."""
    import altair as alt  # noqa: PLC0415 - a second

    shown = [one for one in points if one.metric.endswith(kind)]
    metrics = sorted({one.metric for one in shown})
    rows = [{"step": one.step, "metric": one.metric, "value": one.value} for one in shown]
    lines = (
        chart_of(rows)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="training step"),
            y=alt.Y("value:Q", title=kind, axis=alt.Axis(tickCount=5)),
            color=alt.Color(
                "metric:N",
                scale=alt.Scale(domain=metrics, range=_COLOURS[: len(metrics)]),
                legend=alt.Legend(title=None),
            ),
            strokeDash=alt.StrokeDash("metric:N", scale=alt.Scale(domain=metrics)),
        )
        .properties(width=WIDTH + 80, height=150)
    )
    ends = ", ".join(
        f"{name} ends at {[one.value for one in shown if one.metric == name][-1]:.3f}"
        for name in metrics
    )
    return draw(lines, f"{kind} by training step; {ends}")


def scores(found: Sequence[Score], metric: str) -> str:
    """Draw a metric of every model with its interval, the best first."""
    import altair as alt  # noqa: PLC0415 - a second

    shown = [
        one
        for one in found
        if one.metric == metric and one.compared_with is None and one.value is not None
    ]
    shown.sort(key=lambda one: -(one.value or 0.0))
    rows: list[dict[str, Any]] = [
        {
            "role": one.role,
            "value": one.value,
            "low": one.value if one.low is None else one.low,
            "high": one.value if one.high is None else one.high,
            "text": f"{one.value:.3f}",
        }
        for one in shown
    ]
    scale = alt.Scale(domain=[0, 1])
    base = chart_of(rows).encode(y=alt.Y("role:N", sort=[one["role"] for one in rows], title=None))
    lines = base.mark_rule(color=GREY, strokeWidth=2).encode(
        x=alt.X(
            "low:Q", scale=scale, title=f"{metric}, with 95 % interval", axis=alt.Axis(tickCount=5)
        ),
        x2="high:Q",
    )
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="value:Q",
        color=alt.Color(
            "role:N", scale=alt.Scale(domain=list(ROLES), range=list(_COLOURS)), legend=None
        ),
    )
    labels = base.mark_text(align="left", dx=8, color=INK).encode(x=alt.value(WIDTH), text="text:N")
    chart = (lines + dots + labels).properties(width=WIDTH, height=24 * len(rows))
    said = ", ".join(f"{one['role']} {one['text']}" for one in rows)
    return draw(chart, f"{metric} of each model: {said}")


def confusion(cells: Sequence[Confusion], role: str) -> str:
    """Draw what a model answered to the examples of each class, as shares of the class."""
    import altair as alt  # noqa: PLC0415 - a second

    shown = [one for one in cells if one.role == role]
    labels = sorted({one.label for one in shown})
    answers = [*labels, *sorted({one.predicted for one in shown} - set(labels))]
    totals = {label: sum(one.n for one in shown if one.label == label) for label in labels}
    counts = {(one.label, one.predicted): one.n for one in shown}
    rows: list[dict[str, Any]] = []
    for label in labels:
        for answer in answers:
            n = counts.get((label, answer), 0)
            text = f"{n:,}" if n else ""
            share = n / totals[label]
            rows.append({"true": label, "answered": answer, "share": share, "text": text})
    base = chart_of(rows).encode(
        x=alt.X("answered:N", sort=answers, title="answered", axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("true:N", sort=labels, title="true class"),
    )
    fill = base.mark_rect(color=BLUE, stroke=INK, strokeOpacity=0.15).encode(
        fillOpacity=alt.FillOpacity(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.75]), legend=None
        )
    )
    text = base.mark_text(color=INK, fontSize=11).encode(text="text:N")
    chart = (fill + text).properties(width=max(240, 30 * len(answers)), height=_CELL * len(labels))
    right = sum(one.n for one in shown if one.label == one.predicted)
    return draw(
        chart, f"What the {role} model answered to {len(labels)} classes; {right:,} on the diagonal"
    )


def exposure(rows: Sequence[AuditRow]) -> str:
    """Draw how exposed the canaries of each kind are, by how often they were planted."""
    import altair as alt  # noqa: PLC0415 - a second

    shown: list[dict[str, Any]] = [
        {
            "kind": one.kind,
            "repeats": "control" if one.n_repeats == 0 else f"{one.n_repeats} times",
            "order": one.n_repeats or 0,
            "value": one.value,
            "low": one.value if one.low is None else one.low,
            "high": one.value if one.high is None else one.high,
        }
        for one in rows
        if one.value is not None
    ]
    order = [one["repeats"] for one in sorted(shown, key=lambda one: one["order"])]
    base = chart_of(shown).encode(
        x=alt.X("repeats:N", sort=order, title="times planted", axis=alt.Axis(labelAngle=0)),
        xOffset="kind:N",
    )
    lines = base.mark_rule(color=GREY, strokeWidth=2).encode(
        y=alt.Y("low:Q", title="exposure, bits"), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(
        y="value:Q",
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(range=list(_COLOURS)),
            legend=alt.Legend(title="kind of canary"),
        ),
    )
    chart = (lines + dots).properties(width=WIDTH + 60, height=200)
    return draw(chart, f"Exposure of canaries by times planted, {len(shown)} groups")


def epsilon(claimed: float | None, shown: float | None, most: float | None) -> str:
    """Draw the epsilon that was claimed beside what attacks showed and could have shown."""
    import altair as alt  # noqa: PLC0415 - a second

    rows: list[dict[str, Any]] = [
        {"what": what, "epsilon": value, "text": f"{value:.2f}"}
        for what, value in (
            ("claimed by training", claimed),
            ("shown by attacks", shown),
            ("most they could show", most),
        )
        if value is not None
    ]
    base = chart_of(rows).encode(
        y=alt.Y("what:N", sort=[one["what"] for one in rows], title=None),
        x=alt.X("epsilon:Q", title="epsilon"),
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "what:N",
            scale=alt.Scale(
                domain=["claimed by training", "shown by attacks", "most they could show"],
                range=[BLUE, RED, GREY],
            ),
            legend=None,
        )
    )
    labels = base.mark_text(align="left", dx=4, color=INK).encode(text="text:N")
    chart = (bars + labels).properties(width=WIDTH, height=26 * len(rows))
    return draw(chart, "Epsilon: " + ", ".join(f"{one['what']} {one['text']}" for one in rows))
