"""The charts of a dataset: sorted, labelled, and to be read without the text around them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from python_stages.site.facts.dataset import ClassCount, Found, Recall, Stage, Tokens
from python_stages.site.svg import BLUE, GREY, INK, ORANGE, RED, chart_of, draw

WIDTH: Final = 300

_ROW: Final = 22
_COUNTS: Final = (
    "datum.value >= 1e6 ? format(datum.value / 1e6, '~g') + ' M' : "
    "datum.value >= 1e4 ? format(datum.value / 1e3, '~g') + ' k' : format(datum.value, ',')"
)
_NO_ROWS: Final = frozenset({"planted recall"})  # counts planted values
_SPLITS: Final = {"train": BLUE, "validation": ORANGE}


def funnel(stages: Sequence[Stage]) -> str:
    """Draw the rows that each stage left, and those that it took away, in order."""
    import altair as alt  # noqa: PLC0415 - a second

    shown = [
        one for one in stages if one.state not in _NO_ROWS and not one.state.startswith("job ")
    ]
    order = list(dict.fromkeys(one.state for one in shown))
    lost = {one.state for one in shown if is_loss(one)}
    rows: list[dict[str, Any]] = [
        {
            "state": state,
            # one stage may have several reasons
            "n": sum(one.n_rows for one in shown if one.state == state),
            "kind": "lost" if state in lost else "left",
        }
        for state in order
    ]
    base = chart_of(rows).encode(
        y=alt.Y("state:N", sort=order, title=None),
        x=alt.X("n:Q", title="rows", axis=alt.Axis(tickCount=5, labelExpr=_COUNTS)),
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=["left", "lost"], range=[BLUE, RED]),
            legend=alt.Legend(title=None),
        )
    )
    labels = base.mark_text(align="left", dx=4, color=INK).encode(text=alt.Text("n:Q", format=","))
    chart = (bars + labels).properties(width=WIDTH, height=_ROW * len(order))
    ends = [one for one in rows if one["kind"] == "left"]
    sentence = "Rows by stage"
    if ends:
        sentence += f", from {ends[0]['n']:,} {ends[0]['state']} to {ends[-1]['n']:,}"
        sentence += f" {ends[-1]['state']}"
    return draw(chart, sentence)


def is_loss(stage: Stage) -> bool:
    """Return whether a stage's number is of rows that were taken away."""
    return stage.state == "rejected" or stage.state.endswith(" dropped")


def found(marks: Sequence[Found], small: int) -> str:
    """Draw what was replaced, by kind and column, the commonest kind first."""
    import altair as alt  # noqa: PLC0415 - a second

    rows: list[dict[str, Any]] = [
        {
            "entity": one.entity,
            "column": one.column,
            "n": small if one.n is None else one.n,
            "text": f"few (under {small}, or next to it)" if one.n is None else f"{one.n:,}",
        }
        for one in marks
    ]
    by_size = list(dict.fromkeys(one.entity for one in marks))
    base = chart_of(rows).encode(
        y=alt.Y("entity:N", sort=by_size, title=None),
        x=alt.X(
            "n:Q", title="replaced", axis=alt.Axis(tickCount=5, labelExpr=_COUNTS, tickMinStep=1)
        ),
        yOffset="column:N",
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "column:N",
            scale=alt.Scale(range=[BLUE, ORANGE, GREY]),
            legend=alt.Legend(title="in column"),
        )
    )
    labels = base.mark_text(align="left", dx=4, color=INK).encode(text="text:N")
    n_rows = len({(one.entity, one.column) for one in marks})
    chart = (bars + labels).properties(width=WIDTH, height=_ROW * n_rows)
    return draw(chart, f"Personal data that was replaced, {n_rows} kinds and columns")


