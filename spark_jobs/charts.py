"""Charts as SVG that stands inside a page: no script, no address, and the page's own colours in light and dark.

Every colour is a CSS variable or `currentColor`, which the page gives a value; a heat map varies how opaque its colour is. Vega writes
the values it is given as text, escaped; nothing of a value becomes an attribute, a link or an element.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

Rows = Sequence[dict[str, Any]]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# As wide as a phone shows at full size: the page scales a chart up, hardly ever down, so its text can be read everywhere.
_WIDTH, _HEIGHT, _BAR_HEIGHT = 400, 220, 24
_TEXT_WIDTH = 310
_ROOM = 16
"""Round charts whose outermost labels a reader's wider font would push over the edge."""
_POINTS = 15
"""Lines over fewer days have points, since a single day is no line."""

_INK, _FIRST, _SECOND = "currentColor", "var(--first)", "var(--second)"
_COLOURS = [_FIRST, _SECOND, "var(--third)", "var(--fourth)"]
_DASHES = [[1, 0], [5, 3], [2, 2], [8, 2, 2, 2]]
"""Lines differ by these too, so that nobody needs the colours."""
_TEXT = {"labelColor": _INK, "labelFontSize": 12, "titleColor": _INK, "titleFontSize": 12, "titleFontWeight": "normal"}
_RULES = {"domainColor": _INK, "domainOpacity": 0.4, "gridColor": _INK, "gridOpacity": 0.12, "tickColor": _INK, "tickOpacity": 0.4}
_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": "transparent",
    "axis": {**_TEXT, **_RULES},
    "legend": {"orient": "top", **_TEXT},
    "view": {"stroke": None},
}
_OPENING = re.compile(r"<svg [^>]*(viewBox=\"[^\"]*\")[^>]*>")


def days(rows: Rows, value: str, label: str) -> Markup:
    """Draw one column a day; `rows` have `day` and `value`."""
    chart = alt.Chart(_data(rows)).mark_bar(color=_FIRST).encode(x=_day_axis(), y=_count_axis(value))
    return _svg(chart, label)


def lines(rows: Rows, names: Sequence[str], label: str) -> Markup:
    """Draw one line over the days for each of up to four columns."""
    is_whole = all(isinstance(row[name], int) for row in rows for name in names)
    chart = alt.Chart(_data(rows)).transform_fold(list(names), as_=["name", "value"]).mark_line(strokeWidth=2, point=len(rows) < _POINTS)
    return _svg(chart.encode(x=_day_axis(), y=_count_axis("value", is_whole=is_whole), **_told_apart("name", names)), label)


def history(rows: Rows, value: str, label: str) -> Markup:
    """Draw one line over the runs for each of up to four methods; `rows` have `run`, in order, `method` and `value`.

    A run is named by `DD Mon YY` and what tells it from others of that day.
    """
    runs, methods = (list(dict.fromkeys(row[name] for row in rows)) for name in ("run", "method"))
    chart = alt.Chart(_data(rows)).mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=40))
    day = "slice(datum.label, 0, 9)"
    x = alt.X("run:O", title=None, sort=runs, axis=alt.Axis(labelAngle=0, labelOverlap=True, labelExpr=day))
    y = alt.Y(f"{value}:Q", title=None, axis=alt.Axis(tickCount=5))
    return _svg(chart.encode(x=x, y=y, **_told_apart("method", methods)), label, padding=_ROOM)


def cohorts(rows: Rows, label: str) -> Markup:
    """Draw the share of each week's newcomers that came back; `rows` have `cohort_week`, `weeks_after` and `share`."""
    legend = alt.Legend(
        orient="top", symbolFillColor=_FIRST, symbolStrokeWidth=0, symbolType="square", format=".0%", values=[0.25, 0.5, 0.75, 1]
    )
    chart = (
        alt.Chart(_data(rows))
        .mark_rect(color=_FIRST)
        .encode(
            x=alt.X("weeks_after:O", title="weeks after the first play", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("cohort_week:O", title=None),
            opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), title="came back", legend=legend),
        )
    )
    return _svg(chart, label, padding=_ROOM)