def recall(recalls: Sequence[Recall]) -> str:
    """Draw each kind's lowest recall with its interval and the least that is accepted."""
    import altair as alt  # noqa: PLC0415 - a second

    rows: list[dict[str, Any]] = [
        {
            "entity": one.entity,
            "recall": one.recall,
            "low": one.low,
            "high": one.high,
            "least": one.least,
            "is met": "yes" if one.is_met else "no",
            "text": f"{one.n_masked:,} of {one.n_planted:,}",
        }
        for one in lowest(recalls)
    ]
    scale = alt.Scale(domain=[min(0.5, *(float(str(one["low"])) for one in rows)), 1.0])
    base = chart_of(rows).encode(
        y=alt.Y("entity:N", sort=[one["entity"] for one in rows], title=None)
    )
    lines = base.mark_rule(color=GREY, strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale, title="share masked, with 95 % interval"), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="recall:Q",
        color=alt.Color(
            "is met:N",
            scale=alt.Scale(domain=["yes", "no"], range=[BLUE, RED]),
            legend=alt.Legend(title="as much as agreed"),
        ),
        shape=alt.Shape(
            "is met:N", scale=alt.Scale(domain=["yes", "no"], range=["circle", "cross"])
        ),
    )
    ticks = base.mark_tick(color=ORANGE, thickness=2, size=12).encode(x="least:Q")
    labels = base.mark_text(align="left", dx=8, color=INK).encode(x=alt.value(WIDTH), text="text:N")
    chart = (lines + ticks + dots + labels).properties(width=WIDTH, height=18 * len(rows))
    worst = rows[0]
    return draw(
        chart,
        f"Recall of planted personal data for {len(rows)} kinds; the lowest is "
        f"{float(str(worst['recall'])):.1%} ({worst['entity']}, {worst['text']})",
    )


def lowest(recalls: Iterable[Recall]) -> list[Recall]:
    """Return of each kind the column with the lowest recall, the lowest first."""
    by_entity: dict[str, Recall] = {}
    for one in recalls:
        known = by_entity.get(one.entity)
        if known is None or (one.recall, one.low) < (known.recall, known.low):
            by_entity[one.entity] = one
    return sorted(by_entity.values(), key=lambda one: (one.recall, one.low, one.entity))


def balance(classes: Sequence[ClassCount], small: int) -> str:
    """Draw the examples of each class and split, the commonest class first."""
    import altair as alt  # noqa: PLC0415 - a second

    rows: list[dict[str, Any]] = [
        {
            "label": one.label,
            "split": one.split,
            "n": small - 1 if one.n is None else one.n,
            "text": "few" if one.n is None else f"{one.n:,}",
        }
        for one in classes
    ]
    splits = [one for one in _SPLITS if any(row["split"] == one for row in rows)]
    sizes = {one.label: 0 for one in classes}
    for one in classes:
        sizes[one.label] += one.n or 0
    by_size = sorted(sizes, key=lambda label: (-sizes[label], label))
    base = chart_of(rows).encode(
        y=alt.Y("label:N", sort=by_size, title=None),
        yOffset=alt.YOffset("split:N", sort=splits),
        x=alt.X(
            "n:Q", title="examples", axis=alt.Axis(tickCount=5, labelExpr=_COUNTS, tickMinStep=1)
        ),
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "split:N",
            scale=alt.Scale(domain=splits, range=[_SPLITS[one] for one in splits]),
            legend=alt.Legend(title=None),
        )
    )
    labels = base.mark_text(align="left", dx=4, color=INK).encode(text="text:N")
    n_labels = len({one.label for one in classes})
    chart = (bars + labels).properties(width=WIDTH, height=2 * 18 * n_labels)
    return draw(chart, f"Examples of {n_labels} classes in {' and '.join(splits)}")


def tokens(lengths: Tokens, small: int) -> str:
    """Draw how long the examples are, and the line that none may pass."""
    import altair as alt  # noqa: PLC0415 - a second

    rows: list[dict[str, Any]] = [
        {
            "low": one.low,
            "high": one.high,
            "n": small - 1 if one.n is None else one.n,
            "is": "few" if one.n is None else "counted",
        }
        for one in lengths.bins
    ]
    bars: Any = (
        chart_of(rows)
        .mark_rect(stroke=INK, strokeWidth=0.5, strokeOpacity=0.3)
        .encode(
            x=alt.X("low:Q", title="estimated tokens of an example"),
            x2="high:Q",
            y2=alt.datum(0),
            y=alt.Y("n:Q", title="examples", axis=alt.Axis(tickCount=5, tickMinStep=1)),
            color=alt.Color(
                "is:N",
                scale=alt.Scale(domain=["counted", "few"], range=[BLUE, GREY]),
                legend=alt.Legend(title=None) if any(r["is"] == "few" for r in rows) else None,
            ),
        )
    )
    sentence = f"Lengths of {lengths.n:,} examples; the median is {lengths.median:,.0f} tokens"
    if lengths.budget is not None:
        line = chart_of([{"budget": lengths.budget, "text": f"budget {lengths.budget:,} "}]).encode(
            x="budget:Q"
        )
        bars += line.mark_rule(color=RED, strokeWidth=2, strokeDash=[6, 3])
        bars += line.mark_text(align="right", dx=-4, color=INK).encode(
            y=alt.value(8), text="text:N"
        )
        sentence += f", the budget {lengths.budget:,}"
    return draw(bars.properties(width=WIDTH, height=180), sentence)