def heat_map(rows: Rows, label: str) -> Markup:
    """Draw hours against weekdays; `rows` have `hour` and a column for each of WEEKDAYS."""
    most = max([1, *(row[day] for row in rows for day in WEEKDAYS)])
    opacity = alt.Scale(domain=[0, most], range=[0.04, 1])
    legend = alt.Legend(orient="top", symbolFillColor=_FIRST, symbolStrokeWidth=0, symbolType="square", format=",d", tickCount=4)
    chart = (
        alt.Chart(_data(rows))
        .transform_fold(list(WEEKDAYS), as_=["weekday", "plays"])
        .mark_rect(color=_FIRST)
        .encode(
            x=alt.X("hour:O", title="hour (UTC)", axis=alt.Axis(labelAngle=0, values=list(range(0, 24, 3)))),
            y=alt.Y("weekday:N", title=None, sort=list(WEEKDAYS), axis=alt.Axis(labelExpr="slice(datum.label, 0, 3)")),
            opacity=alt.Opacity("plays:Q", scale=opacity, title="plays", legend=legend),
        )
    )
    return _svg(chart, label)


def ranking(rows: Rows, names: Sequence[str], value: str, label: str) -> Markup:
    """Draw one bar a row, in the order of the rows, with the value and the columns `names` written on it.

    The text begins where the bar does and has room to the right, so that no reader's font is wide enough to be cut.
    """
    texts = [" · ".join([f"{row[value]:,}", *(str(row[name]) for name in names)]) for row in rows]
    bars = [{"place": place, "text": text, "value": row[value]} for place, (text, row) in enumerate(zip(texts, rows, strict=True))]
    x, y = alt.X("value:Q", axis=None), alt.Y("place:O", axis=None)
    bar = alt.Chart(alt.InlineData(values=bars)).mark_bar(color=_FIRST, opacity=0.35).encode(x=x, y=y)
    text = bar.mark_text(align="left", color=_INK, dx=6, fontSize=12, limit=_TEXT_WIDTH).encode(x=alt.datum(0), text="text:N")
    return _svg(bar + text, label, _BAR_HEIGHT * len(bars) + 10)


def _told_apart(field: str, names: Sequence[str]) -> dict[str, Any]:
    """Tell lines apart by colour and dashes."""
    colours = alt.Scale(domain=list(names), range=_COLOURS[: len(names)])
    dashes = alt.Scale(domain=list(names), range=_DASHES[: len(names)])
    legend = alt.Legend(orient="top", symbolType="stroke", labelExpr="replace(datum.label, '_', ' ')")
    return {
        "color": alt.Color(f"{field}:N", scale=colours, title=None, legend=legend),
        "strokeDash": alt.StrokeDash(f"{field}:N", scale=dashes, title=None, legend=legend),
    }


def _data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(
        values=[{name: value if isinstance(value, int | float) else str(value) for name, value in row.items()} for row in rows]
    )


def _day_axis() -> alt.X:
    # In UTC whatever the machine's time zone is.
    return alt.X("day:T", timeUnit="utcyearmonthdate", title=None, axis=alt.Axis(format="%-d %b %y", grid=False, tickCount=6))


def _count_axis(value: str, *, is_whole: bool = True) -> alt.Y:
    steps: dict[str, Any] = {"tickMinStep": 1} if is_whole else {}
    return alt.Y(f"{value}:Q", title=None, axis=alt.Axis(format="~s", tickCount=5, **steps))


def _svg(chart: alt.Chart | alt.LayerChart, label: str, height: int = _HEIGHT, padding: int = 5) -> Markup:
    """Render a chart and open it anew, as a picture with a name that takes the width it is given."""
    sized = chart.properties(width=_WIDTH, height=height, padding=padding, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    styled = sized.configure(**_CONFIG)
    drawn = vl_convert.vegalite_to_svg(styled.to_dict())
    opening = _OPENING.match(drawn)
    if opening is None:
        raise ValueError("the chart is not an SVG")
    picture = f'<svg {opening[1]} role="img" aria-label="{escape(label)}">{drawn[opening.end() :]}'
    return Markup(picture)  # noqa: S704 - Vega escaped the values  # nosec B704
